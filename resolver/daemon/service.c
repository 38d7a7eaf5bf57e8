#include "config.h"

#include "resolver/daemon/service.h"

#include "base/clock.h"
#include "resolver/daemon/notify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

void
service_held(struct held_sockets *out, const struct listener_fds *fds, size_t n)
{
	*out = (struct held_sockets){.from = "the service manager"};
	out->without_ipv6 = n > 0 && !listener_has_ipv6();
	for (size_t i = 0; i < n; i++)
		held_add(out, &fds[i].addr, fds[i].udp >= 0);
}

static enum res
socket_read(struct listener_fds *l, int fd, char **why)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof sa;
	int type = 0;
	socklen_t type_n = sizeof type;
	struct buf b = buf_max(256);

	*l = (struct listener_fds){.udp = -1, .tcp = -1};
	if (getsockname(fd, (struct sockaddr *)&sa, &n) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_n) != 0 ||
	    addr_from_sockaddr(&l->addr, (const struct sockaddr *)&sa) != RES_OK ||
	    (type != SOCK_DGRAM && type != SOCK_STREAM)) {
		buf_format(&b, "descriptor %d from the service manager is not a UDP or TCP socket", fd);
		*why = buf_take_cstr(&b);
		return RES_UNSUPPORTED;
	}
	*(type == SOCK_DGRAM ? &l->udp : &l->tcp) = fd;
	listener_adopt(l);
	return RES_OK;
}

static enum res
sockets_count(size_t *n, char **why)
{
	struct buf b = buf_max(256);
	enum res res = notify_handed(n);

	if (res == RES_OK)
		return res;
	buf_format(&b, "LISTEN_FDS of the service manager: a number of sockets, at most %d, was expected",
		   HANDED_MAX);
	*why = buf_take_cstr(&b);
	return res;
}

enum res
service_sockets(struct listener_fds **fds, size_t *n, char **why)
{
	struct listener_fds *v;
	size_t count;
	enum res res = sockets_count(&count, why);

	*fds = NULL;
	*n = 0;
	if (res != RES_OK || count == 0)
		return res;
	v = calloc(count, sizeof *v);
	if (v == NULL)
		return RES_NOMEM;
	for (size_t i = 0; res == RES_OK && i < count; i++)
		res = socket_read(&v[i], HANDED_FIRST + (int)i, why);
	if (res != RES_OK) {
		free(v);
		return res;
	}
	*fds = v;
	*n = count;
	return RES_OK;
}

/* As sd_booted(3) finds out. */
bool
service_is_manager(void)
{
	return access("/run/systemd/system/", F_OK) == 0;
}

void
service_ready(const char *status)
{
	struct buf b = buf_max(256);

	buf_format(&b, "READY=1\nSTATUS=%s", status);
	(void)notify_send(buf_span(&b));
	buf_free(&b);
}

/* Type=notify-reload wants both (systemd.service(5)). */
void
service_reloading(void)
{
	struct buf b = buf_max(256);

	buf_format(&b, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono_us());
	(void)notify_send(buf_span(&b));
	buf_free(&b);
}

void
service_stopping(void)
{
	(void)notify_send(span_str("STOPPING=1"));
}

int64_t
service_watchdog_ms(void)
{
	return (int64_t)(notify_watchdog_us() / 1000);
}

void
service_alive(void)
{
	(void)notify_send(span_str("WATCHDOG=1"));
}
