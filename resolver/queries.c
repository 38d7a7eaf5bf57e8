#include "resolver/queries.h"

#include "resolver/deliver.h"
#include "resolver/health.h"
#include "resolver/here.h"
#include "resolver/maintain.h"
#include "resolver/query_answer.h"
#include "resolver/query_send.h"
#include "resolver/time_names.h"

static void query_on_due(void *);
static void query_on_outcome(struct attempts *, const struct attempt_outcome *);

static const struct query_callbacks callbacks = {query_on_due, query_on_outcome};

/* Every step ends here. */
static void
query_settle(struct query *q, enum query_step step)
{
	switch (step) {
	case QUERY_GOES_ON:
		return;
	case QUERY_ENDED:
		query_end(q);
		return;
	}
}

/* ---- what the transport and the loop call */

static void
query_on_outcome(struct attempts *as, const struct attempt_outcome *o)
{
	struct query *q = query_of_attempts(as);
	struct engine *e = q->engine;

	engine_step_begin(e);
	query_settle(q, query_take_outcome(q, o));
	engine_step_end(e);
}

/* Blames servers that sent nothing since they were asked. late: the next one is asked now. stalled: some may be silent for so
 * long that their connection is most likely dead; a newer connection is not blamed. */
static void
query_blame_silent(struct query *q, bool late, bool stalled)
{
	struct attempt *a;

	LIST_FOREACH(a, &q->attempts.list, query_link)
	{
		struct server *s = a->server;

		if (!attempt_is_silent(a))
			continue;
		if (late || (query_is_late(q) && attempt_is_late(a)))
			server_is_slow(s);
		if (stalled && attempt_age_ms(a) >= QUERY_STALL_MS && a->was_ready && server_is_ready(s) &&
		    s->ready_ms < a->sent_ms)
			server_stalled(s);
	}
}

/* When to look next for a server that has been silent for so long. 0: with the next attempt. */
static int64_t
query_stall_ms(const struct query *q, int64_t now)
{
	int64_t ms = attempts_silent_in_ms(&q->attempts, QUERY_STALL_MS);

	return ms == INT64_MAX ? 0 : now + ms;
}

/* A query that waits for a usable server looks again. */
static enum query_step
query_look_again(struct query *q)
{
	upstreams_maintain(q->engine->upstreams, q->route);
	return query_look(q) ? QUERY_GOES_ON : query_fail(q);
}

static enum query_step
query_take_time(struct query *q)
{
	int64_t now = engine_awake_ms(q->engine);
	bool late = q->next_ms != 0 && now >= q->next_ms, stalled = q->stall_ms != 0 && now >= q->stall_ms;

	query_blame_silent(q, late, stalled);
	if (query_is_late(q))
		return query_fail(q);
	if (stalled)
		q->stall_ms = query_stall_ms(q, now);
	if (q->stale_ms != 0 && now >= q->stale_ms) {
		q->stale_ms = 0;
		(void)query_give_cached(q);
	}
	if (q->wait_ms != 0 && now >= q->wait_ms && q->attempts.open == 0)
		return query_look_again(q);
	if (q->behind_ms != 0 && now >= q->behind_ms)
		query_look_behind(q);
	if ((late || (q->place_ms != 0 && now >= q->place_ms)) && query_send_beside(q))
		counter_add(q->engine->counters, COUNTER_HEDGED, 1);
	query_arm(q);
	return QUERY_GOES_ON;
}

static void
query_on_due(void *ctx)
{
	struct query *q = ctx;
	struct engine *e = q->engine;

	engine_step_begin(e);
	query_settle(q, query_take_time(q));
	engine_step_end(e);
}

/* ---- room for one more */

static void
queries_on_shed(void *ctx)
{
	struct engine *e = ctx;
	struct query *q;

	while ((q = LIST_FIRST(&e->doomed)) != NULL) {
		q->limited = true;
		query_settle(q, query_fail(q));
	}
	e->doomed_waiters = 0;
}

/* Marks a question to be dropped at the end of the loop's turn, not now: a listener is about to write a reply. */
static void
query_doom(struct engine *e, struct admission_entry *entry)
{
	struct query *q = query_of_admission(entry);

	e->doomed_waiters += entry->weight; /* they still wait, but no longer count */
	admission_leave(e->admission, entry);
	q->doomed = true;
	LIST_INSERT_HEAD(&e->doomed, q, doomed_link);
	loop_defer(&e->shed, e->loop, queries_on_shed, e);
}

/* Makes room for one more client, and for its question when that is new. Another question may be dropped for it. */
static bool
queries_make_room(struct engine *e, const struct admission_claim *claim, bool fresh)
{
	int64_t now = loop_now_ms(e->loop);
	struct admission_entry *victim = NULL;

	if (fresh && (e->n_queries >= QUERIES_MAX || !admission_admits(e->admission, claim, now, &victim)))
		return false;
	if (victim == NULL && ((fresh && admission_count(e->admission) >= QUERIES_PRESSED) ||
			       client_quota_used(e->quota) >= WAITERS_PRESSED + e->doomed_waiters))
		victim = admission_worst(e->admission, now);
	if (victim != NULL)
		query_doom(e, victim);
	return client_quota_take(e->quota, claim->client);
}

