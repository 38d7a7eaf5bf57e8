#include "resolver/query.h"
#include "resolver/explain.h"
#include "resolver/maintain.h"
#include "resolver/order.h"
#include "resolver/routes.h"

#include "base/random.h"
#include "config/suffix.h"

#include <stdlib.h>
#include <string.h>

/* The registered domain as a number. */
static uint64_t
query_zone(const struct engine *e, struct span name)
{
	return hash_keyed(&e->hash, suffix_zone(name));
}

/* ---- the table of what is in flight */

static uint32_t
query_bucket(const struct engine *e, const struct msg_question *q)
{
	uint8_t key[MSG_NAME_MAX + 5];

	memcpy(key, q->name, q->name_n);
	be16_write(key + q->name_n, q->type);
	be16_write(key + q->name_n + 2, q->class);
	key[q->name_n + 4] = (uint8_t)((q->edns.do_bit ? 1 : 0) | ((q->flags & MSG_CD) != 0 ? 2 : 0));
	return (uint32_t)(hash_keyed(&e->hash, span_of(key, q->name_n + 5U)) & (QUERY_BUCKETS - 1));
}

static struct query *
query_find(const struct engine *e, const struct msg_question *q)
{
	struct query *o = e->bucket[query_bucket(e, q)];

	for (; o != NULL; o = o->chain)
		if (o->type == q->type && o->class == q->class && o->do_bit == q->edns.do_bit &&
		    o->cd == ((q->flags & MSG_CD) != 0) &&
		    span_equal(span_of(o->name, o->name_n), span_of(q->name, q->name_n)))
			return o;
	return NULL;
}

static bool
query_write(struct query *q, const struct msg_question *question)
{
	struct buf wire = {.p = q->wire, .cap = sizeof q->wire, .max = sizeof q->wire};

	msg_question_write(&wire, question);
	if (!buf_ok(&wire))
		return false;
	q->wire_n = (uint16_t)wire.n;
	q->section_n = (uint16_t)question->section.n;
	return true;
}

static struct query *
query_new(struct engine *e, const struct msg_question *question, const struct route *route)
{
	struct query *q = e->spare_query;

	if (q != NULL) {
		e->spare_query = q->next;
		e->n_spare_query--;
	} else if ((q = malloc(sizeof *q)) == NULL) {
		return NULL;
	}
	memset(q, 0, offsetof(struct query, name));
	q->engine = e;
	q->route = route;
	q->avoid = UINT32_MAX;
	q->type = question->type;
	q->class = question->class;
	q->do_bit = question->edns.do_bit;
	q->cd = (question->flags & MSG_CD) != 0;
	q->name_n = question->name_n;
	memcpy(q->name, question->name, question->name_n);
	q->held = buf_max(QUERY_HELD_MAX);
	q->tries.spin = random_u32();
	q->zone = query_zone(e, span_of(q->name, q->name_n));
	q->deadline_ms = loop_now_ms(e->loop) + QUERY_TIME_MS;
	loop_timer_init(&q->timer, e->loop, query_on_due, q);
	if (!query_write(q, question)) {
		free(q);
		return NULL;
	}
	q->bucket = query_bucket(e, question);
	q->chain = e->bucket[q->bucket];
	e->bucket[q->bucket] = q;
	q->next = e->queries;
	q->prev = &e->queries;
	if (q->next != NULL)
		q->next->prev = &q->next;
	e->queries = q;
	e->n_queries++;
	return q;
}

/* ---- the end of a query */

/* It gives way no more: it ends of itself. */
static void
query_spare(struct query *q)
{
	if (q->doomed_prev == NULL)
		return;
	*q->doomed_prev = q->doomed_next;
	if (q->doomed_next != NULL)
		q->doomed_next->doomed_prev = q->doomed_prev;
	q->doomed_prev = NULL;
}

void
query_end(struct query *q)
{
	struct engine *e = q->engine;
	struct query **at = &e->bucket[q->bucket];

	while (q->attempts != NULL)
		attempt_detach(e, q->attempts);
	while (q->waiters != NULL)
		waiter_drop(e, q->waiters);
	loop_timer_stop(&q->timer);
	while (*at != q)
		at = &(*at)->chain;
	*at = q->chain;
	*q->prev = q->next;
	if (q->next != NULL)
		q->next->prev = q->prev;
	e->n_queries--;
	admission_leave(e->admission, &q->admission);
	query_spare(q);
	buf_free(&q->held);
	if (e->n_spare_query < POOL_MAX) {
		q->next = e->spare_query;
		e->spare_query = q;
		e->n_spare_query++;
	} else {
		free(q);
	}
}

void
query_free_all(struct engine *e)
{
	while (e->queries != NULL) {
		while (e->queries->attempts != NULL)
			attempt_cancel(e->queries->attempts);
		query_end(e->queries);
	}
}

