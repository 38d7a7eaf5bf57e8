/* deliver.c - what becomes of an upstream's answer: what the cache keeps of it, and what those who wait are told. */
#include "resolver/answer_class.h"
#include "resolver/query.h"
#include "resolver/explain.h"
#include "resolver/rebinding.h"

#include <string.h>

/* The question as far as an answer needs it that is made here. */
static struct msg_question
query_question(const struct query *q)
{
	struct msg_question question = {.flags = MSG_RD,
					.section = span_of(q->wire + MSG_HEADER, q->section_n),
					.name_n = q->name_n,
					.type = q->type,
					.class = q->class};

	memcpy(question.name, q->name, q->name_n);
	return question;
}

/* The answer as it is handed on: a denial says no more than it may, and aliases are in the order that clients read.
 * `changed` is room for it. */
static const struct msg_answer *
answer_settle(const struct query *q, const struct msg_answer *m, struct msg_answer *changed)
{
	struct engine *e = q->engine;
	const struct msg_question question = query_question(q);
	const struct local_view view = engine_local(e);

	buf_clear(&e->scratch);
	if (!local_mends(&view, &question, m, &e->scratch) && !msg_order(&e->scratch, m))
		return m;
	/* Either way the offsets of the TTLs have to be those of what is handed on. */
	if (msg_answer_read(changed, buf_span(&e->scratch), e->ttl_at) == RES_OK ||
	    msg_answer_read(changed, m->wire, e->ttl_at) == RES_OK) {
		memcpy(changed->ede, m->ede, sizeof m->ede);
		changed->n_ede = m->n_ede;
		return changed;
	}
	return m;
}

/* The reply to all who wait lies in e->scratch; the query ends. */
static void
query_deliver_made(struct query *q, const struct msg_ede *ede)
{
	struct engine *e = q->engine;
	struct msg_answer m;

	if (msg_answer_read(&m, buf_span(&e->scratch), e->ttl_at) == RES_OK)
		waiters_answer(q, &m, 0, 0, UINT32_MAX, false, ede, ede != NULL ? 1 : 0);
	else
		waiters_empty(q, RCODE_SERVFAIL, ede, ede != NULL ? 1 : 0);
	query_end(q);
}

/* Rebinding protection: the name gets what a filtered one gets. */
static void
query_block(struct query *q)
{
	static const uint8_t why[] = "a private address for a public name";
	static const struct msg_ede private_address = {EDE_BLOCKED, {why, sizeof why - 1}};
	struct engine *e = q->engine;
	const struct msg_question question = query_question(q);
	const struct local_view view = engine_local(e);

	counter_add(e->counters, COUNTER_REBINDING, 1);
	buf_clear(&e->scratch);
	if (local_blocked(&view, &question, e->plan->snapshot->settings->filter_answer, &e->scratch)) {
		query_deliver_made(q, &private_address);
		return;
	}
	waiters_empty(q, RCODE_REFUSED, &private_address, 1);
	query_end(q);
}

void
query_stay_here(struct query *q)
{
	struct engine *e = q->engine;
	const struct msg_question question = query_question(q);
	const struct local_view view = engine_local(e);

	buf_clear(&e->scratch);
	local_nothing(&view, &question, q->route->suffix, &e->scratch);
	query_deliver_made(q, NULL);
}

/* The answer is whole and for this question. A place for validation: between here and the cache. */
void
query_deliver(struct query *q, const struct msg_answer *m, const struct server *s, uint32_t age_s)
{
	struct engine *e = q->engine;
	const struct cache_key key = {span_of(q->name, q->name_n), q->type, q->class, q->do_bit, q->cd};
	struct cache_entry_info info = {.upstream = s->upstream, .age_s = age_s};
	int64_t now = loop_now_ms(e->loop);
	bool decided = answer_classify(m) == ANSWER_DECISION;
	struct msg_answer ours, changed;

	/* BADVERS, BADCOOKIE, those of TSIG: what went wrong between us and the upstream is not the client's. */
	if (m->rcode >= RCODE_BADVERS && m->rcode <= RCODE_BADCOOKIE) {
		ours = *m;
		ours.rcode = RCODE_SERVFAIL;
		m = &ours;
	}
	if (rebinding_refuses(e->plan->rebinding, key.name, m)) {
		query_block(q);
		return;
	}
	if (m != &ours)
		m = answer_settle(q, m, &changed);
	info.ad = (m->flags & MSG_AD) != 0 && s->trust_ad;
	info.ede = answer_ede(m);
	waiters_answer(q, m, age_s, engine_ttl_floor(e), engine_ttl_cap(e, m), info.ad, m->ede, m->n_ede);
	if (decided)
		admission_answered(e->admission, q->zone, now);
	if (m->rcode == RCODE_NOERROR || m->rcode == RCODE_NXDOMAIN || m->rcode == RCODE_YXDOMAIN)
		cache_put(e->cache, &key, m, &info, now);
	else if (decided)
		cache_put_decision(e->cache, &key, m, info.ede, FAILURE_RELAYED_MS, now);
	else if (!query_has_stale(q)) /* beside stale data it would say that they may be given out */
		cache_put_failure(e->cache, &key, m->rcode, info.ede, FAILURE_RELAYED_MS, now);
	query_end(q);
}
