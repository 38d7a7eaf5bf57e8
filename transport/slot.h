/*
 * slot.h - the inside of a slot. Inside the transport only.
 *
 * A slot has at most one connection that takes questions, and a few that only finish their questions in flight. A connection
 * that has ended is freed at the end of the turn, because its own functions may still be on the stack.
 */
#ifndef TRANSPORT_SLOT_H
#define TRANSPORT_SLOT_H

#include "transport/conn.h"

#define SLOT_DEATHS_MAX   2 /* connections that may end while they carry one question: it is repeated once */
#define SLOT_BARREN_MAX   2 /* connections in a row without an answer; after them a question is not repeated */
#define SLOT_UNUSED_MAX   2  /* connections in a row that end before a waiting question is written */
#define SLOT_MEDIAN_STEP  32 /* in the long run, a sample moves the median by one part in this many */
#define SLOT_DRAINING_MAX 4  /* connections that only finish; beyond that the oldest is dropped */

/* Keeping a connection open (slot_keep.c). */
struct slot_keep {
	int64_t until_ms;             /* 0: it is not kept */
	struct tp_exchange *exchange; /* the question that keeps it open; NULL: none */
	bool failed;                  /* the last one brought no answer */
};

struct tp_slot {
	struct conn_shared shared;
	struct tp_hooks hooks;
	struct loop_defer flush;
	struct exchange_list failing; /* on their way to their callbacks */
	struct exchange_pool pool;
	struct conn *conn;         /* takes questions, or is connecting; NULL: none */
	struct conn_list draining; /* newest first */
	unsigned n_draining;
	struct conn_list gone; /* freed at the end of the turn */
	bool wanted;           /* a connection, although no question waits */
	struct slot_keep keep;
	unsigned timed;  /* answers that the median has seen on this network */
	uint32_t barren; /* connections in a row that ended under questions and had brought no answer */
	unsigned unused; /* ... that became ready and ended before a question that waited was written */
};

/* Between the files of a slot. */

void slot_want_flush(struct tp_slot *);
/* Makes the callback; the exchange is in no list and goes back to the pool. */
void slot_finish_exchange(struct tp_slot *, struct tp_exchange *, const struct tp_answer *);
void slot_fail_exchange(struct tp_slot *, struct tp_exchange *, enum reason);
/* Adds it to the waiting exchanges; first: before all others. */
void slot_queue_exchange(struct tp_slot *, struct tp_exchange *, bool first);
/* It is not written any more, and fails at the end of the turn. In no list. */
void slot_retire_exchange(struct tp_slot *, struct tp_exchange *);
/* All questions of the connection wait again, in their order, or fail when it is retired; with count, those that have seen
 * too many connections end fail too. blame: they may have been the cause. */
void slot_take_back(struct tp_slot *, struct conn *, bool count, bool blame);
/* Those that wait are on their way to their callbacks. */
void slot_fail_waiting(struct tp_slot *);
void slot_fail_failing(struct tp_slot *, enum reason);
/* An answer arrived after this time: updates the counts and the usual times (slot_report.c). */
void slot_count_answer(struct tp_slot *, int64_t rtt_us);
/* In no list; NULL: no memory. */
struct tp_exchange *slot_new_exchange(struct tp_slot *, struct span message, int64_t deadline_ms,
				      tp_answer_fn, void *arg);

/* A connection that is idle: asks the question that keeps it open. False: it is not kept. */
bool slot_keep_ask(struct tp_slot *, struct conn *);
/* Its connection ended under that question: it is not repeated. */
void slot_keep_died(struct tp_slot *);
/* A connection that was ready is gone. Must a new one be made, although no question waits? asked: the question that
 * keeps a connection open was in flight. */
bool slot_keep_reopens(struct tp_slot *, const struct conn *, bool asked);

#endif