/* The first answer that was no good is better than none. True: it was given and the query is over. */
static bool
query_deliver_held(struct query *q)
{
	struct engine *e = q->engine;
	struct buf held = q->held;
	const struct server *s = q->held_server;
	struct msg_answer m;
	bool done = false;

	if (held.n == 0 || s == NULL)
		return false;
	q->held = buf_max(QUERY_HELD_MAX);
	if (msg_answer_read(&m, buf_span(&held), e->ttl_at) == RES_OK) {
		query_deliver(q, &m, s, 0);
		done = true;
	}
	buf_free(&held);
	return done;
}

/* Lent until the next local answer. */
static struct span
lame_text(struct engine *e, const struct server *s)
{
	char ip[ADDR_TEXT_MAX];

	buf_clear(&e->scratch);
	buf_format(&e->scratch, "%.64s %s: does not recurse (RA is clear)", s->target->upstream,
		   addr_ip_text(&s->target->addr, ip));
	return buf_span(&e->scratch);
}

/* Why there is no answer: what is known of the upstreams, else what this query met. */
static size_t
query_explain(struct engine *e, const struct query *q, const struct route *route,
	      struct msg_ede ede[UPSTREAM_EDE_MAX])
{
	size_t n;

	if (q != NULL && q->limited) {
		ede[0] =
		    (struct msg_ede){.code = EDE_OTHER, .text = span_str("too many questions in flight")};
		return 1;
	}
	if (q != NULL && q->lame && q->blamed != NULL) {
		ede[0] = (struct msg_ede){.code = EDE_UNREACHABLE, .text = lame_text(e, q->blamed)};
		return 1;
	}
	n = upstreams_explain(e->upstreams, route, q != NULL ? q->blamed : NULL,
			      q != NULL ? q->blame : REASON_NONE, ede);
	if (n == 0)
		ede[n++] = (struct msg_ede){.code = EDE_UNREACHABLE, .text = (struct span){NULL, 0}};
	return n;
}

bool
query_has_stale(const struct query *q)
{
	const struct cache_key key = {span_of(q->name, q->name_n), q->type, q->class, q->do_bit, q->cd};
	struct cache_hit hit;

	return cache_get(q->engine->cache, &key, loop_now_ms(q->engine->loop), &hit) == CACHE_STALE;
}

static void
query_keep_failure(struct query *q, const struct msg_ede *ede)
{
	struct engine *e = q->engine;
	const struct cache_key key = {span_of(q->name, q->name_n), q->type, q->class, q->do_bit, q->cd};

	/* A refusal is known without asking; keeping it would only hide that it is over. */
	if (!q->limited && !upstreams_all_refused(e->upstreams, q->route))
		cache_put_failure(e->cache, &key, RCODE_SERVFAIL, ede,
				  q->suspect ? FAILURE_RELAYED_MS : FAILURE_MS, loop_now_ms(e->loop));
}

void
query_fail(struct query *q)
{
	struct engine *e = q->engine;
	const struct cache_key key = {span_of(q->name, q->name_n), q->type, q->class, q->do_bit, q->cd};
	struct msg_ede ede[UPSTREAM_EDE_MAX];
	size_t n;

	if (query_deliver_held(q))
		return;
	if (loop_now_ms(e->loop) >= q->deadline_ms)
		counter_add(e->counters, COUNTER_TIMEOUTS, 1);
	if (waiters_stale(q)) {
		cache_put_failure(e->cache, &key, RCODE_SERVFAIL, NULL, STALE_RECHECK_MS,
				  loop_now_ms(e->loop));
	} else {
		n = query_explain(e, q, q->route, ede);
		for (const struct waiter *w = q->waiters; w != NULL; w = w->next)
			counter_add(e->counters, COUNTER_SERVFAIL, 1);
		query_keep_failure(q, &ede[0]);
		waiters_empty(q, RCODE_SERVFAIL, ede, n);
	}
	query_end(q);
}

/* ---- doors */

static enum ask
query_shed(struct engine *e, const struct msg_question *question, bool tcp, struct buf *out)
{
	const struct msg_ede ede = {.code = EDE_OTHER, .text = span_str("too many questions in flight")};
	struct msg_finish f = finish_for(question, tcp);

	f.ede = &ede;
	f.n_ede = 1;
	counter_add(e->counters, COUNTER_SHED, 1);
	counter_add(e->counters, COUNTER_SERVFAIL, 1);
	counter_add(e->counters, COUNTER_REPLIES, 1);
	return msg_reply_empty(out, &f, RCODE_SERVFAIL) == RES_OK ? ASK_REPLIED : ASK_DROPPED;
}

/* Nobody may be asked, and that is known now. */
static enum ask
query_hopeless(struct engine *e, struct query *q, const struct msg_question *question,
	       const struct route *route, bool tcp, struct buf *out)
{
	struct msg_finish f = finish_for(question, tcp);
	struct msg_ede ede[UPSTREAM_EDE_MAX];

	f.n_ede = query_explain(e, q, route, ede);
	f.ede = ede;
	if (q != NULL && q->suspect)
		query_keep_failure(q, &ede[0]);
	counter_add(e->counters, COUNTER_SERVFAIL, 1);
	counter_add(e->counters, COUNTER_REPLIES, 1);
	return msg_reply_empty(out, &f, RCODE_SERVFAIL) == RES_OK ? ASK_REPLIED : ASK_DROPPED;
}

