#include "config.h"
/* DNS over TCP for clients (RFC 7766, RFC 9210): pipelined questions, replies as they become known. */
#include "resolver/daemon/listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_MAX (2 + MSG_MAX)

struct tcp_conn {
	struct tcp_room *room;
	int fd;
	struct addr addr;
	struct loop_fd watch;
	struct loop_timer timer;
	struct loop_defer defer;
	struct buf in;  /* what was read and not yet worked on */
	struct buf out; /* replies from out_at on are not written yet */
	size_t out_at;
	struct waiter *waiting;
	unsigned in_flight;
	bool blocked; /* the client reads no more just now */
	bool eof;     /* the client has said everything; it may still listen */
	int64_t asked_ms;
	int64_t wrote_ms;
	struct tcp_conn *newer, *older;
};

struct tcp_room {
	struct loop *loop;
	struct engine *engine;
	struct counters *counters;
	struct share *share;
	struct tcp_conn *newest, *oldest; /* by the time of the last question */
	size_t busy;
	uint8_t bytes[TCP_READ_MAX];
};

struct listener_tcp {
	struct tcp_room *room;
	struct addr addr;
	int fd;
	bool stopped;
	struct loop_fd watch;
	struct loop_timer pause;
};

static void conn_on_ready(void *, unsigned);
static void conn_on_timer(void *);
static void conn_on_defer(void *);
static bool conn_write(struct tcp_conn *);

/* ---- connections */

static void
conn_list_remove(struct tcp_conn *c)
{
	struct tcp_room *r = c->room;

	if (c->newer != NULL)
		c->newer->older = c->older;
	else
		r->newest = c->older;
	if (c->older != NULL)
		c->older->newer = c->newer;
	else
		r->oldest = c->newer;
}

static void
conn_list_add(struct tcp_conn *c)
{
	struct tcp_room *r = c->room;

	c->newer = NULL;
	c->older = r->newest;
	if (r->newest != NULL)
		r->newest->newer = c;
	else
		r->oldest = c;
	r->newest = c;
}

static size_t
conn_pending(const struct tcp_conn *c)
{
	return c->out.n - c->out_at;
}

static void
conn_close(struct tcp_conn *c)
{
	struct tcp_room *r = c->room;

	engine_forget(r->engine, &c->waiting);
	if (c->in_flight > 0)
		r->busy--;
	loop_fd_unwatch(&c->watch);
	loop_timer_stop(&c->timer);
	loop_defer_stop(&c->defer);
	conn_list_remove(c);
	share_give(r->share, &c->addr);
	close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
}

static enum res
conn_new(struct tcp_room *r, int fd, const struct addr *addr)
{
	struct tcp_conn *c = calloc(1, sizeof *c);

	if (c == NULL)
		return RES_NOMEM;
	c->room = r;
	c->fd = fd;
	c->addr = *addr;
	c->in = buf_max(TCP_READ_MAX + FRAME_MAX);
	c->out = buf_max(TCP_WRITE_LOW + TCP_WRITE_MAX + FRAME_MAX); /* written, waiting, and one more */
	c->asked_ms = c->wrote_ms = loop_now_ms(r->loop);
	loop_timer_init(&c->timer, r->loop, conn_on_timer, c);
	if (loop_fd_watch(&c->watch, r->loop, fd, conn_on_ready, c) != RES_OK ||
	    loop_fd_interest(&c->watch, LOOP_READ) != RES_OK) {
		loop_fd_unwatch(&c->watch);
		free(c);
		return RES_NOMEM;
	}
	conn_list_add(c);
	loop_timer_set(&c->timer, TCP_IDLE_MS);
	return RES_OK;
}

/* No further question is taken on before some of those are answered, or their replies read. */
static bool
conn_is_full(const struct tcp_conn *c)
{
	return c->in_flight >= TCP_IN_FLIGHT_MAX || conn_pending(c) >= TCP_WRITE_LOW;
}

static void
conn_on_reply(const struct client *client, struct span reply)
{
	struct tcp_conn *c = client->owner;

	if (--c->in_flight == 0)
		c->room->busy--;
	/* Many large replies of one turn are not the client's fault. */
	if (conn_pending(c) > TCP_WRITE_MAX && (!conn_write(c) || conn_pending(c) > TCP_WRITE_MAX)) {
		counter_add(c->room->counters, COUNTER_TCP_CLOSED_SLOW, 1);
		conn_close(c);
		return;
	}
	buf_u16(&c->out, (uint16_t)reply.n);
	buf_put(&c->out, reply);
	loop_defer(&c->defer, c->room->loop, conn_on_defer, c);
}

/* One question. False: the connection is broken. */
static bool
conn_question(struct tcp_conn *c, struct span frame)
{
	struct tcp_room *r = c->room;
	const struct client client = {
	    .on_reply = conn_on_reply, .owner = c, .waiting = &c->waiting, .tcp = true, .addr = c->addr};
	size_t at = c->out.n;

	/* Shorter than a header: not DNS, and what follows would not be either. */
	if (frame.n < MSG_HEADER) {
		counter_add(r->counters, COUNTER_DROPPED, 1);
		return false;
	}
	buf_u16(&c->out, 0);
	switch (engine_ask(r->engine, frame, &client, &c->out)) {
	case ASK_REPLIED:
		if (!buf_ok(&c->out))
			return false;
		be16_write(c->out.p + at, (uint16_t)(c->out.n - at - 2));
		return true;
	case ASK_WAITS:
		if (c->in_flight++ == 0)
			r->busy++;
		break;
	case ASK_DROPPED:
		break;
	}
	c->out.n = at;
	return buf_ok(&c->out);
}

