#include "resolver/upstream.h"

#include "base/clock.h"
#include "base/random.h"

#include <stdlib.h>
#include <string.h>

#define EDE_TEXT_MAX 160 /* title and address and reason; message.c cuts it to what goes out */

struct upstreams {
	struct loop *loop;
	struct counters *counters;
	struct upstreams_hooks hooks;
	const struct plan *plan;
	struct server **server; /* by upstream, then by address as configured */
	size_t n;
	size_t *first; /* of each upstream, in server */
	uint32_t next_id;
	enum addr_family family_first; /* what won the last race on this network */
	int64_t explore_at_ms;
	int64_t rechecked_ms;
	int64_t captive_until_ms;
	struct loop_timer captive;
	struct log_limit log_limit;
	char ede_text[UPSTREAM_EDE_MAX][EDE_TEXT_MAX];
};

static void upstreams_on_event(void *, struct tp_slot *, struct tp_event *);
static void upstreams_on_captive(void *);

/* ---- the set */

static void
server_free(struct server *s)
{
	if (s == NULL)
		return;
	tp_slot_free(s->slot);
	verdict_clear(&s->verdict);
	free(s);
}

enum res
upstreams_new(struct upstreams **out, struct loop *loop, struct counters *counters, const struct upstreams_hooks *hooks)
{
	struct upstreams *set = calloc(1, sizeof *set);

	if (set == NULL)
		return RES_NOMEM;
	set->loop = loop;
	set->counters = counters;
	set->hooks = *hooks;
	set->family_first = ADDR_V6; /* RFC 8305, 4 */
	set->rechecked_ms = INT64_MIN;
	loop_timer_init(&set->captive, loop, upstreams_on_captive, set);
	*out = set;
	return RES_OK;
}

void
upstreams_free(struct upstreams *set)
{
	if (set == NULL)
		return;
	loop_timer_stop(&set->captive);
	for (size_t i = 0; i < set->n; i++) {
		set->hooks.on_gone(set->hooks.ctx, set->server[i]);
		server_free(set->server[i]);
	}
	free(set->server);
	free(set->first);
	free(set);
}

/* The server that was for the same upstream, address and protocol before. */
static struct server *
server_before(const struct upstreams *set, const struct upstream_plan *u, const struct tp_target *t)
{
	for (size_t i = 0; i < set->n; i++) {
		struct server *s = set->server[i];

		if (s != NULL && s->target->protocol == t->protocol && addr_equal(&s->target->addr, &t->addr) &&
		    strcmp(s->target->upstream, u->title) == 0)
			return s;
	}
	return NULL;
}

static struct server *
server_new(struct upstreams *set)
{
	struct server *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->set = set;
	s->tried_ms = s->answered_ms = s->ready_ms = INT64_MIN;
	return s;
}

/* What the policy said is of the policy that was: it is asked anew. */
static void
server_retarget(struct server *s, const struct tp_target *t)
{
	s->target = t;
	if (s->slot != NULL)
		tp_slot_retarget(s->slot, t);
	if (s->health == HEALTH_REFUSED) {
		s->health = HEALTH_UNKNOWN;
		s->reason = REASON_NONE;
		s->retry_at_ms = 0;
		s->failures = 0;
	}
}

static void
server_place(struct server *s, const struct upstream_plan *u, uint32_t upstream, uint32_t position)
{
	s->upstream = upstream;
	s->position = position;
	s->trust_ad = u->trust_ad;
	s->turn = 0;
	for (uint32_t i = 0; i < position; i++)
		if (u->target[i].addr.family == u->target[position].addr.family)
			s->turn++;
}

static size_t
plan_servers(const struct plan *plan)
{
	size_t n = 0;

	for (size_t u = 0; u < plan->snapshot->n_upstream; u++)
		n += plan->snapshot->upstream[u].n_target;
	return n;
}

/* All memory that the change needs, before anything is changed. Fresh servers are made for all; those not needed are
 * freed again. */
static enum res
servers_allocate(struct upstreams *set, size_t n, size_t n_upstream, struct server ***fresh, size_t **first)
{
	*fresh = calloc(n + 1, sizeof **fresh);
	*first = calloc(n_upstream + 1, sizeof **first);
	if (*fresh == NULL || *first == NULL)
		goto nomem;
	for (size_t i = 0; i < n; i++)
		if (((*fresh)[i] = server_new(set)) == NULL)
			goto nomem;
	return RES_OK;
nomem:
	for (size_t i = 0; *fresh != NULL && i < n; i++)
		free((*fresh)[i]);
	free(*fresh);
	free(*first);
	return RES_NOMEM;
}

