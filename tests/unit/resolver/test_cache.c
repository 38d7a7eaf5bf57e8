/* The cache of one worker: what is kept, for how long, and what is found again. */
#include "tests/unit/resolver/cache_fixture.h"

#include <stdio.h>

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
    {"an Age beyond max-ttl: what is left of two days",
     HEAD("0001", "0000", "0000") "(a.test) 0001 0001 c00c 0001 0001 0002a300 0004 01020304", 36 * 3600,
     12 * HOUR},
    {"an Age within max-ttl: what is left is cut to max-ttl",
     HEAD("0001", "0000", "0000") "(a.test) 0001 0001 c00c 0001 0001 0002a300 0004 01020304", 12 * 3600,
     24 * HOUR},
    {"an Age beyond negative-max-ttl: what is left of the SOA's MINIMUM",
     "0000 8183 0001 0000 0001 0000 (a.test) 0001 0001" SOA("00015180", "00002a30"), 9000, 30 * MINUTE},
    {"a negative answer whose Age has used up its MINIMUM",
     "0000 8183 0001 0000 0001 0000 (a.test) 0001 0001" SOA("00015180", "00000064"), 100, 0},
    {"NXDOMAIN without SOA has no TTL to take the Age off",
     "0000 8183 0001 0000 0000 0000 (a.test) 0001 0001", 50, 1000},
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
			fail_msg("%s: stored although it must not be, or not stored", lives[i].what);
		if (lives[i].life_ms > 0 &&
		    (get(c, "a.test", 1, START + lives[i].life_ms - 1, &hit) != CACHE_FRESH ||
		     get(c, "a.test", 1, START + lives[i].life_ms, &hit) != CACHE_STALE))
			fail_msg("%s: not fresh for %lld ms", lives[i].what, (long long)lives[i].life_ms);
		cache_free(c);
	}
}

/* Else the older one would be given as stale data. */
static void
a_newer_answer_that_is_not_kept_removes_the_older(void **state)
{
	static const struct {
		const char *what;
		const char *flags, *ttl;
		size_t n; /* bytes of its data */
		uint32_t age_s;
		bool goes;
	} rows[] = {
		{"TTL 0", "8180", "00000000", 6, 0, true},
		{"it has just ended", "8180", "00000005", 6, 5, true},
		{"it ended long ago", "8180", "00000005", 6, 1000000, true},
		{"a second is left", "8180", "00000005", 6, 4, false},
		{"too large", "8180", "00000005", 2004, 0, true},
		{"a part of an answer", "8380", "00000000", 6, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cache_limits small = limits;
		struct buf text = buf_max(8192);
		struct cache_hit hit;
		struct cache *c;

		small.bytes = 4096;
		c = new_cache(&small);
		assert_true(put_wire(c, "0000 8180 0001 0001 0000 0000 (a.test) 0010 0001 c00c 0010 0001 0000003c "
					"0006 056c6f6e6765", START, 0));
		buf_format(&text, "0000 %s 0001 0001 0000 0000 (a.test) 0010 0001 c00c 0010 0001 %s %04zx ",
			   rows[i].flags, rows[i].ttl, rows[i].n);
		for (size_t k = 0; k < rows[i].n; k++)
			buf_text(&text, "05");
		(void)put_wire(c, buf_cstr(&text), START + 100000, rows[i].age_s);
		if ((get(c, "a.test", 16, START + 200000, &hit) == CACHE_MISS) != rows[i].goes)
			fail_msg("%s: %s", rows[i].what, rows[i].goes ? "the older one is there" : "nothing is there");
		buf_free(&text);
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

/* C36, U11, C35: only exactly its question finds an entry. */
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
stale_data_are_served_for_a_limited_time(void **state)
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

/* Times whose seconds do not fit in 32 bits, signed or not, and whose milliseconds stopped fitting long before. */
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
			fail_msg("%s: missing, or of the wrong age", borders[i].what);
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

/* RFC 8767, 5: stale data that can still be served are not replaced by a failure to refresh them. */
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
	assert_true(hit.failure && hit.relayed == 0);
	assert_int_equal(hit.answer.an, 1);
	assert_int_equal(cache_get(c, &k, START + HOUR + 30000, &hit), CACHE_STALE);
	assert_false(hit.failure);
	/* an upstream that was reached failed it: with its RCODE */
	cache_put_relayed(c, &k, RCODE_REFUSED, NULL, 5000, START + HOUR + 40000);
	assert_int_equal(cache_get(c, &k, START + HOUR + 44999, &hit), CACHE_STALE);
	assert_true(hit.failure && hit.relayed == RCODE_REFUSED);
	assert_int_equal(cache_get(c, &k, START + HOUR + 45000, &hit), CACHE_STALE);
	assert_true(!hit.failure && hit.relayed == 0);
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
	/* a new lifetime, and asked for once: not popular */
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

/* R04: a flood of names stays within the size, and an entry that is asked for again survives it. */
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lifetimes_follow_the_answers),
		cmocka_unit_test(a_newer_answer_that_is_not_kept_removes_the_older),
	    cmocka_unit_test(a_hit_gives_what_was_put),
	    cmocka_unit_test(a_prepared_key_finds_the_same),
	    cmocka_unit_test(only_the_question_finds_its_answer),
	    cmocka_unit_test(stale_data_are_served_for_a_limited_time),
	    cmocka_unit_test(k07_lifetimes_pass_every_border_of_the_clock),
	    cmocka_unit_test(failures_are_kept_between_one_second_and_five_minutes),
	    cmocka_unit_test(a_failure_leaves_stale_data_in_place),
	    cmocka_unit_test(popular_entries_are_prefetched_once),
	    cmocka_unit_test(limits_are_applied_to_the_ttls_that_are_kept),
	    cmocka_unit_test(a_flood_stays_inside_the_size),
	    cmocka_unit_test(a_new_configuration_empties_the_cache_and_sets_its_size),
	    cmocka_unit_test(flush_takes_a_name_and_all_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
