/* How many questions a connection gets at a peer that closes its connections after so many answers. */
#include "transport/quota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* Connections that ended under questions after these numbers of answers; then what the next one gets. */
static const struct {
	const char *why;
	int answers[5]; /* -1: the end */
	unsigned takes;
	bool known;
} rows[] = {
    {"nothing has happened", {-1}, 0, false},
    {"one close: the next connection tests it with one question more", {1, -1}, 2, false},
    {"two closes after one answer: no more than one", {1, 1, -1}, 1, true},
    {"the same after three answers", {3, 3, -1}, 3, true},
    {"... and after the most that is looked at", {QUOTA_MAX, QUOTA_MAX, -1}, QUOTA_MAX, true},
    {"a server that answers more is no trouble", {QUOTA_MAX + 1, QUOTA_MAX + 1, -1}, 0, false},
    {"no answer at all: that is another fault", {0, 0, 0, -1}, 0, false},
    {"different numbers are chance", {1, 2, 1, 2, -1}, 3, false},
    {"a connection without an answer in between: chance as well", {1, 0, 1, -1}, 2, false},
    {"another number, twice: that one", {1, 1, 4, 4, -1}, 4, true},
    {"another number, once: it is tested", {1, 1, 4, -1}, 5, false},
};

static void
play(struct quota *q, const int *answers)
{
	for (; *answers >= 0; answers++)
		quota_on_close(q, (unsigned)*answers);
}

static void
closes_limit_the_next_connection(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct quota q = {0};
		unsigned takes;

		play(&q, rows[i].answers);
		takes = quota_takes(&q);
		if (takes != rows[i].takes || quota_is_known(&q) != rows[i].known)
			fail_msg("%s: %u, %s", rows[i].why, takes, quota_is_known(&q) ? "known" : "not known");
	}
}

static void
one_connection_of_sixteen_tests_the_limit(void **state)
{
	struct quota q = {0};

	(void)state;
	quota_on_close(&q, 2);
	quota_on_close(&q, 2);
	for (int round = 0; round < 3; round++) {
		for (int i = 1; i < QUOTA_TEST; i++)
			assert_int_equal(quota_takes(&q), 2);
		assert_int_equal(quota_takes(&q), 3);
		quota_on_answer(&q, 2);
		quota_on_close(&q, 2); /* still so */
	}
}

static void
one_more_answer_ends_the_limit(void **state)
{
	struct quota q = {0};

	(void)state;
	quota_on_close(&q, 2);
	quota_on_close(&q, 2);
	quota_on_answer(&q, 2);
	assert_true(quota_is_known(&q));
	quota_on_answer(&q, 3);
	assert_false(quota_is_known(&q));
	assert_int_equal(quota_takes(&q), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(closes_limit_the_next_connection),
	    cmocka_unit_test(one_connection_of_sixteen_tests_the_limit),
	    cmocka_unit_test(one_more_answer_ends_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
