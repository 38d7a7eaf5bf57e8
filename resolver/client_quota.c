#include "resolver/client_quota.h"

#include "base/random.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct holder {
	uint8_t key[17]; /* family, then the address */
	uint32_t held;
	struct holder *next; /* in its bucket, or in the list of free ones */
};

struct client_quota {
	uint32_t cap, used;
	uint32_t mask; /* of the bucket number */
	struct hash_key hash;
	struct holder *free;
	struct holder **bucket;
	struct holder *pool; /* as many as there is to hold: everyone in the table holds at least one */
	uint32_t pool_used;  /* those beyond were never touched, so their pages are not there */
};

enum res
client_quota_new(struct client_quota **out, uint32_t cap)
{
	struct client_quota *q = calloc(1, sizeof *q);
	uint32_t buckets = 16;

	if (q == NULL)
		return RES_NOMEM;
	while (buckets < cap)
		buckets *= 2;
	q->cap = cap;
	q->mask = buckets - 1;
	q->hash = hash_key_random();
	q->bucket = calloc(buckets, sizeof *q->bucket);
	q->pool = calloc(cap, sizeof *q->pool);
	if (q->bucket == NULL || q->pool == NULL) {
		client_quota_free(q);
		return RES_NOMEM;
	}
	*out = q;
	return RES_OK;
}

void
client_quota_free(struct client_quota *q)
{
	if (q == NULL)
		return;
	free(q->bucket);
	free(q->pool);
	free(q);
}

static struct holder **
holder_find(const struct client_quota *q, const struct addr *a, uint8_t key[17])
{
	struct holder **h;

	memset(key, 0, 17);
	key[0] = (uint8_t)a->family;
	memcpy(key + 1, a->ip, sizeof a->ip);
	h = &q->bucket[hash_keyed(&q->hash, span_of(key, 17)) & q->mask];
	while (*h != NULL && memcmp((*h)->key, key, 17) != 0)
		h = &(*h)->next;
	return h;
}

bool
client_quota_take(struct client_quota *q, const struct addr *a)
{
	uint8_t key[17];
	struct holder **at = holder_find(q, a, key);
	uint32_t held = *at != NULL ? (*at)->held : 0;

	if (q->used >= q->cap || held >= 2 * (q->cap - q->used))
		return false;
	if (*at == NULL) {
		struct holder *h = q->free;

		if (h != NULL)
			q->free = h->next;
		else
			h = &q->pool[q->pool_used++];
		memcpy(h->key, key, sizeof h->key);
		h->held = 0;
		h->next = NULL;
		*at = h;
	}
	(*at)->held++;
	q->used++;
	return true;
}

void
client_quota_give(struct client_quota *q, const struct addr *a)
{
	uint8_t key[17];
	struct holder **at = holder_find(q, a, key);
	struct holder *h = *at;

	assert(h != NULL && h->held > 0 && q->used > 0);
	q->used--;
	if (--h->held > 0)
		return;
	*at = h->next;
	h->next = q->free;
	q->free = h;
}

uint32_t
client_quota_used(const struct client_quota *q)
{
	return q->used;
}

uint32_t
client_quota_of(const struct client_quota *q, const struct addr *a)
{
	uint8_t key[17];
	struct holder *h = *holder_find(q, a, key);

	return h != NULL ? h->held : 0;
}
