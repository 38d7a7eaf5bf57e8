#include "contrib/lab/server/lab_fault.h"
#include "contrib/lab/scenarios/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const reasons[] = {
#define REASON(id, code, stage, text) code,
#include "verify/reasons.def"
#undef REASON
};

static const char *const first_set[] = {"good-v4",
					"good-v6",
					"no-sct",
					"one-sct",
					"one-operator",
					"sct-bad-signature",
					"sct-other-cert",
					"unknown-log",
					"good-static-ct",
					"wrong-address",
					"cn-only",
					"ip-as-dns",
					"expired",
					"unknown-ca",
					"self-signed",
					"fina-full-ct",
					"fina-disallow-serial",
					"fina-disallow-fingerprint",
					"fina-disallow-spki",
					"fina-disallow-issuer"};

static bool
reason_is_known(const char *reason)
{
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (strcmp(reasons[i], reason) == 0)
			return true;
	return false;
}

static void
the_table_is_large_and_has_what_others_rely_on(void **state)
{
	(void)state;
	assert_true(scenario_count() >= 70);
	for (size_t i = 0; i < sizeof first_set / sizeof *first_set; i++)
		if (scenario_find(first_set[i]) == NULL)
			fail_msg("%s is missing", first_set[i]);
	assert_null(scenario_find("no-such-scenario"));
}

static void
names_are_unique_and_belong_to_a_group(void **state)
{
	const struct scenario *row;

	(void)state;
	for (size_t i = 0; (row = scenario_at(i)) != NULL; i++) {
		assert_ptr_equal(scenario_find(row->name), row);
		assert_non_null(scenario_group_of(row));
		assert_true(strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(row->name));
	}
}

static void
each_row_says_what_must_happen_and_why(void **state)
{
	const struct scenario *row;

	(void)state;
	for (size_t i = 0; (row = scenario_at(i)) != NULL; i++) {
		if ((row->want == WANT_REFUSE) != (row->reason != NULL))
			fail_msg("%s: %s with reason %s", row->name, scenario_want_text(row->want),
				 row->reason != NULL ? row->reason : "none");
		if (row->reason != NULL && !reason_is_known(row->reason))
			fail_msg("%s: unknown reason %s", row->name, row->reason);
		if (row->wire_reason != NULL && !reason_is_known(row->wire_reason))
			fail_msg("%s: unknown reason %s", row->name, row->wire_reason);
	}
}

static void
faults_of_rows_are_understood(void **state)
{
	const struct scenario *row;

	(void)state;
	for (size_t i = 0; (row = scenario_at(i)) != NULL; i++) {
		struct lab_faults faults = {.set = {false}};
		const char *bad = "";

		if (row->fault != NULL && !lab_faults_add(&faults, row->fault, &bad))
			fail_msg("%s: %s", row->name, bad);
	}
}

struct fault_row {
	const char *sentence, *text;
	bool good;
};

static const struct fault_row fault_rows[] = {
    {"a name", "tc", true},
    {"several", "tc,wrong-id,dribble", true},
    {"with a value", "status=404", true},
    {"an empty value", "type=", true},
    {"unknown", "no-such-fault", false},
    {"a superfluous value", "tc=1", false},
    {"a missing value", "status", false},
    {"a number", "delay=0", true},
    {"a text in place of a number", "delay=abc", false},
    {"no number at all", "rcode=", false},
    {"a number below zero", "streams=-1", false},
    {"a prefix of a name", "t", false},
    {"a longer name", "tcx", false},
    {"an unknown fault after a known one", "tc,nonsense", false},
    {"a value that is too long",
     "type=0123456789012345678901234567890123456789012345678901234567890123456789", false},
};

static void
faults_are_read_as_a_whole_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof fault_rows / sizeof *fault_rows; i++) {
		struct lab_faults faults = {.set = {false}};
		const char *bad = NULL;

		if (lab_faults_add(&faults, fault_rows[i].text, &bad) != fault_rows[i].good)
			fail_msg("%s: %s", fault_rows[i].sentence, fault_rows[i].text);
		assert_int_equal(bad == NULL, fault_rows[i].good);
	}
}

static void
values_of_faults_are_kept(void **state)
{
	struct lab_faults faults = {.set = {false}};
	const char *bad;

	(void)state;
	assert_true(lab_faults_add(&faults, "status=404,type=text/html", &bad));
	assert_int_equal(lab_fault_number(&faults, FAULT_STATUS), 404);
	assert_string_equal(faults.value[FAULT_TYPE], "text/html");
	assert_int_equal(lab_fault_number(&faults, FAULT_TYPE), 0);
	assert_false(lab_fault_has(&faults, FAULT_TC));
	for (enum fault f = 0; f < FAULT_COUNT; f++)
		assert_true(lab_fault_name(f)[0] != '\0' && lab_fault_text(f)[0] != '\0');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_table_is_large_and_has_what_others_rely_on),
	    cmocka_unit_test(names_are_unique_and_belong_to_a_group),
	    cmocka_unit_test(each_row_says_what_must_happen_and_why),
	    cmocka_unit_test(faults_of_rows_are_understood),
	    cmocka_unit_test(faults_are_read_as_a_whole_or_not),
	    cmocka_unit_test(values_of_faults_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
