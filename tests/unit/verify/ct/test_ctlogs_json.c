/* Log lists in JSON: read, bounded and written. */
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
all_members_are_read(void **state)
{
	struct ctlogs *list = list_of("{\"version\":\"7.1\",\"log_list_timestamp\":\"2026-11-01T02:03:04.005+01:00\",\"x\":[{}],"
				      "\"operators\":[{\"name\":\"One\",\"email\":[\"a@b\"],\"logs\":[" LOG(A, USABLE ",\"mmd\":86400,"
				      "\"temporal_interval\":{\"start_inclusive\":\"2026-01-01T00:00:00Z\",\"end_exclusive\":\"2027-01-01T00:00:00Z\"},"
				      "\"previous_operators\":[{\"name\":\"Later\",\"end_time\":\"2025-06-01T00:00:00Z\"},"
				      "{\"name\":\"Early\",\"end_time\":\"2024-06-01T00:00:00Z\"}]") "]},"
				      "{\"name\":\"Two\",\"tiled_logs\":[" LOG(B, ",\"log_type\":\"monitoring_only\"") ","
				      "{\"log_id\":\"" RSA2048_ID "\",\"key\":\"" RSA2048_KEY "\",\"state\":{\"retired\":{\"timestamp\":\"2024-01-01T00:00:00Z\"}}}]}]}");
	const struct ctlog *a, *b, *rsa;
	uint8_t id[32] = {0};
	struct buf bytes = buf_max(32);

	(void)state;
	assert_int_equal(ctlogs_count(list), 3);
	assert_int_equal(ctlogs_date_ms(list), 1793494984005);
	assert_string_equal(ctlogs_source(list), "7.1");
	assert_null(ctlogs_find(list, id));
	assert_int_equal(base64_read(&bytes, span_str(A_ID)), RES_OK);
	a = ctlogs_find(list, bytes.p);
	buf_clear(&bytes);
	assert_int_equal(base64_read(&bytes, span_str(B_ID)), RES_OK);
	b = ctlogs_find(list, bytes.p);
	buf_clear(&bytes);
	assert_int_equal(base64_read(&bytes, span_str(RSA2048_ID)), RES_OK);
	rsa = ctlogs_find(list, bytes.p);
	buf_free(&bytes);
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(rsa);

	assert_string_equal(a->description, "A");
	assert_int_equal(a->key_kind, CTLOG_ECDSA_P256);
	assert_int_equal(a->state, CTLOG_USABLE);
	assert_int_equal(a->state_ms, 1735689600000);
	assert_int_equal(a->interval_start_ms, 1767225600000);
	assert_int_equal(a->interval_end_ms, 1798761600000);
	assert_int_equal(a->mmd_s, 86400);
	assert_false(a->tiled);
	assert_false(a->never_counts);
	assert_string_equal(ctlog_operator_at(a, 1717199999999), "Early"); /* a millisecond before its end */
	assert_string_equal(ctlog_operator_at(a, 1717200000000), "Later");
	assert_string_equal(ctlog_operator_at(a, 1748735999999), "Later");
	assert_string_equal(ctlog_operator_at(a, 1748736000000), "One");

	assert_true(b->tiled);
	assert_true(b->never_counts);
	assert_int_equal(b->state, CTLOG_PENDING);
	assert_int_equal(b->state_ms, 0);
	assert_string_equal(b->operator_name, "Two");

	assert_int_equal(rsa->key_kind, CTLOG_RSA);
	assert_int_equal(rsa->state, CTLOG_RETIRED);
	assert_string_equal(rsa->description, RSA2048_ID);
	ctlogs_free(list);
}

