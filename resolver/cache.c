/*
 * Entries hang in two structures: a table of chains that grows one chain at a time (linear hashing: no pause
 * to rehash a million of them), and the list of SIEVE, newest at the head, with its hand.
 *
 * SIEVE rather than LRU: a hit sets one bit and moves nothing, and names asked once in a flood are thrown out
 * before those that are asked again. Zhang et al., NSDI 2024.
 */
#include "resolver/cache.h"

#include "base/random.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MIN        256U
#define POPULAR_HITS     3     /* asked this often in one life: worth asking again before its end */
#define PREFETCH_LIFE_MS 10000 /* a shorter life has no last tenth worth speaking of */
#define NO_SOA_MS        1000
#define FAILURE_MIN_MS   1000 /* RFC 9520, 3.2 */
#define FAILURE_MAX_MS   300000

struct entry {
	struct entry *chain;
	struct entry *newer, *older;
	uint64_t hash;
	int64_t stored_ms; /* the age of the answer counts from here: before it was put, when it came with an
			      Age */
	int64_t expires_ms;
	int64_t failed_until_ms; /* the last try to refresh this entry failed; no new one before this */
	uint32_t upstream;
	uint32_t ttl_min;
	uint16_t wire_n, n_ttl;
	uint16_t rcode;
	uint16_t ede_code;
	uint8_t ede_n;
	uint8_t name_n;
	uint8_t hits;
	bool visited, do_bit, cd, ad, failure, has_ede, has_answer_of_type, prefetch_said;
	uint16_t data[]; /* offsets of the TTLs, the message (its question in lower case: the key), the EDE's
			    text */
};

struct cache {
	struct cache_limits limits;
	struct hash_key key;
	struct entry **table;
	size_t capacity; /* of the array */
	size_t base;     /* a power of two; chains 0 .. base + split - 1 are in use */
	size_t split;    /* the next chain to be split */
	struct entry *newest, *oldest, *hand;
	struct cache_stats stats;
};

static uint64_t
key_hash(const struct cache *c, const struct cache_key *k)
{
	return cache_key_hash(k, &c->key);
}

static const uint8_t *
entry_wire(const struct entry *e)
{
	return (const uint8_t *)(e->data + e->n_ttl);
}

static struct span
entry_name(const struct entry *e)
{
	return span_of(entry_wire(e) + MSG_HEADER, e->name_n);
}

/* With what malloc puts in front, its rounding, and a sixteenth for the holes that entries of many sizes leave. */
static uint64_t
entry_bytes(const struct entry *e)
{
	size_t chunk = (sizeof *e + 2U * e->n_ttl + e->wire_n + e->ede_n + 8 + 15) & ~(size_t)15;

	return chunk + chunk / 16;
}

static bool
entry_is(const struct entry *e, uint64_t hash, const struct cache_key *k)
{
	const uint8_t *fixed = entry_wire(e) + MSG_HEADER + e->name_n;

	return e->hash == hash && e->name_n == k->name.n && e->do_bit == k->do_bit && e->cd == k->cd &&
	       memcmp(entry_wire(e) + MSG_HEADER, k->name.p, k->name.n) == 0 && be16_read(fixed) == k->type &&
	       be16_read(fixed + 2) == k->class;
}

/* ---- the table */

static struct entry **
table_chain(const struct cache *c, uint64_t hash)
{
	size_t i = hash & (2 * c->base - 1);

	return &c->table[i < c->base + c->split ? i : i & (c->base - 1)];
}

/* The link that holds the entry, or the end of its chain. */
static struct entry **
table_find(const struct cache *c, uint64_t hash, const struct cache_key *k)
{
	struct entry **at = table_chain(c, hash);

	while (*at != NULL && !entry_is(*at, hash, k))
		at = &(*at)->chain;
	return at;
}

static struct entry **
table_link_of(const struct cache *c, const struct entry *e)
{
	struct entry **at = table_chain(c, e->hash);

	while (*at != e)
		at = &(*at)->chain;
	return at;
}

/* Splits one chain in two. Without memory for it the chains merely grow longer. */
static void
table_grow(struct cache *c)
{
	struct entry *e, *next;

	if (c->base + c->split == c->capacity) {
		struct entry **table = reallocarray(c->table, c->capacity * 2, sizeof *table);

		if (table == NULL)
			return;
		memset(table + c->capacity, 0, c->capacity * sizeof *table);
		c->stats.bytes += c->capacity * sizeof *table;
		c->table = table;
		c->capacity *= 2;
	}
	e = c->table[c->split];
	c->table[c->split] = NULL;
	if (++c->split == c->base) {
		c->base *= 2;
		c->split = 0;
	}
	for (; e != NULL; e = next) {
		struct entry **to = table_chain(c, e->hash);

		next = e->chain;
		e->chain = *to;
		*to = e;
	}
}

