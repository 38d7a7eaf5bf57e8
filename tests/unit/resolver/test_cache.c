#include "resolver/cache.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/base/dns/dnswire.h"

#define MINUTE ((int64_t)60000)
#define HOUR   (60 * MINUTE)
#define START  (1000 * HOUR)

static const struct cache_limits limits = {.bytes = 1024 * 1024,
					   .max_ttl_ms = 24 * HOUR,
					   .negative_max_ttl_ms = HOUR,
					   .serve_stale_ms = 24 * HOUR,
					   .prefetch = true};

static struct cache *
new_cache(const struct cache_limits *l)
{
	struct cache *c;

	assert_int_equal(cache_new(&c, l), RES_OK);
	return c;
}

/* The key's bytes belong to `name`. */
static struct cache_key
key_of(uint8_t name[MSG_NAME_MAX], const char *text, uint16_t type)
{
	uint8_t n = 0;

	assert_int_equal(msg_name_read(name, &n, text), RES_OK);
	return (struct cache_key){.name = span_of(name, n), .type = type, .class = CLASS_IN};
}

/* Puts an answer given as wire for its own question. */
static bool
put_wire(struct cache *c, const char *text, int64_t now, uint32_t age_s)
{
	static _Thread_local uint16_t ttl_at[MSG_RRS_MAX];
	struct buf b = buf_max(MSG_MAX), lower = buf_max(MSG_MAX);
	struct span wire = wire_make(&b, text);
	struct msg_answer a;
	struct cache_entry_info info = {.upstream = 7, .age_s = age_s};
	struct cache_key k;
	bool stored;

	assert_int_equal(msg_answer_read(&a, wire, ttl_at), RES_OK);
	buf_put(&lower, span_slice(a.section, 0, a.section.n - 4));
	for (size_t i = 0; i < lower.n; i++)
		lower.p[i] = (uint8_t)tolower(lower.p[i]);
	k = (struct cache_key){.name = buf_span(&lower), .type = a.type, .class = a.class};
	stored = cache_put(c, &k, &a, &info, now);
	buf_free(&lower);
	buf_free(&b);
	return stored;
}

static enum cache_state
get(struct cache *c, const char *name, uint16_t type, int64_t now, struct cache_hit *hit)
{
	uint8_t wire[MSG_NAME_MAX];
	struct cache_key k = key_of(wire, name, type);

	return cache_get(c, &k, now, hit);
}

#define HEAD(an, ns, ar) "0000 8180 0001 " an ns ar
#define A_300            HEAD("0001", "0000", "0000") "(a.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304"
#define SOA(ttl, minimum)                                                                                    \
	" c00c 0006 0001 " ttl " 0018 c00c c00c 00000001 00000001 00000001 00000001 " minimum

