/*
 * addr_hash.h - a keyed hash of addresses, for tables of clients.
 *
 * Most queries to a stub resolver come from one address: the hash of the last address is kept.
 */
#ifndef BASE_ADDR_HASH_H
#define BASE_ADDR_HASH_H

#include "base/addr.h"
#include "base/random.h"

struct addr_hash {
	struct hash_key key;
	struct addr last; /* ADDR_NONE: none yet */
	uint64_t hash;    /* of last */
};

/* With a key of its own. */
struct addr_hash addr_hash_new(void);
/* Of the address alone, without its port. Not for several threads. */
uint64_t addr_hash_of(struct addr_hash *, const struct addr *);

#endif
