#include "resolver/cache_entry.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define EDE_HEAD 3 /* code and length */

static const uint8_t *
entry_wire(const struct cache_entry *e)
{
	return (const uint8_t *)(e->data + e->n_ttl);
}

struct span
cache_entry_name(const struct cache_entry *e)
{
	return span_of(entry_wire(e) + MSG_HEADER, e->name_n);
}

/* With has_ede: the EDE's code, the length of its text, the text. */
static const uint8_t *
entry_ede(const struct cache_entry *e)
{
	return entry_wire(e) + e->wire_n;
}

static size_t
entry_size(const struct cache_entry *e)
{
	return offsetof(struct cache_entry, data) + 2U * e->n_ttl + e->wire_n +
	       (e->has_ede ? EDE_HEAD + (size_t)entry_ede(e)[2] : 0);
}

void
cache_entry_copy(struct cache_entry *to, const struct cache_entry *e)
{
	memcpy(to, e, entry_size(e));
}

/* Includes malloc's header and rounding, and a sixteenth for fragmentation. */
uint64_t
cache_entry_bytes(const struct cache_entry *e)
{
	size_t chunk = (entry_size(e) + 8 + 15) & ~(size_t)15;

	return chunk + chunk / 16;
}

int64_t
cache_entry_expires_ms(const struct cache_entry *e)
{
	return e->stored_ms + e->life_ms;
}

bool
cache_entry_is(const struct cache_entry *e, uint32_t hash, const struct cache_key *k)
{
	const uint8_t *fixed = entry_wire(e) + MSG_HEADER + e->name_n;

	return e->hash == hash && e->name_n == k->name.n && e->do_bit == k->do_bit && e->cd == k->cd &&
	       memcmp(entry_wire(e) + MSG_HEADER, k->name.p, k->name.n) == 0 && be16_read(fixed) == k->type &&
	       be16_read(fixed + 2) == k->class;
}

bool
cache_entry_is_dead(const struct cache_entry *e, const struct cache_limits *limits, int64_t now_ms)
{
	return now_ms >= cache_entry_expires_ms(e) + (e->failure ? 0 : limits->serve_stale_ms);
}

void
cache_entry_hit(const struct cache_entry *e, int64_t now_ms, struct cache_hit *hit)
{
	const uint8_t *wire = entry_wire(e);
	struct msg_answer *a = &hit->answer;

	*a = (struct msg_answer){.wire = span_of(wire, e->wire_n),
				 .flags = be16_read(wire + 2),
				 .rcode = e->rcode,
				 .section = span_of(wire + MSG_HEADER, e->name_n + 4U),
				 .type = be16_read(wire + MSG_HEADER + e->name_n),
				 .class = be16_read(wire + MSG_HEADER + e->name_n + 2),
				 .an = be16_read(wire + 6),
				 .ns = be16_read(wire + 8),
				 .ar = be16_read(wire + 10),
				 .n_ttl = e->n_ttl,
				 .ttl_at = (uint16_t *)(uintptr_t)e->data,
				 .ttl_min = e->failure ? UINT32_MAX : e->life_ms / 1000,
				 .has_answer_of_type = e->has_answer_of_type};
	hit->stored_ms = e->stored_ms;
	/* Another worker's time may be a moment behind that of the one who stored it. */
	hit->age_s = now_ms > e->stored_ms ? (uint32_t)((now_ms - e->stored_ms) / 1000) : 0;
	hit->failure = e->failure || now_ms < e->stored_ms + e->failed_for_ms;
	hit->relayed = hit->failure ? e->relayed : 0;
	hit->ad = e->ad;
	hit->upstream = e->upstream;
	hit->has_ede = e->has_ede;
	if (e->has_ede)
		hit->ede = (struct msg_ede){be16_read(entry_ede(e)),
					    span_of(entry_ede(e) + EDE_HEAD, entry_ede(e)[2])};
	else
		hit->ede = (struct msg_ede){0};
	hit->prefetch = false;
}

bool
cache_entries_free(struct cache_entries *list, size_t n)
{
	struct cache_entry *e;

	while (n-- > 0 && (e = TAILQ_LAST(list, cache_entries)) != NULL) {
		TAILQ_REMOVE(list, e, age);
		free(e);
	}
	return !TAILQ_EMPTY(list);
}

