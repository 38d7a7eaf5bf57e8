#include "resolver/maintain.h"

#include "resolver/server_slot.h"

/* No server is known to answer in time: all are refused, rest, or were silent or poor a while ago. */
static bool
upstreams_none_serves(const struct upstreams *set, const struct route *route, int64_t now)
{
	struct walk w = upstreams_walk(set, route);
	struct server *s;
	size_t i;

	while ((s = walk_next(&w, &i)) != NULL)
		if (s->health != HEALTH_REFUSED && !server_rests(s, now) && now >= s->suspect_until_ms)
			return false;
	return true;
}

/* Reconnects to the refused server that was not tried for longest, when its back-off is over. When no other server
 * serves, as soon as its upstream may be probed. */
static void
upstreams_recheck(struct upstreams *set, const struct route *route, int64_t now, bool nobody)
{
	struct walk w = upstreams_walk(set, route);
	struct server *s, *oldest = NULL;
	size_t i;

	while ((s = walk_next(&w, &i)) != NULL) {
		if (s->health != HEALTH_REFUSED || server_connects(s) ||
		    (oldest != NULL && s->tried_ms >= oldest->tried_ms))
			continue;
		if (now >= s->retry_at_ms ||
		    (nobody &&
		     !server_time_within(upstream_tried_ms(set, s->upstream), now, UPSTREAM_PROBE_MS)))
			oldest = s;
	}
	if (oldest != NULL)
		server_connect(oldest);
}

static void
upstreams_explore(struct upstreams *set, const struct route *route, int64_t now)
{
	struct walk w = upstreams_walk(set, route);
	struct server *s, *oldest = NULL;
	size_t i, n = 0;

	set->explore_at_ms = now + UPSTREAM_EXPLORE_MS;
	while ((s = walk_next(&w, &i)) != NULL) {
		n++;
		if (s->health == HEALTH_REFUSED || server_rests(s, now) || server_is_ready(s))
			continue;
		if (oldest == NULL || s->tried_ms < oldest->tried_ms)
			oldest = s;
	}
	if (n > 1 && oldest != NULL)
		server_connect(oldest);
}

void
upstreams_maintain(struct upstreams *set, const struct route *route)
{
	int64_t now = loop_now_ms(set->loop);

	upstreams_recheck(set, route, now, upstreams_none_serves(set, route, now));
	if (set->plan->snapshot->settings->strategy == STRATEGY_FASTEST && now >= set->explore_at_ms)
		upstreams_explore(set, route, now);
}

void
upstreams_maintain_for_stranded(struct upstreams *set, const struct route *route)
{
	upstreams_recheck(set, route, loop_now_ms(set->loop), true);
}
