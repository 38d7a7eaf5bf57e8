/*
 * Entries hang in two structures: a table of chains that grows one chain at a time (linear hashing: no pause to rehash a
 * million of them), and the list of SIEVE, the oldest first, with its hand.
 *
 * SIEVE rather than LRU: a hit sets one bit and moves nothing, and names asked once in a flood are thrown out before those
 * that are asked again. Zhang et al., NSDI 2024.
 */
#include "resolver/cache_table.h"

#include <stdlib.h>
#include <string.h>

#define CHAINS_MIN       256U
#define CHAIN_LOAD       2     /* entries to a chain: the arrays take 5 bytes of each */
#define POPULAR_HITS     3     /* hits in one lifetime that make an entry worth prefetching */
#define PREFETCH_LIFE_MS 10000 /* shorter lifetimes leave too little time to prefetch */

SLIST_HEAD(chain, cache_entry);

#define CHAIN_BYTES (sizeof(struct chain) + sizeof(uint16_t)) /* in both arrays */

struct cache_table {
	struct cache_limits limits;
	struct chain *chains;
	/* Of each chain, which of 16 kinds of hashes are in it. They lie close together, and most questions that are not in the
	 * cache need not fetch the entries of a chain from far memory to know it. */
	uint16_t *marks;
	/* Of the arrays; what no chain used yet was never written, so its pages are not there. */
	size_t capacity;
	size_t base;               /* a power of two; chains 0 .. base + split - 1 are in use */
	size_t split;              /* the next chain to be split */
	struct cache_entries list; /* the oldest first */
	struct cache_entry *hand;  /* NULL: at the oldest */
	struct cache_stats stats;
};

/* ---- the table */

static size_t
table_chain(const struct cache_table *t, uint32_t hash)
{
	size_t i = hash & (2 * t->base - 1);

	return i < t->base + t->split ? i : i & (t->base - 1);
}

/* By the bits that choose the chain last. */
static uint16_t
hash_mark(uint32_t hash)
{
	return (uint16_t)(1U << (hash >> 28));
}

static void
chain_insert(struct cache_table *t, struct cache_entry *e)
{
	size_t i = table_chain(t, e->hash);

	SLIST_INSERT_HEAD(&t->chains[i], e, chain);
	t->marks[i] |= hash_mark(e->hash);
}

static void
chain_remove(struct cache_table *t, struct cache_entry *e)
{
	size_t i = table_chain(t, e->hash);
	struct cache_entry *other;
	uint16_t marks = 0;

	SLIST_REMOVE(&t->chains[i], e, cache_entry, chain);
	SLIST_FOREACH(other, &t->chains[i], chain)
	marks |= hash_mark(other->hash);
	t->marks[i] = marks;
}

struct cache_entry *
cache_table_find(const struct cache_table *t, const struct cache_key *k, uint32_t hash)
{
	size_t i = table_chain(t, hash);
	struct cache_entry *e;

	if ((t->marks[i] & hash_mark(hash)) == 0)
		return NULL;
	SLIST_FOREACH(e, &t->chains[i], chain)
	if (cache_entry_is(e, hash, k))
		return e;
	return NULL;
}

static bool
table_enlarge(struct cache_table *t)
{
	struct chain *chains = reallocarray(t->chains, t->capacity * 2, sizeof *chains);
	uint16_t *marks;

	if (chains == NULL)
		return false;
	t->chains = chains;
	marks = reallocarray(t->marks, t->capacity * 2, sizeof *marks);
	if (marks == NULL)
		return false;
	t->marks = marks;
	t->capacity *= 2;
	return true;
}

/* Splits one chain in two. Without memory the chains only grow longer. */
static void
table_grow(struct cache_table *t)
{
	struct chain all;
	struct cache_entry *e;

	if (t->base + t->split == t->capacity && !table_enlarge(t))
		return;
	all = t->chains[t->split];
	SLIST_INIT(&t->chains[t->split]);
	SLIST_INIT(&t->chains[t->base + t->split]);
	t->marks[t->split] = t->marks[t->base + t->split] = 0;
	t->stats.bytes += CHAIN_BYTES;
	if (++t->split == t->base) {
		t->base *= 2;
		t->split = 0;
	}
	while ((e = SLIST_FIRST(&all)) != NULL) {
		SLIST_REMOVE_HEAD(&all, chain);
		chain_insert(t, e);
	}
}

