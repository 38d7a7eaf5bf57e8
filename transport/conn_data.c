/* What a ready connection carries: exchanges out, answers in. */
#include "transport/conn.h"

#include "base/clock.h"
#include "transport/late.h"
#include "transport/stall.h"

/* ---- out */

/* A test ends with its last question in flight: cancelled ones and failures do not count as answers. */
static bool
conn_is_used_up(const struct conn *c)
{
	const struct quota *q = &c->shared->quota;

	return c->takes > 0 && q->times > 0 && c->carried >= c->takes &&
	       (quota_is_known(q) || c->in_flight.n > 0);
}

bool
conn_needs_another(const struct conn *c)
{
	const struct tp_exchange *oldest = exchange_list_first(&c->in_flight);

	if (c->state != CONN_READY || c->shared->waiting.n == 0 || !conn_is_used_up(c))
		return false;
	return quota_is_known(&c->shared->quota) ||
	       loop_now_ms(c->shared->loop) - oldest->written_ms >= late_after_ms(c->shared->stats.median_us);
}

static bool
conn_has_room(const struct conn *c)
{
	return !c->draining && !conn_is_used_up(c) && c->proto->ops->has_room(c->proto);
}

static void
conn_take(struct conn *c)
{
	struct exchange_list *waiting = &c->shared->waiting;
	struct tp_exchange *x;

	while ((x = exchange_list_first(waiting)) != NULL && conn_has_room(c)) {
		enum res res = c->proto->ops->take(c->proto, x, &c->plain);

		if (res == RES_NOMEM) { /* perhaps nothing else will want a flush */
			c->starved = true;
			loop_timer_within(&c->timer, CONN_TAKE_AGAIN_MS);
		}
		if (res != RES_OK)
			break;
		exchange_list_remove(waiting, x);
		exchange_list_append(&c->in_flight, x);
		x->place = EXCHANGE_IN_FLIGHT;
		x->conn = c;
		c->shared->stats.questions += !x->written && !x->own;
		x->written = true;
		c->carried++;
		x->written_us = c->now_us;
		x->written_ms = loop_now_ms(c->shared->loop);
	}
	if (x != NULL && conn_is_used_up(c) && !quota_is_known(&c->shared->quota)) {
		c->starved = true;
		loop_timer_within(&c->timer, late_after_ms(c->shared->stats.median_us));
	}
}

/* Would conn_take take a question? */
static bool
conn_can_take(const struct conn *c)
{
	return c->shared->waiting.n > 0 && conn_has_room(c);
}

void
conn_flush(struct conn *c)
{
	const char *detail = NULL;
	struct tls_trouble t;
	enum reason reason;
	bool more, full;

	if (c->state != CONN_READY || !conn_judge_again(c))
		return;
	if (tls_out(c->tls).n >= CONN_OUT_HIGH) /* the peer does not read: nothing is added until it does */
		return;
	if (c->shared->waiting.n > 0 && !c->draining) {
		c->now_us = clock_mono_us();
		conn_take(c);
	}
	full = !conn_can_take(c);
	reason = c->proto->ops->collect(c->proto, &c->plain, &detail);
	if (c->state != CONN_READY) /* an answer's callback dropped it */
		return;
	/* The protocol may have more than it gives at once. A stream that is reset makes room when its reset is sent. */
	more = c->plain.n >= CONN_OUT_HIGH || (full && conn_can_take(c));
	if (c->plain.n > 0) {
		int64_t now = loop_now_ms(c->shared->loop);

		if (tls_write(c->tls, buf_span(&c->plain), &t) != TLS_DONE) {
			conn_end_trouble(c, &t);
			return;
		}
		c->shared->stats.bytes_out += c->plain.n;
		if (c->plain.cap > 4 * TLS_RECORD_MAX)
			buf_free(&c->plain);
		else
			buf_clear(&c->plain);
		if (c->quiet_since_ms == 0 && c->in_flight.n > 0) {
			c->quiet_since_ms = now;
			c->idle_before_ms = now - c->used_ms;
			loop_timer_within(&c->timer, STALL_DEAD_PATH_MS);
		}
		c->used_ms = now;
	} else if (!buf_ok(&c->plain)) {
		buf_clear(&c->plain); /* there was no memory for a question: the next may find some */
	}
	/* The TLS layer may have something of its own to send (a key update). */
	if (tls_out(c->tls).n > 0 && !conn_send(c))
		return;
	if (reason != REASON_NONE)
		conn_end(c, reason, detail);
	else if (c->draining && c->in_flight.n == 0)
		conn_end(c, REASON_CLOSED, "finished");
	else if (more && tls_out(c->tls).n == 0)
		c->shared->ops->want_flush(c->shared);
}

