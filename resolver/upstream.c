#include "resolver/upstream_set.h"

#include <stdlib.h>
#include <string.h>

static void upstreams_on_captive(void *);

/* ---- the set */

static void
server_free(struct server *s)
{
	if (s == NULL)
		return;
	tp_slot_free(s->slot);
	for (size_t i = 0; i < UPSTREAM_LANES; i++)
		tp_slot_free(s->lane[i].slot);
	verdict_clear(&s->verdict);
	free(s);
}

enum res
upstreams_new(struct upstreams **out, struct loop *loop, struct counters *counters,
	      const struct upstreams_hooks *hooks)
{
	struct upstreams *set = calloc(1, sizeof *set);

	if (set == NULL)
		return RES_NOMEM;
	set->loop = loop;
	set->counters = counters;
	set->hooks = *hooks;
	set->family_first = ADDR_V6; /* RFC 8305, 4 */
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

		if (s != NULL && s->target->protocol == t->protocol &&
		    addr_equal(&s->target->addr, &t->addr) && strcmp(s->target->upstream, u->title) == 0)
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

/* A verdict is of the policy and the time that were: it is asked for anew. */
static void
server_retarget(struct server *s, const struct tp_target *t)
{
	s->target = t;
	if (s->slot != NULL)
		tp_slot_retarget(s->slot, t);
	for (size_t i = 0; i < UPSTREAM_LANES; i++)
		if (s->lane[i].slot != NULL)
			tp_slot_retarget(s->lane[i].slot, t);
	if (s->health == HEALTH_REFUSED) {
		s->health = HEALTH_UNKNOWN;
		s->reason = REASON_NONE;
		s->retry_at_ms = 0;
		s->failures = 0;
	}
}

/* Whatever went wrong before, it is looked at again at once. */
static void
server_forget_rest(struct server *s)
{
	s->retry_at_ms = 0;
	s->tried_ms = INT64_MIN;
	s->failures = s->bad = s->poor = 0;
	s->doubt = REASON_NONE;
	s->suspect_until_ms = 0;
	if (s->health != HEALTH_GOOD) {
		s->health = HEALTH_UNKNOWN;
		s->reason = REASON_NONE;
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

/* All memory that the change needs, before anything is changed. Fresh servers are made for all; those not
 * needed are freed again. */
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
				server_forget_rest(kept);
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

/* ---- connections */

struct tp_slot *
server_slot(struct server *s)
{
	const struct tp_hooks hooks = {.on_event = upstreams_on_event, .ctx = s};

	if (s->slot == NULL && tp_slot_new(&s->slot, s->set->loop, s->target, &hooks) != RES_OK)
		return NULL;
	s->tried_ms = loop_now_ms(s->set->loop);
	return s->slot;
}

void
server_connect(struct server *s)
{
	struct tp_slot *slot = server_slot(s);

	if (slot == NULL)
		return;
	s->connects = !server_is_ready(s);
	tp_slot_connect(slot);
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
		if (failing == NULL && (s->health == HEALTH_FAILING || s->suspect_until_ms != 0))
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
	return reason == REASON_CONNECT_REFUSED || reason == REASON_CONNECT_TIMEOUT ||
		       reason == REASON_UNREACHABLE
		   ? 22
		   : 23;
}

size_t
upstreams_explain(struct upstreams *set, const struct route *route, const struct server *blamed,
		  enum reason blame, struct msg_ede ede[UPSTREAM_EDE_MAX])
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
			reason = s->doubt;
		if (reason == REASON_NONE)
			reason = server_is_ready(s) ? REASON_CLOSED : REASON_CONNECT_TIMEOUT;
		text =
		    (struct buf){.p = (uint8_t *)set->ede_text[n], .cap = EDE_TEXT_MAX, .max = EDE_TEXT_MAX};
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
	set->explore_at_ms = loop_now_ms(set->loop) + UPSTREAM_EXPLORE_MS / 6;
	quarantine_clear(&set->quarantine);
	for (size_t i = 0; i < set->n; i++) {
		struct server *s = set->server[i];

		server_forget_rest(s);
		s->connects = false;
		s->fire_until_ms = 0;
		s->fresh_pace = s->lane_pace = (struct pace){0};
		server_lanes_drop(s);
		if (s->slot != NULL)
			tp_slot_drop(s->slot, false);
	}
}

void
upstreams_clock_set(struct upstreams *set)
{
	for (size_t i = 0; i < set->n; i++)
		server_retarget(set->server[i], set->server[i]->target);
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
	r->reported = s->judged ? verdict_reported(&s->verdict) : 0;
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
