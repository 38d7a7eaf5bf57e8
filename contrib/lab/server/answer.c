/* answer.c - from a question to its answer: computed, altered, delayed, collected, sent. */
#include "contrib/lab/server/lab_conn.h"
#include "base/log.h"
#include "contrib/lab/server/spoil.h"

#include <stdlib.h>

#define COLLECT_MS 60 /* how long reverse and swap collect answers */
#define SOME       10 /* delay-some: every tenth */
#define UNASKED_ID 0x5a5a

static struct lab_pending *
lab_pending_new(struct lab_conn *conn, int32_t stream, struct span query)
{
	struct lab_pending *pending = conn->n_held < PENDING_MAX ? calloc(1, sizeof *pending) : NULL;

	if (pending == NULL)
		return NULL;
	pending->conn = conn;
	pending->stream = stream;
	pending->message = buf_max(UINT16_MAX);
	pending->query = buf_max(UINT16_MAX);
	buf_put(&pending->query, query);
	return pending;
}

static void
hold(struct lab_conn *conn, struct lab_pending *pending)
{
	TAILQ_INSERT_TAIL(&conn->held, pending, link);
	conn->n_held++;
}

static void
unhold(struct lab_pending *pending)
{
	TAILQ_REMOVE(&pending->conn->held, pending, link);
	pending->conn->n_held--;
}

/* An unsolicited answer, with another id. */
static void
unasked_send(struct lab_conn *conn, const struct lab_pending *pending)
{
	int64_t times = lab_fault_number(&conn->server->faults, FAULT_UNASKED);
	struct buf odd = buf_max(UINT16_MAX);

	if (conn->server->protocol->takes_unasked) {
		buf_put(&odd, buf_span(&pending->message));
		if (buf_ok(&odd) && odd.n > 1)
			be16_write(odd.p, (uint16_t)(be16_read(odd.p) ^ UNASKED_ID));
		for (int64_t i = 0; i < times; i++)
			conn->server->protocol->send(conn, 0, buf_span(&odd));
	}
	buf_free(&odd);
}

/* Writes the answer and frees the pending one. */
static void
deliver(struct lab_pending *pending)
{
	struct lab_conn *conn = pending->conn;

	if (lab_conn_fault(conn, FAULT_UNASKED))
		unasked_send(conn, pending);
	conn->server->protocol->send(conn, pending->stream, buf_span(&pending->message));
	conn->answers++;
	conn->server->counts.answers++;
	if (lab_conn_fault(conn, FAULT_CLOSE_ANSWER))
		lab_conn_close(conn, END_CLOSE);
	if (lab_conn_fault(conn, FAULT_CLOSE_MID_ANSWER))
		lab_conn_close(conn, END_CUT);
	lab_conn_held_free(pending);
}

static void
answer_on_time(evutil_socket_t fd, short what, void *arg)
{
	struct lab_pending *pending = arg;
	struct lab_conn *conn = pending->conn;

	(void)fd, (void)what;
	unhold(pending);
	deliver(pending);
	lab_conn_push(conn);
}

static void
deliver_later(struct lab_pending *pending, int64_t ms)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

	pending->timer = evtimer_new(pending->conn->server->base, answer_on_time, pending);
	if (pending->timer == NULL || event_add(pending->timer, &wait) < 0) {
		lab_conn_held_free(pending);
		return;
	}
	hold(pending->conn, pending);
}

/* Each of two answers gets the other's records under its own id. */
static void
swap(struct lab_pending *a, struct lab_pending *b)
{
	struct buf message = a->message;
	uint16_t id_a, id_b;

	if (a->message.n < 2 || b->message.n < 2)
		return;
	id_a = be16_read(a->message.p);
	id_b = be16_read(b->message.p);
	a->message = b->message;
	b->message = message;
	be16_write(a->message.p, id_a);
	be16_write(b->message.p, id_b);
}

