/*
 * slot.h - the inside of a pool slot, and what its connections tell it. Inside the transport only.
 *
 * A slot has at most one connection that takes questions, and a few that only finish what they carry. A
 * connection that is gone is kept until the end of the turn, because its own functions may still be on the
 * stack.
 */
#ifndef TRANSPORT_SLOT_H
#define TRANSPORT_SLOT_H

#include "transport/idle.h"
#include "transport/exchange.h"
#include "transport/ticket.h"

#define SLOT_DEATHS_MAX   2 /* connections that may end under one question: it is repeated once */
#define SLOT_BARREN_MAX   2 /* connections in a row without an answer; after them a question is not repeated */
#define SLOT_DRAINING_MAX 4 /* connections that finish; the oldest makes room */

struct tp_slot {
	struct loop *loop;
	const struct tp_target *target;
	struct tp_hooks hooks;
	struct loop_defer flush;
	struct exchange_list waiting;
	struct exchange_list failing; /* on their way to their callbacks */
	struct exchange_pool pool;
	struct conn *conn;     /* takes questions, or is on its way to it; NULL: none */
	struct conn *draining; /* through next, newest first */
	struct conn *gone;     /* through next, freed at the end of the turn */
	struct tickets tickets;
	struct idle idle;
	bool wanted;     /* a connection, although no question waits */
	uint32_t barren; /* connections in a row that ended under questions and had brought no answer */
	struct tp_stats stats;
};

/* Called by its connections, never inside a call of transport.h. */
void slot_on_ready(struct tp_slot *, struct conn *);
/* The connection ended by itself; its questions are still in its list. was_ready tells closed from failed. */
void slot_on_gone(struct tp_slot *, struct conn *, bool was_ready, enum reason, const char *detail);
/* Takes the question out of the connection's list and makes its callback. */
void slot_on_answer(struct tp_slot *, struct conn *, struct tp_exchange *, struct tp_answer *);
/* The peer did not process it: it waits again, or fails when that happened before. */
void slot_on_unprocessed(struct tp_slot *, struct conn *, struct tp_exchange *);
void slot_want_flush(struct tp_slot *);

#endif
