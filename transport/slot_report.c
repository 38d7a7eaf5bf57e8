/* What a slot reports of itself. */
#include "transport/slot.h"

#include "transport/late.h"

#include <stdlib.h>

enum tp_state
tp_slot_state(const struct tp_slot *slot)
{
	if (slot->conn == NULL) /* one is made at the end of the turn when it is needed */
		return slot->wanted || slot->shared.waiting.n > 0 ? TP_CONNECTING : TP_IDLE;
	switch (slot->conn->state) {
	case CONN_CONNECTING:
		return TP_CONNECTING;
	case CONN_HANDSHAKE:
		return TP_HANDSHAKE;
	case CONN_READY:
		return TP_READY;
	case CONN_GONE:
		break;
	}
	return TP_IDLE;
}

const char *
tp_state_text(enum tp_state state)
{
	switch (state) {
	case TP_IDLE:
		return "idle";
	case TP_CONNECTING:
		return "connecting";
	case TP_HANDSHAKE:
		return "handshake";
	case TP_READY:
		return "ready";
	}
	return "unknown";
}

void
tp_slot_stats(const struct tp_slot *slot, struct tp_stats *out)
{
	const struct conn *c;

	*out = slot->shared.stats;
	out->idle_limit_ms = slot->shared.idle.limit_ms > 0 ? slot->shared.idle.limit_ms : -1;
	out->waiting = slot->shared.waiting.n;
	out->barren = slot->barren;
	out->in_flight = 0;
	if (slot->conn != NULL)
		out->in_flight += slot->conn->in_flight.n;
	TAILQ_FOREACH(c, &slot->draining, beside)
	out->in_flight += c->in_flight.n;
}

/* ---- answer times */

/* Down by half at first, and by less with each answer. Up slowly from the start: a server that becomes slow is late for a
 * hundred questions before its new answer time counts as usual, and meanwhile they go to another one as well. */
static int64_t
slot_median_step(struct tp_slot *slot, bool down)
{
	unsigned parts = 2 + slot->timed / 4;

	if (parts < SLOT_MEDIAN_STEP)
		slot->timed++;
	return slot->shared.stats.median_us / (down && parts < SLOT_MEDIAN_STEP ? parts : SLOT_MEDIAN_STEP) +
	       1;
}

void
slot_count_answer(struct tp_slot *slot, int64_t rtt_us)
{
	struct tp_stats *s = &slot->shared.stats;
	int64_t step = slot_median_step(slot, rtt_us < s->median_us);

	s->answers++;
	if (s->srtt_us < 0) {
		s->srtt_us = s->median_us = rtt_us;
		return;
	}
	s->srtt_us += (rtt_us - s->srtt_us) / 8;
	/* Moves by a fixed step towards each sample, and so comes to rest where half of the samples are above it. */
	if (rtt_us > s->median_us)
		s->median_us += step;
	else if (rtt_us < s->median_us)
		s->median_us -= step;
}

bool
tp_slot_is_late(const struct tp_slot *slot)
{
	return slot->conn != NULL && conn_is_late(slot->conn);
}

bool
tp_slot_is_full(const struct tp_slot *slot)
{
	const struct conn *c = slot->conn;

	return c != NULL && c->state == CONN_READY && !c->proto->ops->has_room(c->proto) &&
	       !c->proto->ops->is_draining(c->proto);
}

int64_t
tp_slot_late_after_ms(const struct tp_slot *slot)
{
	return late_after_ms(slot->shared.stats.median_us);
}

void
tp_slot_details(const struct tp_slot *slot, struct tp_details *out)
{
	struct conn *c = slot->conn;

	*out = (struct tp_details){.has_ticket = slot->shared.tickets.n > 0};
	if (c == NULL || c->state != CONN_READY)
		return;
	out->tls_version = tls_version(c->tls);
	out->cipher = tls_cipher(c->tls);
	out->alpn = tls_alpn(c->tls);
	out->resumed = tls_resumed(c->tls);
	if (c->shown == NULL) {
		c->shown = malloc(sizeof *c->shown);
		if (c->shown == NULL)
			return;
		tls_peer(c->tls, c->shown);
	}
	out->certs = c->shown->cert;
	out->n_certs = c->shown->n_cert;
}

void
tp_slot_learn_anew(struct tp_slot *slot)
{
	slot->timed = 0;
	slot->shared.quota = (struct quota){0};
	slot->shared.nat = (struct nat){0};
}