static const struct {
	const char *what;
	const char *wire;
	uint32_t age_s;
	int64_t life_ms; /* 0: not stored */
} lives[] = {
    {"the smallest TTL counts; RFC 2181, 5.2",
     HEAD("0002", "0000", "0000") "(a.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304 "
				  "c00c 0001 0001 0000003c 0004 01020305",
     0, MINUTE},
    {"the authority section counts too",
     HEAD("0001", "0001", "0000") "(a.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304 "
				  "c00c 0002 0001 0000001e 0002 c00c",
     0, 30000},
    {"RFC 8484, 5.1: Age is taken off (H05)", A_300, 50, 250000},
    {"an answer older than its life", A_300, 300, 0},
    {"a huge Age", A_300, UINT32_MAX, 0},
    {"U19: TTL 0", HEAD("0001", "0000", "0000") "(a.test) 0001 0001 c00c 0001 0001 00000000 0004 01020304", 0,
     0},
    {"U19: TTL 2^31; RFC 2181, 8",
     HEAD("0001", "0000", "0000") "(a.test) 0001 0001 c00c 0001 0001 80000000 0004 01020304", 0, 0},
    {"U19: TTL 2^32-1",
     HEAD("0001", "0000", "0000") "(a.test) 0001 0001 c00c 0001 0001 ffffffff 0004 01020304", 0, 0},
    {"U19: ten years are cut to max-ttl",
     HEAD("0001", "0000", "0000") "(a.test) 0001 0001 c00c 0001 0001 12cc0300 0004 01020304", 0, 24 * HOUR},
    {"RFC 2181, 9: TC is never kept",
     "0000 8380 0001 0001 0000 0000 (a.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304", 0, 0},
    {"RFC 2308, 5: NXDOMAIN by the SOA's MINIMUM",
     "0000 8183 0001 0000 0001 0000 (a.test) 0001 0001" SOA("00000e10", "00000064"), 0, 100000},
    {"RFC 2308, 5: NXDOMAIN by the SOA's TTL",
     "0000 8183 0001 0000 0001 0000 (a.test) 0001 0001" SOA("00000064", "00000e10"), 0, 100000},
    {"U19: a huge MINIMUM is cut to negative-max-ttl",
     "0000 8183 0001 0000 0001 0000 (a.test) 0001 0001" SOA("00fffff0", "00fffff0"), 0, HOUR},
    {"RFC 2308, 5: NODATA by the SOA",
     "0000 8180 0001 0000 0001 0000 (a.test) 0001 0001" SOA("00000064", "00000e10"), 0, 100000},
    {"U19: NXDOMAIN without SOA: a second at most", "0000 8183 0001 0000 0000 0000 (a.test) 0001 0001", 0,
     1000},
    {"NODATA without SOA: a second at most", "0000 8180 0001 0000 0000 0000 (a.test) 0001 0001", 0, 1000},
    {"U20: NXDOMAIN with a CNAME is negative",
     "0000 8183 0001 0001 0001 0000 (a.test) 0001 0001 c00c 0005 0001 0000012c 0004 0162 c00e" SOA(
	 "00000064", "00000e10"),
     0, 100000},
    {"U20: NOERROR with SOA and answers is positive",
     "0000 8180 0001 0001 0001 0000 (a.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304" SOA("00000e10",
												  "0000000a"),
     0, 300000},
    {"U32: an alias without its target: a second at most",
     "0000 8180 0001 0001 0000 0000 (a.test) 0001 0001 c00c 0005 0001 0000012c 0004 0162 c00e", 0, 1000},
    {"U18: SERVFAIL is not an answer to keep", "0000 8182 0001 0000 0000 0000 (a.test) 0001 0001", 0, 0},
    {"U18: REFUSED is not an answer to keep", "0000 8185 0001 0000 0000 0000 (a.test) 0001 0001", 0, 0},
    {"U18: an extended RCODE whose lower bits are 0",
     "0000 8180 0001 0001 0000 0001 (a.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304 00 0029 04d0 "
     "01000000 0000",
     0, 0},
};

static void
lifetimes_follow_the_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
		struct cache *c = new_cache(&limits);
		struct cache_hit hit;

		if (put_wire(c, lives[i].wire, START, lives[i].age_s) != (lives[i].life_ms > 0))
			fail_msg("%s: stored or not", lives[i].what);
		if (lives[i].life_ms > 0 &&
		    (get(c, "a.test", 1, START + lives[i].life_ms - 1, &hit) != CACHE_FRESH ||
		     get(c, "a.test", 1, START + lives[i].life_ms, &hit) != CACHE_STALE))
			fail_msg("%s: not fresh for %lld ms", lives[i].what, (long long)lives[i].life_ms);
		cache_free(c);
	}
}

static void
a_hit_gives_what_was_put(void **state)
{
	struct cache *c = new_cache(&limits);
	struct cache_hit hit;

	(void)state;
	assert_true(put_wire(
	    c,
	    "beef 81a0 0001 0001 0000 0001 (A.tEsT) 0001 0001 c00c 0001 0001 0000012c 0004 01020304" WIRE_OPT,
	    START, 0));
	assert_int_equal(get(c, "a.test", 1, START + 5999, &hit), CACHE_FRESH);
	assert_int_equal(hit.age_s, 5);
	assert_int_equal(hit.upstream, 7);
	assert_false(hit.failure || hit.prefetch || hit.has_ede);
	assert_int_equal(hit.answer.opt_n, 0); /* RFC 6891, 6.1.1: never kept */
	assert_int_equal(hit.answer.ar, 0);
	assert_int_equal(hit.answer.an, 1);
	assert_int_equal(hit.answer.n_ttl, 1);
	assert_int_equal(hit.answer.wire.n, 12 + 12 + 16);
	assert_int_equal(be32_read(hit.answer.wire.p + hit.answer.ttl_at[0]), 300);
	cache_free(c);
}

