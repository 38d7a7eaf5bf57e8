/* The list that is compiled in, and what a new list keeps from the one before. */
#include "verify/ct/ctlogs.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/verify/ct/ctlog_list.h"
#include "tests/unit/verify/data_file.h"

static void
compiled_in_is_whole(void **state)
{
	struct ctlogs *list = NULL;
	size_t tiled = 0, retired = 0, intervals = 0;

	(void)state;
	assert_int_equal(ctlogs_compiled_in(&list), RES_OK);
	assert_int_equal(ctlogs_count(list), 89);
	assert_int_equal(ctlogs_date_ms(list), 1794591000000); /* 2026-11-13T17:30:00Z */
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
	assert_int_equal(tiled, 63);
	assert_int_equal(retired, 3);
	assert_int_equal(intervals, 64);
	ctlogs_free(list);
}

static void
mimics_are_denied(void **state)
{
	static const char *const ids[] = {"9EGV1vAOLbVUNcrdV3iS5T4VrUFwWPh44U/2uRh0FYk=", "si9+3rWvav5QPeBAgbLXTBJThJL+3yyypSZQPO9TztI="};
	struct buf id = buf_max(32);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		buf_clear(&id);
		assert_int_equal(base64_read(&id, span_str(ids[i])), RES_OK);
		assert_true(ctlog_is_denied(id.p));
		id.p[31] ^= 1;
		assert_false(ctlog_is_denied(id.p));
	}
	buf_free(&id);
}

#define INTERVAL(from, to) ",\"temporal_interval\":{\"start_inclusive\":\"" from "-01-01T00:00:00Z\",\"end_exclusive\":\"" to "-01-01T00:00:00Z\"}"

static void
intervals_are_kept(void **state)
{
	struct ctlogs *known = list_of(LIST(LOG(A, USABLE INTERVAL("2026", "2027")) "," LOG(B, USABLE INTERVAL("2026", "2027"))));
	struct ctlogs *fresh = list_of("{\"version\":\"new\",\"log_list_timestamp\":\"2026-11-05T00:00:00Z\",\"operators\":[{\"name\":\"Op\",\"logs\":[" LOG(
	    A, USABLE) "," LOG(B, USABLE INTERVAL("2027", "2028")) "," LOG(C, USABLE ",\"previous_operators\":[{\"name\":\"Old\",\"end_time\":\"2024-01-01T00:00:00Z\"}]") "]}]}");
	struct ctlogs *list = NULL;
	size_t seen = 0;

	(void)state;
	assert_int_equal(ctlogs_keep_known(&list, fresh, known), RES_OK);
	ctlogs_free(fresh);
	ctlogs_free(known);
	assert_int_equal(ctlogs_count(list), 3);
	assert_string_equal(ctlogs_source(list), "new");
	assert_int_equal(ctlogs_date_ms(list), 1793836800000);
	for (size_t i = 0; i < 3; i++) {
		const struct ctlog *log = ctlogs_at(list, i);

		if (strcmp(log->description, "A") == 0) {
			assert_int_equal(log->interval_start_ms, 1767225600000);
			assert_int_equal(log->interval_end_ms, 1798761600000);
			seen |= 1;
		} else if (strcmp(log->description, "B") == 0) {
			assert_int_equal(log->interval_start_ms, 1798761600000); /* the new interval is kept */
			seen |= 2;
		} else {
			assert_int_equal(log->interval_end_ms, 0);
			assert_string_equal(ctlog_operator_at(log, 0), "Old");
			seen |= 4;
		}
	}
	assert_int_equal(seen, 7);
	ctlogs_free(list);
}

#define TILED(members) "{\"operators\":[{\"name\":\"Op\",\"tiled_logs\":[" LOG(A, USABLE members) "]}]}"
#define TILED_URLS     ",\"monitoring_url\":\"https://read.example/\",\"submission_url\":\"https://write.example/\""