static void
query_on_shed(void *ctx)
{
	struct engine *e = ctx;
	struct query *q;

	while ((q = e->doomed) != NULL) {
		for (const struct waiter *w = q->waiters; w != NULL; w = w->next)
			counter_add(e->counters, COUNTER_SHED, 1);
		q->limited = true;
		query_fail(q);
	}
	e->doomed_waiters = 0;
}

/* It gives way, though not before the end of the turn: a listener is about to write a reply. */
static void
query_doom(struct engine *e, struct admission_entry *entry)
{
	struct query *q = (struct query *)(void *)((char *)entry - offsetof(struct query, admission));

	e->doomed_waiters += entry->weight; /* they wait still, and count no more */
	admission_leave(e->admission, entry);
	q->doomed_next = e->doomed;
	q->doomed_prev = &e->doomed;
	if (q->doomed_next != NULL)
		q->doomed_next->doomed_prev = &q->doomed_next;
	e->doomed = q;
	loop_defer(&e->shed, e->loop, query_on_shed, e);
}

/* Room for one more client, and for a question when it is a new one; another may have to give way. */
static bool
query_make_room(struct engine *e, const struct admission_claim *claim, bool fresh)
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

enum ask
query_join(struct engine *e, const struct msg_question *question, const struct route *route,
	   const struct client *client, bool stale, struct buf *out)
{
	const struct admission_claim claim = {query_zone(e, span_of(question->name, question->name_n)),
					      &client->addr};
	int64_t now = loop_now_ms(e->loop);
	struct query *q;
	bool fresh;
	enum ask done;

	engine_notice_clocks(e);
	upstreams_maintain(e->upstreams, route);
	q = query_find(e, question);
	fresh = q == NULL;
	if (fresh && upstreams_all_refused(e->upstreams, route) && !upstreams_connecting(e->upstreams, route))
		return query_hopeless(e, NULL, question, route, client->tcp, out);
	/* A client that repeats itself gets the one answer. */
	if (!fresh && waiter_is_there(q, question, client))
		return ASK_DROPPED;
	if (!query_make_room(e, &claim, fresh))
		return query_shed(e, question, client->tcp, out);
	if (fresh)
		q = query_new(e, question, route);
	if (fresh && q != NULL)
		(void)admission_enter(e->admission, &q->admission, &claim, now);
	if (q == NULL || waiter_new(q, question, client) == NULL) {
		client_quota_give(e->quota, &client->addr);
		if (fresh && q != NULL)
			query_end(q);
		return query_shed(e, question, client->tcp, out);
	}
	if (stale && q->stale_ms == 0)
		q->stale_ms = now + QUERY_STALE_MS;
	if (!fresh) {
		admission_weigh(&q->admission, 1);
		counter_add(e->counters, COUNTER_COALESCED, 1);
	} else if (!query_look(q)) {
		done = query_hopeless(e, q, question, route, client->tcp, out);
		query_end(q);
		return done;
	}
	query_arm(q);
	return ASK_WAITS;
}

void
query_prefetch(struct engine *e, const struct msg_question *question, const struct route *route)
{
	struct query *q;

	/* What nobody waits for goes first when there is little room. */
	if (e->n_queries >= QUERIES_MAX / 2 || query_find(e, question) != NULL)
		return;
	engine_notice_clocks(e);
	upstreams_maintain(e->upstreams, route);
	if ((q = query_new(e, question, route)) == NULL)
		return;
	if (!query_send(q)) {
		query_end(q);
		return;
	}
	counter_add(e->counters, COUNTER_PREFETCHED, 1);
	query_arm(q);
}

static bool
route_has(const struct route *r, uint32_t upstream)
{
	for (size_t i = 0; i < r->n_upstream; i++)
		if (r->upstream[i] == upstream)
			return true;
	return false;
}

void
query_reroute_all(struct engine *e)
{
	struct query *q, *next;

	for (q = e->queries; q != NULL; q = next) {
		struct attempt *a, *a_next;

		next = q->next;
		q->route = routes_find(e->plan->routes, span_of(q->name, q->name_n));
		for (a = q->attempts; a != NULL; a = a_next) {
			a_next = a->query_next;
			if (!route_has(q->route, a->server->upstream))
				attempt_cancel(a);
		}
		if (q->route->n_upstream == 0) {
			query_stay_here(q);
		} else if (q->open == 0) {
			q->wait_ms = 0;
			query_retry(q, false);
		}
	}
}

void
query_on_server_gone(void *engine, struct server *s)
{
	struct engine *e = engine;

	while (s->attempts != NULL)
		attempt_cancel(s->attempts);
	for (struct query *q = e->queries; q != NULL; q = q->next) {
		if (q->held_server == s)
			q->held_server = NULL;
		if (q->blamed == s)
			q->blamed = NULL;
	}
}
