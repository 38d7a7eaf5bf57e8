#include "resolver/engine.h"

#include "base/clock.h"
#include "resolver/ask.h"
#include "resolver/portal.h"
#include "resolver/queries.h"
#include "resolver/time_names.h"
#include "resolver/upstreams.h"

#include <stdlib.h>

#define STRANGERS_LOG_MS 60000 /* between lines about clients that may not ask: they can ask at will */
#define POOL_MAX         512   /* objects kept for the next question, of each kind */

struct cache_limits
engine_cache_limits(const struct plan *plan)
{
	const struct settings *s = plan->snapshot->settings;

	return (struct cache_limits){.bytes = s->cache_size,
				     .min_ttl_ms = s->cache_min_ttl_ms,
				     .max_ttl_ms = s->cache_max_ttl_ms,
				     .negative_max_ttl_ms = s->cache_negative_max_ttl_ms,
				     .serve_stale_ms = s->cache_serve_stale_ms,
				     .prefetch = s->cache_prefetch};
}

static struct cache_limits
engine_limits(const struct engine *e, const struct plan *plan)
{
	const struct settings *s = plan->snapshot->settings;

	if (!e->is_by_floor)
		return engine_cache_limits(plan);
	return (struct cache_limits){.bytes = TIME_NAMES_CACHE,
				     .max_ttl_ms = s->cache_max_ttl_ms,
				     .negative_max_ttl_ms = s->cache_negative_max_ttl_ms};
}

/* In this store; NULL: in one of its own. */
static enum res
engine_cache_make(struct engine *e, const struct plan *plan, struct cache_store *store)
{
	const struct cache_limits limits = engine_limits(e, plan);
	enum res res = store != NULL ? cache_new_in(&e->cache, store) : cache_new(&e->cache, &limits);

	if (res == RES_OK)
		cache_renew(e->cache, plan->snapshot->generation, &limits);
	return res;
}

/* Everything that needs no plan and no memory. */
static void
engine_init(struct engine *e, struct loop *loop, struct counters *counters)
{
	e->loop = loop;
	e->counters = counters;
	e->scratch = buf_max(MSG_MAX);
	e->reply = buf_max(MSG_MAX);
	e->hash = hash_key_random();
	suffix_memo_init(&e->suffixes);
	e->asleep_ms = e->slept_ms = clock_boot_ms() - clock_mono_ms();
	e->ahead_ms = clock_wall_ms() - clock_boot_ms();
	clock_shifts_init(&e->own_shifts);
	e->shifts = &e->own_shifts;
	pool_init(&e->query_pool, sizeof(struct query), POOL_MAX);
	pool_init(&e->waiter_pool, sizeof(struct waiter), POOL_MAX);
	pool_init(&e->attempt_pool, sizeof(struct attempt), POOL_MAX);
}

static enum res
engine_make(struct engine **out, struct loop *loop, struct counters *counters, struct plan *plan,
	    const struct server_hooks *hooks, struct cache_store *store, bool by_floor)
{
	struct engine *e = calloc(1, sizeof *e);
	const struct upstreams_hooks watch = {queries_on_server_gone, queries_on_change, queries_on_network,
					      e};

	if (e == NULL)
		return RES_NOMEM;
	engine_init(e, loop, counters);
	e->is_by_floor = by_floor;
	e->ttl_at = calloc(MSG_RRS_MAX, sizeof *e->ttl_at);
	e->bucket = calloc(QUERY_BUCKETS, sizeof *e->bucket);
	/* All of their memory now: later there may be none, and those who wait would get nothing. */
	if (buf_room(&e->scratch, MSG_MAX) == NULL || buf_room(&e->reply, MSG_MAX) == NULL ||
	    e->ttl_at == NULL || e->bucket == NULL || engine_cache_make(e, plan, store) != RES_OK ||
	    hosts_new(&e->hosts, plan->snapshot->settings->hosts_file) != RES_OK ||
	    client_quota_new(&e->quota, WAITERS_MAX) != RES_OK ||
	    admission_new(&e->admission, QUERIES_MAX) != RES_OK ||
	    upstreams_new(&e->upstreams, loop, counters, &watch, hooks, by_floor) != RES_OK ||
	    upstreams_plan_set(e->upstreams, plan) != RES_OK || portal_new(&e->portal, e) != RES_OK) {
		engine_free(e);
		return RES_NOMEM;
	}
	e->plan = plan_ref(plan);
	*out = e;
	return RES_OK;
}