static void
urls_go_from_list_to_list(void **state)
{
	struct ctlogs *known = list_of(TILED(TILED_URLS)), *fresh = list_of(TILED("")), *kind = list_of(LIST(LOG(A, USABLE)));
	struct ctlogs *kept = NULL, *again = NULL, *other = NULL;
	char *json;

	(void)state;
	assert_int_equal(ctlogs_keep_known(&kept, fresh, known), RES_OK);
	assert_int_equal(ctlogs_keep_known(&other, kind, known), RES_OK);
	json = ctlogs_json(kept);
	again = list_of(json);
	assert_string_equal(ctlogs_at(again, 0)->url, "https://read.example/");
	assert_string_equal(ctlogs_at(again, 0)->submission_url, "https://write.example/");
	assert_null(ctlogs_at(other, 0)->url); /* an RFC 6962 log is not read as tiles */
	free(json);
	ctlogs_free(known);
	ctlogs_free(fresh);
	ctlogs_free(kind);
	ctlogs_free(kept);
	ctlogs_free(again);
	ctlogs_free(other);
}

static void
compiled_in_has_urls(void **state)
{
	struct ctlogs *list = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(ctlogs_compiled_in(&list), RES_OK);
	for (size_t i = 0; i < ctlogs_count(list); i++) {
		const struct ctlog *log = ctlogs_at(list, i);

		n += log->url != NULL;
		assert_int_equal(log->submission_url != NULL, log->url != NULL && log->tiled);
	}
	assert_true(n >= 60);
	ctlogs_free(list);
}

/* The retired logs are kept next to the list and are not a part of it. */
static void
retired_logs_are_not_a_part_of_the_list(void **state)
{
	struct buf bytes = buf_max(64);
	struct ctlogs *list = NULL;
	const struct ctlog *log;

	(void)state;
	assert_int_equal(ctlogs_compiled_in(&list), RES_OK);
	/* Argon 2024 */
	assert_int_equal(base64_read(&bytes, span_str("7s3QZNXbGs7FXLedtM0TojKHRny87N7DUUhZRnEftZs=")), RES_OK);
	assert_null(ctlogs_find(list, bytes.p));
	log = ctlogs_find_ever(list, bytes.p);
	assert_non_null(log);
	assert_string_equal(log->operator_name, "Google");
	assert_int_equal(log->state, CTLOG_RETIRED);
	assert_true(log->state_ms > 1735689600000 && log->interval_end_ms == 1735689600000);
	log = ctlogs_at(list, 0);
	assert_ptr_equal(ctlogs_find_ever(list, log->id), log);
	assert_int_equal(ctlogs_add_retired(list), RES_OK); /* once is enough */
	ctlogs_free(list);
	list = list_of(LIST(LOG(A, "")));
	assert_null(ctlogs_find_ever(list, bytes.p));
	assert_int_equal(ctlogs_add_retired(list), RES_OK);
	assert_non_null(ctlogs_find_ever(list, bytes.p));
	assert_int_equal(ctlogs_count(list), 1);
	ctlogs_free(list);
	buf_free(&bytes);
}

/* Every log of the source file, with its state, kind, operator and interval, is in the list compiled in. */
static void
compiled_in_is_its_source(void **state)
{
	struct ctlogs *list = NULL, *compiled = NULL;
	struct ctlogs_change change;
	struct buf file = data_file("ct/mozilla-esr153.json");
	char *why = NULL;

	(void)state;
	assert_int_equal(ctlogs_from_json(&list, buf_span(&file), &why), RES_OK);
	assert_int_equal(ctlogs_compiled_in(&compiled), RES_OK);
	assert_int_equal(ctlogs_compare(&change, list, compiled), RES_OK);
	if (change.removed + change.changed + change.new_operators != 0)
		fail_msg("%s", change.text);
	assert_int_equal(change.added, 4);
	free(change.text);
	ctlogs_free(list);
	ctlogs_free(compiled);
	buf_free(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(compiled_in_is_whole),
	    cmocka_unit_test(mimics_are_denied),
	    cmocka_unit_test(intervals_are_kept),
	    cmocka_unit_test(urls_go_from_list_to_list),
	    cmocka_unit_test(compiled_in_has_urls),
	    cmocka_unit_test(retired_logs_are_not_a_part_of_the_list),
	    cmocka_unit_test(compiled_in_is_its_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