/* ---- how long */

static uint32_t
ttl_left(uint32_t ttl, uint32_t age_s)
{
	return ttl > age_s ? ttl - age_s : 0;
}

/* How long it may be kept, and the cap of its TTLs. 0: it may not be kept. The limits are those of the time that is left
 * after the Age, as they are for the TTLs of its first reply (msg_reply_from_answer). */
static int64_t
answer_life(const struct cache_limits *limits, const struct msg_answer *a, uint32_t age_s, int64_t *cap_ms)
{
	int64_t life = a->ttl_min == UINT32_MAX ? INT64_MAX : (int64_t)ttl_left(a->ttl_min, age_s) * 1000;

	*cap_ms = limits->max_ttl_ms;
	if ((a->flags & MSG_TC) ||
	    (a->rcode != RCODE_NOERROR && a->rcode != RCODE_NXDOMAIN)) /* RFC 2181, 9 */
		return 0;
	if (a->rcode == RCODE_NXDOMAIN || !a->has_answer_of_type) {
		int64_t negative = (int64_t)ttl_left(a->soa_negative_ttl, age_s) * 1000;

		if (limits->negative_max_ttl_ms < *cap_ms)
			*cap_ms = limits->negative_max_ttl_ms;
		if (!a->has_soa) /* RFC 2308, 5: should not be kept; this long it may, against storms */
			return life < CACHE_NO_SOA_MS ? life : CACHE_NO_SOA_MS;
		if (negative < life)
			life = negative;
	}
	if (life < limits->min_ttl_ms)
		life = limits->min_ttl_ms;
	return life < *cap_ms ? life : *cap_ms;
}

/* Within the bounds of RFC 9520. */
static uint32_t
failure_life_ms(int64_t for_ms)
{
	if (for_ms < CACHE_FAILURE_MIN_MS)
		return CACHE_FAILURE_MIN_MS;
	return for_ms < CACHE_FAILURE_MAX_MS ? (uint32_t)for_ms : CACHE_FAILURE_MAX_MS;
}

void
cache_entry_failed(struct cache_entry *e, uint16_t relayed, int64_t for_ms, int64_t now_ms)
{
	int64_t after_ms = now_ms - e->stored_ms + failure_life_ms(for_ms);

	/* Data older than 49 days are tried more often. */
	e->relayed = relayed <= UINT8_MAX ? (uint8_t)relayed : RCODE_SERVFAIL;
	e->failed_for_ms = after_ms < UINT32_MAX ? (uint32_t)(after_ms > 0 ? after_ms : 0) : UINT32_MAX;
}

/* ---- made */

/* Allocates all of an entry and fills the key's fields; NULL: no memory, or the entry is too large for the cache. */
static struct cache_entry *
entry_new(const struct cache_limits *limits, const struct cache_key *k, uint32_t hash, size_t n_ttl,
	  size_t wire_n, const struct msg_ede *ede)
{
	size_t ede_n = ede == NULL ? 0 : ede->text.n > MSG_EDE_TEXT_MAX ? MSG_EDE_TEXT_MAX : ede->text.n;
	size_t n =
	    offsetof(struct cache_entry, data) + 2 * n_ttl + wire_n + (ede == NULL ? 0 : EDE_HEAD + ede_n);
	uint8_t *to;
	/* One answer must not empty the cache. A message is longer than the padding at the end of the struct. */
	struct cache_entry *e = n > limits->bytes / 4 ? NULL : malloc(n);

	if (e == NULL)
		return NULL;
	*e = (struct cache_entry){.hash = hash,
				  .wire_n = (uint16_t)wire_n,
				  .n_ttl = (uint16_t)n_ttl,
				  .name_n = (uint8_t)k->name.n,
				  .do_bit = k->do_bit,
				  .cd = k->cd};
	if (ede != NULL) {
		to = (uint8_t *)(e->data + n_ttl) + wire_n;
		e->has_ede = true;
		be16_write(to, ede->code);
		to[2] = (uint8_t)ede_n;
		if (ede_n > 0)
			memcpy(to + EDE_HEAD, ede->text.p, ede_n);
	}
	return e;
}

