#include "resolver/cache.h"

#include <stdlib.h>

struct cache {
	struct cache_store *store;
	bool owned; /* the store is */
	uint64_t generation;
	struct cache_limits limits; /* of one table, in this generation */
	struct cache_entry *found;  /* room for the entry of the last hit */
};

/* ---- life */

enum res
cache_new_in(struct cache **out, struct cache_store *store)
{
	struct cache *c = calloc(1, sizeof *c);

	if (c == NULL)
		return RES_NOMEM;
	c->store = store;
	c->limits = cache_store_limits(store);
	c->found = malloc(CACHE_ENTRY_MAX);
	if (c->found == NULL) {
		free(c);
		return RES_NOMEM;
	}
	*out = c;
	return RES_OK;
}

enum res
cache_new(struct cache **out, const struct cache_limits *limits)
{
	struct cache_store *store = NULL;
	enum res res = cache_store_new(&store, 1, limits);

	if (res == RES_OK)
		res = cache_new_in(out, store);
	if (res == RES_OK)
		(*out)->owned = true;
	else
		cache_store_free(store);
	return res;
}

void
cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	if (c->owned)
		cache_store_free(c->store);
	free(c->found);
	free(c);
}

void
cache_renew(struct cache *c, uint64_t generation, const struct cache_limits *limits)
{
	cache_store_renew(c->store, generation, limits, NULL);
	c->generation = generation;
	c->limits = cache_store_part_limits(c->store, limits);
}

size_t
cache_flush(struct cache *c, struct span name)
{
	return cache_store_flush(c->store, name);
}

void
cache_stats(struct cache *c, struct cache_stats *out)
{
	cache_store_stats(c->store, out);
}

/* ---- asked */

void
cache_key_prepare(const struct cache *c, struct cache_key *k)
{
	k->hash = cache_store_hash(c->store, k);
}

enum cache_state
cache_get(struct cache *c, const struct cache_key *k, int64_t now_ms, struct cache_hit *hit)
{
	const uint64_t hash = cache_store_hash(c->store, k);
	bool prefetch = false;

	if (!cache_store_get(c->store, c->generation, k, hash, now_ms, c->found, &prefetch))
		return CACHE_MISS;
	cache_entry_hit(c->found, now_ms, hit);
	if (now_ms >= cache_entry_expires_ms(c->found))
		return CACHE_STALE;
	hit->failure = c->found->failure; /* fresh data are given out, even when a prefetch failed */
	hit->prefetch = prefetch;
	return CACHE_FRESH;
}

/* ---- filled */

bool
cache_put(struct cache *c, const struct cache_key *k, const struct msg_answer *a,
	  const struct cache_entry_info *info, int64_t now_ms)
{
	const uint64_t hash = cache_store_hash(c->store, k);
	int64_t left_ms;
	struct cache_entry *e = cache_entry_new(&c->limits, k, (uint32_t)hash, a, info, now_ms, &left_ms);

	/* A newer answer that is not kept: the older data must not come back as stale data. */
	if (left_ms <= 0 && (a->flags & MSG_TC) == 0)
		cache_store_forget(c->store, c->generation, k, hash);
	return e != NULL && cache_store_add(c->store, c->generation, k, hash, e, now_ms);
}

/* Adds an entry without records, in place of the old one for the key. */
static void
failure_put(struct cache *c, const struct cache_key *k, uint64_t hash, uint16_t flags, uint16_t rcode,
	    const struct msg_ede *ede, int64_t for_ms, int64_t now_ms)
{
	struct cache_entry *e =
	    cache_entry_failure(&c->limits, k, (uint32_t)hash, flags, rcode, ede, for_ms, now_ms);

	if (e != NULL)
		(void)cache_store_add(c->store, c->generation, k, hash, e, now_ms);
}

/* RFC 8767, 5: a failure does not replace data that may still be served. */
static void
failure_put_beside(struct cache *c, const struct cache_key *k, uint16_t rcode, uint16_t relayed,
		   const struct msg_ede *ede, int64_t for_ms, int64_t now_ms)
{
	const uint64_t hash = cache_store_hash(c->store, k);

	if (!cache_store_failed(c->store, c->generation, k, hash, relayed, for_ms, now_ms))
		failure_put(c, k, hash, MSG_RA, rcode, ede, for_ms, now_ms);
}

void
cache_put_failure(struct cache *c, const struct cache_key *k, uint16_t rcode, const struct msg_ede *ede,
		  int64_t for_ms, int64_t now_ms)
{
	failure_put_beside(c, k, rcode, 0, ede, for_ms, now_ms);
}

void
cache_put_relayed(struct cache *c, const struct cache_key *k, uint16_t rcode, const struct msg_ede *ede,
		  int64_t for_ms, int64_t now_ms)
{
	failure_put_beside(c, k, rcode, rcode, ede, for_ms, now_ms);
}

void
cache_put_decision(struct cache *c, const struct cache_key *k, const struct msg_answer *a,
		   const struct msg_ede *ede, int64_t for_ms, int64_t now_ms)
{
	const uint64_t hash = cache_store_hash(c->store, k);

	cache_store_forget(c->store, c->generation, k,
			   hash); /* even when there is no memory for the new entry */
	failure_put(c, k, hash, a->flags & MSG_RA, a->rcode, ede, for_ms, now_ms);
}

void
cache_forget(struct cache *c, const struct cache_key *k)
{
	cache_store_forget(c->store, c->generation, k, cache_store_hash(c->store, k));
}
