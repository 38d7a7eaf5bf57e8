#include "resolver/admission.h"

#include "base/addr_hash.h"

#include <stdlib.h>
#include <string.h>

#define WAYS 4

/* Ten bits of the domain's hash say in which set it is, 32 others which one of it. */
struct proven {
	uint32_t zone;
	uint32_t until_s; /* boot time; 0: free */
};

SLIST_HEAD(tally_list, admission_tally);

struct admission {
	uint32_t max, n;
	uint32_t mask; /* of the bucket number */
	struct addr_hash hash;
	int64_t answered_ms; /* when anything last did */
	struct admission_entry **entry;
	struct tally_list *bucket, free;
	struct admission_tally *pool;
	uint32_t pool_used;
	struct proven proven[ADMISSION_PROVEN];
};

#define TALLIES 3 /* of one entry: its group, address and port */

enum res
admission_new(struct admission **out, uint32_t max)
{
	struct admission *a = calloc(1, sizeof *a);
	uint32_t buckets = 16;

	if (a == NULL)
		return RES_NOMEM;
	/* One for each entry, not for each tally: few are in flight at a time, and all pages are touched in turn. */
	while (buckets < max)
		buckets *= 2;
	a->max = max;
	a->mask = buckets - 1;
	a->hash = addr_hash_new();
	a->answered_ms = INT64_MIN;
	a->entry = calloc(max, sizeof(struct admission_entry *));
	a->bucket = calloc(buckets, sizeof *a->bucket);
	a->pool = calloc((size_t)max * TALLIES, sizeof *a->pool);
	if (a->entry == NULL || a->bucket == NULL || a->pool == NULL) {
		admission_free(a);
		return RES_NOMEM;
	}
	*out = a;
	return RES_OK;
}

void
admission_free(struct admission *a)
{
	if (a == NULL)
		return;
	free(a->entry);
	free(a->bucket);
	free(a->pool);
	free(a);
}

/* ---- tallies */

enum kind { KIND_GROUP, KIND_ADDRESS, KIND_PORT };

/* A mixing of all bits that has an inverse: different values stay different. */
static uint64_t
mixed(uint64_t x)
{
	x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
	x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

/* The hashes of address and domain are keyed, so no client can choose which claims share a tally. */
static uint64_t
tally_key(struct admission *a, const struct admission_claim *claim, enum kind kind)
{
	uint64_t key = mixed(addr_hash_of(&a->hash, claim->client) + kind);

	switch (kind) {
	case KIND_GROUP:
		return mixed(key ^ claim->zone);
	case KIND_ADDRESS:
		return key;
	case KIND_PORT:
		return mixed(key ^ claim->client->port);
	}
	return key;
}

/* NULL: nothing is held. */
static struct admission_tally *
tally_find(const struct admission *a, uint64_t key)
{
	struct admission_tally *t;

	SLIST_FOREACH(t, &a->bucket[key & a->mask], link)
	if (t->key == key)
		return t;
	return NULL;
}

static struct admission_tally *
tally_new(struct admission *a, uint64_t key)
{
	struct admission_tally *t = SLIST_FIRST(&a->free);

	if (t != NULL)
		SLIST_REMOVE_HEAD(&a->free, link);
	else
		t = &a->pool[a->pool_used++];
	*t = (struct admission_tally){.key = key};
	TAILQ_INIT(&t->list);
	SLIST_INSERT_HEAD(&a->bucket[key & a->mask], t, link);
	return t;
}

static struct admission_tally *
tally_take(struct admission *a, const struct admission_claim *claim, enum kind kind)
{
	uint64_t key = tally_key(a, claim, kind);
	struct admission_tally *t = tally_find(a, key);

	if (t == NULL)
		t = tally_new(a, key);
	t->entries++;
	t->weight++;
	return t;
}

static void
tally_give(struct admission *a, struct admission_tally *t, uint32_t weight)
{
	t->weight -= weight;
	if (--t->entries > 0)
		return;
	SLIST_REMOVE(&a->bucket[t->key & a->mask], t, admission_tally, link);
	SLIST_INSERT_HEAD(&a->free, t, link);
}

/* ---- domains that answer */

static struct proven *
proven_set(const struct admission *a, uint64_t zone)
{
	return (struct proven *)(uintptr_t)&a->proven[zone % (ADMISSION_PROVEN / WAYS) * WAYS];
}

static uint32_t
proven_name(uint64_t zone)
{
	return (uint32_t)(zone >> 32);
}

static bool
zone_is_proven(const struct admission *a, uint64_t zone, int64_t now_ms)
{
	const struct proven *set = proven_set(a, zone);

	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].zone == proven_name(zone) && set[i].until_s * INT64_C(1000) > now_ms)
			return true;
	return false;
}

