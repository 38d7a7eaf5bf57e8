#include "resolver/beside.h"

#include "resolver/health.h"
#include "resolver/server_slot.h"

/* One that cannot be made is not tried again at once: the server may be down or may allow no more. */
static void
beside_on_event(void *ctx, struct tp_slot *slot, struct tp_event *e)
{
	struct server *s = ctx;

	if (e->kind == TP_EVENT_READY)
		s->beside_failures = 0;
	else if (e->kind == TP_EVENT_FAILED)
		s->beside_rest_until_ms =
		    loop_now_ms(s->loop) +
		    health_rest_ms(++s->beside_failures, UPSTREAM_BESIDE_MS, UPSTREAM_REFUSED_MAX_MS);
	server_on_other_event(s, slot, e);
}

static bool
slot_blocks(const struct tp_slot *slot)
{
	return tp_slot_is_late(slot) || tp_slot_is_full(slot);
}

bool
server_is_blocked(const struct server *s)
{
	return s->set->plan->snapshot->settings->hedge && s->slot != NULL && slot_blocks(s->slot);
}

/* May one be made? Counts it. */
static bool
server_beside_may_connect(struct server *s)
{
	int64_t now = loop_now_ms(s->loop);

	return now >= s->beside_rest_until_ms &&
	       pace_take(&s->beside_pace, now, UPSTREAM_BESIDE_MS, UPSTREAM_BESIDE_BURST);
}

/* A ready one with room and whose answers are in time, else one that connects, else a new one. NULL: none. */
static struct tp_slot *
server_beside_choose(struct server *s)
{
	const struct tp_hooks hooks = {.on_event = beside_on_event, .ctx = s, .known = s->set->known};
	struct tp_slot *connects = NULL, **idle = NULL;

	for (size_t i = 0; i < UPSTREAM_BESIDE_MAX; i++) {
		struct tp_slot **slot = &s->beside[i];

		if (*slot == NULL || tp_slot_state(*slot) == TP_IDLE)
			idle = slot;
		else if (tp_slot_state(*slot) != TP_READY)
			connects = *slot;
		else if (!slot_blocks(*slot))
			return *slot;
	}
	if (connects != NULL || idle == NULL || !server_beside_may_connect(s))
		return connects;
	if (*idle == NULL && tp_slot_new(idle, s->loop, s->target, &hooks) != RES_OK)
		return NULL;
	return *idle;
}

struct tp_slot *
server_shared_slot(struct server *s, bool stays, bool *beside)
{
	struct tp_slot *other = !stays && server_is_blocked(s) ? server_beside_choose(s) : NULL;

	*beside = other != NULL;
	return other != NULL ? other : server_slot(s);
}

static bool
beside_is_idle(const struct tp_slot *slot)
{
	struct tp_stats stats;

	tp_slot_stats(slot, &stats);
	return stats.in_flight == 0 && stats.waiting == 0;
}

void
server_beside_tidy(struct server *s)
{
	for (size_t i = 0; i < UPSTREAM_BESIDE_MAX; i++)
		if (s->beside[i] != NULL && tp_slot_state(s->beside[i]) != TP_IDLE && !server_is_blocked(s) &&
		    beside_is_idle(s->beside[i]))
			tp_slot_drop(s->beside[i], false);
}
