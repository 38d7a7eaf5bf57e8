#include "transport/late.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
an_answer_is_late_after_a_few_usual_times(void **state)
{
	static const struct {
		const char *says;
		int64_t median_us, after_ms;
	} rows[] = {
	    {"nothing is known about the peer", -1, 100},
	    {"a peer that is near", 800, 100},
	    {"just below the minimum", 24999, 100},
	    {"four usual times", 30000, 120},
	    {"a peer that is far away", 249000, 996},
	    {"never more than a second", 251000, 1000},
	    {"... whatever the usual time is", INT64_MAX, 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		print_message("%s\n", rows[i].says);
		assert_int_equal(late_after_ms(rows[i].median_us), rows[i].after_ms);
	}
}

static void
judges_whether_questions_wait_behind_another(void **state)
{
	static const struct {
		const char *says;
		struct late_facts facts;
		bool late;
	} rows[] = {
	    {"nothing is in flight", {-1, -1, 0, false}, false},
	    {"the oldest has time", {119, 119, 119, false}, false},
	    {"the oldest is late", {120, -1, 120, false}, true},
	    {"the oldest is late, whatever other answers came", {120, 5, 3, false}, true},
	    {"in any order: one alone is slow", {900, -1, 900, true}, false},
	    {"in any order: the second has time", {900, 119, 900, true}, false},
	    {"in any order: two are slow, and others were answered since", {900, 500, 499, true}, false},
	    {"in any order: two are late, and nothing came since", {900, 500, 500, true}, true},
	    {"in any order: no answer since the first", {130, 120, 130, true}, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		print_message("%s\n", rows[i].says);
		assert_int_equal(late_judge(&rows[i].facts, 30000), rows[i].late);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_answer_is_late_after_a_few_usual_times),
	    cmocka_unit_test(judges_whether_questions_wait_behind_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