/* A key that was hashed before finds what one without a hash put. */
static void
a_prepared_key_finds_the_same(void **state)
{
	struct cache *c = new_cache(&limits);
	uint8_t wire[MSG_NAME_MAX];
	struct cache_key k = key_of(wire, "a.test", 1), other = key_of(wire, "a.test", TYPE_AAAA);
	struct cache_hit hit;

	(void)state;
	assert_true(put_wire(c, A_300, START, 0));
	cache_key_prepare(c, &k);
	cache_key_prepare(c, &other);
	assert_true(k.hash != 0 && k.hash != other.hash);
	assert_int_equal(cache_get(c, &k, START, &hit), CACHE_FRESH);
	assert_int_equal(cache_get(c, &other, START, &hit), CACHE_MISS);
	cache_put_failure(c, &other, RCODE_SERVFAIL, NULL, 5000, START);
	assert_int_equal(get(c, "a.test", TYPE_AAAA, START, &hit), CACHE_FRESH);
	cache_free(c);
}

/* C36, U11, C35: nothing but the very question finds an entry. */
static void
only_the_question_finds_its_answer(void **state)
{
	struct cache *c = new_cache(&limits);
	uint8_t wire[MSG_NAME_MAX];
	struct cache_key k;
	struct cache_hit hit;

	(void)state;
	/* with records of b.test beside */
	assert_true(
	    put_wire(c,
		     HEAD("0001", "0000", "0001") "(a.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304"
						  " (b.test) 0001 0001 0000012c 0004 06060606",
		     START, 0));
	assert_int_equal(get(c, "b.test", 1, START, &hit), CACHE_MISS);
	assert_int_equal(get(c, "a.test", TYPE_AAAA, START, &hit), CACHE_MISS);
	assert_int_equal(get(c, "a.test", TYPE_HTTPS, START, &hit), CACHE_MISS);
	assert_int_equal(get(c, "test", 1, START, &hit), CACHE_MISS);
	assert_int_equal(get(c, "x.a.test", 1, START, &hit), CACHE_MISS);
	k = key_of(wire, "a.test", 1);
	k.do_bit = true;
	assert_int_equal(cache_get(c, &k, START, &hit), CACHE_MISS);
	k.do_bit = false;
	k.cd = true;
	assert_int_equal(cache_get(c, &k, START, &hit), CACHE_MISS);
	k.cd = false;
	k.class = CLASS_CH;
	assert_int_equal(cache_get(c, &k, START, &hit), CACHE_MISS);
	assert_int_equal(get(c, "A.TEST", 1, START, &hit), CACHE_FRESH); /* C34 */
	cache_free(c);
}

static void
stale_data_have_an_end(void **state)
{
	struct cache *c = new_cache(&limits);
	struct cache_stats s;
	struct cache_hit hit;

	(void)state;
	assert_true(put_wire(c, A_300, START, 0));
	assert_int_equal(get(c, "a.test", 1, START + 300000 + 24 * HOUR - 1, &hit), CACHE_STALE);
	assert_int_equal(get(c, "a.test", 1, START + 300000 + 24 * HOUR, &hit), CACHE_MISS);
	cache_stats(c, &s);
	assert_int_equal(s.entries, 0);
	assert_int_equal(s.expired, 1);
	assert_int_equal(s.stale_hits, 1);
	assert_int_equal(s.misses, 1);
	cache_free(c);
}

