/*
 * cache_entry.h - one cached answer: its bytes, how long it lives, and what it says when it is asked for.
 *
 * The inside of cache.h. Knows nothing of the table that entries hang in.
 */
#ifndef RESOLVER_CACHE_ENTRY_H
#define RESOLVER_CACHE_ENTRY_H

#include "resolver/cache_key.h"
#include "resolver/cache_terms.h"

#include <sys/queue.h>

/* RFC 2308, 5: a denial without SOA should not be kept; a second is allowed, against storms of questions. */
#define CACHE_NO_SOA_MS      1000
#define CACHE_FAILURE_MIN_MS 1000 /* RFC 9520, 3.2 */
#define CACHE_FAILURE_MAX_MS 300000

/*
 * Fields are as small as their values allow: with a million entries, each byte costs a megabyte. The options limit a
 * life to 30 days, which fit in 32 bits of milliseconds, and the number of upstreams to 256.
 */
struct cache_entry {
	SLIST_ENTRY(cache_entry) chain; /* of its hash */
	TAILQ_ENTRY(cache_entry) age;   /* of all */
	int64_t stored_ms;              /* the age of the answer counts from here */
	uint32_t hash;
	uint32_t life_ms; /* from stored_ms; then it is stale */
	/* From stored_ms: the last try to refresh this entry failed; no new one before this. */
	uint32_t failed_for_ms;
	uint16_t wire_n, n_ttl;
	uint8_t upstream;
	uint8_t relayed; /* the RCODE that an upstream gave at that try; 0: it gave none */
	uint16_t rcode : 12, hits : 2, do_bit : 1, cd : 1;
	uint8_t name_n;
	uint8_t visited : 1, ad : 1, failure : 1, has_ede : 1, has_answer_of_type : 1, prefetch_reported : 1;
	/* Offsets of the TTLs, the message (its question in lower case: the key); with has_ede the code of the EDE, the length
	 * of its text and the text. */
	uint16_t data[];
};
TAILQ_HEAD(cache_entries, cache_entry);

/* Frees at most n entries of the list, the youngest first, so that malloc returns the end of its heap a little at a
 * time. With the oldest first, freeing the last entry would return everything at once, with the lock of the heap
 * held. True: there are more. */
bool cache_entries_free(struct cache_entries *, size_t n);

/* An answer. info, key and limits as for cache_put. NULL: it may not be kept, or there is no room. *left_ms (also when it
 * gives NULL): how long it can be kept from now on; 0 or less: not at all. */
struct cache_entry *cache_entry_new(const struct cache_limits *, const struct cache_key *, uint32_t hash,
				    const struct msg_answer *, const struct cache_entry_info *,
				    int64_t now_ms, int64_t *left_ms);
/* An entry without records. NULL: no memory. */
struct cache_entry *cache_entry_failure(const struct cache_limits *, const struct cache_key *, uint32_t hash,
					uint16_t flags, uint16_t rcode, const struct msg_ede *,
					int64_t for_ms, int64_t now_ms);

bool cache_entry_is(const struct cache_entry *, uint32_t hash, const struct cache_key *);
struct span cache_entry_name(const struct cache_entry *); /* lent */
/* Its size in the cache, including malloc's overhead. */
uint64_t cache_entry_bytes(const struct cache_entry *);
/* Too old to be used, even as stale data. */
bool cache_entry_is_dead(const struct cache_entry *, const struct cache_limits *, int64_t now_ms);
int64_t cache_entry_expires_ms(const struct cache_entry *);
/* Sets that no refresh is tried before now + for_ms, within the bounds of RFC 9520. relayed: see cache_hit. */
void cache_entry_failed(struct cache_entry *, uint16_t relayed, int64_t for_ms, int64_t now_ms);
/* Copies it to a buffer of CACHE_ENTRY_MAX bytes. */
void cache_entry_copy(struct cache_entry *to, const struct cache_entry *);
#define CACHE_ENTRY_MAX (sizeof(struct cache_entry) + 2 * MSG_RRS_MAX + MSG_MAX + 3 + MSG_EDE_TEXT_MAX)
/* Lent from the entry. */
void cache_entry_hit(const struct cache_entry *, int64_t now_ms, struct cache_hit *);

#endif
