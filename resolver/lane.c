#include "resolver/lane.h"

#include "resolver/health.h"
#include "resolver/server_slot.h"

/* ---- lanes */

static void
lane_on_event(void *ctx, struct tp_slot *slot, struct tp_event *e)
{
	if (e->kind == TP_EVENT_FAILED && e->refused)
		server_lane_failed(ctx);
	server_on_other_event(ctx, slot, e);
}

static bool
lane_is_up(const struct lane *l)
{
	return l->slot != NULL && tp_slot_state(l->slot) == TP_READY;
}

static int
server_lane_free(const struct server *s)
{
	int any = -1;

	for (int i = 0; i < UPSTREAM_LANES; i++)
		if (!s->lane[i].busy) {
			if (lane_is_up(&s->lane[i]))
				return i;
			any = i;
		}
	return any;
}

int
server_lane_take(struct server *s, uint64_t zone)
{
	const struct tp_hooks hooks = {.on_event = lane_on_event, .ctx = s, .known = s->set->known};
	int n = server_lane_free(s);
	struct lane *l = n < 0 ? NULL : &s->lane[n];

	if (l == NULL || (l->slot == NULL && tp_slot_new(&l->slot, s->loop, s->target, &hooks) != RES_OK))
		return -1;
	l->busy = true;
	l->zone = zone;
	s->tried_ms = loop_now_ms(s->loop);
	return n;
}

void
server_lane_give(struct server *s, int lane)
{
	s->lane[lane].busy = false;
}

void
server_lane_failed(struct server *s)
{
	s->lane_rest_until_ms = loop_now_ms(s->loop) + UPSTREAM_LANE_MS;
}

enum quarantine_state
server_quarantine(const struct server *s, uint64_t zone)
{
	int64_t retry;

	return quarantine_find(&s->set->quarantine, s->id, zone, loop_now_ms(s->loop), &retry);
}

void
server_lanes_tidy(struct server *s, uint64_t zone)
{
	int64_t now = loop_now_ms(s->loop);
	unsigned burst = server_lane_burst(s, UPSTREAM_LANE_RETRY);

	if (now >= s->fire_until_ms && /* there is no more to come */
	    server_quarantine(s, zone) == QUARANTINE_NONE &&
	    pace_has(&s->lane_pace, now, UPSTREAM_LANE_MS, burst)) /* others can be made */
		server_lanes_drop_idle(s);
}

/* ---- which question goes to a lane */

static bool
server_lane_has(const struct server *s, uint64_t zone)
{
	for (int i = 0; i < UPSTREAM_LANES; i++)
		if (s->lane[i].busy && s->lane[i].zone == zone)
			return true;
	return false;
}

/* A lane is free, and a connection of its own may be made where it has none. convict: for a zone in quarantine, which others
 * cannot keep from being tried by using up the lanes' connections. */
static enum manner
server_manner_alone(struct server *s, int64_t now, unsigned burst, bool convict)
{
	int n = server_lane_free(s);

	if (n < 0)
		return MANNER_NOT;
	if (lane_is_up(&s->lane[n]))
		return MANNER_ALONE;
	if (now < s->lane_rest_until_ms)
		return MANNER_NOT;
	if (pace_take(&s->lane_pace, now, UPSTREAM_LANE_MS, server_lane_burst(s, burst)) ||
	    (convict && pace_take(&s->convict_pace, now, UPSTREAM_LANE_MS, 1)))
		return MANNER_ALONE;
	return MANNER_NOT;
}

/* Nothing is known against the zone. For a while after harm was done, the shared connection is for known zones only. */
static enum manner
server_manner_unknown(struct server *s, uint64_t zone, bool suspect, bool waited, int64_t now)
{
	enum manner m;

	if (!suspect && (now >= s->fire_until_ms || server_knows(s, zone)))
		return MANNER_SHARED;
	m = server_manner_alone(s, now, UPSTREAM_LANE_BURST, false);
	return m == MANNER_NOT && waited && !suspect ? MANNER_SHARED : m;
}

/* A zone in quarantine cannot be asked apart: no lane has a connection, and none can be made. */
static bool
server_allows_no_lane(const struct server *s, int64_t now)
{
	for (int i = 0; i < UPSTREAM_LANES; i++)
		if (s->lane[i].slot != NULL && tp_slot_state(s->lane[i].slot) != TP_IDLE)
			return false;
	return now < s->lane_rest_until_ms;
}

/* The server allows no lanes: a zone in quarantine is tried on the shared connection while nothing else is there. */
static enum manner
server_manner_trial(struct server *s, int64_t now)
{
	bool idle = server_is_ready(s) && LIST_EMPTY(&s->attempts);

	return idle && pace_take(&s->convict_pace, now, UPSTREAM_LANE_NONE_MS, 1) ? MANNER_SHARED
										  : MANNER_NOT;
}

enum manner
server_manner(struct server *s, uint64_t zone, bool suspect, bool waited)
{
	int64_t now = loop_now_ms(s->loop);

	switch (server_quarantine(s, zone)) {
	case QUARANTINE_NONE:
		return server_manner_unknown(s, zone, suspect, waited, now);
	case QUARANTINE_ALONE:
		if (server_allows_no_lane(s, now))
			return MANNER_SHARED;
		return server_manner_alone(s, now, UPSTREAM_LANE_BURST, true);
	case QUARANTINE_ONE:
		if (server_allows_no_lane(s, now))
			return server_manner_trial(s, now);
		if (!server_lane_has(s, zone))
			return server_manner_alone(s, now, UPSTREAM_LANE_RETRY, true);
		break;
	case QUARANTINE_OUT:
		break;
	}
	/* Until the server has answered some question the fault may be its own: the question waits. */
	return quarantine_is_proven(&s->set->quarantine, s->id, zone, s->answered_ms) ? MANNER_NEVER
										      : MANNER_NOT;
}

/* ---- trials */

bool
server_takes_trial(struct server *s, uint64_t zone)
{
	int64_t now = loop_now_ms(s->loop);

	return s->poor >= UPSTREAM_POOR_MAX && !server_rests(s, now) &&
	       !quarantine_is_poor(&s->set->quarantine, s->id, zone, now) && server_lane_free(s) >= 0 &&
	       pace_take(&s->fresh_pace, now, UPSTREAM_FRESH_MS, UPSTREAM_FRESH_BURST);
}

bool
server_takes_repeat(struct server *s, uint64_t zone, bool first)
{
	int64_t now = loop_now_ms(s->loop);

	if (!server_is_ready(s) || server_rests(s, now) ||
	    quarantine_is_poor(&s->set->quarantine, s->id, zone, now))
		return false;
	return retries_take(&s->retries) || (first && s->poor == 1);
}

void
server_tried(struct server *s, uint64_t zone, int lane, bool good)
{
	if (!good) {
		quarantine_set_poor(&s->set->quarantine, s->id, zone, loop_now_ms(s->loop));
		return;
	}
	/* It has recovered meanwhile, or is connected to anew: that verdict is awaited. */
	if (s->poor < UPSTREAM_POOR_MAX || s->health == HEALTH_REFUSED)
		return;
	s->poor = 0;
	s->ready_ms = loop_now_ms(s->loop);
	tp_slot_adopt(server_slot(s), s->lane[lane].slot);
	server_log(s, LOG_NOTICE, "connection-replaced", REASON_NONE, NULL);
}
