/*
 * Entries hang in two structures: a table of chains that grows one chain at a time (linear hashing: no pause to rehash a
 * million of them), and the list of SIEVE, the oldest first, with its hand.
 *
 * SIEVE rather than LRU: a hit sets one bit and moves nothing, and names asked once in a flood are thrown out before those
 * that are asked again. Zhang et al., NSDI 2024.
 */
#include "resolver/cache.h"

#include "resolver/cache_entry.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_MIN        256U
#define POPULAR_HITS     3     /* hits in one lifetime that make an entry worth prefetching */
#define PREFETCH_LIFE_MS 10000 /* shorter lifetimes leave too little time to prefetch */

SLIST_HEAD(chain, cache_entry);

struct cache {
	struct cache_limits limits;
	struct hash_key key;
	struct chain *table;
	size_t capacity;                /* of the array */
	size_t base;                    /* a power of two; chains 0 .. base + split - 1 are in use */
	size_t split;                   /* the next chain to be split */
	TAILQ_HEAD(, cache_entry) list; /* the oldest first */
	struct cache_entry *hand;       /* NULL: at the oldest */
	struct cache_stats stats;
};

/* ---- the table */

static struct chain *
table_chain(const struct cache *c, uint64_t hash)
{
	size_t i = hash & (2 * c->base - 1);

	return &c->table[i < c->base + c->split ? i : i & (c->base - 1)];
}

/* NULL: it is not there. */
static struct cache_entry *
table_find(const struct cache *c, uint64_t hash, const struct cache_key *k)
{
	struct cache_entry *e;

	SLIST_FOREACH(e, table_chain(c, hash), chain)
	if (cache_entry_is(e, hash, k))
		return e;
	return NULL;
}

static bool
table_enlarge(struct cache *c)
{
	struct chain *table = reallocarray(c->table, c->capacity * 2, sizeof *table);

	if (table == NULL)
		return false;
	memset(table + c->capacity, 0, c->capacity * sizeof *table);
	c->stats.bytes += c->capacity * sizeof *table;
	c->table = table;
	c->capacity *= 2;
	return true;
}

/* Splits one chain in two. Without memory the chains only grow longer. */
static void
table_grow(struct cache *c)
{
	struct chain all;
	struct cache_entry *e;

	if (c->base + c->split == c->capacity && !table_enlarge(c))
		return;
	all = c->table[c->split];
	SLIST_INIT(&c->table[c->split]);
	if (++c->split == c->base) {
		c->base *= 2;
		c->split = 0;
	}
	while ((e = SLIST_FIRST(&all)) != NULL) {
		SLIST_REMOVE_HEAD(&all, chain);
		SLIST_INSERT_HEAD(table_chain(c, e->hash), e, chain);
	}
}

/* ---- which entry leaves */

static void
cache_drop(struct cache *c, struct cache_entry *e)
{
	SLIST_REMOVE(table_chain(c, e->hash), e, cache_entry, chain);
	if (c->hand == e)
		c->hand = TAILQ_NEXT(e, age);
	TAILQ_REMOVE(&c->list, e, age);
	c->stats.entries--;
	c->stats.bytes -= cache_entry_bytes(e);
	free(e);
}

/* Evicts one entry. The hand moves from the oldest to the newest and evicts the first entry that was not used since
 * the hand last passed. Entries that it passes lose their mark, so it stops in the second round at the latest. */
static void
evict_one(struct cache *c, int64_t now_ms)
{
	struct cache_entry *e = c->hand != NULL ? c->hand : TAILQ_FIRST(&c->list);

	while (e->visited && !cache_entry_is_dead(e, &c->limits, now_ms)) {
		e->visited = false;
		e = TAILQ_NEXT(e, age) != NULL ? TAILQ_NEXT(e, age) : TAILQ_FIRST(&c->list);
	}
	c->hand = e;
	cache_drop(c, e);
	c->stats.evicted++;
}

static void
evict_to(struct cache *c, uint64_t bytes, int64_t now_ms)
{
	while (!TAILQ_EMPTY(&c->list) && c->stats.bytes > bytes)
		evict_one(c, now_ms);
}

/* Adds an entry, in place of the old one for the key. */
static void
cache_add(struct cache *c, const struct cache_key *k, struct cache_entry *e, int64_t now_ms)
{
	struct cache_entry *before = table_find(c, e->hash, k);
	uint64_t bytes = cache_entry_bytes(e);

	if (before != NULL) {
		e->visited = before->visited;
		cache_drop(c, before);
	}
	/* Evict before adding the entry: the hand would find it unvisited. */
	evict_to(c, c->limits.bytes > bytes ? c->limits.bytes - bytes : 0, now_ms);
	SLIST_INSERT_HEAD(table_chain(c, e->hash), e, chain);
	TAILQ_INSERT_TAIL(&c->list, e, age);
	c->stats.entries++;
	c->stats.bytes += bytes;
	c->stats.stored++;
	if (c->stats.entries > c->base + c->split) {
		table_grow(c);
		evict_to(c, c->limits.bytes, now_ms);
	}
}

/* ---- life */

