#include "transport/silence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
how_long_silence_is_borne(void **state) /* P02 */
{
	static const struct {
		const char *says;
		int64_t silent_ms, round_trip_ms;
		bool unacknowledged, fresh;
		enum silence what;
		int64_t again_ms;
	} rows[] = {
	    {"not long enough to look", 0, 0, true, true, SILENCE_BORNE, 1000},
	    {"a moment before", 999, 0, true, true, SILENCE_BORNE, 1},
	    {"nobody acknowledges", 1000, 0, true, true, SILENCE_DEAD_PATH, 0},
	    {"nor when all was repeated before", 1000, 0, true, false, SILENCE_DEAD_PATH, 0},
	    {"acknowledged: a slow server", 1000, 0, false, true, SILENCE_BORNE, 1000},
	    {"acknowledged, and still nothing", 2000, 0, false, true, SILENCE_NO_ANSWER, 0},
	    {"repeated before: it stays to the end", 2000, 0, false, false, SILENCE_BORNE, 1000},
	    {"and is looked at again", 9000, 0, false, false, SILENCE_BORNE, 1000},
	    {"a long way takes longer", 1000, 600, true, true, SILENCE_BORNE, 1400},
	    {"four round trips", 2400, 600, true, true, SILENCE_DEAD_PATH, 0},
	    {"below eight", 2400, 600, false, true, SILENCE_BORNE, 2400},
	    {"eight", 4800, 600, false, true, SILENCE_NO_ANSWER, 0},
	    {"a short way changes nothing", 1999, 20, false, true, SILENCE_BORNE, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t again = 0;

		print_message("%s\n", rows[i].says);
		assert_int_equal(silence_judge(rows[i].silent_ms, rows[i].round_trip_ms,
					       rows[i].unacknowledged, rows[i].fresh, &again),
				 rows[i].what);
		assert_int_equal(again, rows[i].again_ms);
		/* the kernel is only asked when it matters */
		if (rows[i].what == SILENCE_DEAD_PATH)
			assert_true(silence_is_stall(rows[i].silent_ms, rows[i].round_trip_ms));
	}
	assert_false(silence_is_stall(999, 0));
	assert_false(silence_is_stall(1000, 251));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(how_long_silence_is_borne)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
