/*
 * nat.h - learns after how long the network forgets idle connections.
 *
 * A NAT box or a firewall forgets a connection that was idle for too long, and drops whatever comes over it later. The next
 * question waits for STALL_DEAD_PATH_MS then, before a fresh connection is tried. If that one is ready at once, only the old
 * connection was dead: from then on connections are closed when they have been idle for a little less than it was. That may
 * have been an accident, so after a few such closes one connection may be idle for longer. If an answer comes over it, the
 * limit is forgotten; if it is dead too, the next test comes later.
 */
#ifndef TRANSPORT_NAT_H
#define TRANSPORT_NAT_H

#include <stdbool.h>
#include <stdint.h>

/* No box forgets sooner: the path failed just then. */
#define NAT_LEARN_MIN_MS 5000
/* A fresh connection that begins later shows nothing: the path may have recovered. */
#define NAT_CONFIRM_MS 1000
/* Closes because of a new limit before it is tested, and because of one that was confirmed often. */
#define NAT_TRUST     3
#define NAT_TRUST_MAX 48

/* Of one peer on one network. Zeroed before its first use and on another network. */
struct nat {
	int64_t limit_ms; /* 0: not known */
	unsigned trust;   /* closes because of it before it is tested */
	unsigned used;    /* closes since then */
	/* A connection that was idle for so long is dead, and perhaps the path is; 0: none. */
	int64_t dead_ms, dead_at_ms;
};

/* A connection that was idle for so long turned out dead, now. */
void nat_on_dead(struct nat *, int64_t idle_ms, int64_t now_ms);
/* The outcome of a connection that was begun at this time. at_once: it became ready as soon as one does on a good path. */
void nat_on_fresh(struct nat *, int64_t begun_ms, bool at_once);
/* Something came over a connection that had been idle for so long before. */
void nat_on_alive(struct nat *, int64_t idle_ms);
/* A connection was idle for nat_use_ms, and was closed or used because of that. */
void nat_on_used(struct nat *);
/* How long a connection may be idle and still be used. INT64_MAX: no limit is known, or it is to be tested. */
int64_t nat_use_ms(const struct nat *);

#endif
