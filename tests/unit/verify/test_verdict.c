#include "verify/verdict.h"
#include "verify/verdict_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static void
a_verdict_starts_refused(void **state)
{
	struct verdict v = {0};

	(void)state;
	assert_false(verdict_accepted(&v));
	assert_int_equal(verdict_reason(&v), REASON_NONE);
	verdict_close(&v, true);
	assert_true(verdict_accepted(&v));
	verdict_clear(&v);
	assert_false(verdict_accepted(&v));
}

static void
a_stage_that_did_not_run_refuses(void **state)
{
	struct verdict v = {0};

	(void)state;
	verdict_close(&v, false);
	assert_false(verdict_accepted(&v));
	assert_int_equal(verdict_reason(&v), REASON_OUT_OF_MEMORY);
	verdict_clear(&v);

	verdict_add(&v, REASON_CHAIN_EMPTY, "nothing");
	verdict_close(&v, false); /* the stage that stopped has given a reason */
	assert_int_equal(verdict_reason(&v), REASON_CHAIN_EMPTY);
	assert_false(verdict_has(&v, REASON_OUT_OF_MEMORY));
	verdict_clear(&v);

	v.out_of_memory = true;
	assert_int_equal(verdict_reason(&v), REASON_OUT_OF_MEMORY); /* even with nothing stored */
	assert_non_null(verdict_finding(&v)->text);
	assert_true(verdict_has(&v, REASON_OUT_OF_MEMORY));
	verdict_close(&v, true);
	assert_false(verdict_accepted(&v));
	verdict_clear(&v);
}

static void
findings_are_in_the_order_of_the_list(void **state)
{
	struct verdict v = {0};

	(void)state;
	verdict_add(&v, REASON_CT_NO_SCTS, "third");
	verdict_add(&v, REASON_EXPIRED, "first");
	verdict_add(&v, REASON_WEAK_KEY, "second");
	verdict_add(&v, REASON_EXPIRED, "first again");
	verdict_add(&v, REASON_EXPIRED, "first"); /* the same sentence is kept once */
	verdict_add(&v, REASON_DISALLOWED, "a\nb\x7f");
	assert_int_equal(v.n_findings, 5);
	assert_string_equal(v.findings[0].text, "first");
	assert_string_equal(v.findings[1].text, "first again");
	assert_string_equal(v.findings[2].text, "second");
	assert_string_equal(v.findings[3].text, "a?b?"); /* one line */
	assert_string_equal(v.findings[4].text, "third");
	assert_int_equal(verdict_reason(&v), REASON_EXPIRED);
	verdict_relax(&v, REASON_EXPIRED);
	assert_int_equal(verdict_reason(&v), REASON_WEAK_KEY);
	verdict_clear(&v);
	for (size_t i = 0; i < 2 * VERDICT_FINDINGS_MAX; i++)
		verdict_add(&v, REASON_EXPIRED, "%zu", i);
	assert_int_equal(v.n_findings, VERDICT_FINDINGS_MAX);
	verdict_clear(&v);
}

