#include "verify/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
codes_are_read_back(void **state)
{
	(void)state;
	for (int r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		assert_int_equal(reason_read(reason_code((enum reason)r)), r);
		assert_true(reason_stage((enum reason)r)[0] != '\0');
		assert_true(reason_sentence((enum reason)r)[0] != '\0');
	}
	assert_int_equal(reason_read("no-such-reason"), REASON_NONE);
	assert_int_equal(reason_read("none"), REASON_NONE);
	assert_int_equal(reason_read(NULL), REASON_NONE);
}

static void
reasons_of_judge_and_transport_are_distinct(void **state)
{
	(void)state;
	assert_false(reason_is_verdict(REASON_NONE));
	assert_true(reason_is_verdict(REASON_CHAIN_EMPTY));
	assert_true(reason_is_verdict(REASON_OUT_OF_MEMORY));
	assert_false(reason_is_verdict(REASON_CONNECT_REFUSED));
	assert_false(reason_is_verdict(REASON_ANSWER_MALFORMED));
}

static void
values_outside_the_list_have_a_text(void **state)
{
	(void)state;
	assert_string_equal(reason_code((enum reason)REASON_COUNT), "none");
	assert_string_equal(sct_status_code(SCT_STATUS_COUNT), "none");
	assert_string_equal(sct_status_code(SCT_STATUS_NO_LEAF_INDEX), "no-leaf-index");
	assert_string_equal(sct_status_sentence(SCT_STATUS_VALID), "it is good");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(codes_are_read_back),
	    cmocka_unit_test(reasons_of_judge_and_transport_are_distinct),
	    cmocka_unit_test(values_outside_the_list_have_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
