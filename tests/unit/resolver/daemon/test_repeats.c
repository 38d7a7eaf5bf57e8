#include "resolver/daemon/repeats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HOUR REPEATS_PERIOD_MS

static const struct {
	const char *what, *text;
	int64_t at_ms, count;
} story[] = {
	{"the first time", "a", 1000, 1},
	{"at once again", "a", 1001, 0},
	{"another one", "b", 1002, 1},
	{"within the hour", "a", HOUR, 0},
	{"after the hour, with the count of those left out", "a", HOUR + 1000, 3},
	{"again within the hour", "a", HOUR + 2000, 0},
	{"a clock that was set back counts as another hour", "a", 500, 2},
	{"from there on", "a", 600, 0},
};

static void
each_is_recorded_once_an_hour(void **state)
{
	struct repeats r;
	size_t failed = 0;

	(void)state;
	repeats_begin(&r);
	for (size_t i = 0; i < sizeof story / sizeof *story; i++) {
		int64_t count = repeats_count(&r, span_str(story[i].text), story[i].at_ms);

		if (count != story[i].count) {
			print_error("%s: %lld\n", story[i].what, (long long)count);
			failed++;
		}
	}
	assert_int_equal(failed, 0);
}

static size_t
flood(struct repeats *r, int n, int from, int64_t at_ms)
{
	size_t recorded = 0;
	char text[16];

	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof text, "%d", from + i);
		recorded += repeats_count(r, span_str(text), at_ms) > 0;
	}
	return recorded;
}

static void
a_flood_of_different_ones_has_a_maximum(void **state)
{
	struct repeats r;

	(void)state;
	repeats_begin(&r);
	assert_int_equal(flood(&r, 10000, 0, 1000), REPEATS_NEW_MAX);
	assert_int_equal(flood(&r, 10000, 20000, HOUR), 0);
	assert_int_equal(flood(&r, 10000, 40000, HOUR + 1000), REPEATS_NEW_MAX);
}

static void
what_a_process_before_recorded_is_not_recorded_again(void **state)
{
	struct repeats r;

	(void)state;
	repeats_begin(&r);
	repeats_restore(&r, span_str("a"), 2000);
	repeats_restore(&r, span_str("a"), 1000);
	assert_int_equal(repeats_count(&r, span_str("a"), HOUR + 1999), 0);
	assert_int_equal(repeats_count(&r, span_str("a"), HOUR + 2000), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_recorded_once_an_hour),
		cmocka_unit_test(a_flood_of_different_ones_has_a_maximum),
		cmocka_unit_test(what_a_process_before_recorded_is_not_recorded_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
