#include "resolver/cache_key.h"

#include <assert.h>
#include <string.h>

struct cache_key
cache_key_of(const struct msg_question *q)
{
	return (struct cache_key){.name = span_of(q->name, q->name_n),
				  .type = q->type,
				  .class = q->class,
				  .do_bit = q->edns.do_bit,
				  .cd = (q->flags & MSG_CD) != 0};
}

uint64_t
cache_key_hash(const struct cache_key *k, const struct hash_key *key)
{
	uint8_t bytes[MSG_NAME_MAX + 5];

	assert(k->name.n > 0 && k->name.n <= MSG_NAME_MAX);
	memcpy(bytes, k->name.p, k->name.n);
	be16_write(bytes + k->name.n, k->type);
	be16_write(bytes + k->name.n + 2, k->class);
	bytes[k->name.n + 4] = (uint8_t)(k->do_bit << 1 | k->cd);
	return hash_keyed(key, span_of(bytes, k->name.n + 5));
}

bool
cache_key_equal(const struct cache_key *a, const struct cache_key *b)
{
	return a->type == b->type && a->class == b->class && a->do_bit == b->do_bit && a->cd == b->cd &&
	       span_equal(a->name, b->name);
}