/* Seconds that do not fit in 32 bits, signed or not, and milliseconds that have not for long. */
static void
k07_lifetimes_pass_every_border_of_the_clock(void **state)
{
	static const struct {
		const char *what;
		int64_t border_ms;
	} borders[] = {
	    {"2^31 ms", INT64_C(1) << 31},
	    {"2^32 ms", INT64_C(1) << 32},
	    {"2^31 s: 2038 where a clock counts from 1970", (INT64_C(1) << 31) * 1000},
	    {"2^32 s: 2106", (INT64_C(1) << 32) * 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof borders / sizeof *borders; i++) {
		int64_t stored = borders[i].border_ms - 100000;
		struct cache *c = new_cache(&limits);
		struct cache_hit hit;

		assert_true(put_wire(c, A_300, stored, 0));
		if (get(c, "a.test", 1, stored + 200000, &hit) != CACHE_FRESH || hit.age_s != 200)
			fail_msg("%s: lost, or of the wrong age", borders[i].what);
		if (get(c, "a.test", 1, stored + 300000, &hit) != CACHE_STALE || hit.age_s != 300)
			fail_msg("%s: still fresh at its end", borders[i].what);
		if (get(c, "a.test", 1, stored + 300000 + 24 * HOUR, &hit) != CACHE_MISS)
			fail_msg("%s: kept for ever", borders[i].what);
		cache_free(c);
	}
}

static void
failures_are_kept_between_one_second_and_five_minutes(void **state)
{
	static const struct {
		const char *what;
		uint16_t rcode;
		int64_t asked_ms, kept_ms;
	} rows[] = {
	    {"RFC 9520, 3.2: at least a second", RCODE_SERVFAIL, 0, 1000},
	    {"five seconds, with the original RCODE", RCODE_REFUSED, 5000, 5000},
	    {"RFC 9520, 3.2: at most five minutes", RCODE_SERVFAIL, HOUR, 5 * MINUTE},
	};
	struct msg_ede ede = {22, span_str("one 192.0.2.1: connect-timeout")};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct cache *c = new_cache(&limits);
		uint8_t wire[MSG_NAME_MAX];
		struct cache_key k = key_of(wire, "a.test", 1);
		struct cache_hit hit;

		cache_put_failure(c, &k, rows[i].rcode, &ede, rows[i].asked_ms, START);
		if (cache_get(c, &k, START + rows[i].kept_ms - 1, &hit) != CACHE_FRESH)
			fail_msg("%s: gone too early", rows[i].what);
		assert_true(hit.failure && hit.has_ede);
		assert_int_equal(hit.answer.rcode, rows[i].rcode);
		assert_int_equal(hit.ede.code, 22);
		assert_true(span_equal(hit.ede.text, ede.text));
		if (cache_get(c, &k, START + rows[i].kept_ms, &hit) != CACHE_MISS)
			fail_msg("%s: kept too long", rows[i].what);
		cache_free(c);
	}
}

/* RFC 8767, 5: what can still be served is not given up for a failure to refresh it. */
static void
a_failure_leaves_stale_data_in_place(void **state)
{
	struct cache *c = new_cache(&limits);
	uint8_t wire[MSG_NAME_MAX];
	struct cache_key k = key_of(wire, "a.test", 1);
	struct cache_hit hit;

	(void)state;
	assert_true(put_wire(c, A_300, START, 0));
	cache_put_failure(c, &k, RCODE_SERVFAIL, NULL, 30000, START + HOUR);
	assert_int_equal(cache_get(c, &k, START + HOUR + 29999, &hit), CACHE_STALE);
	assert_true(hit.failure);
	assert_int_equal(hit.answer.an, 1);
	assert_int_equal(cache_get(c, &k, START + HOUR + 30000, &hit), CACHE_STALE);
	assert_false(hit.failure);
	assert_true(put_wire(c, A_300, START + 2 * HOUR, 0));
	assert_int_equal(cache_get(c, &k, START + 2 * HOUR, &hit), CACHE_FRESH);
	assert_false(hit.failure);
	cache_free(c);
}

