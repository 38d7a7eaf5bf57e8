#include "config.h"

#include "resolver/daemon/tcp_conn.h"

#include "resolver/daemon/listener.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_MAX (2 + MSG_MAX)
/* Releases of clang-format differ about the blanks around this minus. */
/* clang-format off */
#define CONTAINER(type, member, p) ((type *)(void *)((char *)(p) - offsetof(type, member)))
/* clang-format on */

static void tcp_conn_on_ready(void *, unsigned);
static void tcp_conn_on_timer(void *);
static void tcp_conn_on_defer(void *);
static bool tcp_conn_write(struct tcp_conn *);

/* ---- connections */

static size_t
tcp_conn_pending(const struct tcp_conn *c)
{
	return c->out.n - c->out_at;
}

void
tcp_conn_close(struct tcp_conn *c)
{
	struct tcp_room *r = c->room;

	engine_forget(r->engine, &c->waiting);
	budget_set(&r->unfinished, &c->unfinished, 0);
	budget_set(&r->unread, &c->unread, 0);
	loop_fd_unwatch(&c->watch);
	loop_timer_stop(&c->timer);
	loop_defer_stop(&c->defer);
	TAILQ_REMOVE(&r->conns, c, by_time);
	client_quota_give(r->quota, &c->addr);
	close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
}

/* The connection that was idle for longest: of this client, or of all (NULL). */
static struct tcp_conn *
tcp_room_idle(const struct tcp_room *r, const struct addr *of)
{
	struct tcp_conn *c = TAILQ_FIRST(&r->conns);

	for (unsigned looked = 0; c != NULL && looked < TCP_LOOK_MAX; c = TAILQ_NEXT(c, by_time), looked++)
		if (c->in_flight == 0 && (of == NULL || addr_ip_equal(&c->addr, of)))
			return c;
	return NULL;
}

/* Room for one more connection. A client that has used its quota gives one of its own for it: a flood must not close
 * those of others. */
static bool
tcp_room_make(struct tcp_room *r, const struct addr *addr)
{
	struct tcp_conn *c;

	if (client_quota_take(r->quota, addr))
		return true;
	c = tcp_room_idle(r, client_quota_of(r->quota, addr) > 0 ? addr : NULL);
	if (c == NULL)
		return false;
	counter_add(r->counters, COUNTER_TCP_CLOSED_IDLE, 1);
	tcp_conn_close(c);
	return client_quota_take(r->quota, addr);
}

enum res
tcp_conn_new(struct tcp_room *r, int fd, const struct addr *addr)
{
	struct tcp_conn *c;

	if (!tcp_room_make(r, addr))
		return RES_LIMIT;
	c = calloc(1, sizeof *c);
	if (c == NULL) {
		client_quota_give(r->quota, addr);
		return RES_NOMEM;
	}
	c->room = r;
	c->fd = fd;
	c->addr = *addr;
	c->in = buf_max(TCP_READ_MAX + FRAME_MAX);
	c->out = buf_max(TCP_WRITE_LOW + TCP_WRITE_MAX + FRAME_MAX); /* written, waiting, and one more */
	c->asked_ms = c->wrote_ms = loop_now_ms(r->loop);
	loop_timer_init(&c->timer, r->loop, tcp_conn_on_timer, c);
	if (loop_fd_watch(&c->watch, r->loop, fd, tcp_conn_on_ready, c) != RES_OK ||
	    loop_fd_interest(&c->watch, LOOP_READ) != RES_OK) {
		loop_fd_unwatch(&c->watch);
		client_quota_give(r->quota, addr);
		free(c);
		return RES_NOMEM;
	}
	TAILQ_INSERT_TAIL(&r->conns, c, by_time);
	loop_timer_set(&c->timer, TCP_IDLE_MS);
	if (client_quota_used(r->quota) >= TCP_CONNECTIONS_HIGH)
		heap_watch_busy(r->heap);
	return RES_OK;
}

/* No further question is taken on before some of those are answered, or their replies read. */
static bool
tcp_conn_is_full(const struct tcp_conn *c)
{
	return c->in_flight >= TCP_IN_FLIGHT_MAX || tcp_conn_pending(c) >= TCP_WRITE_LOW;
}

/* ---- what it holds */

/* Bytes that the kernel still has for a client that does not take them. */
static size_t
tcp_conn_unread_in_kernel(const struct tcp_conn *c)
{
	int n = 0;

	return ioctl(c->fd, SIOCOUTQ, &n) == 0 && n > 0 ? (size_t)n : 0;
}

/* While its questions are not read, a client's whole receive buffer may be full. */
static size_t
tcp_conn_unread(const struct tcp_conn *c, size_t in_kernel)
{
	return c->out.cap + in_kernel + (tcp_conn_is_full(c) ? TCP_KERNEL_READ : 0);
}

static void
tcp_conn_weigh(struct tcp_conn *c, size_t in_kernel)
{
	budget_set(&c->room->unfinished, &c->unfinished, c->in.cap);
	budget_set(&c->room->unread, &c->unread, tcp_conn_unread(c, in_kernel));
}