void
conn_cancel(struct conn *c, struct tp_exchange *x)
{
	c->proto->ops->cancel(c->proto, x);
	exchange_list_remove(&c->in_flight, x);
	x->conn = NULL;
}

/* ---- in */

static bool
conn_on_answer(void *ctx, struct tp_exchange *x, struct tp_answer *answer)
{
	struct conn *c = ctx;

	answer->rtt_us = c->now_us - x->written_us;
	c->shared->ops->on_answer(c->shared, c, x, answer);
	return c->state == CONN_READY;
}

static bool
conn_on_unprocessed(void *ctx, struct tp_exchange *x)
{
	struct conn *c = ctx;

	c->shared->ops->on_unprocessed(c->shared, c, x);
	return c->state == CONN_READY;
}

static void
conn_on_unexpected(void *ctx)
{
	struct conn *c = ctx;

	c->shared->stats.unexpected++;
}

static void
conn_on_keepalive(void *ctx, int64_t ms)
{
	struct conn *c = ctx;

	c->keepalive_ms = ms;
	loop_timer_within(&c->timer, conn_use_ms(c));
}

static const struct proto_hooks conn_proto_hooks = {
    .on_answer = conn_on_answer,
    .on_unprocessed = conn_on_unprocessed,
    .on_unexpected = conn_on_unexpected,
    .on_keepalive = conn_on_keepalive,
};

enum res
conn_open_proto(struct conn *c)
{
	return c->shared->target->protocol == TP_DOT
		   ? dot_new(&c->proto, &conn_proto_hooks, c)
		   : doh_new(&c->proto, c->shared->target, &conn_proto_hooks, c);
}

static void
conn_keep_tickets(struct conn *c)
{
	struct ticket *ticket;

	while ((ticket = tls_ticket(c->tls, loop_now_ms(c->shared->loop))) != NULL) {
		if (!c->retired && c->tickets++ < CONN_TICKETS_MAX)
			tickets_put(&c->shared->tickets, ticket);
		else
			ticket_free(ticket);
	}
}

bool
conn_read(struct conn *c)
{
	/* Only what tls_read wrote is read. Clearing all of it, as a hardened build does, costs as much as an answer. */
	uint8_t plain[TLS_RECORD_MAX] __attribute__((uninitialized));
	struct tls_trouble t;
	enum tls_status status;
	size_t n;

	if (!conn_judge_again(c))
		return false;
	while ((status = tls_read(c->tls, plain, sizeof plain, &n, &t)) == TLS_DONE) {
		const uint32_t owed = c->proto->ops->owed(c->proto);
		const char *detail = NULL;
		enum reason reason;

		conn_keep_tickets(
		    c); /* an answer's callback may drop the connection, not what came before it */
		c->shared->stats.bytes_in += n;
		if (c->in_flight.n > 0)
			c->used_ms = loop_now_ms(c->shared->loop);
		if (c->idle_before_ms >= NAT_LEARN_MIN_MS)
			nat_on_alive(&c->shared->nat, c->idle_before_ms);
		c->idle_before_ms = 0;
		reason = c->proto->ops->feed(c->proto, plain, n, &detail);
		if (c->state != CONN_READY)
			return false;
		/* A late answer counts as use too. Bytes that answer no question (a PING, a piece of a message that never
		 * ends) do not. */
		if (c->proto->ops->owed(c->proto) < owed)
			c->used_ms = loop_now_ms(c->shared->loop);
		if (reason != REASON_NONE) {
			const char *ignored;

			(void)c->proto->ops->collect(c->proto, &c->plain, &ignored); /* a GOAWAY */
			if (c->state != CONN_READY)                                  /* a callback ended it */
				return false;
			(void)tls_write(c->tls, buf_span(&c->plain), &t);
			conn_end(c, reason, detail);
			return false;
		}
		c->quiet_since_ms = c->in_flight.n > 0 ? c->used_ms : 0;
	}
	conn_keep_tickets(c);
	if (status == TLS_FAILED) {
		conn_end_trouble(c, &t);
		return false;
	}
	/* Room may have come for what waits; the protocol may have something to send, or may be finished. */
	c->shared->ops->want_flush(c->shared);
	if (c->keepalive_ms == 0 && c->in_flight.n == 0)
		loop_timer_within(&c->timer, 0);
	return true;
}