static const struct {
	const char *what;
	const char *json;
	enum res want;
	const char *says; /* part of the sentence */
} bad[] = {
    {"G07 an empty text", "", RES_MALFORMED, "not JSON"},
    {"G07 cut off", "{\"operators\":[", RES_MALFORMED, "not JSON"},
    {"G07 text after the end", LIST(LOG(A, USABLE)) "x", RES_MALFORMED, "not JSON"},
    {"G07 an array", "[]", RES_MALFORMED, "not a JSON object"},
    {"G07 no operators", "{}", RES_MALFORMED, "no array of operators"},
    {"G07 operators of another type", "{\"operators\":{}}", RES_MALFORMED, "no array of operators"},
    {"a list without logs", LIST(""), RES_MALFORMED, "no log"},
    {"G07 duplicate keys", LIST(LOG(A, USABLE USABLE)), RES_MALFORMED, "duplicate"},
    {"G07 duplicate keys in an unknown member", "{\"x\":{\"a\":1,\"a\":2}}", RES_MALFORMED, "duplicate"},
    {"G07 base64 of another length", LIST("{\"log_id\":\"" A_ID "\",\"key\":\"MFk=x\"}"), RES_MALFORMED, "key is not base64"},
    {"G07 base64 with a bad character", LIST("{\"log_id\":\"" A_ID "\",\"key\":\"MF%k\"}"), RES_MALFORMED, "key is not base64"},
    {"G07 an invalid key", LIST("{\"log_id\":\"" A_ID "\",\"key\":\"MFkw\"}"), RES_MALFORMED, "SubjectPublicKeyInfo"},
    {"G07 P-384", LIST(LOG(P384, USABLE)), RES_MALFORMED, "P-256"},
    {"G07 RSA-1024", LIST(LOG(RSA1024, USABLE)), RES_MALFORMED, "1024 bits"},
    {"G07 Ed25519", LIST(LOG(ED, USABLE)), RES_MALFORMED, "neither ECDSA"},
    {"G07 a byte after the key", LIST(LOG(TAIL, USABLE)), RES_MALFORMED, "SubjectPublicKeyInfo"},
    {"G07 no key", LIST("{\"log_id\":\"" A_ID "\"}"), RES_MALFORMED, "no key"},
    {"G07 no log_id", LIST("{\"key\":\"" A_KEY "\"}"), RES_MALFORMED, "no log_id"},
    {"log_id of another key", LIST("{\"description\":\"A\",\"log_id\":\"" B_ID "\",\"key\":\"" A_KEY "\"}"), RES_MALFORMED,
     "operators[0] \"Op\", logs[0] \"A\": log_id is not the SHA-256 of key"},
    {"log_id too short", LIST("{\"log_id\":\"AAAA\",\"key\":\"" A_KEY "\"}"), RES_MALFORMED, "log_id is not the SHA-256"},
    {"G07 the same log twice", LIST(LOG(A, USABLE) "," LOG(A, USABLE)), RES_MALFORMED, "same key"},
    {"G07 a key that is a number", LIST("{\"log_id\":\"" A_ID "\",\"key\":5}"), RES_MALFORMED, "key is not a string"},
    {"G07 a negative mmd", LIST(LOG(A, ",\"mmd\":-1")), RES_MALFORMED, "mmd"},
    {"G07 a mmd with a fraction", LIST(LOG(A, ",\"mmd\":1.5")), RES_MALFORMED, "mmd"},
    {"G07 an mmd that is too large", LIST(LOG(A, ",\"mmd\":1e999")), RES_MALFORMED, "not JSON"},
    {"G07 a number beyond 64 bits", LIST(LOG(A, ",\"mmd\":99999999999999999999")), RES_MALFORMED, "not JSON"},
    {"a time that is a number", "{\"log_list_timestamp\":5,\"operators\":[]}", RES_MALFORMED, "log_list_timestamp is not a string"},
    {"an invalid time", "{\"log_list_timestamp\":\"2026-13-01T00:00:00Z\",\"operators\":[]}", RES_MALFORMED, "not a time"},
    {"a time before 1970", "{\"log_list_timestamp\":\"1969-01-01T00:00:00Z\",\"operators\":[]}", RES_MALFORMED, "not a time"},
    {"an unknown state", LIST(LOG(A, ",\"state\":{\"splendid\":{\"timestamp\":\"2025-01-01T00:00:00Z\"}}")), RES_MALFORMED, "splendid"},
    {"an empty state", LIST(LOG(A, ",\"state\":{}")), RES_MALFORMED, "state is empty"},
    {"a state without time", LIST(LOG(A, ",\"state\":{\"usable\":{}}")), RES_MALFORMED, "no timestamp"},
    {"a state that is a number", LIST(LOG(A, ",\"state\":{\"usable\":1}")), RES_MALFORMED, "state usable is not an object"},
    {"a state since an invalid time", LIST(LOG(A, ",\"state\":{\"usable\":{\"timestamp\":\"soon\"}}")), RES_MALFORMED, "timestamp"},
    {"a state that is text", LIST(LOG(A, ",\"state\":\"usable\"")), RES_MALFORMED, "state is not an object"},
    {"usable and retired at once", LIST(LOG(A, ",\"state\":{\"usable\":{\"timestamp\":\"2025-01-01T00:00:00Z\"},\"retired\":{\"timestamp\":\"2025-01-01T00:00:00Z\"}}")), RES_MALFORMED, "contradict"},
    {"retired and usable at once", LIST(LOG(A, ",\"state\":{\"retired\":{\"timestamp\":\"2025-01-01T00:00:00Z\"},\"usable\":{\"timestamp\":\"2025-01-01T00:00:00Z\"}}")), RES_MALFORMED, "contradict"},
    {"an interval with one end", LIST(LOG(A, ",\"temporal_interval\":{\"start_inclusive\":\"2025-01-01T00:00:00Z\"}")), RES_MALFORMED, "temporal_interval"},
    {"an interval from an invalid time", LIST(LOG(A, ",\"temporal_interval\":{\"start_inclusive\":\"soon\",\"end_exclusive\":\"2025-01-01T00:00:00Z\"}")), RES_MALFORMED, "start_inclusive"},
    {"an interval that is empty", LIST(LOG(A, ",\"temporal_interval\":{\"start_inclusive\":\"2025-01-01T00:00:00Z\",\"end_exclusive\":\"2025-01-01T00:00:00Z\"}")), RES_MALFORMED, "temporal_interval"},
    {"an interval that is text", LIST(LOG(A, ",\"temporal_interval\":\"always\"")), RES_MALFORMED, "temporal_interval is not an object"},
    {"a log_type that is a number", LIST(LOG(A, ",\"log_type\":1")), RES_MALFORMED, "log_type is not a string"},
    {"a description that is a number", LIST("{\"description\":1}"), RES_MALFORMED, "description is not a string"},
    {"a description with a control character", LIST("{\"description\":\"a\\u001b[2J\"}"), RES_MALFORMED, "is not a name"},
    {"previous operators that end together", LIST(LOG(A, ",\"previous_operators\":[{\"name\":\"x\",\"end_time\":\"2024-01-01T00:00:00Z\"},{\"name\":\"y\",\"end_time\":\"2024-01-01T00:00:00Z\"}]")), RES_MALFORMED, "same time"},
    {"a previous operator until an invalid time", LIST(LOG(A, ",\"previous_operators\":[{\"name\":\"x\",\"end_time\":\"soon\"}]")), RES_MALFORMED, "end_time"},
    {"a previous operator without end", LIST(LOG(A, ",\"previous_operators\":[{\"name\":\"x\"}]")), RES_MALFORMED, "end_time"},
    {"a previous operator that is text", LIST(LOG(A, ",\"previous_operators\":[\"x\"]")), RES_MALFORMED, "previous_operators[0]"},
    {"an operator without name", "{\"operators\":[{\"logs\":[]}]}", RES_MALFORMED, "no name"},
    {"an operator that is text", "{\"operators\":[\"x\"]}", RES_MALFORMED, "not an object"},
    {"an operator whose name has spaces around it", "{\"operators\":[{\"name\":\" Op\"}]}", RES_MALFORMED, "is not a name"},
    {"logs that are an object", "{\"operators\":[{\"name\":\"Op\",\"logs\":{}}]}", RES_MALFORMED, "logs is not an array"},
    {"a log that is text", LIST("\"x\""), RES_MALFORMED, "not an object"},
    {"bytes that are not UTF-8", "{\"operators\":[{\"name\":\"\xff\"}]}", RES_MALFORMED, "not JSON"},
};

