#include "transport/conn.h"

#include "base/clock.h"
#include "transport/dial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the end */

void
conn_shut(struct conn *c)
{
	if (c->state == CONN_READY) {
		struct span out;

		tls_bye(c->tls);
		out = tls_out(c->tls);
		if (out.n > 0)
			(void)!send(c->fd, out.p, out.n, MSG_NOSIGNAL);
	}
	c->state = CONN_GONE;
	loop_timer_stop(&c->timer);
	loop_fd_unwatch(&c->watch);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

void
conn_free(struct conn *c)
{
	if (c == NULL)
		return;
	if (c->proto != NULL)
		c->proto->ops->free(c->proto);
	tls_free(c->tls);
	buf_free(&c->plain);
	verdict_clear(&c->verdict);
	buf_free(&c->presented);
	free(c->shown);
	free(c);
}

/* A close by the peer, or a dead path, shows how long idle connections are kept. */
void
conn_learn_idle(struct conn *c)
{
	int64_t idle_ms = c->idle_before_ms;

	if (c->quiet_since_ms == 0)
		idle_ms = loop_now_ms(c->shared->loop) - c->used_ms;
	idle_on_peer_close(&c->shared->idle, idle_ms);
	if (c->in_flight.n == 0 || idle_ms >= IDLE_LEARN_MIN_MS)
		c->shared->stats.idle_closes++;
}

void
conn_end(struct conn *c, enum reason reason, const char *detail)
{
	bool was_ready = c->state == CONN_READY;

	conn_shut(c);
	c->shared->ops->on_gone(c->shared, c, was_ready, reason, detail);
}

void
conn_end_refused(struct conn *c)
{
	enum reason reason = verdict_reason(&c->verdict);

	c->refused = true;
	conn_end(c, reason != REASON_NONE ? reason : REASON_OUT_OF_MEMORY, NULL);
}

void
conn_end_trouble(struct conn *c, const struct tls_trouble *t)
{
	if (t->reason == REASON_NONE) {
		struct span out = tls_out(c->tls); /* the alert */

		if (out.n > 0)
			(void)!send(c->fd, out.p, out.n, MSG_NOSIGNAL);
		conn_end_refused(c);
		return;
	}
	if (t->reason == REASON_CLOSED && c->state == CONN_READY)
		conn_learn_idle(c);
	conn_end(c, t->reason, t->detail);
}

void
conn_close_idle(struct conn *c)
{
	conn_count_use(c);
	c->shared->stats.idle_closes++;
	conn_end(c, REASON_CLOSED, "idle");
}

static void
conn_end_errno(struct conn *c, int error)
{
	enum reason reason = dial_reason(error);

	if (c->state == CONN_READY) {
		if (reason == REASON_CLOSED)
			conn_learn_idle(c);
		c->silent = reason != REASON_CLOSED;
		reason = REASON_CLOSED; /* the server could be reached, whatever happened to the path since */
	}
	conn_end(c, reason, strerror(error));
}

/* ---- the socket */

bool
conn_send(struct conn *c)
{
	struct span out;

	while ((out = tls_out(c->tls)).n > 0) {
		ssize_t n = send(c->fd, out.p, out.n, MSG_NOSIGNAL);

		if (n >= 0) {
			tls_sent(c->tls, (size_t)n);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			break;
		} else if (errno != EINTR) {
			conn_end_errno(c, errno);
			return false;
		}
	}
	if (loop_fd_interest(&c->watch, out.n > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ) != RES_OK) {
		conn_end_errno(c, ENOMEM);
		return false;
	}
	return true;
}

static bool
conn_become_ready(struct conn *c)
{
	if (conn_open_proto(c) != RES_OK) {
		conn_end(c, REASON_OUT_OF_MEMORY, NULL);
		return false;
	}
	c->state = CONN_READY;
	c->used_ms = loop_now_ms(c->shared->loop);
	loop_timer_set(&c->timer, conn_use_ms(c));
	c->shared->ops->on_ready(c->shared, c);
	return c->state == CONN_READY;
}

/* Takes the state as far as the received bytes carry it. False: the connection is gone. */
static bool
conn_step(struct conn *c)
{
	struct tls_trouble t;

	if (c->state == CONN_HANDSHAKE) {
		switch (tls_handshake(c->tls, &t)) {
		case TLS_GOES_ON:
			return conn_send(c);
		case TLS_FAILED:
			conn_end_trouble(c, &t);
			return false;
		case TLS_DONE:
			break;
		}
		if (!conn_send(c) || !conn_become_ready(c))
			return false;
	}
	return conn_read(c);
}

static bool
conn_connected(struct conn *c)
{
	socklen_t n = sizeof(int);
	int error = 0;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
		error = errno;
	if (error != 0) {
		conn_end_errno(c, error);
		return false;
	}
	c->state = CONN_HANDSHAKE;
	/* In all TP_HANDSHAKE_TIMEOUT_MS from the first SYN. */
	loop_timer_set(&c->timer, c->start_ms + TP_HANDSHAKE_TIMEOUT_MS - loop_now_ms(c->shared->loop));
	return true;
}

static void
conn_receive(struct conn *c)
{
	c->now_us = clock_mono_us();
	for (int i = 0; i < CONN_READS_MAX; i++) {
		size_t room;
		uint8_t *p = tls_room(c->tls, &room);
		ssize_t n = room == 0 ? -1 : recv(c->fd, p, room, 0);

		if (room == 0) {
			conn_end(c, REASON_TLS_FAILED, "an unfinished TLS record");
			return;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0) {
			conn_end_errno(c, errno);
			return;
		}
		tls_received(c->tls, (size_t)n);
		if (!conn_step(c) || n == 0 || (size_t)n < room)
			return;
	}
}

static void
conn_on_io(void *ctx, unsigned ready)
{
	struct conn *c = ctx;

	if (c->state == CONN_CONNECTING && (!conn_connected(c) || !conn_step(c)))
		return;
	if (ready & LOOP_WRITE && c->state != CONN_GONE) {
		if (!conn_send(c))
			return;
		c->shared->ops->want_flush(c->shared);
	}
	if (ready & LOOP_READ && c->state != CONN_GONE)
		conn_receive(c);
}

/* ---- the beginning */

/* 0, or an errno. */
static int
conn_dial(struct conn *c)
{
	int error = dial(&c->shared->target->addr, &c->fd);

	if (error != 0)
		return error;
	if (loop_fd_watch(&c->watch, c->shared->loop, c->fd, conn_on_io, c) != RES_OK ||
	    loop_fd_interest(&c->watch, LOOP_WRITE) != RES_OK)
		return ENOMEM;
	return 0;
}

static enum res
conn_tls(struct conn *c, const struct ticket *ticket)
{
	const struct tp_target *target = c->shared->target;
	const struct tls_want want = {
	    .alpn = target->protocol == TP_DOT ? "dot" : "h2",
	    .alpn_required = target->protocol == TP_DOH,
	    .name = target->name,
	    .identity = target->identity,
	    .ticket = ticket,
	    .on_peer = conn_on_peer,
	    .ctx = c,
	};

	return tls_new(&c->tls, &want);
}

struct conn *
conn_create(struct conn_shared *shared, struct ticket *ticket)
{
	struct conn *c = calloc(1, sizeof *c);

	if (c == NULL) {
		ticket_free(ticket);
		return NULL;
	}
	c->shared = shared;
	c->fd = -1;
	c->keepalive_ms = -1;
	c->takes = quota_takes(&shared->quota);
	exchange_list_start(&c->in_flight);
	c->plain = buf_max(CONN_PLAIN_MAX);
	c->presented = buf_max(CONN_PRESENTED_MAX);
	c->offered = ticket != NULL;
	loop_timer_init(&c->timer, shared->loop, conn_on_timer, c);
	if (conn_tls(c, ticket) != RES_OK) {
		conn_free(c);
		c = NULL;
	}
	ticket_free(ticket);
	return c;
}

bool
conn_start(struct conn *c)
{
	int error;

	c->start_ms = loop_now_ms(c->shared->loop);
	error = conn_dial(c);
	if (error != 0) {
		conn_end_errno(c, error);
		return false;
	}
	loop_timer_set(&c->timer, TP_CONNECT_TIMEOUT_MS);
	return true;
}
