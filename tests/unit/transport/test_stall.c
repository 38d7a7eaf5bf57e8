#include "transport/stall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
judges_a_peer_that_sends_nothing(void **state) /* P02 */
{
	static const struct {
		const char *says;
		int64_t quiet_ms, round_trip_ms;
		bool unacknowledged, fresh;
		enum stall what;
		int64_t again_ms;
	} rows[] = {
	    {"no time has passed", 0, 0, true, true, STALL_NONE, 1000},
	    {"one millisecond before the limit", 999, 0, true, true, STALL_NONE, 1},
	    {"the peer does not acknowledge: the path is dead", 1000, 0, true, true, STALL_DEAD_PATH, 0},
	    {"the path is dead, although every question was repeated before", 1000, 0, true, false, STALL_DEAD_PATH, 0},
	    {"acknowledged: the server may be slow", 1000, 0, false, true, STALL_NONE, 1000},
	    {"acknowledged, and no answer after the longer limit", 2000, 0, false, true, STALL_NO_ANSWER, 0},
	    {"repeated before: the connection stays open", 2000, 0, false, false, STALL_NONE, 1000},
	    {"a connection that stays open is checked every second", 9000, 0, false, false, STALL_NONE, 1000},
	    {"a long round trip delays the limit", 1000, 600, true, true, STALL_NONE, 1400},
	    {"four long round trips: the path is dead", 2400, 600, true, true, STALL_DEAD_PATH, 0},
	    {"acknowledged, below eight round trips", 2400, 600, false, true, STALL_NONE, 2400},
	    {"acknowledged, eight round trips", 4800, 600, false, true, STALL_NO_ANSWER, 0},
	    {"a short round trip changes nothing", 1999, 20, false, true, STALL_NONE, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t again = 0;

		print_message("%s\n", rows[i].says);
		assert_int_equal(stall_judge(rows[i].quiet_ms, rows[i].round_trip_ms,
					       rows[i].unacknowledged, rows[i].fresh, &again),
				 rows[i].what);
		assert_int_equal(again, rows[i].again_ms);
		/* conn_time.c asks the kernel only when it is due */
		if (rows[i].what == STALL_DEAD_PATH)
			assert_true(stall_is_due(rows[i].quiet_ms, rows[i].round_trip_ms));
	}
	assert_false(stall_is_due(999, 0));
	assert_false(stall_is_due(1000, 251));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(judges_a_peer_that_sends_nothing)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
