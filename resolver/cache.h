/*
 * cache.h - answers as wire with their TTL offsets, bounded in bytes.
 *
 * One worker's own; no locks. The key is the question alone: lower-case name, type, class, DO and CD. Only the exact
 * question is ever found: NXDOMAIN too is kept for its type, and says nothing about names below (RFC 2308, 5 and RFC
 * 8020 would allow it; servers that say so for AAAA alone must not take the A away: RFC 4074, 4.2). Eviction is O(1)
 * and keeps what is used (SIEVE: one hand, one visited bit; no list surgery on a hit, which is the hot path). Times
 * are boot milliseconds.
 */
#ifndef RESOLVER_CACHE_H
#define RESOLVER_CACHE_H

#include "resolver/cache_key.h"
#include "resolver/cache_terms.h"

struct cache;

enum res cache_new(struct cache **, const struct cache_limits *);
void cache_free(struct cache *);
/* After a reload; shrinking evicts at once. */
void cache_limits_set(struct cache *, const struct cache_limits *);

enum cache_state { CACHE_MISS, CACHE_FRESH, CACHE_STALE };

/* *hit is lent until the next call that changes the cache. */
enum cache_state cache_get(struct cache *, const struct cache_key *, int64_t now_ms, struct cache_hit *);

/*
 * Stores an answer that may be kept; false: it was not stored. NOERROR and NXDOMAIN alone, never TC (RFC 2181, 9),
 * negative answers by their SOA (RFC 2308, 5), without one at most a second, nothing whose life is 0. The limits are
 * already applied to the TTLs of what is stored: a hit needs no floor and no cap, its age alone.
 */
bool cache_put(struct cache *, const struct cache_key *, const struct msg_answer *,
	       const struct cache_entry_info *, int64_t now_ms);
/* RFC 9520: a failure, at least 1 s, at most 5 min. Data that can be served, stale or not, stay: see
 * cache_hit.failure. */
void cache_put_failure(struct cache *, const struct cache_key *, uint16_t rcode, const struct msg_ede *,
		       int64_t for_ms, int64_t now_ms);

/* An upstream's decision that has no records (REFUSED or SERVFAIL with its reason): kept like a failure, but in place of
 * whatever was there, for stale data must not hide it. */
void cache_put_decision(struct cache *, const struct cache_key *, const struct msg_answer *,
			const struct msg_ede *, int64_t for_ms, int64_t now_ms);

/* Flushes the name and all names below it (wire form, lower case); the root: everything. Returns how many entries it
 * removed. */
size_t cache_flush(struct cache *, struct span name);

struct cache_stats {
	uint64_t hits, stale_hits, misses, stored, evicted, expired;
	uint64_t entries, bytes;
};
void cache_stats(const struct cache *, struct cache_stats *);

#endif
