#include "resolver/answer_class.h"
#include "resolver/query.h"
#include "resolver/health.h"
#include "resolver/server_slot.h"

#include <stdlib.h>

static void attempt_on_answer(void *, const struct tp_answer *);

static void
attempt_leave(struct attempt *a)
{
	*a->prev = a->next;
	if (a->next != NULL)
		a->next->prev = a->prev;
	if (a->query != NULL) {
		*a->query_prev = a->query_next;
		if (a->query_next != NULL)
			a->query_next->query_prev = a->query_prev;
		a->query->open--;
	} else {
		a->server->detached--;
	}
}

static void
attempt_free(struct engine *e, struct attempt *a)
{
	attempt_leave(a);
	if (a->lane >= 0)
		server_lane_give(a->server, a->lane);
	buf_free(&a->section);
	if (e->n_spare_attempt >= POOL_MAX) {
		free(a);
		return;
	}
	a->next = e->spare_attempt;
	e->spare_attempt = a;
	e->n_spare_attempt++;
}

/* The query goes on without it. It is still listened for, to learn whether the server lives. */
void
attempt_detach(struct engine *e, struct attempt *a)
{
	if (a->server->detached >= DETACHED_MAX) {
		tp_cancel(a->tp);
		attempt_free(e, a);
		return;
	}
	*a->query_prev = a->query_next;
	if (a->query_next != NULL)
		a->query_next->query_prev = a->query_prev;
	a->query->open--;
	a->query = NULL;
	a->server->detached++;
}

void
attempt_cancel(struct attempt *a)
{
	tp_cancel(a->tp);
	attempt_free(a->engine, a);
}

static struct attempt *
attempt_take(struct engine *e)
{
	struct attempt *a = e->spare_attempt;

	if (a == NULL)
		return malloc(sizeof *a);
	e->spare_attempt = a->next;
	e->n_spare_attempt--;
	return a;
}

static void
attempt_enter(struct attempt *a)
{
	struct query *q = a->query;
	struct server *s = a->server;

	a->next = s->attempts;
	a->prev = &s->attempts;
	if (a->next != NULL)
		a->next->prev = &a->next;
	s->attempts = a;
	a->query_next = q->attempts;
	a->query_prev = &q->attempts;
	if (a->query_next != NULL)
		a->query_next->query_prev = &a->query_next;
	q->attempts = a;
	q->open++;
	q->sends++;
}

bool
attempt_new(struct query *q, struct server *s, enum manner manner)
{
	struct engine *e = q->engine;
	int lane = manner == MANNER_SHARED ? -1 : server_lane_take(s, q->zone);
	struct tp_slot *slot = lane < 0 ? server_slot(s) : s->lane[lane].slot;
	struct attempt *a = slot == NULL || (lane < 0 && manner != MANNER_SHARED) ? NULL : attempt_take(e);
	enum res res;

	if (a == NULL)
		goto fail;
	*a = (struct attempt){.query = q,
			      .server = s,
			      .engine = e,
			      .manner = manner,
			      .lane = lane,
			      .zone = q->zone,
			      .section = buf_max(QUERY_SECTION_MAX),
			      .sent_ms = loop_now_ms(e->loop),
			      .deadline_ms = q->deadline_ms};
	a->was_ready = lane < 0 && server_is_ready(s);
	if (manner == MANNER_TRIAL)
		buf_put(&a->section, span_of(q->wire + MSG_HEADER, q->section_n));
	res = tp_send(&a->tp, slot, span_of(q->wire, q->wire_n), q->deadline_ms, attempt_on_answer, a);
	if (res != RES_OK) {
		q->limited = res == RES_LIMIT;
		buf_free(&a->section);
		free(a);
		goto fail;
	}
	if (lane < 0 && !a->was_ready)
		s->connects = true;
	attempt_enter(a);
	counter_add(e->counters, COUNTER_FORWARDED, 1);
	return true;

fail:
	if (lane >= 0)
		server_lane_give(s, lane);
	return false;
}

static void
query_blame(struct query *q, const struct server *s, enum reason reason)
{
	q->blamed = s;
	q->blame = reason;
	q->lame = false;
}

/* The answer is not good, or is none. The connection may be the reason: after two in a row the same question goes over a
 * fresh one as well, and the first of two is put once more. */
