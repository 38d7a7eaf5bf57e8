/* What becomes of a connection as time passes: silence, idleness, age. */
#include "transport/conn.h"

#include "transport/silence.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

/* Bytes that we sent lie with the kernel still: the other side did not say that it has them. */
static bool
conn_is_unacknowledged(const struct conn *c)
{
	int unacknowledged = 0;

	return ioctl(c->fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged > 0;
}

/* Nothing came since a question was written. */
static void
conn_check_silence(struct conn *c, int64_t now)
{
	int64_t silent = now - c->silent_since_ms, again;
	int64_t round_trip = c->slot->stats.srtt_us > 0 ? c->slot->stats.srtt_us / 1000 : 0;
	bool unacknowledged = silence_is_stall(silent, round_trip) && conn_is_unacknowledged(c);
	bool fresh = c->in_flight.n == 0;

	for (struct tp_exchange *x = c->in_flight.first; x != NULL && !fresh; x = x->next)
		fresh = x->deaths == 0;
	switch (silence_judge(silent, round_trip, unacknowledged, fresh, &again)) {
	case SILENCE_BORNE:
		loop_timer_set(&c->timer, again);
		break;
	case SILENCE_DEAD_PATH:
		conn_end(c, REASON_CLOSED, "the peer does not acknowledge");
		break;
	case SILENCE_NO_ANSWER:
		conn_end(c, REASON_CLOSED, "the peer does not answer");
		break;
	}
}

bool
conn_is_stale(const struct conn *c)
{
	return c->in_flight.n == 0 &&
	       loop_now_ms(c->slot->loop) - c->used_ms >= idle_use_ms(&c->slot->idle, c->keepalive_ms);
}

void
conn_on_timer(void *ctx)
{
	struct conn *c = ctx;
	int64_t now = loop_now_ms(c->slot->loop);

	if (c->state != CONN_READY) {
		/* A saved session makes the first message a large one, which may be what gets lost on the way: the next
		 * attempt goes without. */
		if (c->state == CONN_HANDSHAKE && c->offered)
			tickets_clear(&c->slot->tickets);
		conn_end(c, REASON_CONNECT_TIMEOUT,
			 c->state == CONN_CONNECTING ? "no TCP connection" : "no end of the handshake");
		return;
	}
	if (c->silent_since_ms != 0) {
		conn_check_silence(c, now);
		return;
	}
	if (conn_is_stale(c)) {
		conn_close_idle(c);
		return;
	}
	if (!conn_judge_again(c))
		return;
	if (c->in_flight.n > 0)
		loop_timer_set(&c->timer, SILENCE_STALL_MS);
	else
		loop_timer_set(&c->timer, c->used_ms + idle_use_ms(&c->slot->idle, c->keepalive_ms) - now);
}
