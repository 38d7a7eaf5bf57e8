#include "config.h"

#include "resolver/daemon/listener_tcp.h"

#include "resolver/daemon/listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct listener_tcp {
	struct tcp_room *room;
	struct addr addr;
	int fd;
	bool stopped;
	struct loop_fd watch;
	struct loop_timer pause;
};

/* ---- listening */

static void
tcp_on_pause_over(void *ctx)
{
	struct listener_tcp *l = ctx;

	if (!l->stopped)
		loop_fd_interest(&l->watch, LOOP_READ);
}

static void
tcp_pause(struct listener_tcp *l)
{
	counter_add(l->room->counters, COUNTER_ACCEPT_PAUSED, 1);
	log_event(LOG_WARN, "accept-paused", LOG_ADDR("listen", &l->addr), LOG_STR("error", strerror(errno)));
	loop_fd_interest(&l->watch, 0);
	loop_timer_set(&l->pause, TCP_PAUSE_MS);
}

static void
tcp_take(struct listener_tcp *l, int fd, const struct sockaddr *peer)
{
	const int on = 1;
	struct addr addr;

	if (addr_from_sockaddr(&addr, peer) != RES_OK || listener_refuses(&l->addr, &addr) ||
	    tcp_conn_new(l->room, fd, &addr) != RES_OK) {
		counter_add(l->room->counters, COUNTER_DROPPED, 1);
		close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	counter_add(l->room->counters, COUNTER_TCP_ACCEPTED, 1);
}

static void
tcp_on_ready(void *ctx, unsigned ready)
{
	struct listener_tcp *l = ctx;

	(void)ready;
	for (unsigned i = 0; i < TCP_ACCEPT_MAX && !l->stopped; i++) {
		struct sockaddr_storage peer;
		socklen_t peer_n = sizeof peer;
		int fd = accept4(l->fd, (struct sockaddr *)&peer, &peer_n, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			tcp_take(l, fd, (const struct sockaddr *)&peer);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			tcp_pause(l);
		if (errno != EINTR && errno != ECONNABORTED)
			break;
	}
}

enum res
listener_tcp_new(struct listener_tcp **out, struct tcp_room *room, int fd, const struct addr *addr)
{
	struct listener_tcp *l = calloc(1, sizeof *l);

	if (l == NULL)
		return RES_NOMEM;
	l->room = room;
	l->addr = *addr;
	l->fd = fd;
	loop_timer_init(&l->pause, room->loop, tcp_on_pause_over, l);
	if (loop_fd_watch(&l->watch, room->loop, fd, tcp_on_ready, l) != RES_OK ||
	    loop_fd_interest(&l->watch, LOOP_READ) != RES_OK) {
		loop_fd_unwatch(&l->watch);
		free(l);
		return RES_NOMEM;
	}
	*out = l;
	return RES_OK;
}

void
listener_tcp_stop(struct listener_tcp *l)
{
	l->stopped = true;
	loop_timer_stop(&l->pause);
	loop_fd_interest(&l->watch, 0);
}

void
listener_tcp_free(struct listener_tcp *l)
{
	if (l == NULL)
		return;
	loop_timer_stop(&l->pause);
	loop_fd_unwatch(&l->watch);
	close(l->fd);
	free(l);
}