/* Takes the Age off the TTLs, applies the limits to them, and writes the question in lower case. */
static void
entry_wire_settle(struct cache_entry *e, const struct cache_key *k, const struct msg_answer *a,
		  uint32_t age_s, int64_t floor_ms, int64_t cap_ms)
{
	uint8_t *wire = (uint8_t *)(e->data + e->n_ttl);
	uint32_t floor = (uint32_t)(floor_ms / 1000), cap = (uint32_t)(cap_ms / 1000);

	for (size_t i = 0; i < a->n_ttl; i++) {
		size_t at = a->ttl_at[i] > a->opt_at ? a->ttl_at[i] - a->opt_n : a->ttl_at[i];
		uint32_t ttl = be32_read(wire + at);

		ttl = ttl > INT32_MAX ? 0 : ttl; /* RFC 2181, 8 */
		if (a->ttl_at[i] == a->soa_ttl_at && ttl > a->soa_negative_ttl)
			ttl = a->soa_negative_ttl; /* RFC 2308, 5: at 0 the answer ends */
		ttl = ttl_left(ttl, age_s);
		ttl = ttl < floor ? floor : ttl;
		be32_write(wire + at, ttl > cap ? cap : ttl);
		e->data[i] = (uint16_t)at;
	}
	memcpy(wire + MSG_HEADER, k->name.p, k->name.n);
	be16_write(wire + 10, a->ar);
}

/* The answer is alive and for exactly this question: an answer with another question section could never be found
 * again. */
static bool
answer_is_for(const struct cache_key *k, const struct msg_answer *a)
{
	return a->section.n == k->name.n + 4 && a->type == k->type && a->class == k->class;
}

struct cache_entry *
cache_entry_new(const struct cache_limits *limits, const struct cache_key *k, uint32_t hash,
		const struct msg_answer *a, const struct cache_entry_info *info, int64_t now_ms,
		int64_t *left_ms)
{
	int64_t cap_ms, life = answer_life(limits, a, info->age_s, &cap_ms);
	struct cache_entry *e;

	*left_ms = life;
	if (*left_ms <= 0 || !answer_is_for(k, a))
		return NULL;
	e = entry_new(limits, k, hash, a->n_ttl, a->wire.n - a->opt_n, info->ede);
	if (e == NULL) {
		*left_ms = 0;
		return NULL;
	}
	if (!msg_strip((uint8_t *)(e->data + e->n_ttl), a)) {
		free(e);
		return NULL;
	}
	entry_wire_settle(e, k, a, info->age_s, limits->min_ttl_ms < cap_ms ? limits->min_ttl_ms : cap_ms,
			  cap_ms);
	e->stored_ms = now_ms;
	e->life_ms = life < UINT32_MAX ? (uint32_t)life : UINT32_MAX;
	e->rcode = a->rcode & 0xfffU;
	e->upstream = (uint8_t)info->upstream;
	e->ad = info->ad;
	e->has_answer_of_type = a->has_answer_of_type;
	return e;
}

struct cache_entry *
cache_entry_failure(const struct cache_limits *limits, const struct cache_key *k, uint32_t hash,
		    uint16_t flags, uint16_t rcode, const struct msg_ede *ede, int64_t for_ms, int64_t now_ms)
{
	struct cache_entry *e = entry_new(limits, k, hash, 0, MSG_HEADER + k->name.n + 4, ede);
	uint8_t *wire;

	if (e == NULL)
		return NULL;
	wire = (uint8_t *)e->data;
	memset(wire, 0, MSG_HEADER);
	be16_write(wire + 2, MSG_QR | flags);
	be16_write(wire + 4, 1);
	memcpy(wire + MSG_HEADER, k->name.p, k->name.n);
	be16_write(wire + MSG_HEADER + k->name.n, k->type);
	be16_write(wire + MSG_HEADER + k->name.n + 2, k->class);
	e->failure = true;
	e->rcode = rcode & 0xfffU;
	e->stored_ms = now_ms;
	e->life_ms = failure_life_ms(for_ms);
	return e;
}
