/* Whose turn it is: the order of the servers of a route. */
#include "resolver/upstream_set.h"

/* ---- walking a route */

struct walk
upstreams_walk(const struct upstreams *set, const struct route *route)
{
	return (struct walk){.set = set, .route = route};
}

struct server *
walk_next(struct walk *w, size_t *i)
{
	while (w->i < w->route->n_upstream) {
		uint32_t u = w->route->upstream[w->i];

		if (w->p < w->set->plan->snapshot->upstream[u].n_target) {
			*i = w->i;
			return w->set->server[w->set->first[u] + w->p++];
		}
		w->i++;
		w->p = 0;
	}
	return NULL;
}

/* ---- order */

static bool
tries_have(const struct tries *t, const struct server *s)
{
	for (unsigned i = 0; i < t->n; i++)
		if (t->id[i] == s->id)
			return true;
	return false;
}

bool
server_is_ready(const struct server *s)
{
	return s->slot != NULL && tp_slot_state(s->slot) == TP_READY;
}

bool
server_rests(const struct server *s, int64_t now)
{
	return s->health == HEALTH_FAILING && now < s->retry_at_ms;
}

#define UNMEASURED (1ULL << 40)

/* How long an answer is likely to take, in microseconds. A handshake is two round trips with TLS 1.3. */
static uint64_t
server_expected_us(const struct server *s)
{
	struct tp_stats stats;
	uint64_t us;

	if (s->slot == NULL)
		return UNMEASURED;
	tp_slot_stats(s->slot, &stats);
	if (stats.srtt_us >= 0)
		us = (uint64_t)stats.srtt_us;
	else if (stats.handshake_ms >= 0 && s->ready_ms != INT64_MIN)
		us = (uint64_t)stats.handshake_ms * 500;
	else
		return UNMEASURED;
	if (us >= UNMEASURED / 2)
		us = UNMEASURED / 2 - 1;
	/* A change costs a handshake, and close calls would make it back and forth. */
	return server_is_ready(s) ? us : us + us / 4 + 5000;
}

/* Smaller goes first. Within an upstream the families take turns (RFC 8305, 4). */
static uint64_t
server_rank(const struct server *s, size_t i, const struct route *route, const struct tries *tries,
	    uint32_t avoid)
{
	const struct upstreams *set = s->set;
	uint64_t turn = (uint64_t)s->turn * 2 + (s->target->addr.family != set->family_first);
	uint64_t rank = 0;
	bool silent;

	switch (set->plan->snapshot->settings->strategy) {
	case STRATEGY_ORDERED:
		rank = i;
		break;
	case STRATEGY_SPREAD:
		rank = (i + tries->spin) % route->n_upstream;
		break;
	case STRATEGY_FASTEST:
		rank = server_expected_us(s);
		if (rank >= UNMEASURED)
			rank += i;
		break;
	}
	silent = loop_now_ms(set->loop) < s->suspect_until_ms;
	return (uint64_t)(s->upstream == avoid) << 63 | (uint64_t)silent << 62 | rank << 8 | (turn & 0xff);
}

struct server *
upstreams_next(struct upstreams *set, const struct route *route, const struct tries *tries, uint32_t avoid)
{
	struct walk w = upstreams_walk(set, route);
	int64_t now = loop_now_ms(set->loop);
	struct server *s, *best = NULL, *probe = NULL;
	uint64_t best_rank = 0;
	size_t i;

	while ((s = walk_next(&w, &i)) != NULL) {
		uint64_t rank;

		if (s->health == HEALTH_REFUSED || tries_have(tries, s))
			continue;
		if (server_rests(s, now)) {
			if (s->tried_ms == INT64_MIN || now - s->tried_ms >= UPSTREAM_PROBE_MS)
				if (probe == NULL || s->tried_ms < probe->tried_ms)
					probe = s;
			continue;
		}
		rank = server_rank(s, i, route, tries, avoid);
		if (best == NULL || rank < best_rank) {
			best = s;
			best_rank = rank;
		}
	}
	return best != NULL ? best : probe;
}

bool
server_has_rival(const struct server *s)
{
	const struct upstreams *set = s->set;
	size_t n = set->plan->snapshot->upstream[s->upstream].n_target;
	int64_t now = loop_now_ms(set->loop);

	for (size_t i = 0; i < n; i++) {
		const struct server *o = set->server[set->first[s->upstream] + i];

		if (o->target->addr.family != s->target->addr.family && o->health != HEALTH_REFUSED &&
		    !server_rests(o, now))
			return true;
	}
	return false;
}

int64_t
server_patience_ms(const struct server *s, bool hedge)
{
	struct tp_stats stats;
	int64_t ms;

	if (s->slot == NULL)
		return TP_CONNECT_TIMEOUT_MS;
	if (!server_is_ready(s) && server_has_rival(s))
		return UPSTREAM_RACE_MS;
	if (!hedge)
		return TP_CONNECT_TIMEOUT_MS;
	tp_slot_stats(s->slot, &stats);
	ms = stats.median_us > 0 ? 2 * stats.median_us / 1000 : 0;
	if (!server_is_ready(s) && stats.handshake_ms > 0)
		ms += 2 * stats.handshake_ms;
	if (ms < UPSTREAM_HEDGE_MIN_MS)
		ms = UPSTREAM_HEDGE_MIN_MS;
	return ms < TP_CONNECT_TIMEOUT_MS ? ms : TP_CONNECT_TIMEOUT_MS;
}

bool
upstreams_all_refused(struct upstreams *set, const struct route *route)
{
	struct walk w = upstreams_walk(set, route);
	struct server *s;
	size_t i;

	while ((s = walk_next(&w, &i)) != NULL)
		if (s->health != HEALTH_REFUSED)
			return false;
	return true;
}

bool
upstreams_all_resting(struct upstreams *set, const struct route *route)
{
	struct walk w = upstreams_walk(set, route);
	int64_t now = loop_now_ms(set->loop);
	struct server *s;
	size_t i;

	while ((s = walk_next(&w, &i)) != NULL)
		if (s->health != HEALTH_REFUSED && !server_rests(s, now))
			return false;
	return true;
}