/* As many questions as may be taken on. *used: how many bytes are done with. False: broken. */
static bool
conn_questions(struct tcp_conn *c, struct span bytes, size_t *used)
{
	size_t at = 0;

	while (bytes.n - at >= 2 && !conn_is_full(c)) {
		size_t n = be16_read(bytes.p + at);

		if (bytes.n - at - 2 < n)
			break;
		if (!conn_question(c, span_of(bytes.p + at + 2, n)))
			return false;
		at += 2 + n;
	}
	if (at > 0) {
		c->asked_ms = loop_now_ms(c->room->loop);
		conn_list_remove(c);
		conn_list_add(c);
	}
	*used = at;
	return true;
}

/* False: broken. */
static bool
conn_write(struct tcp_conn *c)
{
	while (conn_pending(c) > 0) {
		ssize_t n = send(c->fd, c->out.p + c->out_at, conn_pending(c), MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return false;
		if (n < 0) {
			/* The timer may stand at the end of a long idle time. */
			if (!c->blocked)
				loop_timer_set(&c->timer, TCP_WRITE_MS);
			c->blocked = true;
			break;
		}
		c->out_at += (size_t)n;
		c->wrote_ms = loop_now_ms(c->room->loop);
	}
	if (conn_pending(c) == 0) {
		buf_free(&c->out);
		c->out_at = 0;
		c->blocked = false;
	} else if (c->out_at >= TCP_WRITE_LOW) {
		buf_drop(&c->out, c->out_at);
		c->out_at = 0;
	}
	return true;
}

/* After anything happened: works on what is left, writes, decides what is waited for. May free it. */
static void
conn_settle(struct tcp_conn *c)
{
	size_t used;
	bool was_full;

	do {
		used = 0;
		was_full = conn_is_full(c);
		if (c->in.n > 0) {
			if (!conn_questions(c, buf_span(&c->in), &used)) {
				conn_close(c);
				return;
			}
			buf_drop(&c->in, used);
			if (c->in.n == 0)
				buf_free(&c->in);
		}
		if (!conn_write(c)) {
			conn_close(c);
			return;
		}
		/* Writing may have made the room that was missing: nothing else would bring us back here. */
	} while ((used > 0 || was_full) && c->in.n > 0 && !conn_is_full(c));
	if (c->eof && c->in_flight == 0 && conn_pending(c) == 0) {
		conn_close(c);
		return;
	}
	loop_fd_interest(&c->watch, (!c->eof && !conn_is_full(c) && c->in.n < FRAME_MAX ? LOOP_READ : 0U) |
					(conn_pending(c) > 0 ? LOOP_WRITE : 0U));
}

static void
conn_on_defer(void *ctx)
{
	conn_settle(ctx);
}

static void
conn_read(struct tcp_conn *c)
{
	struct tcp_room *r = c->room;
	size_t used = 0;
	ssize_t n = recv(c->fd, r->bytes, sizeof r->bytes, MSG_DONTWAIT);
	bool ok = true;

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			conn_close(c);
		return;
	}
	if (n == 0)
		c->eof = true;
	/* Most often whole questions arrive, and nothing has to be kept. */
	if (c->in.n == 0)
		ok = conn_questions(c, span_of(r->bytes, (size_t)n), &used);
	if (ok && used < (size_t)n)
		buf_put(&c->in, span_of(r->bytes + used, (size_t)n - used));
	if (!ok || !buf_ok(&c->in)) {
		conn_close(c);
		return;
	}
	conn_settle(c);
}

static void
conn_on_ready(void *ctx, unsigned ready)
{
	if ((ready & LOOP_READ) != 0)
		conn_read(ctx);
	else
		conn_settle(ctx);
}

static void
conn_on_timer(void *ctx)
{
	struct tcp_conn *c = ctx;
	struct tcp_room *r = c->room;
	int64_t now = loop_now_ms(r->loop);
	int64_t left = c->blocked ? c->wrote_ms + TCP_WRITE_MS - now : c->asked_ms + TCP_IDLE_MS - now;

	if (left > 0)
		loop_timer_set(&c->timer, left);
	else if (c->blocked) {
		counter_add(r->counters, COUNTER_TCP_CLOSED_SLOW, 1);
		conn_close(c);
	} else if (c->in_flight > 0) {
		loop_timer_set(&c->timer, TCP_IDLE_MS);
	} else {
		counter_add(r->counters, COUNTER_TCP_CLOSED_IDLE, 1);
		conn_close(c);
	}
}

/* ---- the room */

enum res
tcp_room_new(struct tcp_room **out, struct loop *loop, struct engine *engine, struct counters *counters,
	     uint32_t connections_max)
{
	struct tcp_room *r = calloc(1, sizeof *r);

	if (r == NULL || share_new(&r->share, connections_max) != RES_OK) {
		free(r);
		return RES_NOMEM;
	}
	r->loop = loop;
	r->engine = engine;
	r->counters = counters;
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