/* ---- the list and who leaves it */

static void
list_add(struct cache *c, struct entry *e)
{
	e->newer = NULL;
	e->older = c->newest;
	if (c->newest != NULL)
		c->newest->newer = e;
	else
		c->oldest = e;
	c->newest = e;
}

static void
list_remove(struct cache *c, struct entry *e)
{
	if (c->hand == e)
		c->hand = e->newer;
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		c->newest = e->older;
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		c->oldest = e->newer;
}

static void
entry_drop(struct cache *c, struct entry **link)
{
	struct entry *e = *link;

	*link = e->chain;
	list_remove(c, e);
	c->stats.entries--;
	c->stats.bytes -= entry_bytes(e);
	free(e);
}

/* Of no use any more, not even as stale data. */
static bool
entry_is_dead(const struct cache *c, const struct entry *e, int64_t now_ms)
{
	return now_ms >= e->expires_ms + (e->failure ? 0 : c->limits.serve_stale_ms);
}

/* One goes: the hand moves from the oldest to the newest and takes the first that was not asked for since it
 * last came by. What it passes by loses its mark, so it stops in the second round at the latest. */
static void
evict_one(struct cache *c, int64_t now_ms)
{
	struct entry *e = c->hand != NULL ? c->hand : c->oldest;

	while (e->visited && !entry_is_dead(c, e, now_ms)) {
		e->visited = false;
		e = e->newer != NULL ? e->newer : c->oldest;
	}
	c->hand = e;
	entry_drop(c, table_link_of(c, e));
	c->stats.evicted++;
}

static void
evict_to(struct cache *c, uint64_t bytes, int64_t now_ms)
{
	while (c->oldest != NULL && c->stats.bytes > bytes)
		evict_one(c, now_ms);
}

/* ---- outside */

enum res
cache_new(struct cache **out, const struct cache_limits *limits)
{
	struct cache *c = calloc(1, sizeof *c);

	if (c == NULL)
		return RES_NOMEM;
	c->table = calloc(TABLE_MIN, sizeof(struct entry *));
	if (c->table == NULL) {
		free(c);
		return RES_NOMEM;
	}
	c->key = hash_key_random();
	c->limits = *limits;
	c->capacity = c->base = TABLE_MIN;
	c->stats.bytes = sizeof *c + TABLE_MIN * sizeof(struct entry *);
	*out = c;
	return RES_OK;
}

