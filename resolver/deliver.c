#include "resolver/deliver.h"

#include "config/settings.h"
#include "resolver/answer_class.h"
#include "resolver/here.h"
#include "resolver/rebinding.h"

#include <string.h>

/* ---- answers of upstreams */

/* Rebinding protection: the name is answered like a filtered one. */
static enum query_step
query_block(struct query *q)
{
	struct engine *e = q->engine;
	const struct msg_question question = query_question(q);
	struct msg_answer room;
	const struct reply r = here_blocked(e, &question, &reply_ede_rebinding, COUNTER_COUNT, &room);

	counter_add(e->counters, COUNTER_REBINDING, 1);
	cache_forget(e->cache, &q->key); /* the older data must not come back as stale data */
	waiters_reply(&q->waiters, &r);
	return QUERY_ENDED;
}

/* Prepares the answer for clients: a denial covers no local names, and aliases are in the order that clients expect.
 * `changed` is room for the changed answer. */
static const struct msg_answer *
answer_settle(const struct query *q, const struct msg_answer *m, struct msg_answer *changed)
{
	struct engine *e = q->engine;
	const struct msg_question question = query_question(q);
	const struct local_view view = engine_local(e);

	buf_clear(&e->scratch);
	if (!local_mends(&view, &question, m, &e->scratch) && !msg_order(&e->scratch, m))
		return m;
	/* In either case the TTL offsets must be those of the message that is returned. */
	if (engine_answer_read(e, changed, buf_span(&e->scratch)) ||
	    engine_answer_read(e, changed, m->wire)) {
		memcpy(changed->ede, m->ede, sizeof m->ede);
		changed->n_ede = m->n_ede;
		return changed;
	}
	return m;
}

static void
query_reply_answer(struct query *q, const struct msg_answer *m, const struct server *s, uint32_t age_s,
		   bool ad)
{
	const struct engine *e = q->engine;
	const struct reply r = {.answer = m,
				.age_s = age_s,
				.ttl_floor = engine_ttl_floor(e),
				.ttl_cap = engine_ttl_cap(e, m),
				.ad = ad,
				.ede = m->ede,
				.n_ede = m->n_ede,
				.server = s,
				.counts_as = COUNTER_COUNT};

	waiters_reply(&q->waiters, &r);
}

/* Stores the answer, or its failure, in the cache. */
static void
query_keep(struct query *q, const struct msg_answer *m, const struct cache_entry_info *info, bool decided)
{
	struct engine *e = q->engine;
	int64_t now = loop_now_ms(e->loop);

	if (m->rcode == RCODE_NOERROR || m->rcode == RCODE_NXDOMAIN || m->rcode == RCODE_YXDOMAIN)
		cache_put(e->cache, &q->key, m, info, now);
	else if (decided)
		cache_put_decision(e->cache, &q->key, m, info->ede, FAILURE_RELAYED_MS, now);
	else
		cache_put_relayed(e->cache, &q->key, m->rcode, info->ede, FAILURE_RELAYED_MS, now);
}

_Static_assert(CONFIG_UPSTREAMS_MAX <= CACHE_UPSTREAMS, "an entry holds the number of each upstream");

/* DNSSEC validation would go here, between the answer and the cache. */
enum query_step
query_deliver(struct query *q, const struct msg_answer *m, const struct server *s, uint32_t age_s)
{
	struct engine *e = q->engine;
	struct cache_entry_info info = {.upstream = s->upstream, .age_s = age_s};
	bool decided = answer_classify(m) == ANSWER_DECISION;
	struct msg_answer ours, changed;

	/* BADVERS, BADCOOKIE, those of TSIG: errors between us and the upstream do not concern the client. */
	if (m->rcode >= RCODE_BADVERS && m->rcode <= RCODE_BADCOOKIE) {
		ours = *m;
		ours.rcode = RCODE_SERVFAIL;
		m = &ours;
	}
	if (rebinding_refuses(e->plan->rebinding, q->key.name, m))
		return query_block(q);
	if (m != &ours)
		m = answer_settle(q, m, &changed);
	info.ad = (m->flags & MSG_AD) != 0 && s->trust_ad;
	info.ede = answer_ede(m);
	query_reply_answer(q, m, s, age_s, info.ad);
	if (decided)
		admission_answered(e->admission, q->zone, loop_now_ms(e->loop));
	query_keep(q, m, &info, decided);
	return QUERY_ENDED;
}

