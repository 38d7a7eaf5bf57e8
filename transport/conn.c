#include "transport/conn.h"

#include "base/clock.h"
#include "transport/dial.h"
#include "transport/silence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the peer */

static bool
conn_on_peer(void *ctx, const struct tls_peer *peer)
{
	struct conn *c = ctx;
	const struct tp_target *target = c->slot->target;
	struct span also[VFY_ALSO_IPS_MAX];
	struct vfy_input in = {
	    .certs = peer->cert,
	    .n_certs = peer->n_cert,
	    .larger_than = peer->larger_than,
	    .staple = peer->staple,
	    .ip = addr_ip(&target->addr),
	    .also_ips = also,
	    .name = target->name,
	    .now_ms = clock_wall_ms(),
	};

	for (; in.n_also_ips < target->n_also && in.n_also_ips < VFY_ALSO_IPS_MAX; in.n_also_ips++)
		also[in.n_also_ips] = addr_ip(&target->also[in.n_also_ips]);
	verdict_clear(&c->verdict);
	vfy_check(&c->verdict, target->policy, &in);
	c->judged_ms = loop_now_ms(c->slot->loop);
	c->judge_again = false;
	c->report_until_ms = c->verdict.report_until_ms;
	return verdict_accepted(&c->verdict);
}

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
	free(c->shown);
	free(c);
}

/* The peer's close, or the end of the path, tells how long it keeps idle connections. */
static void
conn_learn_idle(struct conn *c)
{
	int64_t idle_ms = c->idle_before_ms;

	if (c->silent_since_ms == 0)
		idle_ms = loop_now_ms(c->slot->loop) - c->used_ms;
	idle_on_peer_close(&c->slot->idle, idle_ms);
	if (c->in_flight.n == 0 || idle_ms >= IDLE_LEARN_MIN_MS)
		c->slot->stats.idle_closes++;
}

void
conn_end(struct conn *c, enum reason reason, const char *detail)
{
	bool was_ready = c->state == CONN_READY;

	conn_shut(c);
	slot_on_gone(c->slot, c, was_ready, reason, detail);
}

static void
conn_end_refused(struct conn *c)
{
	enum reason reason = verdict_reason(&c->verdict);

	conn_end(c, reason != REASON_NONE ? reason : REASON_OUT_OF_MEMORY, NULL);
}

static void
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
	idle_on_own_close(&c->slot->idle);
	c->slot->stats.idle_closes++;
	conn_end(c, REASON_CLOSED, "idle");
}

static void
conn_end_errno(struct conn *c, int error)
{
	enum reason reason = dial_reason(error);

	if (c->state == CONN_READY && reason == REASON_CLOSED)
		conn_learn_idle(c);
	conn_end(c, c->state == CONN_CONNECTING ? reason : REASON_CLOSED, strerror(error));
}

/* ---- out */

/* Sends what is encrypted. False: the connection is gone. */
static bool
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

/* Moves the timer forward, never back: when it fires it looks itself at what is due. */
static void
conn_timer_within(struct conn *c, int64_t ms)
{
	if (!loop_timer_is_set(&c->timer) || c->timer.due_ms > loop_now_ms(c->slot->loop) + ms)
		loop_timer_set(&c->timer, ms);
}

static void
conn_take(struct conn *c)
{
	struct tp_slot *slot = c->slot;
	struct tp_exchange *x;

	while ((x = slot->waiting.first) != NULL && !c->draining && c->proto->ops->has_room(c->proto)) {
		if (c->proto->ops->take(c->proto, x, &c->plain) != RES_OK)
			break;
		exchange_list_remove(&slot->waiting, x);
		exchange_list_append(&c->in_flight, x);
		x->place = EXCHANGE_IN_FLIGHT;
		x->conn = c;
		x->written = true;
		x->written_us = c->now_us;
	}
}