static void
bad_json_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct ctlogs *list = NULL;
		char *why = NULL;
		enum res res = ctlogs_from_json(&list, span_str(bad[i].json), &why);

		if (res != bad[i].want || list != NULL || why == NULL || strstr(why, bad[i].says) == NULL)
			fail_msg("%s: %s: %s", bad[i].what, res_text(res), why);
		free(why);
	}
}

/* G07: a list that is nested too deeply, is too large or has too many values is refused before it is parsed. */
static void
bounds_hold(void **state)
{
	struct buf b = buf_max(64 * 1024 * 1024);
	struct ctlogs *list = NULL;
	char *why = NULL;

	(void)state;
	for (size_t i = 0; i < 10000; i++)
		buf_text(&b, "{\"a\":[");
	assert_int_equal(ctlogs_from_json(&list, buf_span(&b), &why), RES_LIMIT);
	assert_string_equal(why, "line 1: nested deeper than 32");
	free(why);

	buf_clear(&b);
	buf_text(&b, "{\"a\":[");
	while (b.n < CTLOGS_FILE_MAX / 8)
		buf_text(&b, "0,");
	assert_int_equal(ctlogs_from_json(&list, buf_span(&b), &why), RES_LIMIT);
	assert_non_null(strstr(why, "values"));
	free(why);

	buf_clear(&b);
	buf_text(&b, LIST(LOG(A, USABLE)));
	while (b.n <= CTLOGS_FILE_MAX)
		buf_text(&b, "                                                                ");
	assert_int_equal(ctlogs_from_json(&list, buf_span(&b), &why), RES_LIMIT);
	assert_non_null(strstr(why, "larger than"));
	free(why);
	assert_int_equal(ctlogs_from_json(&list, span_slice(buf_span(&b), 0, CTLOGS_FILE_MAX), &why), RES_OK);
	ctlogs_free(list);

	/* brackets in a string do not nest */
	buf_clear(&b);
	buf_text(&b, "{\"x\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\",");
	buf_text(&b, &LIST(LOG(A, USABLE))[1]);
	assert_int_equal(ctlogs_from_json(&list, buf_span(&b), &why), RES_OK);
	ctlogs_free(list);

	/* brackets after the string do, also when it ends in an escape */
	for (size_t i = 0; i < 3; i++) {
		static const char *const ends[] = {"\\\\", "\\n", "\\\""};

		buf_clear(&b);
		buf_format(&b, "{\"[[\n%s\":\n", ends[i]);
		for (size_t n = 0; n < CTLOGS_NESTING_MAX; n++)
			buf_text(&b, "[");
		assert_int_equal(ctlogs_from_json(&list, buf_span(&b), &why), RES_LIMIT);
		assert_string_equal(why, "line 3: nested deeper than 32");
		free(why);
	}
	buf_free(&b);
}