static void
popular_entries_are_prefetched_once(void **state)
{
	struct cache *c = new_cache(&limits);
	struct cache_hit hit;

	(void)state;
	assert_true(put_wire(c, A_300, START, 0));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(get(c, "a.test", 1, START + 269999, &hit), CACHE_FRESH);
		assert_false(hit.prefetch);
	}
	assert_int_equal(get(c, "a.test", 1, START + 270000, &hit), CACHE_FRESH);
	assert_true(hit.prefetch);
	assert_int_equal(get(c, "a.test", 1, START + 280000, &hit), CACHE_FRESH);
	assert_false(hit.prefetch);
	/* a new life, asked for once: not popular */
	assert_true(put_wire(c, A_300, START + 290000, 0));
	assert_int_equal(get(c, "a.test", 1, START + 290000 + 290000, &hit), CACHE_FRESH);
	assert_false(hit.prefetch);
	cache_free(c);
}

static void
limits_are_applied_to_the_ttls_that_are_kept(void **state)
{
	struct cache_limits l = limits;
	struct cache *c;
	struct cache_hit hit;

	(void)state;
	l.min_ttl_ms = 600000;
	c = new_cache(&l);
	assert_true(put_wire(c, A_300, START, 0));
	assert_int_equal(get(c, "a.test", 1, START + 599999, &hit), CACHE_FRESH);
	assert_int_equal(be32_read(hit.answer.wire.p + hit.answer.ttl_at[0]), 600);
	l.min_ttl_ms = 0;
	l.max_ttl_ms = 60000;
	cache_renew(c, 1, &l);
	assert_true(put_wire(c, A_300, START, 0));
	assert_int_equal(get(c, "a.test", 1, START + 59999, &hit), CACHE_FRESH);
	assert_int_equal(be32_read(hit.answer.wire.p + hit.answer.ttl_at[0]), 60);
	assert_int_equal(get(c, "a.test", 1, START + 60000, &hit), CACHE_STALE);
	cache_free(c);
}

static bool
put_numbered(struct cache *c, unsigned i, int64_t now)
{
	char text[256];

	(void)snprintf(
	    text, sizeof text,
	    HEAD("0001", "0000", "0000") "(n%u.flood.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304",
	    i);
	return put_wire(c, text, now, 0);
}

/* R04: a flood of names stays inside the size, and what is asked for again survives it. */
static void
a_flood_stays_inside_the_size(void **state)
{
	struct cache *c = new_cache(&limits);
	struct cache_stats s;
	struct cache_hit hit;

	(void)state;
	assert_true(put_wire(c, A_300, START, 0));
	for (unsigned i = 0; i < 50000; i++) {
		assert_true(put_numbered(c, i, START));
		if (i % 1000 == 0)
			assert_int_equal(get(c, "a.test", 1, START, &hit), CACHE_FRESH);
		cache_stats(c, &s);
		assert_true(s.bytes <= limits.bytes);
	}
	assert_true(s.entries > 4000);
	assert_int_equal(s.stored, 50001);
	assert_int_equal(s.entries + s.evicted, 50001);
	for (unsigned i = 50000 - 1000; i < 50000; i++) {
		char name[64];

		(void)snprintf(name, sizeof name, "n%u.flood.test", i);
		assert_int_equal(get(c, name, 1, START, &hit), CACHE_FRESH);
	}
	cache_free(c);
}

static void
a_new_configuration_empties_the_cache_and_sets_its_size(void **state)
{
	struct cache *c = new_cache(&limits);
	struct cache_limits l = limits;
	struct cache_stats s;

	(void)state;
	for (unsigned i = 0; i < 3000; i++)
		assert_true(put_numbered(c, i, START));
	l.bytes = 128 * 1024;
	cache_renew(c, 1, &l);
	cache_stats(c, &s);
	assert_int_equal(s.entries, 0);
	assert_int_equal(s.stored, 3000);
	for (unsigned i = 0; i < 3000; i++)
		assert_true(put_numbered(c, i, START));
	cache_stats(c, &s);
	assert_true(s.bytes <= l.bytes && s.bytes > l.bytes / 2);
	cache_renew(c, 1, &l); /* the same one */
	cache_stats(c, &s);
	assert_true(s.entries > 0);
	l.bytes = 0;
	cache_renew(c, 2, &l);
	cache_stats(c, &s);
	assert_int_equal(s.entries, 0);
	assert_false(put_wire(c, A_300, START, 0)); /* no room at all: nothing is kept, nothing breaks */
	cache_free(c);
}