/* An entry to prefetch for the next split, which would otherwise wait for the entries of its chain in far memory. The
 * first is fetched after a split, the second with the next entry; three are in it on average. */
static const struct cache_entry *
table_split_next(const struct cache_table *t, bool was_split)
{
	const struct cache_entry *e = SLIST_FIRST(&t->chains[t->split]);

	return e == NULL || was_split ? e : SLIST_NEXT(e, chain);
}

/* ---- which entry leaves */

void
cache_table_drop(struct cache_table *t, struct cache_entry *e, struct cache_gone *gone)
{
	chain_remove(t, e);
	if (t->hand == e)
		t->hand = TAILQ_NEXT(e, age);
	TAILQ_REMOVE(&t->list, e, age);
	t->stats.entries--;
	t->stats.bytes -= cache_entry_bytes(e);
	TAILQ_INSERT_TAIL(&gone->list, e, age);
}

/* Evicts one entry. The hand moves from the oldest to the newest and evicts the first entry that was not used since
 * the hand last passed. Entries that it passes lose their mark, so it stops in the second round at the latest. */
static void
evict_one(struct cache_table *t, int64_t now_ms, struct cache_gone *gone)
{
	struct cache_entry *e = t->hand != NULL ? t->hand : TAILQ_FIRST(&t->list);

	while (e->visited && !cache_entry_is_dead(e, &t->limits, now_ms)) {
		e->visited = false;
		e = TAILQ_NEXT(e, age) != NULL ? TAILQ_NEXT(e, age) : TAILQ_FIRST(&t->list);
	}
	t->hand = e;
	cache_table_drop(t, e, gone);
	t->stats.evicted++;
}

static void
evict_to(struct cache_table *t, uint64_t bytes, int64_t now_ms, struct cache_gone *gone)
{
	while (!TAILQ_EMPTY(&t->list) && t->stats.bytes > bytes)
		evict_one(t, now_ms, gone);
}

void
cache_table_add(struct cache_table *t, const struct cache_key *k, struct cache_entry *e, int64_t now_ms,
		struct cache_gone *gone)
{
	struct cache_entry *before = cache_table_find(t, k, e->hash);
	uint64_t bytes = cache_entry_bytes(e);
	bool grows;

	if (before != NULL) {
		e->visited = before->visited;
		cache_table_drop(t, before, gone);
	}
	/* Evict before adding the entry: the hand would find it unvisited. */
	evict_to(t, t->limits.bytes > bytes ? t->limits.bytes - bytes : 0, now_ms, gone);
	chain_insert(t, e);
	TAILQ_INSERT_TAIL(&t->list, e, age);
	t->stats.entries++;
	t->stats.bytes += bytes;
	t->stats.stored++;
	grows = t->stats.entries > CHAIN_LOAD * (t->base + t->split);
	if (grows) {
		table_grow(t);
		evict_to(t, t->limits.bytes, now_ms, gone);
	}
	__builtin_prefetch(table_split_next(t, grows));
}

/* ---- life */

/* What the table itself takes. */
static uint64_t
table_bytes(const struct cache_table *t)
{
	return sizeof *t + (t->base + t->split) * CHAIN_BYTES;
}

enum res
cache_table_new(struct cache_table **out, const struct cache_limits *limits)
{
	struct cache_table *t = calloc(1, sizeof *t);

	if (t == NULL)
		return RES_NOMEM;
	t->chains = calloc(CHAINS_MIN, sizeof *t->chains);
	t->marks = calloc(CHAINS_MIN, sizeof *t->marks);
	if (t->chains == NULL || t->marks == NULL) {
		free(t->chains);
		free(t->marks);
		free(t);
		return RES_NOMEM;
	}
	TAILQ_INIT(&t->list);
	t->limits = *limits;
	t->capacity = t->base = CHAINS_MIN;
	t->stats.bytes = table_bytes(t);
	*out = t;
	return RES_OK;
}

void
cache_gone_init(struct cache_gone *gone)
{
	TAILQ_INIT(&gone->list);
	gone->chains = NULL;
	gone->marks = NULL;
}

void
cache_gone_free(struct cache_gone *gone)
{
	(void)cache_entries_free(&gone->list, SIZE_MAX);
	free(gone->chains);
	free(gone->marks);
	gone->chains = NULL;
	gone->marks = NULL;
}

