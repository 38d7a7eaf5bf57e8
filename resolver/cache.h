/*
 * cache.h - answers as wire with their TTL offsets, bounded in bytes.
 *
 * A cache belongs to one thread, and so does everything that it lends. Several caches may keep their answers in one
 * store, which has locks (cache_store.h). The key is the question alone: lower-case name, type, class, DO and CD. Only
 * the exact question is ever found: NXDOMAIN, too, is kept per type, and says nothing about names below (RFC 2308, 5 and
 * RFC 8020 would allow it; servers that say so for AAAA alone must not take the A away: RFC 4074, 4.2). Eviction is O(1)
 * and keeps what is used (SIEVE: one hand, one visited bit; no list surgery on a hit, which is the hot path). Times are
 * boot milliseconds.
 */
#ifndef RESOLVER_CACHE_H
#define RESOLVER_CACHE_H

#include "resolver/cache_key.h"
#include "resolver/cache_store.h"
#include "resolver/cache_terms.h"

struct cache;

/* With a store of its own. */
enum res cache_new(struct cache **, const struct cache_limits *);
/* In this store, which is lent and outlives the cache. */
enum res cache_new_in(struct cache **, struct cache_store *);
void cache_free(struct cache *);
/* A new configuration is in force, with a larger number than any before. Answers that anyone stored or stores under
 * an earlier one are no longer found. The limits are those of the whole store. */
void cache_renew(struct cache *, uint64_t generation, const struct cache_limits *);

/* Computes the hash by which this cache finds the key. Without it each call computes its own. */
void cache_key_prepare(const struct cache *, struct cache_key *);

enum cache_state { CACHE_MISS, CACHE_FRESH, CACHE_STALE };

/* *hit is lent until the next cache_get of this cache. */
enum cache_state cache_get(struct cache *, const struct cache_key *, int64_t now_ms, struct cache_hit *);

/*
 * Stores an answer that may be kept; false: it was not stored. Only NOERROR and NXDOMAIN are stored, never with TC (RFC
 * 2181, 9). The life of a negative answer follows from its SOA (RFC 2308, 5); without one it is at most a second. The
 * limits are already applied to the TTLs of the stored answer: a hit needs no floor and no cap, only its age. An answer
 * whose life is 0 or over (its age counts), or that is too large, is not stored, and removes the one stored before.
 */
bool cache_put(struct cache *, const struct cache_key *, const struct msg_answer *,
	       const struct cache_entry_info *, int64_t now_ms);
/* Stores a failure (RFC 9520), for at least 1 s and at most 5 min. Data that can be served, stale or not, stay: see
 * cache_hit.failure. */
void cache_put_failure(struct cache *, const struct cache_key *, uint16_t rcode, const struct msg_ede *,
		       int64_t for_ms, int64_t now_ms);

/* The same for the failure of an upstream that answered. Data stay, too, but are not to be served stale before it is over: see
 * cache_hit.relayed. */
void cache_put_relayed(struct cache *, const struct cache_key *, uint16_t rcode, const struct msg_ede *,
		       int64_t for_ms, int64_t now_ms);

/* Stores an upstream's decision without records (REFUSED or SERVFAIL with its reason). It is kept like a failure,
 * but replaces the stored answer, because stale data must not hide it. */
void cache_put_decision(struct cache *, const struct cache_key *, const struct msg_answer *,
			const struct msg_ede *, int64_t for_ms, int64_t now_ms);

/* Removes what is stored for this key: a newer answer came that is not to be kept. */
void cache_forget(struct cache *, const struct cache_key *);

/* These work on the whole store: see cache_store.h. */
size_t cache_flush(struct cache *, struct span name);
void cache_stats(struct cache *, struct cache_stats *);

#endif