bool
conn_judge_again(struct conn *c)
{
	bool report_ended = c->report_until_ms != 0 && clock_wall_ms() >= c->report_until_ms;
	bool old = loop_now_ms(c->slot->loop) - c->judged_ms >= CONN_AGE_MAX_MS;
	bool new_policy = c->judge_again;
	struct tls_peer *peer;
	bool accepted;

	if (!new_policy && !report_ended && !old)
		return true;
	peer = malloc(sizeof *peer);
	if (peer == NULL) {
		conn_end(c, REASON_OUT_OF_MEMORY, NULL);
		return false;
	}
	tls_peer(c->tls, peer);
	accepted = conn_on_peer(c, peer);
	free(peer);
	if (accepted)
		return true;
	if (new_policy) {
		conn_end_refused(c);
	} else {
		tickets_clear(&c->slot->tickets);
		conn_end(c, REASON_CLOSED, "not acceptable any more");
	}
	return false;
}

void
conn_flush(struct conn *c)
{
	const char *detail = NULL;
	struct tls_trouble t;
	enum reason reason;
	bool more;

	if (c->state != CONN_READY || !conn_judge_again(c))
		return;
	if (tls_out(c->tls).n >= CONN_OUT_HIGH) /* the peer does not read: nothing is added until it does */
		return;
	if (c->slot->waiting.first != NULL && c == c->slot->conn) {
		c->now_us = clock_mono_us();
		conn_take(c);
	}
	reason = c->proto->ops->gather(c->proto, &c->plain, &detail);
	if (c->state != CONN_READY) /* an answer's callback dropped it */
		return;
	more = c->plain.n >= CONN_OUT_HIGH; /* a protocol gives no more at once, and may have it */
	if (c->plain.n > 0) {
		int64_t now = loop_now_ms(c->slot->loop);

		if (tls_write(c->tls, buf_span(&c->plain), &t) != TLS_DONE) {
			conn_end_trouble(c, &t);
			return;
		}
		c->slot->stats.bytes_out += c->plain.n;
		if (c->plain.cap > 4 * TLS_RECORD_MAX)
			buf_free(&c->plain);
		else
			buf_clear(&c->plain);
		if (c->silent_since_ms == 0 && c->in_flight.n > 0) {
			c->silent_since_ms = now;
			c->idle_before_ms = now - c->used_ms;
			conn_timer_within(c, SILENCE_STALL_MS);
		}
		c->used_ms = now;
	}
	/* The TLS layer may have had something to say by itself (a key update). */
	if (tls_out(c->tls).n > 0 && !conn_send(c))
		return;
	if (reason != REASON_NONE)
		conn_end(c, reason, detail);
	else if (c->draining && c->in_flight.n == 0)
		conn_end(c, REASON_CLOSED, "finished");
	else if (more && tls_out(c->tls).n == 0)
		slot_want_flush(c->slot);
}

/* ---- in */

static bool
conn_on_answer(void *ctx, struct tp_exchange *x, struct tp_answer *answer)
{
	struct conn *c = ctx;

	answer->rtt_us = c->now_us - x->written_us;
	slot_on_answer(c->slot, c, x, answer);
	return c->state == CONN_READY;
}

static void
conn_on_unprocessed(void *ctx, struct tp_exchange *x)
{
	struct conn *c = ctx;

	slot_on_unprocessed(c->slot, c, x);
}

static void
conn_on_unexpected(void *ctx)
{
	struct conn *c = ctx;

	c->slot->stats.unexpected++;
}

static void
conn_on_keepalive(void *ctx, int64_t ms)
{
	struct conn *c = ctx;

	c->keepalive_ms = ms;
	conn_timer_within(c, idle_use_ms(&c->slot->idle, ms));
}

static const struct proto_hooks proto_hooks = {conn_on_answer, conn_on_unprocessed, conn_on_unexpected,
					       conn_on_keepalive};

static void
conn_keep_tickets(struct conn *c)
{
	struct ticket *ticket;

	while ((ticket = tls_ticket(c->tls, loop_now_ms(c->slot->loop))) != NULL) {
		if (c->tickets++ < CONN_TICKETS_MAX)
			tickets_put(&c->slot->tickets, ticket);
		else
			ticket_free(ticket);
	}
}

