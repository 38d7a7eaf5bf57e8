/* Promise A17: daemons that lost their upstream at the same moment do not try it again at the same moment. */
#include "resolver/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define DAEMONS 1000
#define PARTS	10 /* of the random half */

/* The time from `from` to `to` in PARTS equal parts: how many moments fall into the part that has the most. */
static unsigned
fullest_part(const int64_t *at, size_t n, int64_t from, int64_t to)
{
	unsigned count[PARTS] = {0}, most = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t part = (at[i] - from) * PARTS / (to - from + 1);

		count[part]++;
		if (count[part] > most)
			most = count[part];
	}
	return most;
}

static void
half_of_each_rest_is_random(void **state)
{
	static const struct {
		const char *what;
		unsigned failures;
		int64_t least, most, whole;
	} rows[] = {
	    {"the first failure", 1, 1000, 64000, 1000},
	    {"the second: twice as long", 2, 1000, 64000, 2000},
	    {"the fifth", 5, 1000, 64000, 16000},
	    {"as long as it gets", 7, 1000, 64000, 64000},
	    {"and no longer, also after very many", 4000000000u, 1000, 64000, 64000},
	    {"a limit that is no power of two of the least", 9, 1000, 45000, 45000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t at[DAEMONS], half = rows[i].whole / 2;
		unsigned most;

		for (size_t k = 0; k < DAEMONS; k++) {
			at[k] = health_rest_ms(rows[i].failures, rows[i].least, rows[i].most);
			if (at[k] < half || at[k] > rows[i].whole)
				fail_msg("%s: %lld ms of %lld", rows[i].what, (long long)at[k], (long long)rows[i].whole);
		}
		/* a hundred are expected in each part; chance puts 160 into one less than once in a hundred million runs */
		most = fullest_part(at, DAEMONS, half, rows[i].whole);
		if (most > 160)
			fail_msg("%s: %u of %d daemons come back in the same tenth", rows[i].what, most, DAEMONS);
	}
}

/* The negative control. */
static void
daemons_that_come_back_together_are_noticed(void **state)
{
	int64_t at[DAEMONS];

	(void)state;
	for (size_t k = 0; k < DAEMONS; k++)
		at[k] = 750;
	assert_int_equal(fullest_part(at, DAEMONS, 500, 1000), DAEMONS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(half_of_each_rest_is_random),
	    cmocka_unit_test(daemons_that_come_back_together_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
