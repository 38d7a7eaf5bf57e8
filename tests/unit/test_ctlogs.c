#include "verify/ctlogs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
compiled_in_is_whole(void **state)
{
	struct ctlogs *list = NULL;
	size_t tiled = 0, retired = 0, intervals = 0;

	(void)state;
	assert_int_equal(ctlogs_compiled_in(&list), RES_OK);
	assert_int_equal(ctlogs_count(list), 85);
	assert_int_equal(ctlogs_date_ms(list), 1793597375000); /* 2026-11-02T05:29:35Z */
	assert_string_equal(ctlogs_source(list), "compiled in");
	for (size_t i = 0; i < ctlogs_count(list); i++) {
		const struct ctlog *log = ctlogs_at(list, i);

		tiled += log->tiled;
		retired += log->state == CTLOG_RETIRED;
		intervals += log->interval_end_ms != 0;
		assert_ptr_equal(ctlogs_find(list, log->id), log);
		assert_false(ctlog_is_denied(log->id));
		assert_false(log->never_counts);
	}
	assert_int_equal(tiled, 59);
	assert_int_equal(retired, 3);
	assert_int_equal(intervals, 64);
	ctlogs_free(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(compiled_in_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
