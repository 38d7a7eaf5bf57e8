/*
 * waiter.h - the clients that wait for the answer to one question, and their replies.
 *
 * A waiter keeps its own id, spelling and flags. It is called back exactly once, unless its client has gone.
 */
#ifndef RESOLVER_WAITER_H
#define RESOLVER_WAITER_H

#include "resolver/client.h"
#include "resolver/engine_state.h"
#include "resolver/reply.h"

#define WAITERS_MAX        16384 /* a worker; of one address: client_quota.h */
#define WAITERS_PRESSED    8192  /* beyond, each new one makes a question and all its waiters give way */
#define WAITER_SECTION_MAX (MSG_NAME_MAX + 4)
/* Waiters looked at to find a repeated datagram: its first copy is among the last. */
#define WAITER_REPEATED_MAX 16

/* All who wait for one question. Embedded in its query. */
struct waiters {
	struct engine *engine;
	struct waiter_list list; /* the newest first */
	uint16_t type, class;    /* of the question */
	struct admission_entry admission;
};

struct waiter {
	struct waiters *waiters;
	LIST_ENTRY(waiter) link;
	LIST_ENTRY(waiter) owner_link; /* of the connection */
	struct client client;
	uint16_t id, flags;
	struct msg_edns edns; /* options are not kept */
	uint16_t section_n;
	uint8_t section[WAITER_SECTION_MAX]; /* as spelled */
};

/* The caller has taken the client's place in the quota; it is given back when the waiter is freed. NULL: no memory. */
struct waiter *waiter_new(struct waiters *, const struct msg_question *, const struct client *);
void waiter_drop(struct waiter *); /* without a reply */

/* The same datagram has arrived before. */
bool waiters_have(const struct waiters *, const struct msg_question *, const struct client *);
unsigned waiters_count(const struct waiters *);
/* Sends the reply to all waiters and removes them. */
void waiters_reply(struct waiters *, const struct reply *);
void waiters_drop(struct waiters *);

#endif
