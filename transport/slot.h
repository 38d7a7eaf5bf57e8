/*
 * slot.h - the inside of a slot. Inside the transport only.
 *
 * A slot has at most one connection that takes questions, and a few that only finish what they carry. A
 * connection that is gone is kept until the end of the turn, because its own functions may still be on the
 * stack.
 */
#ifndef TRANSPORT_SLOT_H
#define TRANSPORT_SLOT_H

#include "transport/conn.h"

#define SLOT_DEATHS_MAX   2 /* connections that may end under one question: it is repeated once */
#define SLOT_BARREN_MAX   2 /* connections in a row without an answer; after them a question is not repeated */
#define SLOT_DRAINING_MAX 4 /* connections that finish; the oldest makes room */

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
	uint32_t barren;       /* connections in a row that ended under questions and had brought no answer */
};

/* Between the files of a slot. */

void slot_want_flush(struct tp_slot *);
/* Makes the callback; the exchange is in no list and goes back to the pool. */
void slot_finish_exchange(struct tp_slot *, struct tp_exchange *, const struct tp_answer *);
void slot_fail_exchange(struct tp_slot *, struct tp_exchange *, enum reason);
/* Into the waiting ones; first: before all others. */
void slot_queue_exchange(struct tp_slot *, struct tp_exchange *, bool first);

#endif
