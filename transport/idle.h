/*
 * idle.h - learns how long a peer keeps idle connections from the closes that it makes.
 *
 * The time of the last close seen is taken as the limit. From then on this side closes first, or sends a query before the
 * limit, and so sees no more closes of the peer. Therefore the limit is doubled after a few such uses: if the peer had
 * merely been restarted, this is noticed, at the price of one idle connection that the peer closes. If the peer closes at
 * the known limit again, the next attempt comes later.
 */
#ifndef TRANSPORT_IDLE_H
#define TRANSPORT_IDLE_H

#include <stdbool.h>
#include <stdint.h>

#define IDLE_LEARN_MIN_MS 1000   /* an earlier close is a restart or a fault, not a limit */
#define IDLE_MAX_MS       120000 /* longest idle time: NAT boxes forget connections, and TCP does not notice */
#define IDLE_TRUST        3      /* uses of a new limit before it is doubled */
#define IDLE_TRUST_MAX    48     /* of one that was confirmed often: with 10 s, that is every seven minutes */

struct idle {
	int64_t limit_ms; /* 0: not known */
	int64_t seen_ms;  /* the peer's last close: limit_ms is above it while the limit is doubted */
	unsigned trust;   /* uses of the limit before it is doubled */
	unsigned used;    /* times since then */
};

/* The peer closed a connection that had been idle for so long. */
void idle_on_peer_close(struct idle *, int64_t idle_ms);
/* A connection was idle for idle_use_ms, and ctstub closed it or asked a question over it. */
void idle_on_used(struct idle *);
/* How long a connection may be idle and still be used: a little less than the limit. keepalive_ms: the idle time
 * that the peer promised for this connection (RFC 7828); -1: none. */
int64_t idle_use_ms(const struct idle *, int64_t keepalive_ms);

#endif