static void
flush_takes_a_name_and_all_below(void **state)
{
	struct cache *c = new_cache(&limits);
	uint8_t wire[MSG_NAME_MAX];
	struct cache_hit hit;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		assert_true(put_numbered(c, i, START));
	assert_true(put_wire(c, A_300, START, 0));
	assert_int_equal(cache_flush(c, key_of(wire, "lood.test", 1).name), 0);
	assert_int_equal(cache_flush(c, key_of(wire, "n3.flood.test", 1).name), 1);
	assert_int_equal(cache_flush(c, key_of(wire, "flood.test", 1).name), 9);
	assert_int_equal(get(c, "a.test", 1, START, &hit), CACHE_FRESH);
	assert_int_equal(cache_flush(c, key_of(wire, ".", 1).name), 1);
	assert_int_equal(get(c, "a.test", 1, START, &hit), CACHE_MISS);
	cache_free(c);
}

/* ---- several workers */

#define WORKERS 2

static const struct cache_limits shared_limits = {.bytes = 16 * 1024 * 1024,
						  .max_ttl_ms = 24 * HOUR,
						  .negative_max_ttl_ms = HOUR,
						  .serve_stale_ms = 24 * HOUR,
						  .prefetch = true};

struct shared {
	struct cache_store *store;
	struct cache *cache[WORKERS];
};

static int
shared_make(void **state)
{
	static struct shared s;

	assert_int_equal(cache_store_new(&s.store, WORKERS, &shared_limits), RES_OK);
	for (unsigned i = 0; i < WORKERS; i++)
		assert_int_equal(cache_new_in(&s.cache[i], s.store), RES_OK);
	*state = &s;
	return 0;
}

static int
shared_end(void **state)
{
	struct shared *s = *state;

	for (unsigned i = 0; i < WORKERS; i++)
		cache_free(s->cache[i]);
	cache_store_free(s->store);
	return 0;
}

static void
one_finds_what_the_other_stored(void **state)
{
	struct shared *s = *state;
	uint8_t wire[MSG_NAME_MAX];
	struct cache_key k = key_of(wire, "fails.test", 1);
	struct cache_hit hit;

	assert_true(put_wire(s->cache[0], A_300, START, 0));
	assert_int_equal(get(s->cache[1], "a.test", 1, START + 5000, &hit), CACHE_FRESH);
	assert_int_equal(hit.age_s, 5);
	/* What was lent stays as it was, whatever the other one does. */
	assert_int_equal(cache_flush(s->cache[0], key_of(wire, "a.test", 1).name), 1);
	assert_int_equal(be32_read(hit.answer.wire.p + hit.answer.ttl_at[0]), 300);
	assert_int_equal(get(s->cache[1], "a.test", 1, START, &hit), CACHE_MISS);
	k = key_of(wire, "fails.test", 1);
	cache_put_failure(s->cache[1], &k, RCODE_SERVFAIL, NULL, 5000, START);
	assert_int_equal(cache_get(s->cache[0], &k, START, &hit), CACHE_FRESH);
	assert_true(hit.failure);
	assert_int_equal(cache_get(s->cache[0], &k, START + 5000, &hit), CACHE_MISS);
}

static void
the_time_of_one_may_be_behind_that_of_the_other(void **state)
{
	struct shared *s = *state;
	uint8_t wire[MSG_NAME_MAX];
	struct cache_key k = key_of(wire, "a.test", 1);
	struct cache_hit hit;

	assert_true(put_wire(s->cache[0], A_300, START, 0));
	assert_int_equal(get(s->cache[1], "a.test", 1, START - 2500, &hit), CACHE_FRESH);
	assert_int_equal(hit.age_s, 0);
	assert_false(hit.failure);
	cache_put_failure(s->cache[1], &k, RCODE_SERVFAIL, NULL, 5000, START - 60000);
	assert_int_equal(get(s->cache[0], "a.test", 1, START, &hit), CACHE_FRESH);
	assert_false(hit.failure);
}

