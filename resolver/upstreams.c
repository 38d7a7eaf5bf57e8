#include "resolver/upstreams.h"

#include "resolver/keep_warm.h"
#include "resolver/maintain.h"
#include "resolver/server_slot.h"

#include <stdlib.h>
#include <string.h>

static void upstreams_on_captive(void *);

/* ---- the set */

enum res
upstreams_new(struct upstreams **out, struct loop *loop, struct counters *counters,
	      const struct upstreams_hooks *hooks, const struct server_hooks *server_hooks, bool by_floor)
{
	struct upstreams *set = calloc(1, sizeof *set);

	if (set == NULL)
		return RES_NOMEM;
	set->loop = loop;
	set->counters = counters;
	set->hooks = *hooks;
	set->server_hooks = *server_hooks;
	set->by_floor = by_floor;
	set->family_first = ADDR_V6; /* RFC 8305, 4 */
	set->network_ms = INT64_MIN;
	(void)sigcache_new(&set->known); /* without memory for it, verdicts only cost more */
	loop_timer_init(&set->captive, loop, upstreams_on_captive, set);
	*out = set;
	return RES_OK;
}

static void
upstreams_drop(struct upstreams *set, struct server *s)
{
	set->hooks.on_gone(set->hooks.ctx, s);
	warm_forget(&set->warm, s);
	server_free(s);
}

void
upstreams_free(struct upstreams *set)
{
	if (set == NULL)
		return;
	loop_timer_stop(&set->captive);
	for (size_t i = 0; i < set->n; i++)
		upstreams_drop(set, set->server[i]);
	free(set->server);
	free(set->first);
	sigcache_free(set->known);
	free(set);
}

/* Takes the server for the same upstream, address and protocol out of the old set. *at: where the search begins, which is
 * after the server that was found last: the order seldom changes, and there may be thousands. */
static struct server *
server_before(const struct upstreams *set, const struct upstream_plan *u, const struct tp_target *t,
	      size_t *at)
{
	for (size_t n = 0; n < set->n; n++) {
		size_t i = (*at + n) % set->n;
		struct server *s = set->server[i];

		if (s != NULL && s->target->protocol == t->protocol &&
		    addr_equal(&s->target->addr, &t->addr) && strcmp(s->target->upstream, u->title) == 0) {
			set->server[i] = NULL;
			*at = i + 1;
			return s;
		}
	}
	return NULL;
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

/* A refusal was by the old policy: a new verdict is due, even if no question asks for it. */
static void
server_renew(struct server *s, const struct tp_target *t)
{
	bool refused = server_retarget(s, t);

	server_forget_rest(s);
	if (refused)
		server_connect(s);
}

static size_t
plan_servers(const struct plan *plan)
{
	size_t n = 0;

	for (size_t u = 0; u < plan->snapshot->n_upstream; u++)
		n += plan->snapshot->upstream[u].n_target;
	return n;
}

/* Allocates all memory that the change needs before anything is changed. New servers are made for all; those not
 * needed are freed again. */
static enum res
servers_allocate(struct upstreams *set, size_t n, size_t n_upstream, struct server ***fresh, size_t **first)
{
	*fresh = calloc(n + 1, sizeof **fresh);
	*first = calloc(n_upstream + 1, sizeof **first);
	if (*fresh == NULL || *first == NULL)
		goto nomem;
	for (size_t i = 0; i < n; i++)
		if (((*fresh)[i] = server_new(set, set->loop)) == NULL)
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
	size_t *first, at = 0, at_old = 0, n = plan_servers(plan);
	struct server **old = set->server;
	size_t n_old = set->n;

	if (servers_allocate(set, n, snap->n_upstream, &fresh, &first) != RES_OK)
		return RES_NOMEM;
	for (uint32_t u = 0; u < snap->n_upstream; u++) {
		first[u] = at;
		for (uint32_t p = 0; p < snap->upstream[u].n_target; p++, at++) {
			const struct tp_target *t = set->by_floor ? &snap->upstream[u].target_by_floor[p]
								  : &snap->upstream[u].target[p];
			struct server *kept = server_before(set, &snap->upstream[u], t, &at_old);

			if (kept != NULL) {
				free(fresh[at]);
				fresh[at] = kept;
				server_renew(kept, t);
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
		if (old[i] != NULL)
			upstreams_drop(set, old[i]);
	free(old);
	upstreams_keep_set(set);
	return RES_OK;
}

/* ---- the world changes */

void
upstreams_network_changed(struct upstreams *set)
{
	set->hooks.on_network(set->hooks.ctx);
	set->family_first = ADDR_V6;
	set->network_ms = loop_now_ms(set->loop);
	set->explore_at_ms = loop_now_ms(set->loop) + UPSTREAM_EXPLORE_MS / 6;
	quarantine_clear(&set->quarantine);
	for (size_t i = 0; i < set->n; i++) {
		struct server *s = set->server[i];

		server_forget_rest(s);
		s->fire_until_ms = 0;
		s->at_fault = false;
		s->fresh_pace = s->lane_pace = s->convict_pace = s->beside_pace = (struct pace){0};
		server_leave_network(s);
	}
	upstreams_reopen(set);
}

void
upstreams_clock_set(struct upstreams *set)
{
	for (size_t i = 0; i < set->n; i++) {
		struct server *s = set->server[i];

		if (server_retarget(s, s->target))
			server_connect(s);
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
