/*
 * cache_store.h - what the caches of all workers hold together: tables of entries, each with a lock of its own.
 *
 * An answer that one worker received is found by all. The lock of a table is held for a look-up and the copy of what it
 * found, or for hanging in an entry that was made before; memory is freed afterwards. Nothing is read, written, logged or
 * waited for meanwhile.
 *
 * Answers belong to a generation of the configuration: another upstream may be asked under the next one, or none. Workers
 * take a new configuration one after the other. So whoever first comes with it empties the store, and one who still has the
 * old one finds nothing and stores nothing.
 */
#ifndef RESOLVER_CACHE_STORE_H
#define RESOLVER_CACHE_STORE_H

#include "resolver/cache_entry.h"

struct cache_store;

#define CACHE_TABLES_OF_WORKER 4 /* so that two workers seldom meet at one table */
#define CACHE_TABLES_MAX       64
/* A table takes answers up to a quarter of its bytes, so this size allows every answer of 64 KiB. */
#define CACHE_TABLE_BYTES_MIN (512 * 1024)

/* For one worker, or several. The generation is 0. */
enum res cache_store_new(struct cache_store **, unsigned workers, const struct cache_limits *);
void cache_store_free(struct cache_store *);

/* From any thread. */

/* A new configuration is in force. The first call with its number empties the store. The entries go to the end of
 * *left, to be freed by cache_entries_free; NULL: they are freed. */
void cache_store_renew(struct cache_store *, uint64_t generation, const struct cache_limits *,
		       struct cache_entries *left);
/* Removes the name and all names below it (wire form, lower case); the root: everything. Returns how many entries
 * were removed. It holds a lock only for a few hundred entries at a time, so no question waits long. */
size_t cache_store_flush(struct cache_store *, struct span name);
/* Of all tables. */
void cache_store_stats(struct cache_store *, struct cache_stats *);

/* The limits of one table: those in force, and those that result from these limits of the store. */
struct cache_limits cache_store_limits(struct cache_store *);
struct cache_limits cache_store_part_limits(const struct cache_store *, const struct cache_limits *);

/* For cache.h, with the generation of the caller's configuration. hash: cache_store_hash. */

/* The hash of the key; computed if the key has none. */
uint64_t cache_store_hash(const struct cache_store *, const struct cache_key *);
/* Copies the entry, as it is, to `copy` (CACHE_ENTRY_MAX bytes, aligned as for malloc). False: CACHE_MISS. */
bool cache_store_get(struct cache_store *, uint64_t generation, const struct cache_key *, uint64_t hash,
		     int64_t now_ms, struct cache_entry *copy, bool *prefetch);
/* The entry (of this hash) is taken. False: the generation is no longer in force. */
bool cache_store_add(struct cache_store *, uint64_t generation, const struct cache_key *, uint64_t hash,
		     struct cache_entry *, int64_t now_ms);
void cache_store_forget(struct cache_store *, uint64_t generation, const struct cache_key *, uint64_t hash);
/* Records a failure with data that may still be served. False: there is no such data. */
bool cache_store_failed(struct cache_store *, uint64_t generation, const struct cache_key *, uint64_t hash,
			uint16_t relayed, int64_t for_ms, int64_t now_ms);

#endif
