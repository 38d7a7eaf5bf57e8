#include "resolver/query.h"
#include "resolver/upstreams.h"

#include "base/clock.h"

#include <stdlib.h>

/* The clocks are not read at the same moment, a short doze harms no connection, and so small a step no verdict. */
#define CLOCK_JUMP_MIN_MS 1000

static struct cache_limits
engine_limits(const struct plan *plan)
{
	const struct settings *s = plan->snapshot->settings;

	return (struct cache_limits){.bytes = s->cache_size / (s->workers > 0 ? s->workers : 1),
				     .min_ttl_ms = s->cache_min_ttl_ms,
				     .max_ttl_ms = s->cache_max_ttl_ms,
				     .negative_max_ttl_ms = s->cache_negative_max_ttl_ms,
				     .serve_stale_ms = s->cache_serve_stale_ms,
				     .prefetch = s->cache_prefetch};
}

static void
engine_on_verdict(void *ctx, const struct server *s)
{
	struct engine *e = ctx;

	if (e->hooks.on_verdict != NULL)
		e->hooks.on_verdict(e->hooks.ctx, s);
}

static void
engine_on_ready(void *ctx, const struct server *s)
{
	struct engine *e = ctx;

	if (e->hooks.on_ready != NULL)
		e->hooks.on_ready(e->hooks.ctx, s);
}

enum res
engine_new(struct engine **out, struct loop *loop, struct counters *counters, struct plan *plan,
	   const struct engine_hooks *hooks)
{
	struct engine *e = calloc(1, sizeof *e);
	const struct upstreams_hooks watch = {query_on_server_gone, engine_on_verdict, engine_on_ready,
					      query_wake_all, e};
	const struct cache_limits limits = engine_limits(plan);

	if (e == NULL)
		return RES_NOMEM;
	e->loop = loop;
	e->counters = counters;
	e->hooks = *hooks;
	e->scratch = buf_max(MSG_MAX);
	e->reply = buf_max(MSG_MAX);
	e->hash = hash_key_random();
	e->asleep_ms = clock_boot_ms() - clock_mono_ms();
	e->ahead_ms = clock_wall_ms() - clock_boot_ms();
	e->ttl_at = calloc(MSG_RRS_MAX, sizeof *e->ttl_at);
	e->bucket = calloc(QUERY_BUCKETS, sizeof(struct query *));
	if (e->ttl_at == NULL || e->bucket == NULL || cache_new(&e->cache, &limits) != RES_OK ||
	    hosts_new(&e->hosts, plan->snapshot->settings->hosts_file) != RES_OK ||
	    client_quota_new(&e->quota, WAITERS_MAX) != RES_OK ||
	    admission_new(&e->admission, QUERIES_MAX) != RES_OK ||
	    upstreams_new(&e->upstreams, loop, counters, &watch) != RES_OK ||
	    upstreams_plan_set(e->upstreams, plan) != RES_OK) {
		engine_free(e);
		return RES_NOMEM;
	}
	e->plan = plan_ref(plan);
	*out = e;
	return RES_OK;
}

void
engine_free(struct engine *e)
{
	void *next;

	if (e == NULL)
		return;
	loop_defer_stop(&e->shed);
	query_free_all(e);
	upstreams_free(e->upstreams); /* ends what is in flight and listened for by nobody */
	for (struct query *q = e->spare_query; q != NULL; q = next) {
		next = q->next;
		free(q);
	}
	for (struct waiter *w = e->spare_waiter; w != NULL; w = next) {
		next = w->next;
		free(w);
	}
	for (struct attempt *a = e->spare_attempt; a != NULL; a = next) {
		next = a->next;
		free(a);
	}
	cache_free(e->cache);
	hosts_free(e->hosts);
	client_quota_free(e->quota);
	admission_free(e->admission);
	plan_unref(e->plan);
	buf_free(&e->scratch);
	buf_free(&e->reply);
	free(e->ttl_at);
	free(e->bucket);
	free(e);
}

enum res
engine_plan_set(struct engine *e, struct plan *plan)
{
	static const uint8_t root[1] = {0};
	const struct cache_limits limits = engine_limits(plan);
	struct hosts *hosts = NULL;
	struct plan *before = e->plan;

	if (hosts_new(&hosts, plan->snapshot->settings->hosts_file) != RES_OK)
		return RES_NOMEM;
	if (upstreams_plan_set(e->upstreams, plan) != RES_OK) {
		hosts_free(hosts);
		return RES_NOMEM;
	}
	e->plan = plan_ref(plan);
	hosts_free(e->hosts);
	e->hosts = hosts;
	/* What was answered under the old configuration is not given out under the new one: another upstream
	 * may be asked for it now, or none. */
	cache_limits_set(e->cache, &limits);
	cache_flush(e->cache, span_of(root, sizeof root));
	query_reroute_all(e);
	plan_unref(before);
	return RES_OK;
}

void
engine_forget(struct engine *e, struct waiter **waiting)
{
	while (*waiting != NULL)
		waiter_drop(e, *waiting);
}

size_t
engine_in_flight(const struct engine *e)
{
	return e->n_queries;
}

size_t
engine_waiting(const struct engine *e)
{
	return client_quota_used(e->quota);
}

struct cache *
engine_cache(struct engine *e)
{
	return e->cache;
}

struct upstreams *
engine_upstreams(struct engine *e)
{
	return e->upstreams;
}

struct local_view
engine_local(const struct engine *e)
{
	return (struct local_view){.data = e->plan->local,
				   .hosts = e->hosts,
				   .routes = e->plan->routes,
				   .single_labels = e->plan->snapshot->settings->single_labels};
}

uint32_t
engine_ttl_floor(const struct engine *e)
{
	return (uint32_t)(e->plan->snapshot->settings->cache_min_ttl_ms / 1000);
}

uint32_t
engine_ttl_cap(const struct engine *e, const struct msg_answer *a)
{
	const struct settings *s = e->plan->snapshot->settings;
	int64_t cap = s->cache_max_ttl_ms;

	if ((a->rcode == RCODE_NXDOMAIN || !a->has_answer_of_type) && s->cache_negative_max_ttl_ms < cap)
		cap = s->cache_negative_max_ttl_ms;
	return (uint32_t)(cap / 1000);
}

void
engine_network_changed(struct engine *e)
{
	upstreams_network_changed(e->upstreams);
	query_wake_all(e);
}

void
engine_notice_clocks(struct engine *e)
{
	int64_t boot = clock_boot_ms();
	int64_t asleep = boot - clock_mono_ms(), slept = asleep - e->asleep_ms;
	int64_t ahead = clock_wall_ms() - boot, set = ahead - e->ahead_ms;

	e->asleep_ms = asleep;
	e->ahead_ms = ahead;
	if (slept >= CLOCK_JUMP_MIN_MS) {
		counter_add(e->counters, COUNTER_RESUMES, 1);
		log_event(LOG_NOTICE, "resumed", LOG_INT("asleep_s", slept / 1000));
		upstreams_network_changed(e->upstreams);
	}
	if (set >= CLOCK_JUMP_MIN_MS || set <= -CLOCK_JUMP_MIN_MS) {
		counter_add(e->counters, COUNTER_CLOCK_SETS, 1);
		log_event(LOG_NOTICE, "clock-set", LOG_INT("by_s", set / 1000));
		upstreams_clock_set(e->upstreams);
	}
}
