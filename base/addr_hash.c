#include "base/addr_hash.h"

struct addr_hash
addr_hash_new(void)
{
	return (struct addr_hash){.key = hash_key_random()};
}

uint64_t
addr_hash_of(struct addr_hash *h, const struct addr *a)
{
	uint8_t bytes[1 + sizeof a->ip];

	if (a->family != ADDR_NONE && a->family == h->last.family &&
	    memcmp(a->ip, h->last.ip, sizeof a->ip) == 0)
		return h->hash;
	bytes[0] = (uint8_t)a->family;
	memcpy(bytes + 1, a->ip, sizeof a->ip);
	h->last = *a;
	h->hash = hash_keyed(&h->key, span_of(bytes, sizeof bytes));
	return h->hash;
}
