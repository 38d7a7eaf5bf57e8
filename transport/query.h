/*
 * query.h - one question on its way: its bytes, its deadline, and where it is now. Inside the transport only.
 *
 * Questions come from a pool of their slot and go back to it: after warming up nothing is allocated for one.
 * A question is in exactly one list: its slot's waiting ones or its connection's ones in flight.
 */
#ifndef TRANSPORT_QUERY_H
#define TRANSPORT_QUERY_H

#include "base/dns/padding.h"
#include "transport/transport.h"

#define QUERY_INLINE   512  /* a question with its padding nearly always fits */
#define QUERY_POOL_MAX 1024 /* free ones that are kept */

struct conn;

enum query_place { QUERY_FREE, QUERY_WAITING, QUERY_IN_FLIGHT, QUERY_FAILING, QUERY_DONE };

struct tp_query {
	struct tp_slot *slot;
	struct tp_query *prev, *next; /* of its list */
	enum query_place place;
	struct conn *conn; /* in flight: where */
	unsigned deaths;   /* connections that ended under it */
	unsigned alone;    /* of them: those that carried nothing else */
	bool killed;       /* it was repeated as often as is right */
	bool written;      /* some connection carried it, and may have had it processed */
	struct loop_timer deadline;
	int64_t written_us;
	tp_answer_fn fn;
	void *arg;

	uint16_t id;               /* the asker's */
	uint16_t wire_id;          /* DoT */
	struct tp_query *same;     /* DoT: the next in its bucket */
	struct doh_stream *stream; /* DoH */

	struct padding padding;
	uint8_t *message; /* room, or memory of its own */
	size_t n;         /* as it came */
	size_t cap;
	uint8_t room[QUERY_INLINE];
};

/* Doubly linked, first in first out. */
struct query_list {
	struct tp_query *first, *last;
	uint32_t n;
};
void query_list_append(struct query_list *, struct tp_query *);
void query_list_prepend(struct query_list *, struct tp_query *);
void query_list_remove(struct query_list *, struct tp_query *);

struct query_pool {
	struct tp_query *free; /* through next */
	uint32_t n;
};
/* A question with these bytes copied; NULL: no memory. */
struct tp_query *query_take(struct query_pool *, struct span message);
void query_give(struct query_pool *, struct tp_query *);
void query_pool_free(struct query_pool *);

/* Writes the options for this connection behind the message; returns the bytes to send. */
struct span query_wire(struct tp_query *, bool keepalive);

#endif
