/* Repeats go on as long as they help. */
#include "resolver/retries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Each row: what a server does with repeated questions ('+': it answers, '-': it does not), and for how many more repeats that
 * pays. The first repeats are made for another reason (lane.h). */
static const struct {
	const char *what, *does;
	unsigned left;
} rows[] = {
    {"nothing is known", "", 0},
    {"no repeat helped", "-----", 0},
    {"one helped", "+", 3},
    {"one in four helps: they end", "+---+---+---", 0},
    {"one in three helps: they go on", "+--+--+--+", 3},
    {"one in two", "+-+-+-", 4},
    {"at most so many for what was", "++++++++++", RETRIES_MAX},
};

static void
repeats_are_paid_for_by_those_that_helped(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct retries r = {0};

		for (const char *does = rows[i].does; *does != '\0'; does++) {
			(void)retries_take(&r);
			if (*does == '+')
				retries_helped(&r);
		}
		if (r.left != rows[i].left)
			fail_msg("%s: %u are left", rows[i].what, r.left);
		for (unsigned n = 0; n < rows[i].left; n++)
			assert_true(retries_take(&r));
		assert_false(retries_take(&r));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(repeats_are_paid_for_by_those_that_helped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