enum res
upstreams_plan_set(struct upstreams *set, const struct plan *plan)
{
	const struct snapshot *snap = plan->snapshot;
	struct server **fresh;
	size_t *first, at = 0, n = plan_servers(plan);
	struct server **old = set->server;
	size_t n_old = set->n;

	if (servers_allocate(set, n, snap->n_upstream, &fresh, &first) != RES_OK)
		return RES_NOMEM;
	for (uint32_t u = 0; u < snap->n_upstream; u++) {
		first[u] = at;
		for (uint32_t p = 0; p < snap->upstream[u].n_target; p++, at++) {
			const struct tp_target *t = &snap->upstream[u].target[p];
			struct server *kept = server_before(set, &snap->upstream[u], t);

			if (kept != NULL) {
				for (size_t i = 0; i < n_old; i++)
					if (old[i] == kept)
						old[i] = NULL;
				free(fresh[at]);
				fresh[at] = kept;
				server_retarget(kept, t);
			} else {
				fresh[at]->target = t;
				fresh[at]->id = ++set->next_id;
			}
			server_place(fresh[at], &snap->upstream[u], u, p);
		}
	}
	set->server = fresh;
	set->n = n;
	free(set->first);
	set->first = first;
	set->plan = plan;
	set->explore_at_ms = loop_now_ms(set->loop) + UPSTREAM_EXPLORE_MS / 6;
	for (size_t i = 0; i < n_old; i++)
		if (old[i] != NULL) {
			set->hooks.on_gone(set->hooks.ctx, old[i]);
			server_free(old[i]);
		}
	free(old);
	return RES_OK;
}

/* ---- walking a route */

struct walk {
	const struct upstreams *set;
	const struct route *route;
	size_t i; /* upstream in the route */
	size_t p; /* address in the upstream */
};

static struct walk
walk_over(const struct upstreams *set, const struct route *route)
{
	return (struct walk){.set = set, .route = route};
}

/* The next server in the order of the configuration; NULL at the end. *i: its upstream's place in the route. */
static struct server *
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

static bool
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
server_rank(const struct server *s, size_t i, const struct route *route, const struct tries *tries, uint32_t avoid)
{
	const struct upstreams *set = s->set;
	uint64_t turn = (uint64_t)s->turn * 2 + (s->target->addr.family != set->family_first);
	uint64_t rank = 0;

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
	return (uint64_t)(s->upstream == avoid) << 63 | (uint64_t)s->suspect << 62 | rank << 8 | (turn & 0xff);
}