/* Closes the heaviest connections until the budgets are met: any connection may be gone afterwards. */
static void
tcp_room_trim(struct tcp_room *r)
{
	struct budget_item *i;

	if (tcp_room_is_high(r))
		heap_watch_busy(r->heap);
	while ((i = budget_victim(&r->unfinished)) != NULL) {
		counter_add(r->counters, COUNTER_TCP_CLOSED_MEMORY, 1);
		tcp_conn_close(CONTAINER(struct tcp_conn, unfinished, i));
	}
	while ((i = budget_victim(&r->unread)) != NULL) {
		struct tcp_conn *c = CONTAINER(struct tcp_conn, unread, i);
		size_t now = tcp_conn_unread(c, tcp_conn_unread_in_kernel(c));

		if (now < i->bytes) { /* the client has read meanwhile */
			budget_set(&r->unread, i, now);
			continue;
		}
		counter_add(r->counters, COUNTER_TCP_CLOSED_MEMORY, 1);
		tcp_conn_close(c);
	}
}

/* ---- replies and questions */

/* The whole frame or nothing: after a part of one the client would take each further frame for another. */
static bool
tcp_conn_frame(struct tcp_conn *c, struct span reply)
{
	uint8_t *p = buf_room(&c->out, 2 + reply.n);

	if (p == NULL)
		return false;
	be16_write(p, (uint16_t)reply.n);
	memcpy(p + 2, reply.p, reply.n);
	buf_added(&c->out, 2 + reply.n);
	return true;
}

static void
tcp_conn_on_reply(const struct client *client, struct span reply)
{
	struct tcp_conn *c = client->owner;

	c->in_flight--;
	/* Many large replies in one turn are not the client's fault. */
	if (tcp_conn_pending(c) > TCP_WRITE_MAX &&
	    (!tcp_conn_write(c) || tcp_conn_pending(c) > TCP_WRITE_MAX)) {
		counter_add(c->room->counters, COUNTER_TCP_CLOSED_SLOW, 1);
		tcp_conn_close(c);
		return;
	}
	if (!tcp_conn_frame(c, reply)) {
		counter_add(c->room->counters, COUNTER_TCP_CLOSED_MEMORY, 1);
		tcp_conn_close(c);
		return;
	}
	loop_defer(&c->defer, c->room->loop, tcp_conn_on_defer, c);
	budget_set(&c->room->unread, &c->unread, tcp_conn_unread(c, 0));
	tcp_room_trim(c->room);
}

/* One question. False: the connection is broken. */
static bool
tcp_conn_question(struct tcp_conn *c, struct span frame)
{
	struct tcp_room *r = c->room;
	const struct client client = {
	    .on_reply = tcp_conn_on_reply, .owner = c, .waiting = &c->waiting, .tcp = true, .addr = c->addr};
	size_t at = c->out.n;

	/* Shorter than a header: not DNS, so the following bytes are not either. */
	if (frame.n < MSG_HEADER) {
		counter_add(r->counters, COUNTER_DROPPED, 1);
		return false;
	}
	buf_u16(&c->out, 0);
	if (!buf_ok(&c->out)) /* the engine would write the reply where its length belongs */
		return false;
	switch (engine_ask(r->engine, frame, &client, &c->out)) {
	case ASK_REPLIED:
		if (!buf_ok(&c->out))
			return false;
		be16_write(c->out.p + at, (uint16_t)(c->out.n - at - 2));
		if (!engine_allows(r->engine, &c->addr))
			c->eof = true; /* nothing more is read, and the reply is the last */
		return true;
	case ASK_WAITS:
		c->in_flight++;
		break;
	case ASK_DROPPED:
		break;
	}
	c->out.n = at;
	return buf_ok(&c->out);
}

/* Handles as many questions as the limits allow. *used: bytes consumed. False: the connection is broken. */
static bool
tcp_conn_questions(struct tcp_conn *c, struct span bytes, size_t *used)
{
	size_t at = 0;

	while (bytes.n - at >= 2 && !tcp_conn_is_full(c)) {
		size_t n = be16_read(bytes.p + at);

		if (bytes.n - at - 2 < n)
			break;
		if (!tcp_conn_question(c, span_of(bytes.p + at + 2, n)))
			return false;
		at += 2 + n;
	}
	if (at > 0) {
		c->asked_ms = loop_now_ms(c->room->loop);
		TAILQ_REMOVE(&c->room->conns, c, by_time);
		TAILQ_INSERT_TAIL(&c->room->conns, c, by_time);
	}
	*used = at;
	return true;
}

