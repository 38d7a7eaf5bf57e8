/*
 * reply.h - replies to clients: the one place that builds, counts and explains them.
 *
 * A reply is described once and written for each client that gets it, with that client's id, spelling, flags and room.
 */
#ifndef RESOLVER_REPLY_H
#define RESOLVER_REPLY_H

#include "base/dns/message.h"
#include "resolver/cache.h"
#include "resolver/counters.h"

struct server; /* server.h */

/* The idle time-out that RFC 7828 clients are given, in 100 ms: ours (TCP_IDLE_MS). */
#define REPLY_KEEPALIVE_DS 300
#define REPLY_STALE_TTL_S  30 /* RFC 8767, 4 */

struct reply {
	const struct msg_answer *answer; /* NULL: no records, the RCODE alone */
	uint16_t rcode;                  /* without an answer */
	bool no_recursion;               /* without an answer: RA is clear */
	bool ad;                         /* validated by an upstream that is trusted for it */
	uint32_t age_s;                  /* taken off the TTLs */
	uint32_t ttl_floor, ttl_cap;
	const struct msg_ede *ede;
	size_t n_ede;
	const struct server *server; /* of an upstream's answer; NULL: it is of none, or of the cache */
	enum counter counts_as;      /* beside COUNTER_REPLIES; COUNTER_COUNT: nothing */
};

/* An RCODE without records. ede may be NULL. */
struct reply reply_empty(uint16_t rcode, const struct msg_ede *ede, enum counter counts_as);
/* An answer as it is. ede may be NULL. */
struct reply reply_whole(const struct msg_answer *, const struct msg_ede *ede, enum counter counts_as);
/* A cached answer that is fresh. Lent from the hit. */
struct reply reply_cached(const struct cache_hit *);
/* A stale cached answer. *ede (room for it) marks it as stale. */
struct reply reply_stale(const struct cache_hit *, struct msg_ede *ede);

/* Appends the reply to this question, within the size that the client accepts over UDP or TCP, and counts it. An
 * answer that cannot be written becomes SERVFAIL. False: nothing was appended. */
bool reply_write(struct buf *out, const struct reply *, const struct msg_question *, bool tcp,
		 struct counters *);

/* Extended DNS Errors (RFC 8914) that are always the same. Those about upstreams are made in explain.h. */
extern const struct msg_ede reply_ede_cached_error;
extern const struct msg_ede reply_ede_client;
extern const struct msg_ede reply_ede_filtered;
extern const struct msg_ede reply_ede_not_forwarded;
extern const struct msg_ede reply_ede_overload;
extern const struct msg_ede reply_ede_rebinding;
extern const struct msg_ede reply_ede_single_label;
extern const struct msg_ede reply_ede_unmade;

#endif
