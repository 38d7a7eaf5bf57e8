#include "resolver/cache_store.h"

#include "resolver/cache_table.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define CACHE_LINE   64
#define FLUSH_CHAINS 256 /* looked at under one lock */

/* The parts lie in lines of their own: two workers at two of them do not wait for each other's writes. */
struct part {
	_Alignas(CACHE_LINE) uint64_t generation;
	struct cache_table *table;
	pthread_mutex_t lock; /* of all this */
};

struct cache_store {
	struct hash_key key;
	unsigned workers;
	unsigned n; /* of parts, a power of two */
	/* So many of them are in use, a power of two: after a reload with a smaller size fewer than there are. Who still sees the
	 * number before finds parts of another generation. */
	_Atomic unsigned used;
	struct part *part;
};

/* The lower half of the hash is the table's. */
static struct part *
store_part(const struct cache_store *s, uint64_t hash)
{
	return &s->part[hash >> 32 & (atomic_load_explicit(&s->used, memory_order_relaxed) - 1)];
}

static void
part_lock(struct part *p, struct cache_gone *gone)
{
	cache_gone_init(gone);
	pthread_mutex_lock(&p->lock);
}

/* Frees what left the table when nobody waits for the lock any more. */
static void
part_unlock(struct part *p, struct cache_gone *gone)
{
	pthread_mutex_unlock(&p->lock);
	cache_gone_free(gone);
}

static unsigned
parts_for(unsigned workers, uint64_t bytes)
{
	unsigned n = 1;

	while (workers > 1 && n < workers * CACHE_TABLES_OF_WORKER && n < CACHE_TABLES_MAX &&
	       bytes / (2 * n) >= CACHE_TABLE_BYTES_MIN)
		n *= 2;
	return n;
}

/* Of the parts that there are; each takes 3 KiB when it is not used. */
static unsigned
parts_used(const struct cache_store *s, uint64_t bytes)
{
	unsigned n = parts_for(s->workers, bytes);

	return n < s->n ? n : s->n;
}

struct cache_limits
cache_store_part_limits(const struct cache_store *s, const struct cache_limits *limits)
{
	struct cache_limits own = *limits;

	own.bytes /= parts_used(s, limits->bytes);
	return own;
}

enum res
cache_store_new(struct cache_store **out, unsigned workers, const struct cache_limits *limits)
{
	struct cache_store *s = calloc(1, sizeof *s);
	const unsigned n = parts_for(workers, limits->bytes);
	struct cache_limits own;
	enum res res = RES_OK;

	if (s == NULL)
		return RES_NOMEM;
	s->key = hash_key_random();
	s->part = aligned_alloc(CACHE_LINE, n * sizeof *s->part);
	s->workers = workers;
	s->n = n;
	atomic_init(&s->used, n);
	own = cache_store_part_limits(s, limits);
	for (s->n = 0; s->part != NULL && s->n < n && res == RES_OK; s->n += res == RES_OK) {
		struct part *p = &s->part[s->n];

		p->generation = 0;
		res = cache_table_new(&p->table, &own);
		if (res == RES_OK)
			pthread_mutex_init(&p->lock, NULL);
	}
	if (s->n < n) {
		cache_store_free(s);
		return RES_NOMEM;
	}
	*out = s;
	return RES_OK;
}

void
cache_store_free(struct cache_store *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->n; i++) {
		pthread_mutex_destroy(&s->part[i].lock);
		cache_table_free(s->part[i].table);
	}
	free(s->part);
	free(s);
}

void
cache_store_renew(struct cache_store *s, uint64_t generation, const struct cache_limits *limits,
		  struct cache_entries *left)
{
	const struct cache_limits own = cache_store_part_limits(s, limits);
	struct cache_gone gone;

	for (unsigned i = 0; i < s->n; i++) {
		struct part *p = &s->part[i];

		part_lock(p, &gone);
		if (generation > p->generation) {
			if (i == 0)
				atomic_store(&s->used, parts_used(s, limits->bytes));
			p->generation = generation;
			cache_table_renew(p->table, &own, &gone);
			if (left != NULL)
				TAILQ_CONCAT(left, &gone.list, age);
		}
		part_unlock(p, &gone);
	}
}

