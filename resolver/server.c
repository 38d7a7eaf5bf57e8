#include "resolver/server.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

struct server *
server_new(struct upstreams *set, struct loop *loop)
{
	struct server *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->set = set;
	s->loop = loop;
	s->tried_ms = s->answered_ms = s->ready_ms = INT64_MIN;
	return s;
}

struct tp_slot *
server_slot_at(const struct server *s, size_t i)
{
	if (i == 0)
		return s->slot;
	return i <= UPSTREAM_LANES ? s->lane[i - 1].slot : s->beside[i - 1 - UPSTREAM_LANES];
}

void
server_other_slots(struct server *s, void (*act)(struct tp_slot *))
{
	for (size_t i = 1; i < UPSTREAM_SLOTS; i++)
		if (server_slot_at(s, i) != NULL)
			act(server_slot_at(s, i));
}

void
server_free(struct server *s)
{
	if (s == NULL)
		return;
	tp_slot_free(s->slot);
	server_other_slots(s, tp_slot_free);
	verdict_clear(&s->verdict);
	free(s);
}

bool
server_retarget(struct server *s, const struct tp_target *t)
{
	s->target = t;
	for (size_t i = 0; i < UPSTREAM_SLOTS; i++)
		if (server_slot_at(s, i) != NULL)
			tp_slot_retarget(server_slot_at(s, i), t);
	if (s->health != HEALTH_REFUSED)
		return false;
	s->health = HEALTH_UNKNOWN;
	s->reason = REASON_NONE;
	s->retry_at_ms = 0;
	s->failures = 0;
	return true;
}

void
server_forget_rest(struct server *s)
{
	s->retry_at_ms = s->wait_until_ms = 0;
	s->tried_ms = INT64_MIN;
	s->failures = s->bad = s->poor = 0;
	s->doubt = REASON_NONE;
	s->suspect_until_ms = s->beside_rest_until_ms = s->lane_rest_until_ms = 0;
	s->beside_failures = 0;
	if (s->health != HEALTH_GOOD) {
		s->health = HEALTH_UNKNOWN;
		s->reason = REASON_NONE;
	}
}

/* ---- facts */

bool
server_is_ready(const struct server *s)
{
	return s->slot != NULL && tp_slot_state(s->slot) == TP_READY;
}

bool
server_connects(const struct server *s)
{
	enum tp_state state = s->slot != NULL ? tp_slot_state(s->slot) : TP_IDLE;

	return state == TP_CONNECTING || state == TP_HANDSHAKE;
}

bool
server_rests(const struct server *s, int64_t now)
{
	return s->health == HEALTH_FAILING && now < s->retry_at_ms;
}

bool
server_waits(const struct server *s)
{
	return loop_now_ms(s->loop) < s->wait_until_ms;
}

bool
server_is_barren(const struct server *s)
{
	int64_t now = loop_now_ms(s->loop);
	struct tp_stats stats;

	if (s->slot == NULL || server_time_within(s->answered_ms, now, UPSTREAM_EVIDENCE_MS))
		return false;
	tp_slot_stats(s->slot, &stats);
	return stats.barren >= UPSTREAM_BARREN_MAX;
}

bool
server_knows(const struct server *s, uint64_t zone)
{
	return s->known_zone[zone % UPSTREAM_KNOWN_MAX] == zone;
}

unsigned
server_lane_burst(const struct server *s, unsigned most)
{
	int64_t now = loop_now_ms(s->loop);
	bool proven = server_time_within(s->answered_ms, now, UPSTREAM_LANE_PROVEN_MS);

	return proven || most < UPSTREAM_LANE_UNPROVEN ? most : UPSTREAM_LANE_UNPROVEN;
}

bool
server_has_lane_budget(const struct server *s)
{
	return pace_has(&s->lane_pace, loop_now_ms(s->loop), UPSTREAM_LANE_MS,
			server_lane_burst(s, UPSTREAM_LANE_BURST));
}

static void
slot_leave(struct tp_slot *slot)
{
	tp_slot_drop(slot, true);
	tp_slot_learn_anew(slot);
}

void
server_leave_network(struct server *s)
{
	if (s->slot != NULL)
		slot_leave(s->slot);
	server_other_slots(s, slot_leave);
}

void
server_give_back(struct server *s)
{
	if (s->slot != NULL)
		tp_slot_give_back(s->slot);
	server_other_slots(s, tp_slot_give_back);
}

void
server_lanes_drop_idle(struct server *s)
{
	for (int i = 0; i < UPSTREAM_LANES; i++)
		if (!s->lane[i].busy && s->lane[i].slot != NULL && tp_slot_state(s->lane[i].slot) != TP_IDLE)
			tp_slot_drop(s->lane[i].slot, false);
}

enum expiry
server_expiry(const struct server *s)
{
	const struct verdict_cert *leaf = s->judged && s->verdict.n_chain > 0 ? s->verdict.chain : NULL;

	return leaf == NULL ? EXPIRY_FAR
			    : expiry_of(leaf->not_before_ms, leaf->not_after_ms, clock_wall_ms());
}

/* Adds what one more connection of the server counted. */
static void
counts_add(struct tp_stats *to, const struct tp_slot *slot)
{
	struct tp_stats s;

	if (slot == NULL)
		return;
	tp_slot_stats(slot, &s);
	to->connects += s.connects;
	to->handshakes += s.handshakes;
	to->resumed += s.resumed;
	to->refused += s.refused;
	to->failures += s.failures;
	to->questions += s.questions;
	to->answers += s.answers;
	to->repeated += s.repeated;
	to->unexpected += s.unexpected;
	to->bytes_out += s.bytes_out;
	to->bytes_in += s.bytes_in;
	to->idle_closes += s.idle_closes;
	to->in_flight += s.in_flight;
	to->waiting += s.waiting;
}

/* The times and the idle limit are those of the shared connection, the counts of all. */
static void
stats_report(const struct server *s, struct tp_stats *out)
{
	out->handshake_ms = out->srtt_us = out->median_us = out->idle_limit_ms = -1;
	if (s->slot != NULL)
		tp_slot_stats(s->slot, out);
	for (size_t i = 0; i < UPSTREAM_LANES; i++)
		counts_add(out, s->lane[i].slot);
	for (size_t i = 0; i < UPSTREAM_BESIDE_MAX; i++)
		counts_add(out, s->beside[i]);
}

enum res
server_report(const struct server *s, struct upstream_report *r, int64_t now)
{
	memset(r, 0, sizeof *r);
	r->addr = s->target->addr;
	r->protocol = s->target->protocol;
	r->state = s->slot != NULL ? tp_slot_state(s->slot) : TP_IDLE;
	r->health = s->health;
	r->reason = s->reason;
	r->good_since_ms = s->health == HEALTH_GOOD ? s->good_since_ms : 0;
	r->leaf_expires_ms = s->judged && s->verdict.n_chain > 0 ? s->verdict.chain[0].not_after_ms : 0;
	r->leaf_expiry = server_expiry(s);
	r->tls = s->tls;
	r->retry_in_ms = s->retry_at_ms > now ? s->retry_at_ms - now : 0;
	stats_report(s, &r->stats);
	if ((r->upstream = strdup(s->target->upstream)) == NULL)
		return RES_NOMEM;
	r->reported = s->judged ? verdict_reported(&s->verdict) : 0;
	if (s->judged && (r->verdict_json = verdict_json(&s->verdict)) == NULL)
		return RES_NOMEM;
	return RES_OK;
}
