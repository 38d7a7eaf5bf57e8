#include "resolver/order.h"

/* No connection to it came about. */
static bool
server_is_away(const struct server *s)
{
	return s->health == HEALTH_FAILING &&
	       (s->reason == REASON_CONNECT_REFUSED || s->reason == REASON_CONNECT_TIMEOUT ||
		s->reason == REASON_UNREACHABLE);
}

/* When a question may probe this server, if nobody else is left. */
static int64_t
server_probe_ms(const struct server *s)
{
	int64_t tried = upstream_tried_ms(s->set, s->upstream);

	if (tried == INT64_MIN)
		return INT64_MIN;
	return tried + (server_is_away(s) ? UPSTREAM_PROBE_AWAY_MS : UPSTREAM_PROBE_MS);
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
	/* Switching costs a handshake, and similar times would make it switch back and forth. */
	return server_is_ready(s) ? us : us + us / 4 + 5000;
}

#define RANK_AVOIDED (1ULL << 63)
#define RANK_SILENT  (1ULL << 62)

/* Where a question begins in its route: at the upstream of the smallest rank, unless times decide. */
static size_t
route_start(enum strategy strategy, const struct route *route, const struct tries *tries)
{
	size_t n = route->n_upstream;

	return strategy == STRATEGY_SPREAD && n > 0 ? (n - tries->spin % n) % n : 0;
}

/* The smallest rank goes first. Within an upstream the address families alternate (RFC 8305, 4). */
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
	return (s->upstream == avoid ? RANK_AVOIDED : 0) | (silent ? RANK_SILENT : 0) | rank << 8 |
	       (turn & 0xff);
}

struct server *
upstreams_next(const struct upstreams *set, const struct route *route, const struct tries *tries,
	       uint32_t avoid)
{
	const enum strategy strategy = set->plan->snapshot->settings->strategy;
	struct walk w = upstreams_walk_from(set, route, route_start(strategy, route, tries));
	int64_t now = loop_now_ms(set->loop);
	struct server *s, *best = NULL, *probe = NULL;
	uint64_t best_rank = 0;
	size_t i;

	while ((s = walk_next(&w, &i)) != NULL) {
		uint64_t rank;

		/* Upstreams come by their rank: the rest of a thousand need not be looked at. */
		if (strategy != STRATEGY_FASTEST && best != NULL && best_rank < RANK_SILENT &&
		    s->upstream != best->upstream)
			break;
		if (s->health == HEALTH_REFUSED || tries_have(tries, s->id))
			continue;
		if (server_rests(s, now)) {
			if (now >= server_probe_ms(s))
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

/* all_refused: then the answer is known until the next recheck, and no question waits for that. */
static int64_t
server_due_ms(const struct server *s, uint64_t zone, bool all_refused, int64_t now)
{
	int64_t probe = server_probe_ms(s), out;

	if (server_connects(s)) /* its event comes before */
		return now + TP_HANDSHAKE_TIMEOUT_MS;
	if (s->health == HEALTH_REFUSED)
		return all_refused ? INT64_MAX : probe > now ? probe : now + UPSTREAM_LOOK_MS;
	if (server_rests(s, now))
		return s->retry_at_ms < probe ? s->retry_at_ms : probe > now ? probe : now + UPSTREAM_LOOK_MS;
	(void)quarantine_find(&s->set->quarantine, s->id, zone, now, &out);
	return out > now ? out : now + UPSTREAM_LOOK_MS; /* no lane is free */
}

int64_t
upstreams_due_ms(const struct upstreams *set, const struct route *route, const struct tries *tries,
		 uint64_t zone)
{
	struct walk w = upstreams_walk(set, route);
	bool all_refused = upstreams_all_refused(set, route);
	int64_t now = loop_now_ms(set->loop), first = INT64_MAX;
	struct server *s;
	size_t i;

	while ((s = walk_next(&w, &i)) != NULL) {
		int64_t due =
		    tries_have_spent(tries, s->id) ? INT64_MAX : server_due_ms(s, zone, all_refused, now);

		if (due < first)
			first = due;
	}
	return first;
}