/* ---- doors */

static enum ask
reply_now(struct engine *e, const struct reply *r, const struct msg_question *question,
	  const struct client *client, struct buf *out)
{
	return tap_reply_write(e->tap, out, r, question, client, e->counters) ? ASK_REPLIED : ASK_DROPPED;
}

static enum ask
queries_shed(struct engine *e, const struct msg_question *question, const struct client *client,
	     struct buf *out)
{
	const struct reply r = reply_empty(RCODE_SERVFAIL, &reply_ede_overload, COUNTER_SHED);

	return reply_now(e, &r, question, client, out);
}

/* Answers without a query when every upstream is refused. */
static enum ask
queries_all_refused(struct engine *e, const struct msg_question *question, const struct route *route,
		    const struct client *client, struct buf *out)
{
	const struct blame nobody = {.server = NULL};
	const struct unanswered none = {.n = 0};
	struct msg_ede ede[UPSTREAM_EDE_MAX];
	struct reply r = reply_empty(RCODE_SERVFAIL, ede, COUNTER_COUNT);

	r.n_ede = upstreams_explain(e->upstreams, route, &nobody, &none, ede);
	return reply_now(e, &r, question, client, out);
}

/* No upstream can be asked, and waiting is of no use. Answers the client, with stale data if there are any, and ends the
 * query. */
static enum ask
query_hopeless(struct query *q, const struct msg_question *question, const struct client *client,
	       struct buf *out)
{
	struct engine *e = q->engine;
	struct msg_ede ede[UPSTREAM_EDE_MAX];
	struct cache_hit hit;
	struct reply r;
	enum ask done;

	switch (query_find_cached(q, &hit)) {
	case CACHE_FRESH:
		r = reply_cached(&hit);
		break;
	case CACHE_STALE:
		r = reply_stale(&hit, ede);
		break;
	case CACHE_MISS:
		r = reply_empty(RCODE_SERVFAIL, ede, query_failure_counts_as(q));
		r.n_ede = query_explain(q, ede);
		if (q->suspect)
			query_keep_failure(q, &ede[0]);
	}
	done = reply_now(e, &r, question, client, out);
	query_end(q);
	return done;
}

/* Adds the client to the query for this question, an existing or a new one. The client's place in the quota is taken
 * already. NULL: no memory. */
static struct query *
queries_enter(struct engine *e, struct query *q, const struct query_subject *what,
	      const struct client *client, const struct admission_claim *claim)
{
	bool fresh = q == NULL;

	if (fresh && (q = query_new(e, what, claim->zone, &callbacks)) != NULL)
		(void)admission_enter(e->admission, &q->waiters.admission, claim, loop_now_ms(e->loop));
	if (q != NULL && waiter_new(&q->waiters, what->question, client) != NULL)
		return q;
	client_quota_give(e->quota, &client->addr);
	if (fresh && q != NULL)
		query_end(q);
	return NULL;
}

static enum ask
queries_take(struct engine *e, const struct query_subject *what, const struct client *client, bool stale,
	     struct buf *out)
{
	const struct msg_question *question = what->question;
	const struct admission_claim claim = {engine_zone(e, what->key->name), &client->addr};
	struct query *q;
	bool fresh;

	engine_notice_clocks(e);
	upstreams_maintain(e->upstreams, what->route);
	q = query_find(e, what->key);
	fresh = q == NULL;
	if (fresh && upstreams_all_refused(e->upstreams, what->route) &&
	    !upstreams_connecting(e->upstreams, what->route))
		return queries_all_refused(e, question, what->route, client, out);
	/* A client that repeats its datagram gets one answer. */
	if (!fresh && waiters_have(&q->waiters, question, client))
		return ASK_DROPPED;
	if (!queries_make_room(e, &claim, fresh) || (q = queries_enter(e, q, what, client, &claim)) == NULL)
		return queries_shed(e, question, client, out);
	if (stale && q->stale_ms == 0)
		q->stale_ms = engine_awake_ms(e) + QUERY_STALE_MS;
	if (!fresh) {
		admission_weigh(&q->waiters.admission, 1);
		counter_add(e->counters, COUNTER_COALESCED, 1);
		query_arm(q);
	} else if (!query_look(q)) {
		return query_hopeless(q, question, client, out);
	}
	return ASK_WAITS;
}

enum ask
queries_join(struct engine *e, const struct query_subject *what, const struct client *client, bool stale,
	     struct buf *out)
{
	enum ask done;

	engine_step_begin(e);
	done = queries_take(e, what, client, stale, out);
	engine_step_end(e);
	return done;
}

