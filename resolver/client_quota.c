#include "resolver/client_quota.h"

#include "base/addr_hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct holder {
	uint8_t key[17]; /* family, then the address */
	uint32_t held;
	SLIST_ENTRY(holder) link; /* in its bucket, or among the free ones */
};

SLIST_HEAD(holder_list, holder);

struct client_quota {
	uint32_t cap, used;
	uint32_t mask; /* of the bucket number */
	struct addr_hash hash;
	struct holder_list free, *bucket;
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
	q->hash = addr_hash_new();
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

/* The bucket of an address, and its key. */
static struct holder_list *
holder_bucket(struct client_quota *q, const struct addr *a, uint8_t key[17])
{
	memset(key, 0, 17);
	key[0] = (uint8_t)a->family;
	memcpy(key + 1, a->ip, sizeof a->ip);
	return &q->bucket[addr_hash_of(&q->hash, a) & q->mask];
}

/* NULL: it holds nothing. */
static struct holder *
holder_find(const struct holder_list *bucket, const uint8_t key[17])
{
	struct holder *h;

	SLIST_FOREACH(h, bucket, link)
	if (memcmp(h->key, key, 17) == 0)
		return h;
	return NULL;
}

static struct holder *
holder_new(struct client_quota *q, struct holder_list *bucket, const uint8_t key[17])
{
	struct holder *h = SLIST_FIRST(&q->free);

	if (h != NULL)
		SLIST_REMOVE_HEAD(&q->free, link);
	else
		h = &q->pool[q->pool_used++];
	memcpy(h->key, key, sizeof h->key);
	h->held = 0;
	SLIST_INSERT_HEAD(bucket, h, link);
	return h;
}

bool
client_quota_take(struct client_quota *q, const struct addr *a)
{
	uint8_t key[17];
	struct holder_list *bucket = holder_bucket(q, a, key);
	struct holder *h = holder_find(bucket, key);
	uint32_t held = h != NULL ? h->held : 0;

	if (q->used >= q->cap || held >= 2 * (q->cap - q->used))
		return false;
	if (h == NULL)
		h = holder_new(q, bucket, key);
	h->held++;
	q->used++;
	return true;
}

void
client_quota_give(struct client_quota *q, const struct addr *a)
{
	uint8_t key[17];
	struct holder_list *bucket = holder_bucket(q, a, key);
	struct holder *h = holder_find(bucket, key);

	assert(h != NULL && h->held > 0 && q->used > 0);
	q->used--;
	if (--h->held > 0)
		return;
	SLIST_REMOVE(bucket, h, holder, link);
	SLIST_INSERT_HEAD(&q->free, h, link);
}

uint32_t
client_quota_used(const struct client_quota *q)
{
	return q->used;
}

uint32_t
client_quota_of(struct client_quota *q, const struct addr *a)
{
	uint8_t key[17];
	struct holder_list *bucket = holder_bucket(q, a, key);
	const struct holder *h = holder_find(bucket, key);

	return h != NULL ? h->held : 0;
}