enum res
engine_new(struct engine **out, struct loop *loop, struct counters *counters, struct plan *plan,
	   const struct server_hooks *hooks, struct cache_store *store)
{
	return engine_make(out, loop, counters, plan, hooks, store, false);
}

void
engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	engine_free(e->by_floor);
	portal_free(e->portal);
	loop_defer_stop(&e->woken);
	queries_free(e);
	upstreams_free(e->upstreams); /* ends attempts that no query waits for */
	pool_clear(&e->query_pool);
	pool_clear(&e->waiter_pool);
	pool_clear(&e->attempt_pool);
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

static void
engine_by_floor_end(struct engine *e)
{
	engine_free(e->by_floor);
	e->by_floor = NULL;
}

/* The engine for time-names goes when it is idle and not needed any more. */
static void
engine_tidy(struct engine *e)
{
	if (e->by_floor != NULL && !time_names_needed(e) && e->by_floor->n_queries == 0)
		engine_by_floor_end(e);
}

/* The engine that answers this question: a name of time-names has one of its own while the clock is not set. */
static struct engine *
engine_for(struct engine *e, const struct msg_question *q)
{
	if (!time_names_have(e, q))
		return e;
	if (e->by_floor == NULL &&
	    engine_make(&e->by_floor, e->loop, e->counters, e->plan, &time_names_hooks, NULL, true) != RES_OK)
		return e;
	e->by_floor->tap = e->tap;
	return time_names_take(e, q) ? e->by_floor : e;
}

enum res
engine_plan_set(struct engine *e, struct plan *plan)
{
	const struct cache_limits limits = engine_limits(e, plan);
	const char *hosts_file = plan->snapshot->settings->hosts_file;
	struct hosts *hosts = NULL;
	struct plan *before = e->plan;

	/* A file that is the same is not read again: it may hold half a million names, and questions wait for that. */
	if (!hosts_look_again(e->hosts, hosts_file) && hosts_new(&hosts, hosts_file) != RES_OK)
		return RES_NOMEM;
	if (upstreams_plan_set(e->upstreams, plan) != RES_OK) {
		hosts_free(hosts);
		return RES_NOMEM;
	}
	e->plan = plan_ref(plan);
	if (hosts != NULL) {
		hosts_read_beside(hosts, e->reader);
		hosts_free(e->hosts);
		e->hosts = hosts;
	}
	/* Answers under the old configuration are not given out under the new one: another upstream may be asked for them
	 * now, or none. */
	cache_renew(e->cache, plan->snapshot->generation, &limits);
	queries_reroute(e);
	portal_reroute(e->portal);
	plan_unref(before);
	/* No question is sent under the old plan any more. */
	if (e->by_floor != NULL &&
	    (plan->snapshot->n_time_name == 0 || engine_plan_set(e->by_floor, plan) != RES_OK)) {
		queries_fail(e->by_floor);
		engine_by_floor_end(e);
	}
	engine_tidy(e);
	return RES_OK;
}

bool
engine_allows(const struct engine *e, const struct addr *client)
{
	return plan_allows(e->plan, client);
}

/* A readable question of a client that may not ask. */
static enum ask
engine_refuse_client(struct engine *e, const struct msg_question *q, const struct client *client,
		     struct buf *out)
{
	uint32_t left_out = 0;

	if (log_wants(LOG_WARN) && log_limit_ok(&e->strangers, 1, STRANGERS_LOG_MS, &left_out))
		log_event(LOG_WARN, "client-refused", LOG_ADDR("client", &client->addr),
			  LOG_STR("option", "allow"), LOG_INT("left_out", left_out));
	return ask_refuse(e, q, client, RCODE_REFUSED, &reply_ede_client, COUNTER_CLIENTS_REFUSED, out);
}

