#include "resolver/sockets.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Sockets of one worker: those handed in (the others share them), else its own. */
enum res
sockets_of_worker(const struct settings *s, unsigned number, const struct listener_fds *given, size_t n_given,
    struct listener_fds **out, size_t *n_out, char **why)
{
	size_t n = n_given > 0 ? n_given : s->listen.n;
	struct listener_fds *v = calloc(n + 1, sizeof *v);
	enum res res = RES_OK;

	if (v == NULL)
		return RES_NOMEM;
	for (size_t i = 0; i < n && res == RES_OK; i++) {
		if (n_given == 0) {
			res = listener_bind(&v[i], &s->listen.v[i], s->workers > 1, why);
		} else {
			v[i] = given[i];
			if (number > 0 && v[i].udp >= 0)
				v[i].udp = dup(v[i].udp);
			if (number > 0 && v[i].tcp >= 0)
				v[i].tcp = dup(v[i].tcp);
		}
	}
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
		enum res res = listener_bind(&l, &s->listen.v[i], false, why);

		if (res != RES_OK)
			return res;
		close(l.udp);
		close(l.tcp);
	}
	return RES_OK;
}

/* As many descriptors as the system gives; how many connections of clients each worker may hold. */
uint32_t
sockets_connections_max(unsigned workers)
{
	struct rlimit r;
	uint64_t n;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return TCP_ACCEPT_MAX;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r);
	n = r.rlim_cur > 2 * DESCRIPTORS_KEPT ? r.rlim_cur - DESCRIPTORS_KEPT : r.rlim_cur / 2;
	n /= workers;
	return n > TCP_CONNECTIONS_MAX ? TCP_CONNECTIONS_MAX : n < 1 ? 1 : (uint32_t)n;
}