void
queries_prefetch(struct engine *e, const struct query_subject *what)
{
	struct query *q;

	/* When there is little room, prefetches are the first to go. */
	if (e->n_queries >= QUERIES_MAX / 2 || query_find(e, what->key) != NULL)
		return;
	engine_notice_clocks(e);
	upstreams_maintain(e->upstreams, what->route);
	q = query_new(e, what, engine_zone(e, what->key->name), &callbacks);
	if (q == NULL)
		return;
	if (!query_send(q)) {
		query_end(q);
		return;
	}
	counter_add(e->counters, COUNTER_PREFETCHED, 1);
	query_arm(q);
}

/* ---- changes */

/* True: by the new configuration it is answered here, and those who wait have their reply. */
static bool
query_answer_here(struct query *q)
{
	const struct msg_question question = query_question(q);
	struct msg_answer room;
	struct reply r;

	if (!here_reply(q->engine, &question, q->route, &room, &r))
		return false;
	waiters_reply(&q->waiters, &r);
	return true;
}

/* What upstreams said that the name does not belong to any more counts no longer, nor do numbers of the old configuration. */
static void
query_forget_others(struct query *q)
{
	const struct server *held = q->held_server, *blamed = q->blame.server;

	if (held == NULL || !route_has(q->route, held->upstream)) {
		buf_clear(&q->held);
		q->held_server = held = NULL;
		q->soft = false;
	}
	if (blamed == NULL || !route_has(q->route, blamed->upstream))
		q->blame = (struct blame){.server = NULL};
	q->avoid = held != NULL ? held->upstream : UINT32_MAX;
}

/* Is it no time-name any more? Then no upstream that was accepted by fewer checks is asked for it. */
static bool
query_is_expelled(const struct query *q)
{
	const struct msg_question question = query_question(q);

	return q->engine->is_by_floor && !time_names_list(q->engine, &question);
}

static enum query_step
query_reroute(struct query *q, const struct route *route)
{
	struct attempt *a, *next;

	q->route = route;
	query_forget_others(q);
	if (query_is_expelled(q))
		return query_fail(q);
	if (query_answer_here(q))
		return QUERY_ENDED;
	for (a = LIST_FIRST(&q->attempts.list); a != NULL; a = next) {
		next = LIST_NEXT(a, query_link);
		if (!route_has(route, a->server->upstream))
			attempt_cancel(a);
	}
	if (q->attempts.open > 0)
		return QUERY_GOES_ON;
	q->wait_ms = 0;
	return query_retry(q, false);
}

void
queries_reroute(struct engine *e)
{
	struct query *q, *next;

	for (q = LIST_FIRST(&e->queries); q != NULL; q = next) {
		next = LIST_NEXT(q, link);
		query_settle(q, query_reroute(q, routes_find(e->plan->routes, q->key.name)));
	}
	attempts_forget(e, true); /* their names may go elsewhere now, or nowhere */
}

void
queries_fail(struct engine *e)
{
	struct query *q, *next;

	for (q = LIST_FIRST(&e->queries); q != NULL; q = next) {
		next = LIST_NEXT(q, link);
		query_settle(q, query_fail(q));
	}
}

void
queries_on_server_gone(void *engine, struct server *s)
{
	struct engine *e = engine;
	struct query *q;

	while (!LIST_EMPTY(&s->attempts))
		attempt_cancel(LIST_FIRST(&s->attempts));
	LIST_FOREACH(q, &e->queries, link)
	{
		if (q->held_server == s)
			q->held_server = NULL;
		if (q->blame.server == s)
			q->blame.server = NULL;
	}
}

/* The query waits for late servers, and had no other server to ask until now. */
static void
query_look_for_others(struct query *q)
{
	if (q->next_ms != 0 || q->wait_ms != 0 || query_is_late(q))
		return;
	if (query_send_beside(q))
		counter_add(q->engine->counters, COUNTER_HEDGED, 1);
	query_arm(q);
}

static void
queries_wake(struct engine *e, bool known)
{
	struct query *q, *next;

	for (q = LIST_FIRST(&e->queries); q != NULL; q = next) {
		next = LIST_NEXT(q, link);
		if (q->attempts.open > 0)
			query_look_for_others(q);
		else if (q->wait_ms != 0 && upstreams_know(e->upstreams, q->route, q->zone) == known &&
			 !query_look(q))
			query_settle(q, query_fail(q));
	}
}

/* Zones that some upstream has answered go first: there may not be room for all. */
void
queries_on_change(void *engine)
{
	queries_wake(engine, true);
	queries_wake(engine, false);
}

void
queries_on_network(void *engine)
{
	attempts_forget(engine, true);
}

void
queries_free(struct engine *e)
{
	struct query *q;

	loop_defer_stop(&e->shed);
	while ((q = LIST_FIRST(&e->queries)) != NULL) {
		attempts_cancel(&q->attempts);
		query_end(q);
	}
}