/* A list that is written is read as the same list, and written as the same text. */
static void
json_is_stable(void **state)
{
	struct ctlogs *list = NULL, *again;
	struct ctlogs_change change;
	char *first, *second;

	(void)state;
	assert_int_equal(ctlogs_compiled_in(&list), RES_OK);
	first = ctlogs_json(list);
	assert_non_null(first);
	again = list_of(first);
	assert_int_equal(ctlogs_compare(&change, list, again), RES_OK);
	assert_string_equal(change.text, "");
	assert_int_equal(change.added + change.removed + change.changed + change.new_operators, 0);
	assert_false(change.older);
	free(change.text);
	assert_int_equal(ctlogs_date_ms(again), ctlogs_date_ms(list));
	for (size_t i = 0; i < ctlogs_count(list); i++) {
		const struct ctlog *a = ctlogs_at(list, i), *b = ctlogs_at(again, i);

		assert_memory_equal(a->id, b->id, 32);
		assert_string_equal(a->description, b->description);
		assert_int_equal(a->state_ms, b->state_ms);
		assert_int_equal(a->mmd_s, b->mmd_s);
	}
	second = ctlogs_json(again);
	assert_string_equal(first, second);
	free(first);
	free(second);
	ctlogs_free(list);
	ctlogs_free(again);
}

/* A log without a state is pending. */
static void
each_state_has_its_name(void **state)
{
	static const struct {
		enum ctlog_state state;
		const char *name;
	} rows[] = {
	    {CTLOG_PENDING, "pending"},   {CTLOG_QUALIFIED, "qualified"}, {CTLOG_USABLE, "usable"},
	    {CTLOG_READONLY, "readonly"}, {CTLOG_RETIRED, "retired"},     {CTLOG_REJECTED, "rejected"},
	};
	struct ctlogs *list = list_of(LIST(LOG(A, "")));

	(void)state;
	assert_string_equal(ctlog_state_text(ctlogs_at(list, 0)->state), "pending");
	ctlogs_free(list);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char json[2048];

		(void)snprintf(json, sizeof json, LIST(LOG(A, ",\"state\":{\"%s\":{\"timestamp\":\"2025-01-01T00:00:00Z\"}}")), rows[i].name);
		list = list_of(json);
		assert_int_equal(ctlogs_at(list, 0)->state, rows[i].state);
		assert_string_equal(ctlog_state_text(rows[i].state), rows[i].name);
		ctlogs_free(list);
	}
}

/* The URLs of a log in a list, and those that are kept. */
static const struct {
	const char *what, *member, *want;
} urls[] = {
    {"a URL is kept", ",\"url\":\"https://ct.example/log/\"", "https://ct.example/log/"},
    {"a missing slash at its end is added", ",\"url\":\"https://ct.example/log\"", "https://ct.example/log/"},
    {"a host with a port", ",\"url\":\"https://[::1]:8443/\"", "https://[::1]:8443/"},
    {"a list may have no URLs", "", NULL},
    {"an http URL is dropped", ",\"url\":\"http://ct.example/\"", NULL},
    {"a URL with another scheme is dropped", ",\"url\":\"file:///etc/passwd\"", NULL},
    {"a URL without scheme, as in old lists, is dropped", ",\"url\":\"ct.example/log/\"", NULL},
    {"a URL with a user is dropped", ",\"url\":\"https://user@ct.example/\"", NULL},
    {"a URL with a query is dropped", ",\"url\":\"https://ct.example/?a\"", NULL},
    {"a URL with a space is dropped", ",\"url\":\"https://ct.example/a b\"", NULL},
    {"a URL with a line break is dropped", ",\"url\":\"https://ct.example/\\n\"", NULL},
    {"a URL without host is dropped", ",\"url\":\"https:///log\"", NULL},
    {"a monitoring URL of an RFC 6962 log is ignored", ",\"monitoring_url\":\"https://ct.example/\"", NULL},
};