/* ---- no answer */

/* The first unusable answer is better than none. True: it was delivered. */
static bool
query_deliver_held(struct query *q)
{
	struct engine *e = q->engine;
	struct buf held = q->held;
	struct msg_answer m;
	bool done;

	if (held.n == 0 || q->held_server == NULL)
		return false;
	q->held = buf_max(QUERY_HELD_MAX);
	done = engine_answer_read(e, &m, buf_span(&held));
	if (done)
		(void)query_deliver(q, &m, q->held_server, 0);
	buf_free(&held);
	return done;
}

enum cache_state
query_find_cached(const struct query *q, struct cache_hit *hit)
{
	struct engine *e = q->engine;

	switch (cache_get(e->cache, &q->key, loop_now_ms(e->loop), hit)) {
	case CACHE_FRESH: /* another worker got it meanwhile */
		return hit->failure ? CACHE_MISS : CACHE_FRESH;
	case CACHE_STALE:
		/* A refused certificate is not a network failure: stale data must not hide it. A failure that is noted
		 * at them (another worker met it) is a reason not to ask, not one to give nothing. */
		return upstreams_all_refused(e->upstreams, q->route) ? CACHE_MISS : CACHE_STALE;
	case CACHE_MISS:
		break;
	}
	return CACHE_MISS;
}

enum cache_state
query_give_cached(struct query *q)
{
	struct cache_hit hit;
	struct msg_ede ede;
	struct reply r;
	enum cache_state state = query_find_cached(q, &hit);

	if (state == CACHE_MISS)
		return CACHE_MISS;
	r = state == CACHE_FRESH ? reply_cached(&hit) : reply_stale(&hit, &ede);
	waiters_reply(&q->waiters, &r);
	return state;
}

/* One of each upstream. */
static struct unanswered
query_unanswered(const struct query *q)
{
	struct unanswered open = {.n = 0};
	const struct attempt *a;
	size_t i;

	LIST_FOREACH(a, &q->attempts.list, query_link)
	{
		for (i = 0; i < open.n && open.server[i]->upstream != a->server->upstream; i++)
			;
		if (i == open.n && open.n < UPSTREAM_EDE_MAX)
			open.server[open.n++] = a->server;
	}
	return open;
}

size_t
query_explain(struct query *q, struct msg_ede ede[UPSTREAM_EDE_MAX])
{
	const struct unanswered open = query_unanswered(q);

	if (q->limited) {
		ede[0] = reply_ede_overload;
		return 1;
	}
	return upstreams_explain(q->engine->upstreams, q->route, &q->blame, &open, ede);
}

void
query_keep_failure(struct query *q, const struct msg_ede *ede)
{
	struct engine *e = q->engine;

	/* A refusal is known without asking; a cached failure would only hide that it is over. */
	if (!q->limited && !upstreams_all_refused(e->upstreams, q->route))
		cache_put_failure(e->cache, &q->key, RCODE_SERVFAIL, ede,
				  q->suspect ? FAILURE_RELAYED_MS : FAILURE_MS, loop_now_ms(e->loop));
}

enum counter
query_failure_counts_as(const struct query *q)
{
	return q->limited ? COUNTER_SHED : COUNTER_COUNT;
}

/* SERVFAIL that says why. */
static void
query_give_up(struct query *q)
{
	struct msg_ede ede[UPSTREAM_EDE_MAX];
	struct reply r = reply_empty(RCODE_SERVFAIL, ede, query_failure_counts_as(q));

	r.n_ede = query_explain(q, ede);
	query_keep_failure(q, &ede[0]);
	waiters_reply(&q->waiters, &r);
}

enum query_step
query_fail(struct query *q)
{
	struct engine *e = q->engine;
	enum cache_state found;

	if (query_deliver_held(q))
		return QUERY_ENDED;
	if (query_is_late(q))
		counter_add(e->counters, COUNTER_TIMEOUTS, 1);
	found = query_give_cached(q);
	if (found == CACHE_MISS)
		query_give_up(q);
	else if (found == CACHE_STALE && !q->limited) /* else no upstream has failed it */
		cache_put_failure(e->cache, &q->key, RCODE_SERVFAIL, NULL, STALE_RECHECK_MS,
				  loop_now_ms(e->loop));
	return QUERY_ENDED;
}
