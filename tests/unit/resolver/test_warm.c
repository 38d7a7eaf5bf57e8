#include "resolver/warm.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MOST (600 * INT64_C(1000))
#define BOOT INT64_C(5000) /* the clock at the first question */

struct server {
	int number;
};

/* Pauses between questions in seconds, and how long connections are kept after the last one, in seconds. */
static const struct {
	const char *name;
	double pause[16]; /* until the first 0 */
	int64_t hold_s;
} rows[] = {
    {"one question: a minute, as nothing is known", {0}, 60},
    {"less than a second, as between the questions of one page, is not a pause", {0.03, 0.2, 0.9, 0.05}, 60},
    {"a second is a pause", {1}, 8},
    {"the longest counts", {2, 12, 3}, 96},
    {"... whenever it was, among the last eight", {12, 2, 2, 2, 2, 2, 2, 2}, 96},
    {"... and not before", {12, 2, 2, 2, 2, 2, 2, 2, 2}, 16},
    {"never longer than the option says", {90}, 600},
    {"a pause as long as that", {600}, 600},
    {"longer pauses cannot be bridged", {601}, 0},
    {"... and do not forget the others at once", {20, 3600}, 160},
    {"where all pauses are too long nothing is kept", {20, 601, 700, 601, 3600, 601, 601, 601, 86400}, 0},
    {"after a night the pauses of the day before count", {20, 30, 28800}, 240},
};

static void
connections_are_kept_as_long_as_pauses_suggest(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct warm w = {0};
		int64_t now = BOOT;

		print_message("%s\n", rows[i].name);
		warm_on_question(&w, now, MOST);
		for (size_t j = 0; j < 16 && rows[i].pause[j] > 0; j++) {
			now += (int64_t)(rows[i].pause[j] * 1000);
			warm_on_question(&w, now, MOST);
		}
		assert_int_equal(warm_hold_ms(&w, MOST), rows[i].hold_s * 1000);
	}
}

static void
the_first_minute_is_bounded_too(void **state)
{
	struct warm w = {0};

	(void)state;
	warm_on_question(&w, BOOT, 30000);
	assert_int_equal(warm_hold_ms(&w, 30000), 30000);
	warm_on_question(&w, BOOT + 30001, 30000); /* too long a pause to be bridged */
	assert_int_equal(warm_hold_ms(&w, 30000), 0);
}

static void
in_use_until_there_was_no_question_for_a_while(void **state)
{
	struct warm w = {0};

	(void)state;
	assert_false(warm_is_in_use(&w, BOOT, MOST)); /* there was no question yet */
	warm_on_question(&w, BOOT, MOST);
	assert_true(warm_is_in_use(&w, BOOT + MOST - 1, MOST));
	assert_false(warm_is_in_use(&w, BOOT + MOST, MOST));
}

static void
the_servers_asked_last_are_kept(void **state)
{
	struct server s[WARM_SERVERS_MAX + 1] = {{0}};
	struct warm w = {0};

	(void)state;
	for (size_t i = 0; i < WARM_SERVERS_MAX; i++)
		assert_null(warm_add(&w, &s[i]));
	assert_null(warm_add(&w, &s[0])); /* asked again: it is the second that has waited longest */
	assert_null(warm_add(&w, &s[0]));
	assert_ptr_equal(warm_add(&w, &s[WARM_SERVERS_MAX]), &s[1]);
	assert_ptr_equal(warm_add(&w, &s[1]), &s[2]);
	warm_forget(&w, &s[0]); /* its place stays empty, and moves down until it is the oldest */
	assert_ptr_equal(warm_add(&w, &s[2]), &s[3]);
	for (size_t i = 0; i < WARM_SERVERS_MAX; i++)
		assert_ptr_not_equal(w.server[i], &s[0]);
	assert_null(warm_add(&w, &s[2]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(connections_are_kept_as_long_as_pauses_suggest),
	    cmocka_unit_test(the_first_minute_is_bounded_too),
	    cmocka_unit_test(in_use_until_there_was_no_question_for_a_while),
	    cmocka_unit_test(the_servers_asked_last_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