/* False: broken. */
static bool
tcp_conn_write(struct tcp_conn *c)
{
	while (tcp_conn_pending(c) > 0) {
		ssize_t n =
		    send(c->fd, c->out.p + c->out_at, tcp_conn_pending(c), MSG_DONTWAIT | MSG_NOSIGNAL);

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
	if (tcp_conn_pending(c) == 0) {
		buf_free(&c->out);
		c->out_at = 0;
		c->blocked = false;
	} else if (c->out_at >= TCP_WRITE_LOW) {
		buf_drop(&c->out, c->out_at);
		c->out_at = 0;
	}
	return true;
}

/* After any event: handles buffered questions, writes replies, sets the interest. May free the connection. */
static void
tcp_conn_settle(struct tcp_conn *c)
{
	size_t used;
	bool was_full, wrote = false;

	do {
		used = 0;
		was_full = tcp_conn_is_full(c);
		if (c->in.n > 0) {
			if (!tcp_conn_questions(c, buf_span(&c->in), &used)) {
				tcp_conn_close(c);
				return;
			}
			buf_drop(&c->in, used);
			if (c->in.n == 0)
				buf_free(&c->in);
		}
		wrote |= tcp_conn_pending(c) > 0;
		if (!tcp_conn_write(c)) {
			tcp_conn_close(c);
			return;
		}
		/* Writing may have made room again, and no other event would continue the work. */
	} while ((used > 0 || was_full) && c->in.n > 0 && !tcp_conn_is_full(c));
	if (c->eof && c->in_flight == 0 && tcp_conn_pending(c) == 0) {
		tcp_conn_close(c);
		return;
	}
	tcp_conn_weigh(c, wrote ? tcp_conn_unread_in_kernel(c) : 0);
	loop_fd_interest(&c->watch,
			 (!c->eof && !tcp_conn_is_full(c) && c->in.n < FRAME_MAX ? LOOP_READ : 0U) |
			     (tcp_conn_pending(c) > 0 ? LOOP_WRITE : 0U));
}

static void
tcp_conn_on_defer(void *ctx)
{
	struct tcp_room *r = ((struct tcp_conn *)ctx)->room;

	tcp_conn_settle(ctx);
	tcp_room_trim(r);
}

static void
tcp_conn_read(struct tcp_conn *c)
{
	struct tcp_room *r = c->room;
	size_t used = 0;
	ssize_t n = recv(c->fd, r->bytes, sizeof r->bytes, MSG_DONTWAIT);
	bool ok = true;

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			tcp_conn_close(c);
		return;
	}
	if (n == 0)
		c->eof = true;
	/* Most reads end with a whole question, and nothing has to be buffered. */
	if (c->in.n == 0)
		ok = tcp_conn_questions(c, span_of(r->bytes, (size_t)n), &used);
	if (ok && used < (size_t)n)
		buf_put(&c->in, span_of(r->bytes + used, (size_t)n - used));
	if (!ok || !buf_ok(&c->in)) {
		tcp_conn_close(c);
		return;
	}
	tcp_conn_settle(c);
}

static void
tcp_conn_on_ready(void *ctx, unsigned ready)
{
	struct tcp_room *r = ((struct tcp_conn *)ctx)->room;

	if ((ready & LOOP_READ) != 0)
		tcp_conn_read(ctx);
	else
		tcp_conn_settle(ctx);
	tcp_room_trim(r);
}

static void
tcp_conn_on_timer(void *ctx)
{
	struct tcp_conn *c = ctx;
	struct tcp_room *r = c->room;
	int64_t now = loop_now_ms(r->loop);
	int64_t left = c->blocked ? c->wrote_ms + TCP_WRITE_MS - now : c->asked_ms + TCP_IDLE_MS - now;

	if (left > 0)
		loop_timer_set(&c->timer, left);
	else if (c->blocked) {
		counter_add(r->counters, COUNTER_TCP_CLOSED_SLOW, 1);
		tcp_conn_close(c);
	} else if (c->in_flight > 0) {
		loop_timer_set(&c->timer, TCP_IDLE_MS);
	} else {
		counter_add(r->counters, COUNTER_TCP_CLOSED_IDLE, 1);
		tcp_conn_close(c);
	}
}

/* ---- the room */

enum res
tcp_room_new(struct tcp_room **out, struct loop *loop, struct engine *engine, struct counters *counters,
	     uint32_t connections_max, size_t bytes_max, struct heap_watch *heap)
{
	struct tcp_room *r = calloc(1, sizeof *r);

	if (r == NULL || client_quota_new(&r->quota, connections_max) != RES_OK) {
		free(r);
		return RES_NOMEM;
	}
	r->loop = loop;
	r->engine = engine;
	r->counters = counters;
	r->heap = heap;
	TAILQ_INIT(&r->conns);
	budget_init(&r->unfinished, bytes_max);
	budget_init(&r->unread, bytes_max);
	*out = r;
	return RES_OK;
}

void
tcp_room_free(struct tcp_room *r)
{
	if (r == NULL)
		return;
	while (!TAILQ_EMPTY(&r->conns))
		tcp_conn_close(TAILQ_FIRST(&r->conns));
	client_quota_free(r->quota);
	free(r);
}

bool
tcp_room_is_high(const struct tcp_room *r)
{
	return r->unfinished.used + r->unread.used >= TCP_BYTES_HIGH ||
	       client_quota_used(r->quota) >= TCP_CONNECTIONS_HIGH;
}

bool
tcp_room_is_busy(const struct tcp_room *r)
{
	const struct tcp_conn *c;

	TAILQ_FOREACH(c, &r->conns, by_time)
	if (c->in_flight > 0 || tcp_conn_pending(c) > 0)
		return true;
	return false;
}