static void
urls_are_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		struct buf json = buf_max(65536);
		struct ctlogs *list;
		const char *url;

		buf_text(&json, "{\"operators\":[{\"name\":\"Op\",\"logs\":[");
		buf_text(&json, LOG(A, USABLE));
		json.n--; /* without its closing brace */
		buf_format(&json, "%s}]}]}", urls[i].member);
		list = list_of(buf_cstr(&json));
		assert_int_equal(ctlogs_count(list), 1);
		url = ctlogs_at(list, 0)->url;
		if ((url == NULL) != (urls[i].want == NULL) || (url != NULL && strcmp(url, urls[i].want) != 0))
			fail_msg("%s: %s", urls[i].what, url);
		ctlogs_free(list);
		buf_free(&json);
	}
}

static void
qualified_beside_usable_is_usable(void **state)
{
	struct ctlogs *list = list_of(LIST(LOG(A, ",\"state\":{\"usable\":{\"timestamp\":\"2025-02-01T00:00:00Z\"},\"qualified\":{\"timestamp\":\"2025-01-01T00:00:00Z\"}}")));

	(void)state;
	assert_int_equal(ctlogs_at(list, 0)->state, CTLOG_USABLE);
	assert_int_equal(ctlogs_at(list, 0)->state_ms, 1738368000000);
	ctlogs_free(list);
}

/* Lists that others publish, and lists of the same form (tests/data/ct). */
static const struct {
	const char *file;
	size_t logs;
	int64_t date_ms;
} lists[] = {
    {"ct/mozilla-esr153.json", 85, 1793597375000},
    {"ct/appmattus-2022.json", 29, 1663678537000},
    {"ct/appmattus-2025-tiled.json", 44, 1750536060000},
    {"ct/dated.json", 19, 1787232897000},
    {"ct/undated.json", 13, 0}, /* without a date: always old */
};

static void
real_lists_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		struct ctlogs *list = NULL, *again;
		struct ctlogs_change change;
		struct buf file = data_file(lists[i].file);
		char *why = NULL, *json;

		if (ctlogs_from_any(&list, buf_span(&file), &why) != RES_OK)
			fail_msg("%s: %s", lists[i].file, why);
		assert_int_equal(ctlogs_count(list), lists[i].logs);
		assert_int_equal(ctlogs_date_ms(list), lists[i].date_ms);
		json = ctlogs_json(list);
		again = list_of(json);
		assert_int_equal(ctlogs_compare(&change, list, again), RES_OK);
		assert_string_equal(change.text, "");
		free(change.text);
		free(json);
		ctlogs_free(again);
		ctlogs_free(list);
		buf_free(&file);
	}
}

/* RFC 8259, 8.1: some editors put a byte order mark before what they save. */
static void
a_byte_order_mark_is_skipped(void **state)
{
	struct buf file = data_file("ct/dated.json"), marked = buf_max(8 * 1024 * 1024);
	struct ctlogs *list = NULL;
	char *why = NULL;

	(void)state;
	buf_text(&marked, "\xef\xbb\xbf");
	buf_put(&marked, buf_span(&file));
	if (ctlogs_from_any(&list, buf_span(&marked), &why) != RES_OK)
		fail_msg("%s", why);
	assert_int_equal(ctlogs_count(list), 19);
	ctlogs_free(list);
	assert_int_equal(ctlogs_from_any(&list, span_str("\xef\xbb\xbf"), &why), RES_MALFORMED);
	assert_string_equal(why, "the file is empty");
	free(why);
	buf_free(&marked);
	buf_free(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_members_are_read),
	    cmocka_unit_test(bad_json_is_refused),
	    cmocka_unit_test(bounds_hold),
	    cmocka_unit_test(json_is_stable),
	    cmocka_unit_test(each_state_has_its_name),
	    cmocka_unit_test(urls_are_kept),
	    cmocka_unit_test(qualified_beside_usable_is_usable),
	    cmocka_unit_test(real_lists_are_read),
	    cmocka_unit_test(a_byte_order_mark_is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