static void
query_doubts_connection(struct query *q, struct server *s, enum manner manner)
{
	if (q->tried || manner != MANNER_SHARED || !server_is_ready(s))
		return;
	if (server_takes_trial(s, q->zone))
		q->tried = attempt_new(q, s, MANNER_TRIAL);
}

/* Nobody else is there to be asked. True: it was put once more to the same one. */
static bool
query_asks_again(struct query *q, struct server *s, enum manner manner)
{
	if (q->open > 0 || q->again || q->tried || manner != MANNER_SHARED ||
	    !server_may_ask_again(s, q->zone))
		return false;
	q->again = attempt_new(q, s, MANNER_SHARED);
	if (q->again)
		query_retry(q, true);
	return q->again;
}

/* It was no answer to the question. */
static void
query_on_nonsense(struct query *q, struct server *s, enum manner manner, enum reason bad)
{
	bool elsewhere;

	query_blame(q, s, bad);
	tries_spend(&q->tries, s->id);
	elsewhere = q->open == 0 && query_send(q);
	query_doubts_connection(q, s, manner);
	if (elsewhere) {
		counter_add(q->engine->counters, COUNTER_FAILED_OVER, 1);
		query_retry(q, true);
		return;
	}
	if (q->held.n > 0 || !query_asks_again(q, s, manner))
		query_retry(q, false);
}

/* An answer that says that it has none. Another upstream may have one. */
static void
query_on_failure(struct query *q, struct server *s, enum manner manner, const struct msg_answer *m,
		 uint32_t age_s)
{
	bool first = !q->soft, doubtful = m->rcode == RCODE_SERVFAIL; /* the other codes say what they mean */

	tries_spend(&q->tries, s->id);
	if (first) {
		q->soft = true;
		q->avoid = s->upstream;
		buf_clear(&q->held);
		buf_put(&q->held, m->wire);
		q->held_server = s;
		if (q->open == 0 && query_send(q))
			counter_add(q->engine->counters, COUNTER_FAILED_OVER, 1);
	}
	if (doubtful)
		query_doubts_connection(q, s, manner);
	if (!first && q->open == 0) {
		query_deliver(q, m, s, age_s);
		return;
	}
	if (!doubtful || !query_asks_again(q, s, manner))
		query_retry(q, true);
}

/* Whoever says so has nothing to say about the name. Another upstream may recurse, and so may the same one over another
 * connection. */
static void
query_on_lame(struct query *q, struct server *s, enum manner manner)
{
	query_blame(q, s, REASON_NONE);
	q->lame = true;
	q->avoid = s->upstream;
	tries_spend(&q->tries, s->id);
	if (q->open == 0 && query_send(q))
		counter_add(q->engine->counters, COUNTER_FAILED_OVER, 1);
	if (q->open == 0 && q->held.n == 0)
		query_doubts_connection(q, s, manner);
	if (q->held.n > 0 || !query_asks_again(q, s, manner))
		query_retry(q, true);
}

/* The connection may lead to somebody who cannot answer at all. The other failures say what they mean. */
static bool
answer_is_poor(const struct msg_answer *m, enum answer_class class)
{
	return class == ANSWER_LAME || (class == ANSWER_FAILURE && m->rcode == RCODE_SERVFAIL);
}

static void
query_on_message(struct query *q, struct server *s, enum manner manner, const struct tp_answer *a)
{
	struct engine *e = q->engine;
	enum reason bad = REASON_NONE;
	enum answer_class class = ANSWER_FAILURE;
	struct msg_answer m;

	if (msg_answer_read(&m, a->message, e->ttl_at) != RES_OK) {
		bad = REASON_ANSWER_MALFORMED;
		counter_add(e->counters, COUNTER_ANSWERS_MALFORMED, 1);
	} else if (!msg_answer_matches(&m, span_of(q->wire + MSG_HEADER, q->section_n))) {
		bad = REASON_ANSWER_MISMATCH;
		counter_add(e->counters, COUNTER_ANSWERS_MISMATCHED, 1);
	}
	if (bad == REASON_NONE)
		class = answer_classify(&m);
	if (manner == MANNER_SHARED && (bad != REASON_NONE || answer_is_poor(&m, class)))
		server_answered_poorly(s);
	if (bad != REASON_NONE) {
		server_answered_badly(s, q->zone, bad);
		query_on_nonsense(q, s, manner, bad);
		return;
	}
	server_answered_zone(s, q->zone);
	if ((m.flags & MSG_TC) != 0) {
		/* It cannot be had in a longer form than over a stream (RFC 7766, 5): once elsewhere, then
		 * never. */
		query_blame(q, s, REASON_ANSWER_MALFORMED);
		tries_spend(&q->tries, s->id);
		if (q->truncated) {
			query_fail(q);
			return;
		}
		q->truncated = true;
		q->avoid = s->upstream;
		query_retry(q, true);
		return;
	}
	switch (class) {
	case ANSWER_FAILURE:
		query_on_failure(q, s, manner, &m, a->age_s);
		return;
	case ANSWER_LAME:
		query_on_lame(q, s, manner);
		return;
	case ANSWER_DECISION:
		break;
	}
	if (manner == MANNER_SHARED)
		server_answered_well(s);
	query_deliver(q, &m, s, a->age_s);
}

