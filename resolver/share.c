#include "resolver/share.h"

#include "base/random.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct holder {
	uint8_t key[17]; /* family, then the address */
	uint32_t held;
	struct holder *next; /* in its bucket, or in the list of free ones */
};

struct share {
	uint32_t cap, used;
	uint32_t mask; /* of the bucket number */
	struct hash_key hash;
	struct holder *free;
	struct holder **bucket;
	struct holder *pool; /* as many as there is to hold: everyone in the table holds at least one */
	uint32_t pool_used;  /* those beyond were never touched, so their pages are not there */
};

enum res
share_new(struct share **out, uint32_t cap)
{
	struct share *s = calloc(1, sizeof *s);
	uint32_t buckets = 16;

	if (s == NULL)
		return RES_NOMEM;
	while (buckets < cap)
		buckets *= 2;
	s->cap = cap;
	s->mask = buckets - 1;
	s->hash = hash_key_random();
	s->bucket = calloc(buckets, sizeof *s->bucket);
	s->pool = calloc(cap, sizeof *s->pool);
	if (s->bucket == NULL || s->pool == NULL) {
		share_free(s);
		return RES_NOMEM;
	}
	*out = s;
	return RES_OK;
}

void
share_free(struct share *s)
{
	if (s == NULL)
		return;
	free(s->bucket);
	free(s->pool);
	free(s);
}

static struct holder **
holder_find(const struct share *s, const struct addr *a, uint8_t key[17])
{
	struct holder **h;

	memset(key, 0, 17);
	key[0] = (uint8_t)a->family;
	memcpy(key + 1, a->ip, sizeof a->ip);
	h = &s->bucket[hash_keyed(&s->hash, span_of(key, 17)) & s->mask];
	while (*h != NULL && memcmp((*h)->key, key, 17) != 0)
		h = &(*h)->next;
	return h;
}

bool
share_take(struct share *s, const struct addr *a)
{
	uint8_t key[17];
	struct holder **at = holder_find(s, a, key);
	uint32_t held = *at != NULL ? (*at)->held : 0;

	if (s->used >= s->cap || held >= 2 * (s->cap - s->used))
		return false;
	if (*at == NULL) {
		struct holder *h = s->free;

		if (h != NULL)
			s->free = h->next;
		else
			h = &s->pool[s->pool_used++];
		memcpy(h->key, key, sizeof h->key);
		h->held = 0;
		h->next = NULL;
		*at = h;
	}
	(*at)->held++;
	s->used++;
	return true;
}

void
share_give(struct share *s, const struct addr *a)
{
	uint8_t key[17];
	struct holder **at = holder_find(s, a, key);
	struct holder *h = *at;

	assert(h != NULL && h->held > 0 && s->used > 0);
	s->used--;
	if (--h->held > 0)
		return;
	*at = h->next;
	h->next = s->free;
	s->free = h;
}

uint32_t
share_used(const struct share *s)
{
	return s->used;
}

uint32_t
share_of(const struct share *s, const struct addr *a)
{
	uint8_t key[17];
	struct holder *h = *holder_find(s, a, key);

	return h != NULL ? h->held : 0;
}
