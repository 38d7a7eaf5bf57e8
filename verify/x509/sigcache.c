#include "verify/x509/sigcache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/crypto.h>

#define WAYS 4 /* facts that share a place; SHA-256 spreads them evenly */
#define SETS (SIGCACHE_MAX / WAYS)

struct fact {
	uint8_t sha256[32];
	uint32_t cost; /* 0: the place is free */
};

struct sigcache {
	uint64_t generation;
	struct fact fact[SETS][WAYS];
	uint8_t next[SETS]; /* the way that the next fact takes */
};

enum res
sigcache_new(struct sigcache **out)
{
	struct sigcache *c = calloc(1, sizeof *c);

	if (c == NULL)
		return RES_NOMEM;
	*out = c;
	return RES_OK;
}

void
sigcache_free(struct sigcache *c)
{
	free(c);
}

struct sigcache *
sigcache_under(struct sigcache *c, uint64_t generation)
{
	if (c == NULL || generation < c->generation)
		return NULL;
	if (generation > c->generation) {
		memset(c, 0, sizeof *c);
		c->generation = generation;
	}
	return c;
}

size_t
sigcache_count(const struct sigcache *c)
{
	size_t n = 0;

	for (size_t set = 0; set < SETS; set++)
		for (size_t way = 0; way < WAYS; way++)
			n += c->fact[set][way].cost != 0;
	return n;
}

bool
sigcache_key(struct sigcache_key *key, enum sigcache_kind kind, const struct span *parts, size_t n)
{
	gnutls_hash_hd_t hash;
	uint8_t head[5] = {(uint8_t)kind};
	bool whole = true;

	if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		be32_write(head + 1, (uint32_t)parts[i].n);
		whole &= parts[i].n <= UINT32_MAX && gnutls_hash(hash, head, sizeof head) >= 0 &&
			 (parts[i].n == 0 || gnutls_hash(hash, parts[i].p, parts[i].n) >= 0);
	}
	gnutls_hash_deinit(hash, key->sha256);
	return whole;
}

static size_t
set_of(const struct sigcache_key *key)
{
	return (size_t)(key->sha256[0] << 8 | key->sha256[1]) % SETS;
}

unsigned
sigcache_cost(const struct sigcache *c, const struct sigcache_key *key)
{
	const struct fact *facts = c->fact[set_of(key)];

	for (size_t way = 0; way < WAYS; way++)
		if (facts[way].cost != 0 && memcmp(facts[way].sha256, key->sha256, sizeof key->sha256) == 0)
			return facts[way].cost;
	return 0;
}

void
sigcache_add(struct sigcache *c, const struct sigcache_key *key, unsigned cost)
{
	size_t set = set_of(key);
	struct fact *fact = &c->fact[set][c->next[set]];

	assert(cost != 0);
	if (sigcache_cost(c, key) != 0)
		return;
	memcpy(fact->sha256, key->sha256, sizeof fact->sha256);
	fact->cost = cost;
	c->next[set] = (uint8_t)((c->next[set] + 1) % WAYS);
}
