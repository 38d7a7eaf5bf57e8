#include "config.h"

#include "resolver/daemon/service.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void
service_held(struct held_sockets *out, const struct listener_fds *fds, size_t n)
{
	*out = (struct held_sockets){.from = "the service manager"};
	out->without_ipv6 = n > 0 && !listener_has_ipv6();
	for (size_t i = 0; i < n; i++)
		held_add(out, &fds[i].addr, fds[i].udp >= 0);
}

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>

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

enum res
service_sockets(struct listener_fds **fds, size_t *n, char **why)
{
	int count = sd_listen_fds(1);
	struct listener_fds *v;

	*fds = NULL;
	*n = 0;
	if (count <= 0)
		return RES_OK;
	v = calloc((size_t)count, sizeof *v);
	if (v == NULL)
		return RES_NOMEM;
	for (int i = 0; i < count; i++) {
		enum res res = socket_read(&v[i], SD_LISTEN_FDS_START + i, why);

		if (res != RES_OK) {
			free(v);
			return res;
		}
	}
	*fds = v;
	*n = (size_t)count;
	return RES_OK;
}

bool
service_is_known(void)
{
	return true;
}

bool
service_is_manager(void)
{
	return sd_booted() > 0;
}

void
service_ready(const char *status)
{
	sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void
service_reloading(void)
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_mono_us());
}

void
service_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

int64_t
service_watchdog_ms(void)
{
	uint64_t us = 0;

	return sd_watchdog_enabled(0, &us) > 0 ? (int64_t)(us / 1000) : 0;
}

void
service_alive(void)
{
	sd_notify(0, "WATCHDOG=1");
}

#else

enum res
service_sockets(struct listener_fds **fds, size_t *n, char **why)
{
	(void)why;
	*fds = NULL;
	*n = 0;
	return RES_OK;
}

bool
service_is_known(void)
{
	return false;
}

bool
service_is_manager(void)
{
	return false;
}

void
service_ready(const char *status)
{
	(void)status;
}

void
service_reloading(void)
{
}

void
service_stopping(void)
{
}

int64_t
service_watchdog_ms(void)
{
	return 0;
}

void
service_alive(void)
{
}

#endif