/* Reads what came as application data. False: the connection is gone. */
static bool
conn_read(struct conn *c)
{
	uint8_t plain[TLS_RECORD_MAX];
	struct tls_trouble t;
	enum tls_status status;
	size_t n;

	if (!conn_judge_again(c))
		return false;
	while ((status = tls_read(c->tls, plain, sizeof plain, &n, &t)) == TLS_DONE) {
		const char *detail = NULL;
		enum reason reason;

		conn_keep_tickets(
		    c); /* an answer's callback may drop the connection, not what came before it */
		c->slot->stats.bytes_in += n;
		c->used_ms = loop_now_ms(c->slot->loop);
		c->idle_before_ms = 0;
		reason = c->proto->ops->feed(c->proto, plain, n, &detail);
		if (c->state != CONN_READY)
			return false;
		if (reason != REASON_NONE) {
			const char *said;

			(void)c->proto->ops->gather(c->proto, &c->plain, &said); /* its last words */
			(void)tls_write(c->tls, buf_span(&c->plain), &t);
			conn_end(c, reason, detail);
			return false;
		}
		c->silent_since_ms = c->in_flight.n > 0 ? c->used_ms : 0;
	}
	conn_keep_tickets(c);
	if (status == TLS_FAILED) {
		conn_end_trouble(c, &t);
		return false;
	}
	/* Room may have come for what waits; the protocol may have something to send, or may be finished. */
	slot_want_flush(c->slot);
	if (c->keepalive_ms == 0 && c->in_flight.n == 0)
		conn_timer_within(c, 0);
	return true;
}

static bool
conn_become_ready(struct conn *c)
{
	enum res res = c->slot->target->protocol == TP_DOT
			   ? dot_new(&c->proto, &proto_hooks, c)
			   : doh_new(&c->proto, c->slot->target, &proto_hooks, c);

	if (res != RES_OK) {
		conn_end(c, REASON_OUT_OF_MEMORY, NULL);
		return false;
	}
	c->state = CONN_READY;
	c->used_ms = loop_now_ms(c->slot->loop);
	loop_timer_set(&c->timer, idle_use_ms(&c->slot->idle, -1));
	slot_on_ready(c->slot, c);
	return c->state == CONN_READY;
}

/* Takes the state as server as the received bytes carry it. False: the connection is gone. */
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
	loop_timer_set(&c->timer, c->start_ms + TP_HANDSHAKE_TIMEOUT_MS - loop_now_ms(c->slot->loop));
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
			conn_end(c, REASON_TLS_FAILED, "a record that does not end");
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
		slot_want_flush(c->slot);
	}
	if (ready & LOOP_READ && c->state != CONN_GONE)
		conn_receive(c);
}

/* ---- the beginning */

/* 0, or an errno. */
static int
conn_dial(struct conn *c)
{
	int error = dial(&c->slot->target->addr, &c->fd);

	if (error != 0)
		return error;
	if (loop_fd_watch(&c->watch, c->slot->loop, c->fd, conn_on_io, c) != RES_OK ||
	    loop_fd_interest(&c->watch, LOOP_WRITE) != RES_OK)
		return ENOMEM;
	return 0;
}

static enum res
conn_tls(struct conn *c, const struct ticket *ticket)
{
	const struct tp_target *target = c->slot->target;
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
conn_open(struct tp_slot *slot, struct ticket *ticket)
{
	struct conn *c = calloc(1, sizeof *c);
	int error = ENOMEM;

	slot->stats.connects++;
	if (c == NULL) {
		ticket_free(ticket);
		slot_on_gone(slot, NULL, false, REASON_OUT_OF_MEMORY, NULL);
		return NULL;
	}
	c->slot = slot;
	c->fd = -1;
	c->keepalive_ms = -1;
	c->plain = buf_max(CONN_PLAIN_MAX);
	c->start_ms = loop_now_ms(slot->loop);
	c->offered = ticket != NULL;
	loop_timer_init(&c->timer, slot->loop, conn_on_timer, c);
	slot->conn = c;
	if (conn_tls(c, ticket) == RES_OK)
		error = conn_dial(c);
	ticket_free(ticket);
	if (error != 0) {
		conn_end_errno(c, error);
		return NULL;
	}
	loop_timer_set(&c->timer, TP_CONNECT_TIMEOUT_MS);
	return c;
}

void
conn_cancel(struct conn *c, struct tp_exchange *x)
{
	c->proto->ops->cancel(c->proto, x);
	exchange_list_remove(&c->in_flight, x);
	x->conn = NULL;
}