void
cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	for (struct entry *e = c->newest, *next; e != NULL; e = next) {
		next = e->older;
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

static void
hit_fill(const struct entry *e, int64_t now_ms, struct cache_hit *hit)
{
	const uint8_t *wire = entry_wire(e);
	struct msg_answer *a = &hit->answer;

	*a = (struct msg_answer){.wire = span_of(wire, e->wire_n),
				 .flags = be16_read(wire + 2),
				 .rcode = e->rcode,
				 .section = span_of(wire + MSG_HEADER, e->name_n + 4U),
				 .type = be16_read(wire + MSG_HEADER + e->name_n),
				 .class = be16_read(wire + MSG_HEADER + e->name_n + 2),
				 .an = be16_read(wire + 6),
				 .ns = be16_read(wire + 8),
				 .ar = be16_read(wire + 10),
				 .n_ttl = e->n_ttl,
				 .ttl_at = (uint16_t *)(uintptr_t)e->data,
				 .ttl_min = e->ttl_min,
				 .has_answer_of_type = e->has_answer_of_type};
	hit->age_s = (uint32_t)((now_ms - e->stored_ms) / 1000);
	hit->failure = e->failure || now_ms < e->failed_until_ms;
	hit->ad = e->ad;
	hit->upstream = e->upstream;
	hit->ede = (struct msg_ede){e->ede_code, span_of(wire + e->wire_n, e->ede_n)};
	hit->has_ede = e->has_ede;
	hit->prefetch = false;
}

enum cache_state
cache_get(struct cache *c, const struct cache_key *k, int64_t now_ms, struct cache_hit *hit)
{
	struct entry **link = table_find(c, key_hash(c, k), k);
	struct entry *e = *link;
	int64_t life;

	if (e != NULL && entry_is_dead(c, e, now_ms)) {
		entry_drop(c, link);
		c->stats.expired++;
		e = NULL;
	}
	if (e == NULL) {
		c->stats.misses++;
		return CACHE_MISS;
	}
	e->visited = true;
	hit_fill(e, now_ms, hit);
	if (now_ms >= e->expires_ms) {
		c->stats.stale_hits++;
		return CACHE_STALE;
	}
	c->stats.hits++;
	hit->failure = e->failure; /* what is fresh is given out, whatever became of asking ahead */
	if (e->hits < POPULAR_HITS)
		e->hits++;
	life = e->expires_ms - e->stored_ms;
	if (c->limits.prefetch && e->hits == POPULAR_HITS && !e->prefetch_said && !e->failure &&
	    life >= PREFETCH_LIFE_MS && e->expires_ms - now_ms <= life / 10)
		hit->prefetch = e->prefetch_said = true;
	return CACHE_FRESH;
}

/* How long it may be kept, and the most that any of its TTLs may say. 0: it may not be kept. */
static int64_t
answer_life(const struct cache *c, const struct msg_answer *a, int64_t *cap_ms)
{
	int64_t life = a->ttl_min == UINT32_MAX ? INT64_MAX : (int64_t)a->ttl_min * 1000;

	*cap_ms = c->limits.max_ttl_ms;
	if ((a->flags & MSG_TC) ||
	    (a->rcode != RCODE_NOERROR && a->rcode != RCODE_NXDOMAIN)) /* RFC 2181, 9 */
		return 0;
	if (a->rcode == RCODE_NXDOMAIN || !a->has_answer_of_type) {
		if (c->limits.negative_max_ttl_ms < *cap_ms)
			*cap_ms = c->limits.negative_max_ttl_ms;
		if (!a->has_soa) /* RFC 2308, 5: should not be kept; this long it may, against storms */
			return life < NO_SOA_MS ? life : NO_SOA_MS;
		if ((int64_t)a->soa_negative_ttl * 1000 < life)
			life = (int64_t)a->soa_negative_ttl * 1000;
	}
	if (life < c->limits.min_ttl_ms)
		life = c->limits.min_ttl_ms;
	return life < *cap_ms ? life : *cap_ms;
}

/* Into the structures, in place of what was there. */
static void
entry_add(struct cache *c, const struct cache_key *k, struct entry *e, int64_t now_ms)
{
	struct entry **link = table_find(c, e->hash, k);

	if (*link != NULL) {
		e->visited = (*link)->visited;
		entry_drop(c, link);
	}
	/* Before it stands in the list: the hand would find it unvisited. */
	evict_to(c, c->limits.bytes > entry_bytes(e) ? c->limits.bytes - entry_bytes(e) : 0, now_ms);
	link = table_chain(c, e->hash);
	e->chain = *link;
	*link = e;
	list_add(c, e);
	c->stats.entries++;
	c->stats.bytes += entry_bytes(e);
	c->stats.stored++;
	if (c->stats.entries > c->base + c->split) {
		table_grow(c);
		evict_to(c, c->limits.bytes, now_ms);
	}
}

/* Room for everything, the key's fields filled; NULL: no memory, or larger than the cache may be. */
static struct entry *
entry_new(const struct cache *c, const struct cache_key *k, size_t n_ttl, size_t wire_n,
	  const struct msg_ede *ede)
{
	size_t ede_n = ede == NULL ? 0 : ede->text.n > MSG_EDE_TEXT_MAX ? MSG_EDE_TEXT_MAX : ede->text.n;
	size_t n = sizeof(struct entry) + 2 * n_ttl + wire_n + ede_n;
	struct entry *e =
	    n > c->limits.bytes / 4 ? NULL : malloc(n); /* one answer is not to empty the cache */

	if (e == NULL)
		return NULL;
	*e = (struct entry){.hash = key_hash(c, k),
			    .wire_n = (uint16_t)wire_n,
			    .n_ttl = (uint16_t)n_ttl,
			    .name_n = (uint8_t)k->name.n,
			    .do_bit = k->do_bit,
			    .cd = k->cd,
			    .ede_n = (uint8_t)ede_n};
	if (ede != NULL) {
		e->has_ede = true;
		e->ede_code = ede->code;
		if (ede_n > 0)
			memcpy((uint8_t *)(e->data + n_ttl) + wire_n, ede->text.p, ede_n);
	}
	return e;
}

/* TTLs as they are to be counted down, the question in lower case. */
static void
entry_wire_settle(struct entry *e, const struct cache_key *k, const struct msg_answer *a, int64_t floor_ms,
		  int64_t cap_ms)
{
	uint8_t *wire = (uint8_t *)(e->data + e->n_ttl);
	uint32_t floor = (uint32_t)(floor_ms / 1000), cap = (uint32_t)(cap_ms / 1000);

	for (size_t i = 0; i < a->n_ttl; i++) {
		size_t at = a->ttl_at[i] > a->opt_at ? a->ttl_at[i] - a->opt_n : a->ttl_at[i];
		uint32_t ttl = be32_read(wire + at);

		ttl = ttl > INT32_MAX ? 0 : ttl; /* RFC 2181, 8 */
		if (a->ttl_at[i] == a->soa_ttl_at && ttl > a->soa_negative_ttl)
			ttl = a->soa_negative_ttl; /* RFC 2308, 5: at 0 the answer ends */
		ttl = ttl < floor ? floor : ttl;
		be32_write(wire + at, ttl > cap ? cap : ttl);
		e->data[i] = (uint16_t)at;
	}
	memcpy(wire + MSG_HEADER, k->name.p, k->name.n);
	be16_write(wire + 10, a->ar);
}

static void
entry_forget(struct cache *c, const struct cache_key *k)
{
	struct entry **link = table_find(c, key_hash(c, k), k);

	if (*link != NULL)
		entry_drop(c, link);
}

bool
cache_put(struct cache *c, const struct cache_key *k, const struct msg_answer *a,
	  const struct cache_entry_info *info, int64_t now_ms)
{
	int64_t cap_ms, life = answer_life(c, a, &cap_ms), stored_ms = now_ms - (int64_t)info->age_s * 1000;
	struct entry *e;

	/* What the name had before it must not come back as stale data. */
	if (life <= 0 && a->rcode == RCODE_NXDOMAIN)
		entry_forget(c, k);
	/* An answer that was served with other records than asked for cannot be found by its own question.
	 */
	if (life <= 0 || stored_ms + life <= now_ms || a->section.n != k->name.n + 4 || a->type != k->type ||
	    a->class != k->class)
		return false;
	e = entry_new(c, k, a->n_ttl, a->wire.n - a->opt_n, info->ede);
	if (e == NULL)
		return false;
	if (!msg_strip((uint8_t *)(e->data + e->n_ttl), a)) {
		free(e);
		return false;
	}
	entry_wire_settle(e, k, a, c->limits.min_ttl_ms < cap_ms ? c->limits.min_ttl_ms : cap_ms, cap_ms);
	e->stored_ms = stored_ms;
	e->expires_ms = stored_ms + life;
	e->ttl_min = (uint32_t)(life / 1000);
	e->rcode = a->rcode;
	e->upstream = info->upstream;
	e->ad = info->ad;
	e->has_answer_of_type = a->has_answer_of_type;
	entry_add(c, k, e, now_ms);
	return true;
}

static int64_t
failure_life(int64_t for_ms)
{
	return for_ms < FAILURE_MIN_MS ? FAILURE_MIN_MS : for_ms > FAILURE_MAX_MS ? FAILURE_MAX_MS : for_ms;
}

/* An entry without records, in place of what was there. */
static void
failure_add(struct cache *c, const struct cache_key *k, uint16_t flags, uint16_t rcode,
	    const struct msg_ede *ede, int64_t for_ms, int64_t now_ms)
{
	struct entry *e = entry_new(c, k, 0, MSG_HEADER + k->name.n + 4, ede);
	uint8_t *wire;

	if (e == NULL)
		return;
	wire = (uint8_t *)e->data;
	memset(wire, 0, MSG_HEADER);
	be16_write(wire + 2, MSG_QR | flags);
	be16_write(wire + 4, 1);
	memcpy(wire + MSG_HEADER, k->name.p, k->name.n);
	be16_write(wire + MSG_HEADER + k->name.n, k->type);
	be16_write(wire + MSG_HEADER + k->name.n + 2, k->class);
	e->failure = true;
	e->rcode = rcode;
	e->ttl_min = UINT32_MAX;
	e->stored_ms = now_ms;
	e->expires_ms = now_ms + failure_life(for_ms);
	entry_add(c, k, e, now_ms);
}

void
cache_put_failure(struct cache *c, const struct cache_key *k, uint16_t rcode, const struct msg_ede *ede,
		  int64_t for_ms, int64_t now_ms)
{
	struct entry *e = *table_find(c, key_hash(c, k), k);

	/* RFC 8767, 5: data that may still be served are not given up for a failure. */
	if (e != NULL && !e->failure && !entry_is_dead(c, e, now_ms))
		e->failed_until_ms = now_ms + failure_life(for_ms);
	else
		failure_add(c, k, MSG_RA, rcode, ede, for_ms, now_ms);
}

void
cache_put_decision(struct cache *c, const struct cache_key *k, const struct msg_answer *a,
		   const struct msg_ede *ede, int64_t for_ms, int64_t now_ms)
{
	entry_forget(c, k); /* also when there is no memory for what follows */
	failure_add(c, k, a->flags & MSG_RA, a->rcode, ede, for_ms, now_ms);
}

size_t
cache_flush(struct cache *c, struct span name)
{
	size_t n = 0;

	for (struct entry *e = c->newest, *next; e != NULL; e = next) {
		next = e->older;
		if (!msg_name_below(entry_name(e), name))
			continue;
		entry_drop(c, table_link_of(c, e));
		n++;
	}
	return n;
}

void
cache_stats(const struct cache *c, struct cache_stats *out)
{
	*out = c->stats;
}
