/* One store for the caches of several workers: all find what one has stored, within the size and for one configuration. */
#include "tests/unit/resolver/cache_fixture.h"

#include <pthread.h>
#include <stdio.h>

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
	/* A lent answer stays unchanged, whatever the other cache does. */
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
	cache_renew(s->cache[0], 1, &shared_limits); /* does not empty it again */
	assert_int_equal(get(s->cache[0], "b.test", 1, START, &hit), CACHE_FRESH);
	assert_int_equal(get(s->cache[0], "a.test", 1, START, &hit), CACHE_MISS);
	cache_stats(s->cache[0], &stats);
	assert_int_equal(stats.entries, 1);
}

static size_t
length_of(const struct cache_entries *list)
{
	const struct cache_entry *e;
	size_t n = 0;

	TAILQ_FOREACH(e, list, age)
	n++;
	return n;
}

/* The entries that a reload removes belong to the caller, who frees them in portions; a second reload may come meanwhile. */
static void
what_the_store_held_is_left_to_the_caller(void **state)
{
	struct shared *s = *state;
	struct cache_entries left = TAILQ_HEAD_INITIALIZER(left);
	const struct cache_entry *youngest;

	for (unsigned i = 0; i < 50; i++)
		assert_true(put_numbered(s->cache[i % WORKERS], i, START));
	cache_store_renew(s->store, 1, &shared_limits, &left);
	assert_int_equal(length_of(&left), 50);
	cache_store_renew(s->store, 1, &shared_limits, &left); /* the same one */
	assert_int_equal(length_of(&left), 50);
	cache_renew(s->cache[0], 1, &shared_limits);
	for (unsigned i = 0; i < 7; i++)
		assert_true(put_numbered(s->cache[0], i, START));
	cache_store_renew(s->store, 2, &shared_limits, &left);
	assert_int_equal(length_of(&left), 57);
	youngest = TAILQ_LAST(&left, cache_entries);
	assert_true(cache_entries_free(&left, 1));
	assert_ptr_not_equal(TAILQ_LAST(&left, cache_entries), youngest);
	assert_int_equal(length_of(&left), 56);
	assert_true(cache_entries_free(&left, 55));
	assert_false(cache_entries_free(&left, 1));
	assert_true(TAILQ_EMPTY(&left));
	assert_false(cache_entries_free(&left, 1));
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

/* The smallest store accepts the largest answer, and no store exceeds its size, also after a reload with another one. A table
 * that is not used any more takes 3 KiB. */
static void
sizes_hold_for_any_number_of_workers(void **state)
{
	static const struct {
		unsigned workers;
		uint64_t before, bytes; /* before: at the start; 0: the same */
	} rows[] = {
	    {1, 0, 512 * 1024},
	    {2, 0, 512 * 1024},
	    {2, 0, 3 * 1024 * 1024},
	    {64, 0, 4 * 1024 * 1024},
	    {64, 0, 64 * 1024 * 1024},
	    {1, 64 * 1024 * 1024, 512 * 1024},
	    {2, 64 * 1024 * 1024, 512 * 1024},
	    {4, 16 * 1024 * 1024, 2 * 1024 * 1024},
	    {64, 64 * 1024 * 1024, 512 * 1024},
	    {64, 512 * 1024, 64 * 1024 * 1024},
	};

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

		l.bytes = rows[i].before != 0 ? rows[i].before : rows[i].bytes;
		assert_int_equal(cache_store_new(&store, rows[i].workers, &l), RES_OK);
		assert_int_equal(cache_new_in(&c, store), RES_OK);
		l.bytes = rows[i].bytes;
		if (rows[i].before != 0)
			cache_renew(c, 1, &l);
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
		if (stats.bytes > l.bytes + (rows[i].before > l.bytes ? CACHE_TABLES_MAX * 3072 : 0))
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

/* Whatever other threads do, an entry that is found is the answer to the question. */
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
		if (i % 5000 == 4999) {
			struct cache_limits l = shared_limits;

			l.bytes >>= i / 5000 % 2 * 5; /* a smaller size uses fewer tables */
			cache_renew(h->cache, 2 + i / 5000, &l);
		}
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
	    cmocka_unit_test_setup_teardown(one_finds_what_the_other_stored, shared_make, shared_end),
	    cmocka_unit_test_setup_teardown(the_time_of_one_may_be_behind_that_of_the_other, shared_make, shared_end),
	    cmocka_unit_test_setup_teardown(a_popular_entry_is_prefetched_by_one_of_them, shared_make, shared_end),
	    cmocka_unit_test_setup_teardown(each_sees_answers_of_its_own_configuration_alone, shared_make, shared_end),
	    cmocka_unit_test_setup_teardown(what_the_store_held_is_left_to_the_caller, shared_make, shared_end),
	    cmocka_unit_test_setup_teardown(flush_reaches_every_table, shared_make, shared_end),
	    cmocka_unit_test_setup_teardown(threads_may_use_one_store_at_once, shared_make, shared_end),
	    cmocka_unit_test(sizes_hold_for_any_number_of_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
