/*
 * idle.h - learns how long a peer keeps idle connections from the closes that it makes.
 *
 * The last close seen is believed. Because we then close first and so see no more of the peer's closes, the
 * limit is doubled after a few closes of our own: a peer that was merely restarted is found out, at the price
 * of one idle connection that the peer closes.
 */
#ifndef TRANSPORT_IDLE_H
#define TRANSPORT_IDLE_H

#include <stdbool.h>
#include <stdint.h>

#define IDLE_LEARN_MIN_MS 1000   /* sooner is a restart or a fault, not a limit */
#define IDLE_MAX_MS       120000 /* kept no longer without use: NAT boxes forget, and TCP does not say so */
#define IDLE_OWN_CLOSES   3      /* closes of ours before the limit is doubled */

struct idle {
	int64_t limit_ms; /* 0: not known */
	unsigned own_closes;
};

/* The peer closed a connection that had been idle for so long. */
void idle_on_peer_close(struct idle *, int64_t idle_ms);
/* We closed one because of idle_use_ms. */
void idle_on_own_close(struct idle *);
/* How long a connection may be idle and still be used: a little less than the limit. keepalive_ms: what the
 * peer promised for this connection (RFC 7828), -1 nothing. */
int64_t idle_use_ms(const struct idle *, int64_t keepalive_ms);

#endif