/* Sends the collected answers together. */
static void
answer_on_collected(evutil_socket_t fd, short what, void *arg)
{
	struct lab_pending *last = arg, *pending, *next;
	struct lab_conn *conn = last->conn;

	(void)fd, (void)what;
	if (lab_conn_fault(conn, FAULT_SWAP))
		for (pending = TAILQ_FIRST(&conn->held); pending != NULL; pending = next) {
			struct lab_pending *other = TAILQ_NEXT(pending, link);

			next = other != NULL ? TAILQ_NEXT(other, link) : NULL;
			if (other != NULL)
				swap(pending, other);
		}
	while ((pending = lab_conn_fault(conn, FAULT_REVERSE) ? TAILQ_LAST(&conn->held, lab_pending_list)
							      : TAILQ_FIRST(&conn->held)) != NULL) {
		unhold(pending);
		deliver(pending);
	}
	lab_conn_push(conn);
}

/* The first of a group holds the timer for all of them. */
static void
deliver_together(struct lab_pending *pending)
{
	const struct timeval wait = {.tv_usec = COLLECT_MS * 1000};
	struct lab_conn *conn = pending->conn;

	if (TAILQ_EMPTY(&conn->held)) {
		pending->timer = evtimer_new(conn->server->base, answer_on_collected, pending);
		if (pending->timer == NULL || event_add(pending->timer, &wait) < 0) {
			lab_conn_held_free(pending);
			return;
		}
	}
	hold(conn, pending);
}

static void
question_count(struct lab_conn *conn, const struct lab_zone_question *q, size_t bytes)
{
	conn->questions++;
	conn->server->counts.questions++;
	log_event(LOG_INFO, "question", LOG_INT("conn", conn->id), LOG_STR("name", q->name),
		  LOG_STR("type", q->type), LOG_INT("bytes", bytes));
}

static int64_t
delay_of(struct lab_conn *conn, const struct lab_zone_question *q)
{
	if (lab_conn_fault(conn, FAULT_DELAY))
		return lab_fault_number(&conn->server->faults, FAULT_DELAY);
	if (lab_conn_fault(conn, FAULT_DELAY_SOME) && conn->questions % SOME == 0)
		return lab_fault_number(&conn->server->faults, FAULT_DELAY_SOME);
	return q->delay_ms;
}

/* Does the server stay silent or hang up instead of answering? */
static bool
question_unanswered(struct lab_conn *conn)
{
	if (lab_conn_fault(conn, FAULT_CLOSE_QUESTION))
		lab_conn_close(conn, END_CLOSE);
	else if (lab_conn_fault(conn, FAULT_RESET_QUESTION))
		lab_conn_close(conn, END_RESET);
	else if (!lab_conn_fault(conn, FAULT_SILENT_ANSWER) &&
		 !(lab_conn_fault(conn, FAULT_SILENT_LATER) &&
		   conn->answers >= (uint64_t)lab_fault_number(&conn->server->faults, FAULT_SILENT_LATER)))
		return false;
	return true;
}

void
lab_conn_question(struct lab_conn *conn, struct span query, int32_t stream)
{
	struct lab_pending *pending = lab_pending_new(conn, stream, query);
	struct lab_zone_question q;
	int64_t delay;

	if (pending == NULL) {
		lab_conn_close(conn, END_RESET);
		return;
	}
	if (!lab_zone_answer(ZONE_TRUTH, query, &q, &pending->message)) {
		log_event(LOG_INFO, "nonsense", LOG_INT("conn", conn->id), LOG_INT("bytes", query.n));
		lab_conn_held_free(pending);
		lab_conn_close(conn, END_CLOSE);
		return;
	}
	question_count(conn, &q, query.n);
	if (question_unanswered(conn)) {
		lab_conn_held_free(pending);
		return;
	}
	lab_spoil(&conn->server->faults, &q, &pending->message);
	delay = delay_of(conn, &q);
	if (lab_conn_fault(conn, FAULT_REVERSE) || lab_conn_fault(conn, FAULT_SWAP))
		deliver_together(pending);
	else if (delay > 0)
		deliver_later(pending, delay);
	else
		deliver(pending);
}
