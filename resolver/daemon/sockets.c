#include "resolver/daemon/sockets.h"

#include "base/log.h"
#include "resolver/daemon/tcp_conn.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

bool
sockets_share_ports(const struct settings *s)
{
	for (size_t i = 0; i < s->listen.n; i++)
		for (size_t j = 0; addr_is_any(&s->listen.v[i]) && j < s->listen.n; j++)
			if (i != j && s->listen.v[j].family == s->listen.v[i].family &&
			    s->listen.v[j].port == s->listen.v[i].port)
				return true;
	return s->workers > 1;
}

/* Sockets of our own. A machine without IPv6 lacks ::1; the daemon still answers on the other addresses. */
static enum res
sockets_bind(const struct settings *s, unsigned number, struct listener_fds *v, size_t *n, char **why)
{
	enum res res = RES_OK;

	for (size_t i = 0; i < s->listen.n && res == RES_OK; i++) {
		char *left_out = NULL;

		res = listener_bind(&v[*n], &s->listen.v[i], sockets_share_ports(s), &left_out);
		if (res == RES_OK) {
			(*n)++;
		} else if (res == RES_UNSUPPORTED && (*n > 0 || i + 1 < s->listen.n)) {
			if (number == 0)
				log_event(LOG_WARN, "listener-left-out", LOG_STR("error", left_out));
			free(left_out);
			res = RES_OK;
		} else {
			*why = left_out;
		}
	}
	return res;
}

enum res
sockets_of_worker(const struct settings *s, unsigned number, const struct listener_fds *given, size_t n_given,
		  struct listener_fds **out, size_t *n_out, char **why)
{
	size_t n = 0;
	struct listener_fds *v = calloc((n_given > 0 ? n_given : s->listen.n) + 1, sizeof *v);
	enum res res = RES_OK;

	if (v == NULL)
		return RES_NOMEM;
	for (; n < n_given; n++) {
		v[n] = given[n];
		if (number > 0 && v[n].udp >= 0)
			v[n].udp = dup(v[n].udp);
		if (number > 0 && v[n].tcp >= 0)
			v[n].tcp = dup(v[n].tcp);
	}
	if (n_given == 0)
		res = sockets_bind(s, number, v, &n, why);
	if (res != RES_OK) {
		free(v);
		return res;
	}
	*out = v;
	*n_out = n;
	return RES_OK;
}

/* With SO_REUSEPORT a second daemon of the same user could join in unnoticed: the addresses must be free
 * first. */
enum res
sockets_are_free(const struct settings *s, char **why)
{
	for (size_t i = 0; i < s->listen.n; i++) {
		struct listener_fds l;
		char *left_out = NULL;
		enum res res = listener_bind(&l, &s->listen.v[i], false, &left_out);

		if (res == RES_UNSUPPORTED) { /* for sockets_of_worker to judge */
			free(left_out);
			continue;
		}
		if (res != RES_OK) {
			*why = left_out;
			return res;
		}
		close(l.udp);
		close(l.tcp);
	}
	return RES_OK;
}

/* See sockets.h. */
uint32_t
sockets_connections_max(unsigned workers)
{
	struct rlimit r;
	uint64_t n;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return DESCRIPTORS_KEPT;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r);
	n = r.rlim_cur > 2 * DESCRIPTORS_KEPT ? r.rlim_cur - DESCRIPTORS_KEPT : r.rlim_cur / 2;
	n /= workers;
	return n > TCP_CONNECTIONS_MAX ? TCP_CONNECTIONS_MAX : n < 1 ? 1 : (uint32_t)n;
}
