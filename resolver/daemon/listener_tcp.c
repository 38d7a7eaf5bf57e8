#include "config.h"
/* The doors for DNS over TCP, and the room that the connections of a worker share. */
#include "resolver/daemon/tcp_conn.h"

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

/* ---- the room */

enum res
tcp_room_new(struct tcp_room **out, struct loop *loop, struct engine *engine, struct counters *counters,
	     uint32_t connections_max, size_t bytes_max, struct footprint_watch *footprint)
{
	struct tcp_room *r = calloc(1, sizeof *r);

	if (r == NULL || share_new(&r->share, connections_max) != RES_OK) {
		free(r);
		return RES_NOMEM;
	}
	r->loop = loop;
	r->engine = engine;
	r->counters = counters;
	r->footprint = footprint;
	r->unfinished.max = r->unread.max = bytes_max;
	*out = r;
	return RES_OK;
}

void
tcp_room_free(struct tcp_room *r)
{
	if (r == NULL)
		return;
	while (r->newest != NULL)
		conn_close(r->newest);
	share_free(r->share);
	free(r);
}

bool
tcp_room_is_high(const struct tcp_room *r)
{
	return r->unfinished.used + r->unread.used >= TCP_BYTES_HIGH ||
	       share_used(r->share) >= TCP_CONNECTIONS_HIGH;
}

size_t
tcp_room_busy(const struct tcp_room *r)
{
	return r->busy;
}

/* Who was silent for longest and waits for nothing: of this client, or of all (NULL). */
static struct tcp_conn *
room_idle(const struct tcp_room *r, const struct addr *of)
{
	struct tcp_conn *c = r->oldest;

	for (unsigned looked = 0; c != NULL && looked < TCP_LOOK_MAX; c = c->newer, looked++)
		if (c->in_flight == 0 && (of == NULL || addr_ip_equal(&c->addr, of)))
			return c;
	return NULL;
}

/* Room for one more. A client with its share of connections gives one of its own for it: a flood must not
 * close those of others. */
static bool
room_make(struct tcp_room *r, const struct addr *addr)
{
	struct tcp_conn *c;

	if (share_take(r->share, addr))
		return true;
	c = room_idle(r, share_of(r->share, addr) > 0 ? addr : NULL);
	if (c == NULL)
		return false;
	counter_add(r->counters, COUNTER_TCP_CLOSED_IDLE, 1);
	conn_close(c);
	return share_take(r->share, addr);
}

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
	struct tcp_room *r = l->room;
	const int on = 1;
	struct addr addr;

	if (addr_from_sockaddr(&addr, peer) != RES_OK || listener_refuses(&l->addr, &addr) ||
	    !room_make(r, &addr)) {
		counter_add(r->counters, COUNTER_DROPPED, 1);
		close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (conn_new(r, fd, &addr) != RES_OK) {
		share_give(r->share, &addr);
		close(fd);
		return;
	}
	counter_add(r->counters, COUNTER_TCP_ACCEPTED, 1);
	if (share_used(r->share) >= TCP_CONNECTIONS_HIGH)
		footprint_watch_busy(r->footprint);
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
