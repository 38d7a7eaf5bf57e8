/*
 * cache_table.h - a part of the cache: entries by key, within its bytes, and which of them leaves.
 *
 * It has no lock, reads no clock and frees no entry. What leaves the table goes to a list of the caller's, who frees it
 * when the lock that guards the table is open again. Times are boot milliseconds.
 */
#ifndef RESOLVER_CACHE_TABLE_H
#define RESOLVER_CACHE_TABLE_H

#include "resolver/cache_entry.h"

struct cache_table;

enum res cache_table_new(struct cache_table **, const struct cache_limits *);
void cache_table_free(struct cache_table *);

/* What left a table. */
struct cache_gone {
	struct cache_entries list;
	void *chains, *marks; /* arrays that the table does not need any more */
};
void cache_gone_init(struct cache_gone *);
void cache_gone_free(struct cache_gone *);

const struct cache_limits *cache_table_limits(const struct cache_table *); /* lent */
/* Takes all entries out, and keeps within these limits from now on. O(1), however many there were. */
void cache_table_renew(struct cache_table *, const struct cache_limits *, struct cache_gone *);

/* Looks a question up and counts the look-up. Lent until the table changes; NULL: CACHE_MISS. *prefetch: the entry
 * is popular and in the last tenth of its life; set only once. */
struct cache_entry *cache_table_get(struct cache_table *, const struct cache_key *, uint32_t hash,
				    int64_t now_ms, bool *prefetch, struct cache_gone *);
/* The entry as it is, even if it is too old to be used, without counting; NULL: it is not there. Lent. */
struct cache_entry *cache_table_find(const struct cache_table *, const struct cache_key *, uint32_t hash);
/* Adds an entry (taken). It replaces the old one for the key; other entries are removed to make room. */
void cache_table_add(struct cache_table *, const struct cache_key *, struct cache_entry *, int64_t now_ms,
		     struct cache_gone *);
void cache_table_drop(struct cache_table *, struct cache_entry *, struct cache_gone *);

/* Takes out the entries of this name and of all below it that are in the next `chains` chains. *at: where to begin, from 0;
 * entries that are added between two calls may be missed. True: there is more. */
bool cache_table_flush(struct cache_table *, struct span name, size_t *at, size_t chains, struct cache_gone *,
		       size_t *n);
/* Adds its own numbers. */
void cache_table_stats(const struct cache_table *, struct cache_stats *);

#endif