static void
a_full_verdict_loses_no_reason(void **state)
{
	static const struct {
		const char *what;
		bool enforced; /* the 256 findings with the reason disallowed */
		enum reason more;
		bool more_enforced;
		enum reason reason; /* of the verdict */
	} rows[] = {
	    {"a later reason refuses", false, REASON_CT_NO_SCTS, true, REASON_CT_NO_SCTS},
	    {"an earlier reason refuses", false, REASON_EXPIRED, true, REASON_EXPIRED},
	    {"the same reason refuses", false, REASON_DISALLOWED, true, REASON_DISALLOWED},
	    {"a later reason reports", false, REASON_REVOKED, false, REASON_NONE},
	    {"all refuse, and so does an earlier reason", true, REASON_EXPIRED, true, REASON_EXPIRED},
	    {"all refuse, and so does a later reason", true, REASON_REVOKED, true, REASON_DISALLOWED},
	    {"all refuse, and a later reason reports", true, REASON_REVOKED, false, REASON_DISALLOWED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct verdict v = {0};

		for (size_t k = 0; k < VERDICT_FINDINGS_MAX + 1; k++)
			(rows[i].enforced ? verdict_add : verdict_note)(&v, REASON_DISALLOWED, "%zu", k);
		(rows[i].more_enforced ? verdict_add : verdict_note)(&v, rows[i].more, "one more");
		verdict_close(&v, true);
		if (verdict_reason(&v) != rows[i].reason || verdict_accepted(&v) != (rows[i].reason == REASON_NONE) ||
		    v.n_findings != VERDICT_FINDINGS_MAX || !verdict_has(&v, rows[i].more) ||
		    !verdict_has(&v, REASON_DISALLOWED))
			fail_msg("%s: %s", rows[i].what, reason_code(verdict_reason(&v)));
		for (size_t k = 1; k < v.n_findings; k++)
			assert_true(v.findings[k - 1].reason <= v.findings[k].reason);
		verdict_clear(&v);
	}
}

/* What refuses when all findings are there still refuses when those of another reason are relaxed. */
static void
a_full_verdict_that_is_relaxed_still_refuses(void **state)
{
	struct verdict v = {0};

	(void)state;
	for (size_t i = 0; i < VERDICT_FINDINGS_MAX; i++)
		verdict_add(&v, REASON_CRL_INVALID, "%zu", i);
	verdict_add(&v, REASON_STAPLE_MISSING, "one more");
	verdict_relax(&v, REASON_CRL_INVALID);
	verdict_close(&v, true);
	assert_int_equal(verdict_reason(&v), REASON_STAPLE_MISSING);
	verdict_clear(&v);
}

static void
filled(struct verdict *v)
{
	static const struct cert leaf = {
	    .subject = {(const uint8_t *)"\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61", 14},
	    .issuer = {(const uint8_t *)"\x30\x00", 2},
	    .serial = {(const uint8_t *)"\x00\xab\x01", 3},
	    .not_before_ms = 0,
	    .not_after_ms = 1000,
	};
	const struct cert *chain[] = {&leaf};

	memset(v, 0, sizeof *v);
	verdict_show_chain(v, chain, 1, true);
	verdict_add_counts(v, REASON_CT_TOO_FEW_SCTS, 1, 2, "1 SCT counts, 2 are needed");
	verdict_add(v, REASON_CT_LIST_STALE, "old");
	verdict_advise(v, REASON_CT_LIST_STALE);
	verdict_warn(v, "a warning");
	v->scts = calloc(2, sizeof *v->scts);
	v->n_scts = 2;
	v->scts[0] = (struct verdict_sct){
	    .log = strdup("a log"), .operator_name = strdup("someone"), .timestamp_ms = 1123, .status = SCT_STATUS_VALID, .counts = true};
	v->scts[1] = (struct verdict_sct){.timestamp_ms = INT64_MAX, .status = SCT_STATUS_UNKNOWN_LOG};
	v->expected_ip = strdup("1.1.1.1");
	v->log_list_ms = 0;
	v->at_ms = 20 * (int64_t)86400000 - 1;
	v->valid_until_ms = VERDICT_NUMBER_NONE;
	verdict_close(v, true);
}

static const char expected_json[] =
    "{\"outcome\":\"refused\",\"reasons\":[\"ct-too-few-scts\"],\"findings\":["
    "{\"reason\":\"ct-list-stale\",\"stage\":\"ct\",\"text\":\"old\",\"enforced\":false},"
    "{\"reason\":\"ct-too-few-scts\",\"stage\":\"ct\",\"text\":\"1 SCT counts, 2 are needed\",\"have\":1,\"want\":2}],"
    "\"warnings\":[\"a warning\"],\"expected\":{\"ip\":\"1.1.1.1\",\"name\":null},"
    "\"chain\":[{\"subject\":\"CN=a\",\"issuer\":\"\",\"serial\":\"ab01\",\"not_before\":\"1970-01-01T00:00:00Z\","
    "\"not_after\":\"1970-01-01T00:00:01Z\",\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\","
    "\"spki_sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\"}],"
    "\"scts\":[{\"log\":\"a log\",\"operator\":\"someone\",\"log_id\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\","
    "\"timestamp\":\"1970-01-01T00:00:01.123Z\",\"status\":\"valid\",\"counts\":true},"
    "{\"log\":null,\"operator\":null,\"log_id\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"timestamp\":\"invalid\","
    "\"status\":\"unknown-log\",\"counts\":false}],"
    "\"log_list\":{\"date\":\"1970-01-01T00:00:00Z\",\"age_days\":19},\"at\":\"1970-01-20T23:59:59Z\",\"valid_until\":null}";

static void
json_is_the_object_of_the_manual(void **state)
{
	struct verdict v;
	char *text;

	(void)state;
	filled(&v);
	text = verdict_json(&v);
	assert_string_equal(text, expected_json);
	free(text);
	verdict_clear(&v);
}

static void
json_survives_text_that_is_not_utf8(void **state)
{
	struct verdict v = {0};
	json_t *object;
	char *text;

	(void)state;
	v.expected_name = strdup("a\xff\"b");
	verdict_add(&v, REASON_NAME_MISMATCH, "a\xff");
	text = verdict_json(&v);
	assert_non_null(text);
	object = json_loads(text, 0, NULL);
	assert_non_null(object);
	json_decref(object);
	free(text);
	verdict_clear(&v);
}

static void
a_copy_is_deep(void **state)
{
	struct verdict v, copy;
	char *text;

	(void)state;
	filled(&v);
	assert_int_equal(verdict_copy(&copy, &v), RES_OK);
	verdict_clear(&v);
	text = verdict_json(&copy);
	assert_string_equal(text, expected_json);
	free(text);
	verdict_clear(&copy);
	assert_int_equal(verdict_copy(&copy, &v), RES_OK); /* an empty one */
	verdict_clear(&copy);
}

static void
text_is_for_people(void **state)
{
	struct verdict v;
	char *text;

	(void)state;
	filled(&v);
	text = verdict_text(&v);
	assert_non_null(strstr(text, "ct-too-few-scts: 1 SCT counts, 2 are needed\n"));
	assert_non_null(strstr(text, "noted        ct-list-stale: old\n"));
	assert_non_null(strstr(text, "1 of 2 count as proof of publication"));
	assert_non_null(strstr(text, "a log (someone): it is good\n"));
	assert_non_null(strstr(text, "(an SCT is the signed promise of a public log"));
	assert_non_null(strstr(text, "19 days old"));
	free(text);
	v.scts[0].counts = false;
	text = verdict_text(&v);
	assert_non_null(strstr(text, "a log (someone): it is good, but the policy counts no more SCTs of its operator\n"));
	free(text);
	v.at_ms = v.log_list_ms + 86400000;
	text = verdict_text(&v);
	assert_non_null(strstr(text, "1 day old\n"));
	free(text);
	v.at_ms = v.log_list_ms - 1;
	text = verdict_text(&v);
	assert_non_null(strstr(text, "newer than the time of the judgement\n"));
	free(text);
	verdict_clear(&v);
	verdict_add(&v, REASON_EXPIRED, "it has expired");
	text = verdict_text(&v);
	assert_null(strstr(text, "an SCT is")); /* only where it matters */
	free(text);
	verdict_clear(&v);
	v.out_of_memory = true;
	text = verdict_text(&v);
	assert_non_null(strstr(text, "out of memory"));
	free(text);
	verdict_clear(&v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_verdict_starts_refused),
	    cmocka_unit_test(a_stage_that_did_not_run_refuses),
	    cmocka_unit_test(findings_are_in_the_order_of_the_list),
	    cmocka_unit_test(a_full_verdict_loses_no_reason),
	    cmocka_unit_test(a_full_verdict_that_is_relaxed_still_refuses),
	    cmocka_unit_test(json_is_the_object_of_the_manual),
	    cmocka_unit_test(json_survives_text_that_is_not_utf8),
	    cmocka_unit_test(a_copy_is_deep),
	    cmocka_unit_test(text_is_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