enum res
cache_new(struct cache **out, const struct cache_limits *limits)
{
	struct cache *c = calloc(1, sizeof *c);

	if (c == NULL)
		return RES_NOMEM;
	c->table = calloc(TABLE_MIN, sizeof *c->table);
	if (c->table == NULL) {
		free(c);
		return RES_NOMEM;
	}
	TAILQ_INIT(&c->list);
	c->key = hash_key_random();
	c->limits = *limits;
	c->capacity = c->base = TABLE_MIN;
	c->stats.bytes = sizeof *c + TABLE_MIN * sizeof *c->table;
	*out = c;
	return RES_OK;
}

void
cache_free(struct cache *c)
{
	struct cache_entry *e;

	if (c == NULL)
		return;
	while ((e = TAILQ_FIRST(&c->list)) != NULL) {
		TAILQ_REMOVE(&c->list, e, age);
		free(e);
	}
	free(c->table);
	free(c);
}

void
cache_limits_set(struct cache *c, const struct cache_limits *limits)
{
	c->limits = *limits;
	evict_to(c, limits->bytes, INT64_MIN);
}

/* ---- asked */

/* Popular, and in the last tenth of its life: reported once. */
static bool
entry_wants_prefetch(const struct cache *c, struct cache_entry *e, int64_t now_ms)
{
	int64_t life = e->expires_ms - e->stored_ms;

	if (e->hits < POPULAR_HITS)
		e->hits++;
	if (!c->limits.prefetch || e->hits < POPULAR_HITS || e->prefetch_reported || e->failure ||
	    life < PREFETCH_LIFE_MS || e->expires_ms - now_ms > life / 10)
		return false;
	e->prefetch_reported = true;
	return true;
}

enum cache_state
cache_get(struct cache *c, const struct cache_key *k, int64_t now_ms, struct cache_hit *hit)
{
	struct cache_entry *e = table_find(c, cache_key_hash(k, &c->key), k);

	if (e != NULL && cache_entry_is_dead(e, &c->limits, now_ms)) {
		cache_drop(c, e);
		c->stats.expired++;
		e = NULL;
	}
	if (e == NULL) {
		c->stats.misses++;
		return CACHE_MISS;
	}
	e->visited = true;
	cache_entry_hit(e, now_ms, hit);
	if (now_ms >= e->expires_ms) {
		c->stats.stale_hits++;
		return CACHE_STALE;
	}
	c->stats.hits++;
	hit->failure = e->failure; /* fresh data are given out, even when a prefetch failed */
	hit->prefetch = entry_wants_prefetch(c, e, now_ms);
	return CACHE_FRESH;
}

/* ---- filled */

static void
cache_forget(struct cache *c, const struct cache_key *k)
{
	struct cache_entry *e = table_find(c, cache_key_hash(k, &c->key), k);

	if (e != NULL)
		cache_drop(c, e);
}

bool
cache_put(struct cache *c, const struct cache_key *k, const struct msg_answer *a,
	  const struct cache_entry_info *info, int64_t now_ms)
{
	int64_t life_ms;
	struct cache_entry *e =
	    cache_entry_new(&c->limits, k, cache_key_hash(k, &c->key), a, info, now_ms, &life_ms);

	/* Older data of the name must not come back as stale data. */
	if (life_ms <= 0 && a->rcode == RCODE_NXDOMAIN)
		cache_forget(c, k);
	if (e == NULL)
		return false;
	cache_add(c, k, e, now_ms);
	return true;
}

/* Adds an entry without records, in place of the old one for the key. */
static void
failure_put(struct cache *c, const struct cache_key *k, uint16_t flags, uint16_t rcode,
	    const struct msg_ede *ede, int64_t for_ms, int64_t now_ms)
{
	struct cache_entry *e =
	    cache_entry_failure(&c->limits, k, cache_key_hash(k, &c->key), flags, rcode, ede, for_ms, now_ms);

	if (e != NULL)
		cache_add(c, k, e, now_ms);
}

void
cache_put_failure(struct cache *c, const struct cache_key *k, uint16_t rcode, const struct msg_ede *ede,
		  int64_t for_ms, int64_t now_ms)
{
	struct cache_entry *e = table_find(c, cache_key_hash(k, &c->key), k);

	/* RFC 8767, 5: a failure does not replace data that may still be served. */
	if (e != NULL && !e->failure && !cache_entry_is_dead(e, &c->limits, now_ms))
		e->failed_until_ms = now_ms + cache_failure_life_ms(for_ms);
	else
		failure_put(c, k, MSG_RA, rcode, ede, for_ms, now_ms);
}

void
cache_put_decision(struct cache *c, const struct cache_key *k, const struct msg_answer *a,
		   const struct msg_ede *ede, int64_t for_ms, int64_t now_ms)
{
	cache_forget(c, k); /* even when there is no memory for the new entry */
	failure_put(c, k, a->flags & MSG_RA, a->rcode, ede, for_ms, now_ms);
}

size_t
cache_flush(struct cache *c, struct span name)
{
	struct cache_entry *e, *next;
	size_t n = 0;

	for (e = TAILQ_FIRST(&c->list); e != NULL; e = next) {
		next = TAILQ_NEXT(e, age);
		if (!msg_name_below(cache_entry_name(e), name))
			continue;
		cache_drop(c, e);
		n++;
	}
	return n;
}

void
cache_stats(const struct cache *c, struct cache_stats *out)
{
	*out = c->stats;
}