static void
a_popular_entry_is_prefetched_by_one_of_them(void **state)
{
	struct shared *s = *state;
	struct cache_hit hit;
	unsigned n = 0;

	assert_true(put_wire(s->cache[0], A_300, START, 0));
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(get(s->cache[i % WORKERS], "a.test", 1, START + 290000, &hit), CACHE_FRESH);
		n += hit.prefetch;
	}
	assert_int_equal(n, 1);
}

/* Workers take a new configuration one after the other. */
static void
each_sees_answers_of_its_own_configuration_alone(void **state)
{
	static const char b_300[] = HEAD("0001", "0000", "0000") "(b.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304";
	struct shared *s = *state;
	uint8_t wire[MSG_NAME_MAX];
	struct cache_key k = key_of(wire, "fails.test", 1);
	struct cache_stats stats;
	struct cache_hit hit;

	assert_true(put_wire(s->cache[0], A_300, START, 0));
	cache_renew(s->cache[1], 1, &shared_limits);
	assert_int_equal(get(s->cache[1], "a.test", 1, START, &hit), CACHE_MISS);
	assert_int_equal(get(s->cache[0], "a.test", 1, START, &hit), CACHE_MISS);
	/* An answer to a question that was under way is the old configuration's. */
	assert_false(put_wire(s->cache[0], A_300, START, 0));
	cache_put_failure(s->cache[0], &k, RCODE_SERVFAIL, NULL, 5000, START);
	assert_int_equal(cache_get(s->cache[1], &k, START, &hit), CACHE_MISS);
	assert_int_equal(get(s->cache[1], "a.test", 1, START, &hit), CACHE_MISS);
	assert_true(put_wire(s->cache[1], b_300, START, 0));
	assert_int_equal(get(s->cache[0], "b.test", 1, START, &hit), CACHE_MISS);
	cache_renew(s->cache[0], 1, &shared_limits); /* empties it no more */
	assert_int_equal(get(s->cache[0], "b.test", 1, START, &hit), CACHE_FRESH);
	assert_int_equal(get(s->cache[0], "a.test", 1, START, &hit), CACHE_MISS);
	cache_stats(s->cache[0], &stats);
	assert_int_equal(stats.entries, 1);
}

static void
flush_reaches_every_table(void **state)
{
	struct shared *s = *state;
	uint8_t wire[MSG_NAME_MAX];
	struct cache_stats stats;

	for (unsigned i = 0; i < 5000; i++)
		assert_true(put_numbered(s->cache[i % WORKERS], i, START));
	assert_true(put_wire(s->cache[0], A_300, START, 0));
	cache_stats(s->cache[1], &stats);
	assert_int_equal(stats.entries, 5001);
	assert_int_equal(stats.stored, 5001);
	assert_int_equal(cache_flush(s->cache[1], key_of(wire, "flood.test", 1).name), 5000);
	assert_int_equal(cache_flush(s->cache[1], key_of(wire, ".", 1).name), 1);
	cache_stats(s->cache[1], &stats);
	assert_int_equal(stats.entries, 0);
}

/* The smallest store takes the largest answer, and no store has more than its bytes. */
static void
sizes_hold_for_any_number_of_workers(void **state)
{
	static const struct {
		unsigned workers;
		uint64_t bytes;
	} rows[] = {{1, 512 * 1024}, {2, 512 * 1024}, {2, 3 * 1024 * 1024}, {64, 4 * 1024 * 1024}, {64, 64 * 1024 * 1024}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		static uint16_t ttl_at[MSG_RRS_MAX];
		struct cache_limits l = shared_limits;
		struct cache_store *store;
		struct cache *c;
		struct cache_stats stats;
		struct buf large = buf_max(MSG_MAX);
		struct msg_answer a;
		uint8_t wire[MSG_NAME_MAX];
		const struct cache_key k = key_of(wire, "a.test", TYPE_A);
		const struct cache_entry_info info = {.upstream = 255};

		l.bytes = rows[i].bytes;
		assert_int_equal(cache_store_new(&store, rows[i].workers, &l), RES_OK);
		assert_int_equal(cache_new_in(&c, store), RES_OK);
		for (unsigned n = 0; n < 20000; n++)
			assert_true(put_numbered(c, n, START));
		(void)wire_make(&large, HEAD("0faa", "0000", "0000") "(a.test) 0001 0001");
		for (unsigned n = 0; n < 0xfaa; n++) {
			buf_put(&large, span_of((const uint8_t *)"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4", 12));
			buf_u32(&large, n);
		}
		assert_int_equal(msg_answer_read(&a, buf_span(&large), ttl_at), RES_OK);
		if (!cache_put(c, &k, &a, &info, START))
			fail_msg("row %zu: an answer of %zu bytes was not stored", i, large.n);
		cache_stats(c, &stats);
		if (stats.bytes > l.bytes)
			fail_msg("row %zu: %llu bytes", i, (unsigned long long)stats.bytes);
		cache_free(c);
		cache_store_free(store);
		buf_free(&large);
	}
}

