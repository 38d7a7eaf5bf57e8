#include "resolver/query_answer.h"

#include "resolver/answer_class.h"
#include "resolver/deliver.h"
#include "resolver/health.h"
#include "resolver/query_send.h"

/* Sends it to another server, unless it is in flight somewhere. */
static bool
query_send_elsewhere(struct query *q)
{
	if (q->attempts.open > 0 || !query_send(q))
		return false;
	counter_add(q->engine->counters, COUNTER_FAILED_OVER, 1);
	return true;
}

/* The answer is bad or missing, perhaps because of the connection. After two bad answers in a row the same question
 * also goes over a fresh connection; after the first it is repeated. */
static void
query_doubts_connection(struct query *q, const struct attempt_outcome *o)
{
	if (q->tried || q->again >= QUERY_AGAIN_MAX || o->manner != MANNER_SHARED ||
	    !server_is_ready(o->server))
		return;
	if (server_takes_trial(o->server, q->zone))
		q->tried = query_attempt(q, o->server, MANNER_TRIAL);
}

/* When there is no other server, repeats the question to the same one. first: the first time also if repeats have not helped
 * there. True: it was sent. */
static bool
query_asks_again(struct query *q, const struct attempt_outcome *o, bool first)
{
	unsigned made = q->again + q->tried;

	if (q->attempts.open > 0 || made >= QUERY_AGAIN_MAX || o->manner != MANNER_SHARED ||
	    !server_takes_repeat(o->server, q->zone, first && made == 0) ||
	    !query_attempt(q, o->server, MANNER_SHARED))
		return false;
	q->again++;
	query_arm(q);
	return true;
}

/* The upstream sent something that does not answer the question. */
static enum query_step
query_on_nonsense(struct query *q, const struct attempt_outcome *o, enum reason bad)
{
	bool elsewhere;

	query_blame(q, o->server, bad);
	tries_spend(&q->tries, o->server->id);
	elsewhere = query_send_elsewhere(q);
	query_doubts_connection(q, o);
	if (elsewhere)
		return query_retry(q, true);
	if (q->held.n > 0 || !query_asks_again(q, o, true))
		return query_retry(q, false);
	return QUERY_GOES_ON;
}

/* The server reported a failure. Another upstream may have the answer. */
static enum query_step
query_on_failure(struct query *q, const struct attempt_outcome *o, const struct msg_answer *m)
{
	struct server *s = o->server;
	bool first = !q->soft, doubtful = m->rcode == RCODE_SERVFAIL; /* the other codes are unambiguous */
	bool agreed = !first && q->avoid != s->upstream;              /* so did another upstream */

	tries_spend(&q->tries, s->id);
	if (first) {
		q->soft = true;
		q->avoid = s->upstream;
		buf_clear(&q->held);
		buf_put(&q->held, m->wire);
		q->held_server = s;
		(void)query_send_elsewhere(q);
	}
	if (doubtful)
		query_doubts_connection(q, o);
	if (doubtful && !agreed && query_asks_again(q, o, first))
		return QUERY_GOES_ON;
	if (!first && q->attempts.open == 0)
		return query_deliver(q, m, s, o->answer->age_s);
	return query_retry(q, true);
}

/* A server that does not recurse has nothing to say about the name. Another upstream may recurse, and so may the same one
 * over another connection. */
static enum query_step
query_on_lame(struct query *q, const struct attempt_outcome *o)
{
	query_blame(q, o->server, REASON_NONE);
	q->blame.lame = true;
	q->avoid = o->server->upstream;
	tries_spend(&q->tries, o->server->id);
	(void)query_send_elsewhere(q);
	if (q->attempts.open == 0 && q->held.n == 0)
		query_doubts_connection(q, o);
	if (q->held.n > 0 || !query_asks_again(q, o, true))
		return query_retry(q, true);
	return QUERY_GOES_ON;
}

/* TC over a stream cannot be helped by a retry (RFC 7766, 5): try one other upstream, then fail. */
static enum query_step
query_on_truncated(struct query *q, const struct attempt_outcome *o)
{
	query_blame(q, o->server, REASON_ANSWER_MALFORMED);
	tries_spend(&q->tries, o->server->id);
	if (q->truncated)
		return query_fail(q);
	q->truncated = true;
	q->avoid = o->server->upstream;
	return query_retry(q, true);
}

/* SERVFAIL and lame answers may come from a connection to a broken server. Other failures are unambiguous. */
static bool
answer_is_poor(const struct msg_answer *m, enum answer_class class)
{
	return class == ANSWER_LAME || (class == ANSWER_FAILURE && m->rcode == RCODE_SERVFAIL);
}

/* Returns REASON_NONE for an answer to this question. */
static enum reason
query_read_answer(const struct query *q, const struct tp_answer *a, struct msg_answer *m)
{
	struct engine *e = q->engine;

	if (!engine_answer_read(e, m, a->message)) {
		counter_add(e->counters, COUNTER_ANSWERS_MALFORMED, 1);
		return REASON_ANSWER_MALFORMED;
	}
	if (!msg_answer_matches(m, q->attempts.section)) {
		counter_add(e->counters, COUNTER_ANSWERS_MISMATCHED, 1);
		return REASON_ANSWER_MISMATCH;
	}
	return REASON_NONE;
}

static enum query_step
query_on_message(struct query *q, const struct attempt_outcome *o)
{
	struct server *s = o->server;
	enum answer_class class = ANSWER_FAILURE;
	struct msg_answer m;
	enum reason bad = query_read_answer(q, o->answer, &m);

	if (bad == REASON_NONE)
		class = answer_classify(&m);
	if (o->manner == MANNER_SHARED && (bad != REASON_NONE || answer_is_poor(&m, class)))
		server_answered_poorly(s);
	if (bad != REASON_NONE) {
		server_answered_badly(s, q->zone, bad);
		return query_on_nonsense(q, o, bad);
	}
	server_answered_zone(s, q->zone, o->sent_ms);
	if ((m.flags & MSG_TC) != 0)
		return query_on_truncated(q, o);
	switch (class) {
	case ANSWER_FAILURE:
		return query_on_failure(q, o, &m);
	case ANSWER_LAME:
		return query_on_lame(q, o);
	case ANSWER_DECISION:
		break;
	}
	if (o->manner == MANNER_SHARED)
		server_answered_well(s, q->zone);
	if (q->again > 0 && o->manner == MANNER_SHARED)
		retries_helped(&s->retries);
	return query_deliver(q, &m, s, o->answer->age_s);
}

enum query_step
query_take_outcome(struct query *q, const struct attempt_outcome *o)
{
	const struct tp_answer *answer = o->answer;

	if (answer->failure == REASON_NONE)
		return query_on_message(q, o);
	if (attempt_answer_is_bad(o))
		return query_on_nonsense(q, o, answer->failure);
	if (!o->timed_out)
		query_blame(q, o->server, answer->failure);
	else if (q->blame.server == NULL) /* a failure says more than silence */
		query_blame(q, o->server, REASON_NONE);
	q->suspect |= answer->killed;
	if (answer->killed && o->manner != MANNER_SHARED) /* it had its own connection */
		tries_spend(&q->tries, o->server->id);
	/* RFC 9520, 3.1: no more than three times to a server */
	if ((answer->killed || answer->lost) && o->repeated)
		tries_spend(&q->tries, o->server->id);
	return query_retry(q, false);
}
