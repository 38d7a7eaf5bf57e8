/* The differences between two log lists, as text. */
#include "verify/ct/ctlogs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/verify/ct/ctlog_list.h"

static void
comparison_shows_the_differences(void **state)
{
	struct ctlogs *before = list_of("{\"log_list_timestamp\":\"2026-11-01T00:00:00Z\",\"operators\":[{\"name\":\"Op\",\"logs\":[" LOG(
	    A, USABLE) "," LOG(B, USABLE) "," LOG(RSA2048, USABLE) "]}]}");
	struct ctlogs *after = list_of("{\"log_list_timestamp\":\"2026-10-01T00:00:00Z\",\"operators\":[{\"name\":\"New\",\"logs\":[" LOG(
	    C, USABLE) "]},{\"name\":\"Op\",\"logs\":[" LOG(A, ",\"state\":{\"retired\":{\"timestamp\":\"2026-09-01T00:00:00Z\"}}") "]}]}");
	struct ctlogs_change change;

	(void)state;
	assert_int_equal(ctlogs_compare(&change, before, after), RES_OK);
	assert_int_equal(change.added, 1);
	assert_int_equal(change.removed, 2);
	assert_int_equal(change.changed, 1);
	assert_int_equal(change.before, 3);
	assert_int_equal(change.new_operators, 1);
	assert_true(change.older);
	assert_true(change.large_loss);
	assert_non_null(strstr(change.text, "+ operator New\n"));
	assert_non_null(strstr(change.text, "+ C (New)\n"));
	assert_non_null(strstr(change.text, "- B (Op)\n"));
	assert_non_null(strstr(change.text, "~ A (Op): usable -> retired since 2026-09-01T00:00:00Z\n"));
	free(change.text);

	assert_int_equal(ctlogs_compare(&change, after, before), RES_OK);
	assert_false(change.older);
	assert_true(change.large_loss); /* one of two logs */
	free(change.text);
	ctlogs_free(before);
	ctlogs_free(after);
}

#define OF(operator, kind, rest) "{\"log_list_timestamp\":\"2026-11-01T00:00:00Z\",\"operators\":[{\"name\":\"" operator "\",\"" kind "\":[" LOG(A, rest) "]}]}"
#define OF_2026 USABLE ",\"temporal_interval\":{\"start_inclusive\":\"2026-01-01T00:00:00Z\",\"end_exclusive\":\"2027-01-01T00:00:00Z\"}"
#define PREVIOUS(name, year) USABLE ",\"previous_operators\":[{\"name\":\"" name "\",\"end_time\":\"" year "-01-01T00:00:00Z\"}]"

static void
each_difference_has_its_words(void **state)
{
	static const struct {
		const char *what, *before, *after, *text;
	} rows[] = {
	    {"nothing", OF("Op", "logs", USABLE), OF("Op", "logs", USABLE), ""},
	    {"another operator", OF("Op", "logs", USABLE), OF("New", "logs", USABLE), "+ operator New\n~ A (New): operator Op -> New\n"},
	    {"a former operator added", OF("Op", "logs", USABLE), OF("Op", "logs", PREVIOUS("Old", "2025")), "~ A (Op): operator Op -> Op\n"},
	    {"the same former operator", OF("Op", "logs", PREVIOUS("Old", "2025")), OF("Op", "logs", PREVIOUS("Old", "2025")), ""},
	    {"another former operator", OF("Op", "logs", PREVIOUS("Old", "2025")), OF("Op", "logs", PREVIOUS("Other", "2025")), "~ A (Op): operator Op -> Op\n"},
	    {"a former operator until another time", OF("Op", "logs", PREVIOUS("Old", "2025")), OF("Op", "logs", PREVIOUS("Old", "2024")), "~ A (Op): operator Op -> Op\n"},
	    {"another form", OF("Op", "logs", USABLE), OF("Op", "tiled_logs", USABLE), "~ A (Op): RFC 6962 -> static-ct\n"},
	    {"the other form back", OF("Op", "tiled_logs", USABLE), OF("Op", "logs", USABLE), "~ A (Op): static-ct -> RFC 6962\n"},
	    {"a log for tests", OF("Op", "logs", USABLE), OF("Op", "logs", USABLE ",\"log_type\":\"test\""), "~ A (Op): is for tests now\n"},
	    {"a log for production", OF("Op", "logs", USABLE ",\"log_type\":\"test\""), OF("Op", "logs", USABLE), "~ A (Op): is for production now\n"},
	    {"an interval", OF("Op", "logs", USABLE), OF("Op", "logs", OF_2026), "~ A (Op): interval none -> 2026-01-01T00:00:00Z to 2027-01-01T00:00:00Z\n"},
	    {"no interval any more", OF("Op", "logs", OF_2026), OF("Op", "logs", USABLE), "~ A (Op): interval 2026-01-01T00:00:00Z to 2027-01-01T00:00:00Z -> none\n"},
	    {"a pending log", OF("Op", "logs", ""), OF("Op", "logs", USABLE), "~ A (Op): pending -> usable since 2025-01-01T00:00:00Z\n"},
	    {"two at once", OF("Op", "logs", ""), OF("Op", "tiled_logs", USABLE), "~ A (Op): pending -> usable since 2025-01-01T00:00:00Z, RFC 6962 -> static-ct\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ctlogs *before = list_of(rows[i].before), *after = list_of(rows[i].after);
		struct ctlogs_change change;

		assert_int_equal(ctlogs_compare(&change, before, after), RES_OK);
		if (strcmp(change.text, rows[i].text) != 0 || change.changed != (strchr(rows[i].text, '~') != NULL))
			fail_msg("%s: %zu changed: %s", rows[i].what, change.changed, change.text);
		free(change.text);
		ctlogs_free(before);
		ctlogs_free(after);
	}
}

static void
losing_a_third_is_not_a_large_loss(void **state)
{
	struct ctlogs *three = list_of(LIST(LOG(A, USABLE) "," LOG(B, USABLE) "," LOG(C, USABLE)));
	struct ctlogs *two = list_of(LIST(LOG(A, USABLE) "," LOG(B, USABLE)));
	struct ctlogs_change change;

	(void)state;
	assert_int_equal(ctlogs_compare(&change, three, two), RES_OK);
	assert_int_equal(change.removed, 1);
	assert_false(change.large_loss);
	free(change.text);
	ctlogs_free(three);
	ctlogs_free(two);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(comparison_shows_the_differences),
	    cmocka_unit_test(each_difference_has_its_words),
	    cmocka_unit_test(losing_a_third_is_not_a_large_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