struct server *
upstreams_next(struct upstreams *set, const struct route *route, const struct tries *tries, uint32_t avoid)
{
	struct walk w = walk_over(set, route);
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

struct tp_slot *
server_slot(struct server *s)
{
	const struct tp_hooks hooks = {.on_event = upstreams_on_event, .ctx = s};

	if (s->slot == NULL && tp_slot_new(&s->slot, s->set->loop, s->target, &hooks) != RES_OK)
		return NULL;
	s->tried_ms = loop_now_ms(s->set->loop);
	return s->slot;
}

/* Another address of the same upstream, of the other family, that may be asked: the two are raced. */
static bool
server_has_rival(const struct server *s)
{
	const struct upstreams *set = s->set;
	size_t n = set->plan->snapshot->upstream[s->upstream].n_target;
	int64_t now = loop_now_ms(set->loop);

	for (size_t i = 0; i < n; i++) {
		const struct server *o = set->server[set->first[s->upstream] + i];

		if (o->target->addr.family != s->target->addr.family && o->health != HEALTH_REFUSED && !server_rests(o, now))
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
	struct walk w = walk_over(set, route);
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
	struct walk w = walk_over(set, route);
	int64_t now = loop_now_ms(set->loop);
	struct server *s;
	size_t i;

	while ((s = walk_next(&w, &i)) != NULL)
		if (s->health != HEALTH_REFUSED && !server_rests(s, now))
			return false;
	return true;
}

/* ---- tending */

static void
server_connect(struct server *s)
{
	struct tp_slot *slot = server_slot(s);

	if (slot != NULL)
		tp_slot_connect(slot);
}

/* Refused servers whose rest is over; and, while nothing else is left, the one that was not looked at for longest. */
static void
upstreams_recheck(struct upstreams *set, const struct route *route, int64_t now)
{
	struct walk w = walk_over(set, route);
	struct server *s, *oldest = NULL;
	bool all = true;
	size_t i;

	while ((s = walk_next(&w, &i)) != NULL) {
		if (s->health != HEALTH_REFUSED)
			all = false;
		else if (oldest == NULL || s->tried_ms < oldest->tried_ms)
			oldest = s;
	}
	if (oldest == NULL)
		return;
	if (all ? set->rechecked_ms == INT64_MIN || now - set->rechecked_ms >= UPSTREAM_RECHECK_MS
	        : now >= oldest->retry_at_ms) {
		set->rechecked_ms = now;
		server_connect(oldest);
	}
}

static void
upstreams_explore(struct upstreams *set, const struct route *route, int64_t now)
{
	struct walk w = walk_over(set, route);
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
upstreams_tend(struct upstreams *set, const struct route *route)
{
	int64_t now = loop_now_ms(set->loop);

	upstreams_recheck(set, route, now);
	if (set->plan->snapshot->settings->strategy == STRATEGY_FASTEST && now >= set->explore_at_ms)
		upstreams_explore(set, route, now);
}

/* ---- health */

/* Half of it is chance: a fleet that lost its upstream together must not come back together. */
static int64_t
rest_ms(unsigned failures, int64_t least, int64_t most)
{
	int64_t ms = least;

	for (unsigned i = 1; i < failures && ms < most; i++)
		ms *= 2;
	if (ms > most)
		ms = most;
	return ms / 2 + (int64_t)random_below((uint32_t)(ms / 2) + 1);
}

static void
reason_count(struct upstreams *set, enum reason reason)
{
	_Atomic uint64_t *v = &set->counters->by_reason[reason];

	atomic_store_explicit(v, atomic_load_explicit(v, memory_order_relaxed) + 1, memory_order_relaxed);
}

static void
server_log(struct server *s, enum log_level level, const char *event, enum reason reason, const char *detail)
{
	uint32_t left_out;

	if (!log_wants(level) || !log_limit_ok(&s->set->log_limit, 20, 10000, &left_out))
		return;
	if (left_out > 0)
		log_event(LOG_NOTICE, "upstream-lines-left-out", LOG_INT("lines", left_out));
	log_event(level, event, LOG_STR("upstream", s->target->upstream), LOG_IP("addr", &s->target->addr),
	    LOG_STR("reason", reason_code(reason)), LOG_STR("detail", detail));
}

void
server_answered(struct server *s)
{
	s->answered_ms = loop_now_ms(s->set->loop);
	s->suspect = false;
	s->bad = 0;
	s->failures = 0;
	if (s->health == HEALTH_GOOD)
		return;
	if (s->health == HEALTH_FAILING)
		server_log(s, LOG_NOTICE, "upstream-back", s->reason, NULL);
	s->health = HEALTH_GOOD;
	s->reason = REASON_NONE;
	s->retry_at_ms = 0;
}

static void
server_failed_detail(struct server *s, enum reason reason, const char *detail)
{
	struct upstreams *set = s->set;
	int64_t now = loop_now_ms(set->loop);
	bool verdict = reason_is_verdict(reason);
	bool news = s->reason != reason;

	/* The event of a connection and each of its questions tell the same story; it counts once. */
	if (news || now >= s->retry_at_ms) {
		reason_count(set, reason);
		s->failures = verdict != (s->health == HEALTH_REFUSED) ? 1 : s->failures + 1;
		s->retry_at_ms = now + (verdict ? rest_ms(s->failures, UPSTREAM_REFUSED_MIN_MS, UPSTREAM_REFUSED_MAX_MS)
		                                : rest_ms(s->failures, UPSTREAM_FAIL_MIN_MS, UPSTREAM_FAIL_MAX_MS));
	}
	s->health = verdict ? HEALTH_REFUSED : HEALTH_FAILING;
	s->reason = reason;
	if (news && !verdict)
		server_log(s, LOG_INFO, "upstream-failed", reason, detail);
	if (!verdict && (reason == REASON_UNREACHABLE || reason == REASON_CONNECT_TIMEOUT) && server_has_rival(s))
		set->family_first = s->target->addr.family == ADDR_V6 ? ADDR_V4 : ADDR_V6;
}

void
server_failed(struct server *s, enum reason reason)
{
	server_failed_detail(s, reason, NULL);
}

void
server_answered_badly(struct server *s, enum reason reason)
{
	if (++s->bad >= UPSTREAM_BAD_MAX) {
		s->bad = 0;
		server_failed(s, reason);
		return;
	}
	s->answered_ms = loop_now_ms(s->set->loop);
	s->suspect = false;
	reason_count(s->set, reason);
	server_log(s, LOG_INFO, "answer-refused", reason, NULL);
}

void
server_is_slow(struct server *s)
{
	s->suspect = true;
	/* The head start is over and there is no connection yet: the other family goes first on this network. */
	if (!server_is_ready(s) && s->target->addr.family == s->set->family_first && server_has_rival(s))
		s->set->family_first = s->target->addr.family == ADDR_V6 ? ADDR_V4 : ADDR_V6;
}

void
server_stalled(struct server *s)
{
	s->suspect = true;
	tp_slot_drop(s->slot, false);
	server_log(s, LOG_INFO, "upstream-silent", REASON_CLOSED, NULL);
}

static void
upstreams_on_refused(struct server *s, struct tp_event *e)
{
	bool news = !s->judged || verdict_accepted(&s->verdict) || verdict_reason(&s->verdict) != e->reason;

	server_failed_detail(s, e->reason, e->detail);
	if (e->verdict != NULL) {
		verdict_clear(&s->verdict);
		s->verdict = *e->verdict;
		memset(e->verdict, 0, sizeof *e->verdict);
		s->judged = true;
	}
	if (news && s->set->hooks.on_verdict != NULL)
		s->set->hooks.on_verdict(s->set->hooks.ctx, s);
}

static void
upstreams_on_accepted(struct server *s, struct tp_event *e)
{
	bool news = s->judged && !verdict_accepted(&s->verdict);

	s->ready_ms = loop_now_ms(s->set->loop);
	if (e->verdict != NULL) {
		verdict_clear(&s->verdict);
		s->verdict = *e->verdict;
		memset(e->verdict, 0, sizeof *e->verdict);
		s->judged = true;
	}
	/* Connected is not answered: the next failure rests longer all the same. */
	if (s->health == HEALTH_FAILING)
		server_log(s, LOG_NOTICE, "upstream-back", s->reason, NULL);
	s->health = HEALTH_GOOD;
	s->reason = REASON_NONE;
	s->retry_at_ms = 0;
	if (news && s->set->hooks.on_verdict != NULL)
		s->set->hooks.on_verdict(s->set->hooks.ctx, s);
	if (s->set->hooks.on_ready != NULL)
		s->set->hooks.on_ready(s->set->hooks.ctx, s);
}

static void
upstreams_on_event(void *ctx, struct tp_slot *slot, struct tp_event *e)
{
	struct server *s = ctx;

	(void)slot;
	switch (e->kind) {
	case TP_EVENT_READY:
		upstreams_on_accepted(s, e);
		break;
	case TP_EVENT_FAILED:
		if (reason_is_verdict(e->reason))
			upstreams_on_refused(s, e);
		else
			server_failed_detail(s, e->reason, e->detail);
		break;
	case TP_EVENT_CLOSED:
		/* An open connection can end by a verdict too: judged again after a reload. */
		if (reason_is_verdict(e->reason))
			upstreams_on_refused(s, e);
		else
			server_log(s, LOG_DEBUG, "upstream-closed", e->reason, e->detail);
		break;
	}
}

/* ---- why not */

/* The server that speaks for its upstream: a refused one says more than one that could not be reached. */
static const struct server *
upstream_spokesman(const struct upstreams *set, uint32_t u)
{
	const struct server *failing = NULL;
	size_t n = set->plan->snapshot->upstream[u].n_target;

	for (size_t i = 0; i < n; i++) {
		const struct server *s = set->server[set->first[u] + i];

		if (s->health == HEALTH_REFUSED)
			return s;
		if (failing == NULL && (s->health == HEALTH_FAILING || s->suspect))
			failing = s;
	}
	return failing;
}

static uint16_t
ede_code(enum reason reason)
{
	if (reason_is_verdict(reason))
		return 0;
	/* RFC 8914, 4.23 and 4.24: not reached, and broken on the way. */
	return reason == REASON_CONNECT_REFUSED || reason == REASON_CONNECT_TIMEOUT || reason == REASON_UNREACHABLE ? 22 : 23;
}

size_t
upstreams_explain(struct upstreams *set, const struct route *route, const struct server *blamed, enum reason blame,
    struct msg_ede ede[UPSTREAM_EDE_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < route->n_upstream && n < UPSTREAM_EDE_MAX; i++) {
		const struct server *s = upstream_spokesman(set, route->upstream[i]);
		char ip[ADDR_TEXT_MAX];
		struct buf text;
		enum reason reason;

		if (s == NULL && blamed != NULL && blamed->upstream == route->upstream[i])
			s = blamed;
		if (s == NULL)
			continue;
		reason = s == blamed && s->health == HEALTH_GOOD ? blame : s->reason;
		if (reason == REASON_NONE)
			reason = server_is_ready(s) ? REASON_CLOSED : REASON_CONNECT_TIMEOUT;
		text = (struct buf){.p = (uint8_t *)set->ede_text[n], .cap = EDE_TEXT_MAX, .max = EDE_TEXT_MAX};
		buf_format(&text, "%.64s %s: %s%s", s->target->upstream, addr_ip_text(&s->target->addr, ip),
		    reason_code(reason), set->captive_until_ms != 0 ? " (captive mode)" : "");
		ede[n++] = (struct msg_ede){.code = ede_code(reason), .text = span_of(text.p, text.n)};
	}
	return n;
}

/* ---- the world changes */

void
upstreams_network_changed(struct upstreams *set)
{
	set->family_first = ADDR_V6;
	set->rechecked_ms = INT64_MIN;
	set->explore_at_ms = loop_now_ms(set->loop) + UPSTREAM_EXPLORE_MS / 6;
	for (size_t i = 0; i < set->n; i++) {
		struct server *s = set->server[i];

		s->retry_at_ms = 0;
		s->failures = 0;
		s->suspect = false;
		if (s->health != HEALTH_GOOD) {
			s->health = HEALTH_UNKNOWN;
			s->reason = REASON_NONE;
		}
		if (s->slot != NULL)
			tp_slot_drop(s->slot, false);
	}
}

static void
upstreams_on_captive(void *ctx)
{
	struct upstreams *set = ctx;

	if (set->captive_until_ms == 0 || loop_now_ms(set->loop) >= set->captive_until_ms) {
		set->captive_until_ms = 0;
		return;
	}
	for (size_t i = 0; i < set->n; i++)
		if (set->server[i]->health != HEALTH_GOOD)
			server_connect(set->server[i]);
	loop_timer_set(&set->captive, UPSTREAM_CAPTIVE_MS);
}

void
upstreams_captive_set(struct upstreams *set, int64_t until_ms)
{
	set->captive_until_ms = until_ms;
	if (until_ms == 0)
		loop_timer_stop(&set->captive);
	else
		loop_timer_set(&set->captive, 0);
}

/* ---- report */

static enum res
server_report(const struct server *s, struct upstream_report *r, int64_t now)
{
	memset(r, 0, sizeof *r);
	r->addr = s->target->addr;
	r->protocol = s->target->protocol;
	r->state = s->slot != NULL ? tp_slot_state(s->slot) : TP_IDLE;
	r->health = s->health;
	r->reason = s->reason;
	r->retry_in_ms = s->retry_at_ms > now ? s->retry_at_ms - now : 0;
	r->stats.handshake_ms = r->stats.srtt_us = r->stats.median_us = r->stats.idle_limit_ms = -1;
	if (s->slot != NULL)
		tp_slot_stats(s->slot, &r->stats);
	if ((r->upstream = strdup(s->target->upstream)) == NULL)
		return RES_NOMEM;
	if (s->judged && (r->verdict_json = verdict_json(&s->verdict)) == NULL)
		return RES_NOMEM;
	return RES_OK;
}

enum res
upstreams_report(struct upstreams *set, struct upstreams_report *out)
{
	struct upstreams_report r = {.v = calloc(set->n + 1, sizeof *r.v)};
	int64_t now = loop_now_ms(set->loop);

	if (r.v == NULL)
		return RES_NOMEM;
	for (; r.n < set->n; r.n++)
		if (server_report(set->server[r.n], &r.v[r.n], now) != RES_OK) {
			r.n++;
			upstreams_report_free(&r);
			return RES_NOMEM;
		}
	*out = r;
	return RES_OK;
}

void
upstreams_report_free(struct upstreams_report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].upstream);
		free(r->v[i].verdict_json);
	}
	free(r->v);
	*r = (struct upstreams_report){0};
}
