/*
 * client.h - who asked a question, as the listener knows it, and what became of the question.
 */
#ifndef RESOLVER_CLIENT_H
#define RESOLVER_CLIENT_H

#include "base/addr.h"
#include "base/bytes.h"

#include <sys/queue.h>

LIST_HEAD(waiter_list, waiter); /* waiter.h */

/* Copied when it must wait. */
struct client {
	/* The reply, later; lent bytes. It may forget clients of any owner, not start questions. */
	void (*on_reply)(const struct client *, struct span reply);
	void *owner;                 /* the listener's, or the connection's */
	struct waiter_list *waiting; /* TCP: this connection's waiters; UDP: NULL */
	bool tcp;
	struct addr addr;    /* of the client, with port */
	struct addr local;   /* UDP on a wildcard: the address that was asked; ADDR_NONE otherwise */
	uint32_t interface;  /* ... and where */
	int64_t asked_us;    /* monotonic clock, and ... */
	uint16_t question_n; /* the bytes of the question; only with a tap (tap.h) */
};

/* ASK_REPLIED: the reply was appended. ASK_WAITS: on_reply will be called once. ASK_DROPPED: there is no reply. */
enum ask { ASK_REPLIED, ASK_WAITS, ASK_DROPPED };

#endif
