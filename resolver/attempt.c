#include "resolver/answer_class.h"
#include "resolver/query.h"

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

bool
attempt_new(struct query *q, struct server *s)
{
	struct engine *e = q->engine;
	struct attempt *a = e->spare_attempt;
	struct tp_slot *slot = server_slot(s);
	enum res res;

	if (slot == NULL)
		return false;
	if (a != NULL) {
		e->spare_attempt = a->next;
		e->n_spare_attempt--;
	} else if ((a = malloc(sizeof *a)) == NULL) {
		return false;
	}
	*a = (struct attempt){.query = q,
			      .server = s,
			      .engine = e,
			      .sent_ms = loop_now_ms(e->loop),
			      .deadline_ms = q->deadline_ms};
	a->was_ready = server_is_ready(s);
	res = tp_send(&a->tp, slot, span_of(q->wire, q->wire_n), q->deadline_ms, attempt_on_answer, a);
	if (res != RES_OK) {
		q->limited = res == RES_LIMIT;
		free(a);
		return false;
	}
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
	counter_add(e->counters, COUNTER_FORWARDED, 1);
	return true;
}

static void
query_blame(struct query *q, const struct server *s, enum reason reason)
{
	q->blamed = s;
	q->blame = reason;
	q->lame = false;
}

/* True: the answer is the client's. False: another upstream was asked, or the query has ended. */
static bool
query_settled(struct query *q, struct server *s, const struct msg_answer *m)
{
	switch (answer_classify(m)) {
	case ANSWER_DECISION:
		return true;
	case ANSWER_FAILURE:
		if (q->soft)
			return true;
		q->soft = true;
		q->avoid = s->upstream;
		buf_clear(&q->held);
		buf_put(&q->held, m->wire);
		q->held_server = s;
		query_retry(q, true);
		return false;
	case ANSWER_LAME:
		query_blame(q, s, REASON_NONE);
		q->lame = true;
		q->avoid = s->upstream;
		query_retry(q, true);
		return false;
	}
	return true;
}

static void
query_on_message(struct query *q, struct server *s, const struct tp_answer *a)
{
	struct engine *e = q->engine;
	enum reason bad = REASON_NONE;
	struct msg_answer m;

	if (msg_answer_read(&m, a->message, e->ttl_at) != RES_OK) {
		bad = REASON_ANSWER_MALFORMED;
		counter_add(e->counters, COUNTER_ANSWERS_MALFORMED, 1);
	} else if (!msg_answer_matches(&m, span_of(q->wire + MSG_HEADER, q->section_n))) {
		bad = REASON_ANSWER_MISMATCH;
		counter_add(e->counters, COUNTER_ANSWERS_MISMATCHED, 1);
	}
	if (bad != REASON_NONE) {
		server_answered_badly(s, bad);
		query_blame(q, s, bad);
		query_retry(q, false);
		return;
	}
	server_answered(s);
	if ((m.flags & MSG_TC) != 0) {
		/* It cannot be had in a longer form than over a stream (RFC 7766, 5): once elsewhere, then
		 * never. */
		query_blame(q, s, REASON_ANSWER_MALFORMED);
		if (q->truncated) {
			query_fail(q);
			return;
		}
		q->truncated = true;
		q->avoid = s->upstream;
		query_retry(q, true);
		return;
	}
	if (query_settled(q, s, &m))
		query_deliver(q, &m, s, a->age_s);
}

/* The connection stands; what came over it was no answer. */
static bool
reason_is_of_answer(enum reason reason)
{
	return reason == REASON_DOH_STATUS || reason == REASON_DOH_TYPE || reason == REASON_DOH_REDIRECT ||
	       reason == REASON_ANSWER_MALFORMED || reason == REASON_ANSWER_MISMATCH;
}

static void
attempt_on_answer(void *arg, const struct tp_answer *answer)
{
	struct attempt *a = arg;
	struct engine *e = a->engine;
	struct query *q = a->query;
	struct server *s = a->server;
	bool silent = s->answered_ms < a->sent_ms, timed_out = loop_now_ms(e->loop) >= a->deadline_ms;

	attempt_free(e, a);
	if (answer->failure == REASON_NONE) {
		if (q != NULL)
			query_on_message(q, s, answer);
		else
			server_answered(s);
		return;
	}
	if (answer->retry_after_s > 0)
		server_asked_to_wait(s, answer->failure, (int64_t)answer->retry_after_s * 1000);
	else if (reason_is_of_answer(answer->failure))
		server_answered_badly(s, answer->failure);
	else if (!timed_out)
		server_failed(s, answer->failure);
	else if (silent)
		server_is_slow(s);
	if (q != NULL) {
		query_blame(q, s, answer->failure);
		query_retry(q, false);
	}
}