void
admission_answered(struct admission *a, uint64_t zone, int64_t now_ms)
{
	struct proven *set = proven_set(a, zone), *to = set;

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].zone == proven_name(zone)) {
			to = &set[i];
			break;
		}
		if (set[i].until_s < to->until_s)
			to = &set[i];
	}
	*to = (struct proven){proven_name(zone), (uint32_t)((now_ms + ADMISSION_TRUST_MS) / 1000)};
	a->answered_ms = now_ms;
}

/* ---- who gives way */

static uint64_t
entry_cost(const struct admission *a, const struct admission_entry *e, int64_t now_ms)
{
	uint64_t age = now_ms > e->since_ms ? (uint64_t)(now_ms - e->since_ms) + 1 : 1;
	uint64_t held = 16 * (uint64_t)e->group->weight + e->address->weight + e->port->weight;
	uint64_t cost = age * held;

	return zone_is_proven(a, e->zone, now_ms) ? cost / ADMISSION_CREDIT : cost;
}

struct admission_entry *
admission_worst(const struct admission *a, int64_t now_ms)
{
	struct admission_entry *worst = NULL;
	bool all = a->n <= ADMISSION_SAMPLE;
	uint64_t most = 0;

	for (uint32_t i = 0; i < (all ? a->n : ADMISSION_SAMPLE); i++) {
		struct admission_entry *e = a->entry[all ? i : random_below(a->n)];
		uint64_t cost = entry_cost(a, e, now_ms);

		if (worst == NULL || cost > most) {
			worst = e;
			most = cost;
		}
	}
	return worst;
}

bool
admission_admits(struct admission *a, const struct admission_claim *claim, int64_t now_ms,
		 struct admission_entry **victim)
{
	const struct admission_tally *group = tally_find(a, tally_key(a, claim, KIND_GROUP));
	const struct admission_entry *oldest = group != NULL ? TAILQ_FIRST(&group->list) : NULL;

	*victim = NULL;
	if (oldest == NULL || group->entries < ADMISSION_GROUP)
		return true;
	/* When no domain gets answers, it is not this domain's fault. */
	if (now_ms - oldest->since_ms < ADMISSION_LATE_MS || a->answered_ms <= oldest->since_ms)
		return true;
	if (!zone_is_proven(a, claim->zone, now_ms))
		return false;
	*victim = TAILQ_FIRST(&group->list);
	return true;
}

/* ---- coming and going */

bool
admission_enter(struct admission *a, struct admission_entry *e, const struct admission_claim *claim,
		int64_t now_ms)
{
	if (a->n >= a->max)
		return false;
	*e = (struct admission_entry){.at = a->n + 1, .weight = 1, .since_ms = now_ms, .zone = claim->zone};
	a->entry[a->n++] = e;
	e->group = tally_take(a, claim, KIND_GROUP);
	e->address = tally_take(a, claim, KIND_ADDRESS);
	e->port = tally_take(a, claim, KIND_PORT);
	TAILQ_INSERT_TAIL(&e->group->list, e, link);
	return true;
}

void
admission_leave(struct admission *a, struct admission_entry *e)
{
	if (e->at == 0)
		return;
	a->entry[e->at - 1] = a->entry[--a->n];
	a->entry[e->at - 1]->at = e->at;
	e->at = 0;
	TAILQ_REMOVE(&e->group->list, e, link);
	tally_give(a, e->group, e->weight);
	tally_give(a, e->address, e->weight);
	tally_give(a, e->port, e->weight);
}

void
admission_weigh(struct admission_entry *e, int change)
{
	uint32_t weight = e->weight + (uint32_t)change;

	if (e->at == 0 || weight == 0)
		return;
	e->group->weight += weight - e->weight;
	e->address->weight += weight - e->weight;
	e->port->weight += weight - e->weight;
	e->weight = weight;
}

uint32_t
admission_count(const struct admission *a)
{
	return a->n;
}
