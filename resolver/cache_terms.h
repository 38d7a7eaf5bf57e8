/*
 * cache_terms.h - what the cache is limited by, what it is told of an answer, and what it gives back.
 *
 * For cache.h, whose users see these, and for cache_entry.h, which keeps them.
 */
#ifndef RESOLVER_CACHE_TERMS_H
#define RESOLVER_CACHE_TERMS_H

#include "base/dns/message.h"

struct cache_limits {
	uint64_t bytes; /* everything the cache holds, its tables included */
	int64_t min_ttl_ms, max_ttl_ms, negative_max_ttl_ms, serve_stale_ms;
	bool prefetch;
};

/* Counted since the start; entries and bytes are of this moment. */
struct cache_stats {
	uint64_t hits, stale_hits, misses, stored, evicted, expired;
	uint64_t entries, bytes;
};

#define CACHE_UPSTREAMS 256 /* an entry has one byte for the number of its upstream */

/* A cached answer. */
struct cache_hit {
	struct msg_answer answer; /* without OPT; ttl_at set */
	int64_t stored_ms;
	uint32_t age_s; /* since it was stored */
	/* CACHE_FRESH: a cached resolution failure (RFC 9520); the answer has its RCODE and no records. CACHE_STALE: the
	 * last try to refresh it failed a moment ago, so do not ask again yet (RFC 8767, 5: the failure
	 * recheck timer). */
	bool failure;
	/* CACHE_STALE with a failure: its RCODE, which an upstream gave; 0: none could be reached. */
	uint16_t relayed;
	bool ad; /* the upstream set AD and is trusted for it */
	/* Popular and in the last tenth of its life: ask again in the background. Reported once. */
	bool prefetch;
	bool has_ede;
	struct msg_ede ede; /* the EDE that came with it; text lent */
	uint32_t upstream;  /* a number that the caller chose, below CACHE_UPSTREAMS */
};

struct cache_entry_info {
	uint32_t upstream; /* below CACHE_UPSTREAMS */
	bool ad;
	const struct msg_ede *ede; /* may be NULL; at most MSG_EDE_TEXT_MAX bytes of its text are kept */
	uint32_t age_s;            /* DoH Age: taken off the TTLs before the limits are applied */
};

#endif