void
cache_table_free(struct cache_table *t)
{
	struct cache_gone gone;

	if (t == NULL)
		return;
	cache_gone_init(&gone);
	TAILQ_CONCAT(&gone.list, &t->list, age);
	gone.chains = t->chains;
	gone.marks = t->marks;
	cache_gone_free(&gone);
	free(t);
}

const struct cache_limits *
cache_table_limits(const struct cache_table *t)
{
	return &t->limits;
}

/* Small arrays in place of large ones. Without memory for them the large ones stay, and are used from their front. */
static void
table_shrink(struct cache_table *t, struct cache_gone *gone)
{
	struct chain *chains = calloc(CHAINS_MIN, sizeof *chains);
	uint16_t *marks = calloc(CHAINS_MIN, sizeof *marks);

	if (chains == NULL || marks == NULL) {
		free(chains);
		free(marks);
		return;
	}
	gone->chains = t->chains;
	gone->marks = t->marks;
	t->chains = chains;
	t->marks = marks;
	t->capacity = CHAINS_MIN;
}

void
cache_table_renew(struct cache_table *t, const struct cache_limits *limits, struct cache_gone *gone)
{
	TAILQ_CONCAT(&gone->list, &t->list, age);
	t->hand = NULL;
	if (t->capacity > CHAINS_MIN)
		table_shrink(t, gone);
	memset(t->chains, 0, CHAINS_MIN * sizeof *t->chains);
	memset(t->marks, 0, CHAINS_MIN * sizeof *t->marks);
	t->base = CHAINS_MIN;
	t->split = 0;
	t->limits = *limits;
	t->stats.entries = 0;
	t->stats.bytes = table_bytes(t);
}

/* ---- asked */

/* Popular, and in the last tenth of its life: reported once. */
static bool
entry_wants_prefetch(const struct cache_table *t, struct cache_entry *e, int64_t now_ms)
{
	if (e->hits < POPULAR_HITS)
		e->hits++;
	if (!t->limits.prefetch || e->hits < POPULAR_HITS || e->prefetch_reported || e->failure ||
	    e->life_ms < PREFETCH_LIFE_MS || cache_entry_expires_ms(e) - now_ms > e->life_ms / 10)
		return false;
	e->prefetch_reported = true;
	return true;
}

struct cache_entry *
cache_table_get(struct cache_table *t, const struct cache_key *k, uint32_t hash, int64_t now_ms,
		bool *prefetch, struct cache_gone *gone)
{
	struct cache_entry *e = cache_table_find(t, k, hash);

	*prefetch = false;
	if (e != NULL && cache_entry_is_dead(e, &t->limits, now_ms)) {
		cache_table_drop(t, e, gone);
		t->stats.expired++;
		e = NULL;
	}
	if (e == NULL) {
		t->stats.misses++;
		return NULL;
	}
	e->visited = true;
	if (now_ms >= cache_entry_expires_ms(e)) {
		t->stats.stale_hits++;
	} else {
		t->stats.hits++;
		*prefetch = entry_wants_prefetch(t, e, now_ms);
	}
	return e;
}

bool
cache_table_flush(struct cache_table *t, struct span name, size_t *at, size_t chains, struct cache_gone *gone,
		  size_t *n)
{
	struct cache_entry *e, *next;

	/* A chain that is split meanwhile gives entries to a chain of a higher number: none is passed over. */
	for (; chains > 0 && *at < t->base + t->split; chains--, ++*at)
		for (e = SLIST_FIRST(&t->chains[*at]); e != NULL; e = next) {
			next = SLIST_NEXT(e, chain);
			if (!msg_name_below(cache_entry_name(e), name))
				continue;
			cache_table_drop(t, e, gone);
			++*n;
		}
	return *at < t->base + t->split;
}

void
cache_table_stats(const struct cache_table *t, struct cache_stats *sum)
{
	sum->hits += t->stats.hits;
	sum->stale_hits += t->stats.stale_hits;
	sum->misses += t->stats.misses;
	sum->stored += t->stats.stored;
	sum->evicted += t->stats.evicted;
	sum->expired += t->stats.expired;
	sum->entries += t->stats.entries;
	sum->bytes += t->stats.bytes;
}
