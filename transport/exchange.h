/*
 * exchange.h - one question on its way: its bytes, its deadline, and where it is now. Inside the transport only.
 *
 * Questions come from a pool of their slot and go back to it: after warming up nothing is allocated for one.
 * A question is in exactly one list: its slot's waiting ones or its connection's ones in flight.
 */
#ifndef TRANSPORT_EXCHANGE_H
#define TRANSPORT_EXCHANGE_H

#include "base/dns/padding.h"
#include "transport/transport.h"

#define EXCHANGE_INLINE   256  /* a question with its padding nearly always fits */
#define EXCHANGE_POOL_MAX 1024 /* free ones that are kept */

struct conn;

enum exchange_place { EXCHANGE_FREE, EXCHANGE_WAITING, EXCHANGE_IN_FLIGHT, EXCHANGE_FAILING, EXCHANGE_DONE };

struct tp_exchange {
	struct tp_slot *slot;
	TAILQ_ENTRY(tp_exchange) beside; /* of its list */
	SLIST_ENTRY(tp_exchange) free;   /* of its pool */
	enum exchange_place place;
	struct conn *conn; /* in flight: where */
	unsigned deaths;   /* connections that ended while they carried it */
	unsigned alone;    /* of them: those that carried nothing else */
	bool killed;       /* it was repeated as often as allowed */
	bool own;          /* the slot's: it is in no count of questions */
	bool written;      /* it was written to a connection: the peer may have processed it */
	bool retired;      /* failing, because its slot was retired */
	struct loop_timer deadline;
	int64_t written_us;
	int64_t written_ms; /* the same moment of the boot clock */
	tp_answer_fn fn;
	void *arg;

	uint16_t id;                         /* the caller's */
	uint16_t wire_id;                    /* DoT */
	LIST_ENTRY(tp_exchange) same_bucket; /* DoT */
	struct doh_stream *stream;           /* DoH */

	struct padding padding;
	uint8_t *message; /* room, or memory of its own */
	size_t n;         /* as it came */
	size_t cap;
	uint8_t room[EXCHANGE_INLINE];
};

/* First in, first out. */
struct exchange_list {
	TAILQ_HEAD(exchange_queue, tp_exchange) all;
	uint32_t n;
};
void exchange_list_start(struct exchange_list *);
struct tp_exchange *exchange_list_first(const struct exchange_list *); /* lent; NULL: empty */
struct tp_exchange *exchange_list_last(const struct exchange_list *);
void exchange_list_append(struct exchange_list *, struct tp_exchange *);
void exchange_list_prepend(struct exchange_list *, struct tp_exchange *);
void exchange_list_remove(struct exchange_list *, struct tp_exchange *);

/* Zeroed before the first use. */
struct exchange_pool {
	SLIST_HEAD(, tp_exchange) free;
	uint32_t n;
};
/* A question with these bytes copied; NULL: no memory. */
struct tp_exchange *exchange_take(struct exchange_pool *, struct span message);
void exchange_give(struct exchange_pool *, struct tp_exchange *);
void exchange_pool_free(struct exchange_pool *);

/* Writes the options for this connection after the message; returns the bytes to send. */
struct span exchange_bytes(struct tp_exchange *, bool keepalive);

#endif