/* What came over the fresh connection of a trial: is it any better? */
static bool
trial_is_good(const struct attempt *a, const struct tp_answer *answer)
{
	struct msg_answer m;

	return answer->failure == REASON_NONE &&
	       msg_answer_read(&m, answer->message, a->engine->ttl_at) == RES_OK &&
	       msg_answer_matches(&m, buf_span(&a->section)) && answer_classify(&m) == ANSWER_DECISION;
}

/* The connection stands; what came over it was no answer. */
static bool
answer_is_bad(const struct tp_answer *answer, bool timed_out)
{
	if (answer->killed || answer->retry_safe || timed_out)
		return false;
	return answer->failure == REASON_DOH_STATUS || answer->failure == REASON_DOH_TYPE ||
	       answer->failure == REASON_DOH_REDIRECT || answer->failure == REASON_DOH_MALFORMED ||
	       answer->failure == REASON_ANSWER_MALFORMED || answer->failure == REASON_ANSWER_MISMATCH ||
	       answer->failure == REASON_CLOSED; /* a stream that was reset */
}

/* What the failure says of the server. */
static void
server_on_failure(struct server *s, uint64_t zone, enum manner manner, const struct tp_answer *answer,
		  bool silent, bool timed_out)
{
	bool bad = answer_is_bad(answer, timed_out);

	if (bad && manner == MANNER_SHARED)
		server_answered_poorly(s);
	if (answer->retry_after_s > 0)
		server_asked_to_wait(s, answer->failure, (int64_t)answer->retry_after_s * 1000);
	else if (bad)
		server_answered_badly(s, zone, answer->failure);
	else if (answer->killed)
		server_killed(s, zone, answer->alone, manner != MANNER_SHARED);
	else if (!timed_out)
		server_failed(s, answer->failure, NULL);
	else if (silent)
		server_is_slow(s);
}

static void
query_on_no_answer(struct query *q, struct server *s, enum manner manner, const struct tp_answer *answer,
		   bool timed_out)
{
	if (answer_is_bad(answer, timed_out)) {
		query_on_nonsense(q, s, manner, answer->failure);
		return;
	}
	query_blame(q, s, answer->failure);
	q->suspect |= answer->killed;
	if (answer->killed && manner != MANNER_SHARED) /* it had its own connection */
		tries_spend(&q->tries, s->id);
	query_retry(q, false);
}

static void
attempt_on_answer(void *arg, const struct tp_answer *answer)
{
	struct attempt *a = arg;
	struct engine *e = a->engine;
	struct query *q = a->query;
	struct server *s = a->server;
	enum manner manner = a->manner;
	uint64_t zone = a->zone;
	bool silent = s->answered_ms < a->sent_ms, timed_out = loop_now_ms(e->loop) >= a->deadline_ms;
	bool apart = a->lane >= 0;

	if (manner == MANNER_TRIAL)
		server_tried(s, zone, a->lane, trial_is_good(a, answer));
	attempt_free(e, a);
	if (answer->failure != REASON_NONE)
		server_on_failure(s, zone, manner, answer, silent, timed_out);
	if (q != NULL && answer->failure == REASON_NONE)
		query_on_message(q, s, manner, answer);
	else if (q != NULL)
		query_on_no_answer(q, s, manner, answer, timed_out);
	else if (answer->failure == REASON_NONE)
		server_answered_zone(s, zone);
	if (apart) {
		query_wake_all(e);
		server_lanes_tidy(s);
	}
}
