/*
 * cache_key.h - what makes two questions equal: lower-case name, type, class, DO and CD. The cache and the questions in
 * flight go by it.
 */
#ifndef RESOLVER_CACHE_KEY_H
#define RESOLVER_CACHE_KEY_H

#include "base/dns/message.h"
#include "base/random.h"

struct cache_key {
	struct span name; /* lower-case wire form; lent */
	uint16_t type, class;
	bool do_bit, cd;
	uint64_t hash; /* of the rest, as cache_key_prepare computed it; 0: not yet */
};

/* The name is lent from the question. */
struct cache_key cache_key_of(const struct msg_question *);
uint64_t cache_key_hash(const struct cache_key *, const struct hash_key *);
bool cache_key_equal(const struct cache_key *, const struct cache_key *);

#endif
