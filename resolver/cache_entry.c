#include "resolver/cache_entry.h"

#include <stdlib.h>
#include <string.h>

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

/* Includes malloc's header and rounding, and a sixteenth for fragmentation. */
uint64_t
cache_entry_bytes(const struct cache_entry *e)
{
	size_t chunk = (sizeof *e + 2U * e->n_ttl + e->wire_n + e->ede_n + 8 + 15) & ~(size_t)15;

	return chunk + chunk / 16;
}

bool
cache_entry_is(const struct cache_entry *e, uint64_t hash, const struct cache_key *k)
{
	const uint8_t *fixed = entry_wire(e) + MSG_HEADER + e->name_n;

	return e->hash == hash && e->name_n == k->name.n && e->do_bit == k->do_bit && e->cd == k->cd &&
	       memcmp(entry_wire(e) + MSG_HEADER, k->name.p, k->name.n) == 0 && be16_read(fixed) == k->type &&
	       be16_read(fixed + 2) == k->class;
}

bool
cache_entry_is_dead(const struct cache_entry *e, const struct cache_limits *limits, int64_t now_ms)
{
	return now_ms >= e->expires_ms + (e->failure ? 0 : limits->serve_stale_ms);
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
				 .ttl_min = e->ttl_min,
				 .has_answer_of_type = e->has_answer_of_type};
	hit->age_s = (uint32_t)((now_ms - e->stored_ms) / 1000);
	hit->failure = e->failure || now_ms < e->failed_until_ms;
	hit->ad = e->ad;
	hit->upstream = e->upstream;
	hit->ede = (struct msg_ede){e->ede_code, span_of(wire + e->wire_n, e->ede_n)};
	hit->has_ede = e->has_ede;
	hit->prefetch = false;
}

/* ---- how long */

/* How long it may be kept, and the cap of its TTLs. 0: it may not be kept. */
static int64_t
answer_life(const struct cache_limits *limits, const struct msg_answer *a, int64_t *cap_ms)
{
	int64_t life = a->ttl_min == UINT32_MAX ? INT64_MAX : (int64_t)a->ttl_min * 1000;

	*cap_ms = limits->max_ttl_ms;
	if ((a->flags & MSG_TC) ||
	    (a->rcode != RCODE_NOERROR && a->rcode != RCODE_NXDOMAIN)) /* RFC 2181, 9 */
		return 0;
	if (a->rcode == RCODE_NXDOMAIN || !a->has_answer_of_type) {
		if (limits->negative_max_ttl_ms < *cap_ms)
			*cap_ms = limits->negative_max_ttl_ms;
		if (!a->has_soa) /* RFC 2308, 5: should not be kept; this long it may, against storms */
			return life < CACHE_NO_SOA_MS ? life : CACHE_NO_SOA_MS;
		if ((int64_t)a->soa_negative_ttl * 1000 < life)
			life = (int64_t)a->soa_negative_ttl * 1000;
	}
	if (life < limits->min_ttl_ms)
		life = limits->min_ttl_ms;
	return life < *cap_ms ? life : *cap_ms;
}

int64_t
cache_failure_life_ms(int64_t for_ms)
{
	if (for_ms < CACHE_FAILURE_MIN_MS)
		return CACHE_FAILURE_MIN_MS;
	return for_ms < CACHE_FAILURE_MAX_MS ? for_ms : CACHE_FAILURE_MAX_MS;
}

/* ---- made */

/* Allocates all of an entry and fills the key's fields; NULL: no memory, or the entry is too large for the cache. */
static struct cache_entry *
entry_new(const struct cache_limits *limits, const struct cache_key *k, uint64_t hash, size_t n_ttl,
	  size_t wire_n, const struct msg_ede *ede)
{
	size_t ede_n = ede == NULL ? 0 : ede->text.n > MSG_EDE_TEXT_MAX ? MSG_EDE_TEXT_MAX : ede->text.n;
	size_t n = sizeof(struct cache_entry) + 2 * n_ttl + wire_n + ede_n;
	struct cache_entry *e =
	    n > limits->bytes / 4 ? NULL : malloc(n); /* one answer must not empty the cache */

	if (e == NULL)
		return NULL;
	*e = (struct cache_entry){.hash = hash,
				  .wire_n = (uint16_t)wire_n,
				  .n_ttl = (uint16_t)n_ttl,
				  .name_n = (uint8_t)k->name.n,
				  .do_bit = k->do_bit,
				  .cd = k->cd,
				  .ede_n = (uint8_t)ede_n};
	if (ede != NULL) {
		e->has_ede = true;
		e->ede_code = ede->code;
		if (ede_n > 0)
			memcpy((uint8_t *)(e->data + n_ttl) + wire_n, ede->text.p, ede_n);
	}
	return e;
}

/* Applies the limits to the TTLs, and writes the question in lower case. */
static void
entry_wire_settle(struct cache_entry *e, const struct cache_key *k, const struct msg_answer *a,
		  int64_t floor_ms, int64_t cap_ms)
{
	uint8_t *wire = (uint8_t *)(e->data + e->n_ttl);
	uint32_t floor = (uint32_t)(floor_ms / 1000), cap = (uint32_t)(cap_ms / 1000);

	for (size_t i = 0; i < a->n_ttl; i++) {
		size_t at = a->ttl_at[i] > a->opt_at ? a->ttl_at[i] - a->opt_n : a->ttl_at[i];
		uint32_t ttl = be32_read(wire + at);

		ttl = ttl > INT32_MAX ? 0 : ttl; /* RFC 2181, 8 */
		if (a->ttl_at[i] == a->soa_ttl_at && ttl > a->soa_negative_ttl)
			ttl = a->soa_negative_ttl; /* RFC 2308, 5: at 0 the answer ends */
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
answer_may_be_kept(const struct cache_key *k, const struct msg_answer *a, int64_t expires_ms, int64_t now_ms)
{
	return expires_ms > now_ms && a->section.n == k->name.n + 4 && a->type == k->type &&
	       a->class == k->class;
}

struct cache_entry *
cache_entry_new(const struct cache_limits *limits, const struct cache_key *k, uint64_t hash,
		const struct msg_answer *a, const struct cache_entry_info *info, int64_t now_ms,
		int64_t *life_ms)
{
	int64_t cap_ms, life = answer_life(limits, a, &cap_ms),
			stored_ms = now_ms - (int64_t)info->age_s * 1000;
	struct cache_entry *e;

	*life_ms = life;
	if (life <= 0 || !answer_may_be_kept(k, a, stored_ms + life, now_ms))
		return NULL;
	e = entry_new(limits, k, hash, a->n_ttl, a->wire.n - a->opt_n, info->ede);
	if (e == NULL)
		return NULL;
	if (!msg_strip((uint8_t *)(e->data + e->n_ttl), a)) {
		free(e);
		return NULL;
	}
	entry_wire_settle(e, k, a, limits->min_ttl_ms < cap_ms ? limits->min_ttl_ms : cap_ms, cap_ms);
	e->stored_ms = stored_ms;
	e->expires_ms = stored_ms + life;
	e->ttl_min = (uint32_t)(life / 1000);
	e->rcode = a->rcode;
	e->upstream = info->upstream;
	e->ad = info->ad;
	e->has_answer_of_type = a->has_answer_of_type;
	return e;
}

struct cache_entry *
cache_entry_failure(const struct cache_limits *limits, const struct cache_key *k, uint64_t hash,
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
	e->rcode = rcode;
	e->ttl_min = UINT32_MAX;
	e->stored_ms = now_ms;
	e->expires_ms = now_ms + cache_failure_life_ms(for_ms);
	return e;
}
