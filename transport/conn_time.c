/* What becomes of a connection as time passes: stalls, idleness, age. */
#include "transport/conn.h"

#include "transport/late.h"
#include "transport/stall.h"
#include "transport/unacked.h"

/* Does the peer owe an answer to a question that was not repeated yet? */
static bool
conn_has_fresh(const struct conn *c)
{
	const struct tp_exchange *x;

	TAILQ_FOREACH(x, &c->in_flight.all, beside)
	if (x->deaths == 0)
		return true;
	return c->in_flight.n == 0;
}

/* Nothing came since a question was written. */
static void
conn_check_stall(struct conn *c, int64_t now)
{
	int64_t quiet = now - c->quiet_since_ms, again;
	int64_t round_trip = c->shared->stats.srtt_us > 0 ? c->shared->stats.srtt_us / 1000 : 0;
	bool unacknowledged = stall_is_due(quiet, round_trip) && unacked_bytes(c->fd);

	switch (stall_judge(quiet, round_trip, unacknowledged, conn_has_fresh(c), &again)) {
	case STALL_NONE:
		loop_timer_set(&c->timer, again);
		break;
	case STALL_DEAD_PATH:
		c->silent = true;
		nat_on_dead(&c->shared->nat, c->idle_before_ms, now);
		conn_end(c, REASON_CLOSED, "the peer does not acknowledge");
		break;
	case STALL_NO_ANSWER:
		c->silent = true;
		conn_end(c, REASON_CLOSED, "the peer does not answer");
		break;
	}
}

int64_t
conn_use_ms(const struct conn *c)
{
	int64_t peer = idle_use_ms(&c->shared->idle, c->keepalive_ms), network = nat_use_ms(&c->shared->nat);

	return network < peer ? network : peer;
}

void
conn_count_use(struct conn *c)
{
	if (nat_use_ms(&c->shared->nat) < idle_use_ms(&c->shared->idle, c->keepalive_ms))
		nat_on_used(&c->shared->nat);
	else
		idle_on_used(&c->shared->idle);
}

bool
conn_is_stale(const struct conn *c)
{
	return c->in_flight.n == 0 && loop_now_ms(c->shared->loop) - c->used_ms >= conn_use_ms(c);
}

bool
conn_is_late(const struct conn *c)
{
	const struct tp_exchange *oldest = exchange_list_first(&c->in_flight), *second;
	struct late_facts f;
	int64_t now;

	if (c->state != CONN_READY || oldest == NULL)
		return false;
	second = TAILQ_NEXT(oldest, beside);
	now = loop_now_ms(c->shared->loop);
	f.oldest_ms = now - oldest->written_ms;
	f.second_ms = second != NULL ? now - second->written_ms : -1;
	f.quiet_ms = now - c->quiet_since_ms;
	f.unordered = c->shared->unordered;
	return late_judge(&f, c->shared->stats.median_us);
}

void
conn_on_timer(void *ctx)
{
	struct conn *c = ctx;
	int64_t now = loop_now_ms(c->shared->loop);

	if (c->state != CONN_READY) {
		/* A saved session makes the ClientHello large, and large packets may be what gets lost on the way: the
		 * next attempt is made without it. */
		if (c->state == CONN_HANDSHAKE && c->offered)
			tickets_clear(&c->shared->tickets);
		conn_end(c, REASON_CONNECT_TIMEOUT,
			 c->state == CONN_CONNECTING ? "no TCP connection" : "the handshake did not end");
		return;
	}
	if (c->starved) {
		c->starved = false;
		c->shared->ops->want_flush(c->shared);
	}
	if (c->quiet_since_ms != 0) {
		conn_check_stall(c, now);
		return;
	}
	if (conn_is_stale(c)) {
		if (c->shared->ops->on_idle(c->shared, c))
			loop_timer_set(&c->timer, STALL_DEAD_PATH_MS); /* its question may find no room */
		else
			conn_close_idle(c);
		return;
	}
	if (!conn_judge_again(c))
		return;
	if (c->in_flight.n > 0)
		loop_timer_set(&c->timer, STALL_DEAD_PATH_MS);
	else
		loop_timer_set(&c->timer, c->used_ms + conn_use_ms(c) - now);
}