struct hammer {
	struct cache *cache;
	unsigned turn, wrong;
};

/* Whatever the others do: what is found is the answer to the question. */
static void *
hammer(void *arg)
{
	struct hammer *h = arg;

	for (unsigned i = 0; i < 20000; i++) {
		uint8_t name[MSG_NAME_MAX];
		unsigned n = (i * 7 + h->turn * 3) % 500;
		char text[64];
		struct cache_key k;
		struct cache_hit hit;

		(void)snprintf(text, sizeof text, "n%u.flood.test", n);
		k = key_of(name, text, 1);
		if (cache_get(h->cache, &k, START + i, &hit) == CACHE_MISS)
			(void)put_numbered(h->cache, n, START + i);
		else if (hit.answer.section.n != k.name.n + 4 || memcmp(hit.answer.section.p, k.name.p, k.name.n) != 0)
			h->wrong++;
		if (i % 1000 == 999)
			(void)cache_flush(h->cache, k.name);
		if (i % 5000 == 4999)
			cache_renew(h->cache, 2 + i / 5000, &shared_limits);
	}
	return NULL;
}

static void
threads_may_use_one_store_at_once(void **state)
{
	struct shared *s = *state;
	struct hammer h[WORKERS] = {{s->cache[0], 0, 0}, {s->cache[1], 1, 0}};
	pthread_t thread[WORKERS];
	struct cache_stats stats;

	for (unsigned i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, hammer, &h[i]), 0);
	for (unsigned i = 0; i < WORKERS; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_int_equal(h[i].wrong, 0);
	}
	cache_stats(s->cache[0], &stats);
	assert_true(stats.hits > 1000 && stats.entries <= 500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lifetimes_follow_the_answers),
	    cmocka_unit_test(a_hit_gives_what_was_put),
	    cmocka_unit_test(a_prepared_key_finds_the_same),
	    cmocka_unit_test(only_the_question_finds_its_answer),
	    cmocka_unit_test(stale_data_have_an_end),
	    cmocka_unit_test(k07_lifetimes_pass_every_border_of_the_clock),
	    cmocka_unit_test(failures_are_kept_between_one_second_and_five_minutes),
	    cmocka_unit_test(a_failure_leaves_stale_data_in_place),
	    cmocka_unit_test(popular_entries_are_prefetched_once),
	    cmocka_unit_test(limits_are_applied_to_the_ttls_that_are_kept),
	    cmocka_unit_test(a_flood_stays_inside_the_size),
	    cmocka_unit_test(a_new_configuration_empties_the_cache_and_sets_its_size),
	    cmocka_unit_test(flush_takes_a_name_and_all_below),
	    cmocka_unit_test_setup_teardown(one_finds_what_the_other_stored, shared_make, shared_end),
	    cmocka_unit_test_setup_teardown(the_time_of_one_may_be_behind_that_of_the_other, shared_make, shared_end),
	    cmocka_unit_test_setup_teardown(a_popular_entry_is_prefetched_by_one_of_them, shared_make, shared_end),
	    cmocka_unit_test_setup_teardown(each_sees_answers_of_its_own_configuration_alone, shared_make, shared_end),
	    cmocka_unit_test_setup_teardown(flush_reaches_every_table, shared_make, shared_end),
	    cmocka_unit_test_setup_teardown(threads_may_use_one_store_at_once, shared_make, shared_end),
	    cmocka_unit_test(sizes_hold_for_any_number_of_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