void
engine_tap_set(struct engine *e, const struct tap *tap)
{
	e->tap = tap;
}

void
engine_reader_set(struct engine *e, struct reader *reader)
{
	e->reader = reader;
	hosts_read_beside(e->hosts, reader);
}

void
engine_shifts_set(struct engine *e, struct clock_shifts *shifts)
{
	e->shifts = shifts;
}

static enum ask
engine_take(struct engine *e, struct span wire, const struct client *client, struct buf *out)
{
	struct msg_question q;
	enum msg_fault fault = msg_question_read(&q, wire);

	counter_add(e->counters, client->tcp ? COUNTER_QUESTIONS_TCP : COUNTER_QUESTIONS_UDP, 1);
	if (fault != MSG_DROP && !engine_allows(e, &client->addr))
		return engine_refuse_client(e, &q, client, out);
	switch (fault) {
	case MSG_OK:
		return ask_question(engine_for(e, &q), &q, client, out);
	case MSG_DROP:
		counter_add(e->counters, COUNTER_DROPPED, 1);
		return ASK_DROPPED;
	case MSG_FORMERR:
		return ask_refuse(e, &q, client, RCODE_FORMERR, NULL, COUNTER_FORMERR, out);
	case MSG_NOTIMP:
		return ask_refuse(e, &q, client, RCODE_NOTIMP, NULL, COUNTER_NOTIMP, out);
	case MSG_BADVERS:
		return ask_refuse(e, &q, client, RCODE_BADVERS, NULL, COUNTER_FORMERR, out);
	case MSG_REFUSED:
		return ask_refuse(e, &q, client, RCODE_REFUSED, &reply_ede_not_forwarded, COUNTER_REFUSED,
				  out);
	}
	return ASK_DROPPED;
}

/* With a tap: what the time of a reply is measured from. */
static enum ask
engine_take_tapped(struct engine *e, struct span wire, const struct client *client, struct buf *out)
{
	struct client asked = *client;

	asked.asked_us = clock_mono_us();
	asked.question_n = (uint16_t)wire.n;
	if (e->tap->on_question != NULL)
		e->tap->on_question(e->tap->ctx, &asked, wire);
	return engine_take(e, wire, &asked, out);
}

/* A question of our own is no client's: the counters do not have it. */
static enum ask
engine_take_own(struct engine *e, struct span wire, const struct client *client, struct buf *out)
{
	struct counters uncounted = {0}, *counted = e->counters;
	enum ask done;

	e->counters = &uncounted;
	done = engine_take(e, wire, client, out);
	e->counters = counted;
	return done;
}

enum ask
engine_ask(struct engine *e, struct span wire, const struct client *client, struct buf *out)
{
	if (client->addr.family == ADDR_NONE)
		return engine_take_own(e, wire, client, out);
	return e->tap == NULL ? engine_take(e, wire, client, out) : engine_take_tapped(e, wire, client, out);
}

void
engine_forget(struct engine *e, struct waiter_list *waiting)
{
	(void)e;
	while (!LIST_EMPTY(waiting))
		waiter_drop(LIST_FIRST(waiting));
}

size_t
engine_in_flight(const struct engine *e)
{
	return e->n_queries + (e->by_floor != NULL ? engine_in_flight(e->by_floor) : 0);
}

size_t
engine_waiting(const struct engine *e)
{
	return client_quota_used(e->quota) + (e->by_floor != NULL ? engine_waiting(e->by_floor) : 0);
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

struct portal *
engine_portal(struct engine *e)
{
	return e->portal;
}

const struct plan *
engine_plan(const struct engine *e)
{
	return e->plan;
}

void
engine_network_changed(struct engine *e)
{
	upstreams_network_changed(e->upstreams);
	queries_on_change(e);
	if (e->by_floor != NULL)
		engine_network_changed(e->by_floor);
}

void
engine_clock_set(struct engine *e)
{
	engine_notice_clocks(e);
	queries_on_change(e);
	if (e->by_floor != NULL)
		engine_clock_set(e->by_floor);
	engine_tidy(e);
}
