#include "contrib/watch/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW ((int64_t)1000000)

static void
a_log_without_limits_is_asked_as_fast_as_it_answers(void **state)
{
	struct pace pace;

	(void)state;
	pace_open(&pace);
	for (unsigned i = 0; i < 1000; i++) {
		assert_true(pace_may_start(&pace, NOW, 0, NULL));
		pace_started(&pace, NOW);
		pace_succeeded(&pace);
	}
	assert_int_equal(pace.parallel, PACE_PARALLEL_MAX);
	assert_false(pace_may_start(&pace, NOW, PACE_PARALLEL_MAX, NULL));
}

static void
failures_back_off_with_jitter_and_one_request_tries(void **state)
{
	struct pace pace;
	int64_t at, last = 0;

	(void)state;
	pace_open(&pace);
	for (unsigned i = 0; i < 40; i++) {
		struct pace early = pace;

		early.not_before_ms = 0;
		pace_failed(&early, NOW, 0);
		pace_failed(&pace, NOW, UINT32_MAX);
		/* half is certain, half is chance */
		assert_in_range(pace.not_before_ms - NOW, 2 * (early.not_before_ms - NOW) - 1, 2 * (early.not_before_ms - NOW) + 1);
		assert_true(pace.not_before_ms >= last);
		assert_true(pace.not_before_ms - NOW <= PACE_BACKOFF_MAX_MS);
		last = pace.not_before_ms;
	}
	assert_int_equal(last, NOW + PACE_BACKOFF_MAX_MS);
	assert_false(pace_may_start(&pace, NOW, 0, &at));
	assert_int_equal(at, last);
	assert_true(pace_may_start(&pace, last, 0, &at));
	assert_false(pace_may_start(&pace, last, 1, &at));
	assert_int_equal(at, INT64_MAX);
	pace_succeeded(&pace);
	assert_true(pace_may_start(&pace, last, 1, NULL));
}

static void
retry_after_is_honoured(void **state)
{
	static const struct {
		int64_t says_ms, from_ms, to_ms;
	} rows[] = {
	    {1000, 1000, 1101},
	    {120 * 1000, 120 * 1000, 132 * 1000 + 1},
	    {INT64_MAX, PACE_RETRY_AFTER_MAX_MS, PACE_RETRY_AFTER_MAX_MS / 10 * 11 + 1},
	    {0, PACE_BACKOFF_MS / 2, PACE_BACKOFF_MS + 1}, /* no Retry-After */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (uint64_t jitter = 0; jitter <= UINT32_MAX; jitter += UINT32_MAX / 4) {
			struct pace pace;

			pace_open(&pace);
			pace_slowed(&pace, NOW, rows[i].says_ms, (uint32_t)jitter);
			assert_in_range(pace.not_before_ms - NOW, rows[i].from_ms, rows[i].to_ms);
		}
}

static void
a_429_halves_the_rate_and_answers_raise_it_again(void **state)
{
	struct pace pace;
	double slow;
	int n = 0;

	(void)state;
	pace_open(&pace);
	pace.parallel = 8;
	pace_slowed(&pace, NOW, 1000, 0);
	assert_int_equal(pace.parallel, 4);
	pace_succeeded(&pace);
	slow = pace.gap_ms;
	pace_slowed(&pace, NOW, 1000, 0);
	assert_true(pace.gap_ms == slow * 2);
	for (int i = 0; i < 100; i++)
		pace_slowed(&pace, NOW, 1000, 0);
	assert_int_equal(pace.parallel, 1);
	assert_true(pace.gap_ms <= 60000);
	while (pace.gap_ms > 0 && n++ < 1000)
		pace_succeeded(&pace);
	assert_in_range(n, 100, 500);
	assert_int_equal(pace.parallel, PACE_PARALLEL_MAX);
}

static void
starts_keep_the_gap(void **state)
{
	struct pace pace;
	int64_t now = NOW;
	unsigned started = 0;

	(void)state;
	pace_open(&pace);
	pace.gap_ms = 100;
	for (; now < NOW + 10000; now++)
		if (pace_may_start(&pace, now, 0, NULL)) {
			pace_started(&pace, now);
			started++;
		}
	assert_in_range(started, 99, 101);
	/* a pause is not saved up for a burst */
	now += 60000;
	for (started = 0; started < 10 && pace_may_start(&pace, now, 0, NULL); started++)
		pace_started(&pace, now);
	assert_in_range(started, 1, 2);
}

static void
the_batch_is_learned(void **state)
{
	struct pace pace;

	(void)state;
	pace_open(&pace);
	/* a log that returns full batches is asked for more */
	pace_batch_learn(&pace, PACE_BATCH_FIRST, PACE_BATCH_FIRST, 1000, 1000000000);
	assert_int_equal(pace.batch, 2 * PACE_BATCH_FIRST);
	for (int i = 0; i < 10; i++)
		pace_batch_learn(&pace, pace.batch, pace.batch, 1000, 1000000000);
	assert_int_equal(pace.batch, PACE_BATCH_MAX);
	/* a log that returns fewer gets its own number, and keeps it */
	pace_batch_learn(&pace, pace.batch, 32, 1000, 1000000000);
	pace_batch_learn(&pace, 32, 32, 1000, 1000000000);
	assert_int_equal(pace.batch, 32);
	/* the rest of a request teaches nothing */
	pace_open(&pace);
	pace_batch_learn(&pace, 7, 7, 1000, 1000000000);
	assert_int_equal(pace.batch, PACE_BATCH_FIRST);
	/* large entries make a small batch, but never an empty one */
	pace_batch_learn(&pace, PACE_BATCH_FIRST, 10, 1000000, 1000000);
	assert_int_equal(pace.batch, 4);
	pace_batch_learn(&pace, 4, 1, 10000000, 1000000);
	assert_int_equal(pace.batch, 1);
	pace_batch_shrink(&pace);
	assert_int_equal(pace.batch, 1);
	pace_batch_learn(&pace, 1, 0, 10, 1000000);
	assert_int_equal(pace.batch, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_log_without_limits_is_asked_as_fast_as_it_answers),
	    cmocka_unit_test(failures_back_off_with_jitter_and_one_request_tries),
	    cmocka_unit_test(retry_after_is_honoured),
	    cmocka_unit_test(a_429_halves_the_rate_and_answers_raise_it_again),
	    cmocka_unit_test(starts_keep_the_gap),
	    cmocka_unit_test(the_batch_is_learned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