static size_t
part_flush(struct part *p, struct span name)
{
	struct cache_gone gone;
	size_t at = 0, n = 0;
	bool more = true;

	while (more) {
		part_lock(p, &gone);
		more = cache_table_flush(p->table, name, &at, FLUSH_CHAINS, &gone, &n);
		part_unlock(p, &gone);
	}
	return n;
}

size_t
cache_store_flush(struct cache_store *s, struct span name)
{
	size_t n = 0;

	for (unsigned i = 0; i < s->n; i++)
		n += part_flush(&s->part[i], name);
	return n;
}

struct cache_limits
cache_store_limits(struct cache_store *s)
{
	struct cache_limits limits;

	pthread_mutex_lock(&s->part[0].lock);
	limits = *cache_table_limits(s->part[0].table);
	pthread_mutex_unlock(&s->part[0].lock);
	return limits;
}

void
cache_store_stats(struct cache_store *s, struct cache_stats *sum)
{
	*sum = (struct cache_stats){0};
	for (unsigned i = 0; i < s->n; i++) {
		pthread_mutex_lock(&s->part[i].lock);
		cache_table_stats(s->part[i].table, sum);
		pthread_mutex_unlock(&s->part[i].lock);
	}
}

/* ---- one question */

uint64_t
cache_store_hash(const struct cache_store *s, const struct cache_key *k)
{
	return k->hash != 0 ? k->hash : cache_key_hash(k, &s->key);
}

bool
cache_store_get(struct cache_store *s, uint64_t generation, const struct cache_key *k, uint64_t hash,
		int64_t now_ms, struct cache_entry *copy, bool *prefetch)
{
	struct part *p = store_part(s, hash);
	struct cache_entry *e = NULL;
	struct cache_gone gone;

	part_lock(p, &gone);
	if (p->generation == generation)
		e = cache_table_get(p->table, k, (uint32_t)hash, now_ms, prefetch, &gone);
	if (e != NULL)
		cache_entry_copy(copy, e);
	part_unlock(p, &gone);
	return e != NULL;
}

bool
cache_store_add(struct cache_store *s, uint64_t generation, const struct cache_key *k, uint64_t hash,
		struct cache_entry *e, int64_t now_ms)
{
	struct part *p = store_part(s, hash);
	struct cache_gone gone;
	bool current;

	part_lock(p, &gone);
	current = p->generation == generation;
	if (current)
		cache_table_add(p->table, k, e, now_ms, &gone);
	part_unlock(p, &gone);
	if (!current)
		free(e);
	return current;
}

void
cache_store_forget(struct cache_store *s, uint64_t generation, const struct cache_key *k, uint64_t hash)
{
	struct part *p = store_part(s, hash);
	struct cache_entry *e = NULL;
	struct cache_gone gone;

	part_lock(p, &gone);
	if (p->generation == generation)
		e = cache_table_find(p->table, k, (uint32_t)hash);
	if (e != NULL)
		cache_table_drop(p->table, e, &gone);
	part_unlock(p, &gone);
}

bool
cache_store_failed(struct cache_store *s, uint64_t generation, const struct cache_key *k, uint64_t hash,
		   uint16_t relayed, int64_t for_ms, int64_t now_ms)
{
	struct part *p = store_part(s, hash);
	struct cache_entry *e = NULL;
	bool noted = false;

	pthread_mutex_lock(&p->lock);
	if (p->generation == generation)
		e = cache_table_find(p->table, k, (uint32_t)hash);
	if (e != NULL && !e->failure && !cache_entry_is_dead(e, cache_table_limits(p->table), now_ms)) {
		cache_entry_failed(e, relayed, for_ms, now_ms);
		noted = true;
	}
	pthread_mutex_unlock(&p->lock);
	return noted;
}
