#include "contrib/lab/run/results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct refusal_row {
	const char *sentence, *scenario;
	enum outcome outcome;
	enum mark mark;
	const char *good_v4; /* the mark of the scenario good-v4 */
	const char *want;    /* the mark that is reported */
};

static const struct refusal_row refusals[] = {
    {"a refusal by a client that accepts the good resolver", "no-sct", OUTCOME_REFUSED, MARK_PASS, "pass",
     "pass"},
    {"a refusal by a client that refuses the good resolver", "no-sct", OUTCOME_REFUSED, MARK_PASS, "fail", "void"},
    {"silence from a client that refuses the good resolver", "no-sct", OUTCOME_SILENT, MARK_PASS, "fail", "void"},
    {"accepting an impostor fails, whatever the good resolver gets", "no-sct", OUTCOME_ACCEPTED, MARK_FAIL, "fail",
     "fail"},
    {"a question in clear text fails, whatever the good resolver gets", "blocked-reset", OUTCOME_FALLBACK, MARK_FAIL, "fail", "fail"},
    {"a script that could not start", "swapped", OUTCOME_BROKEN, MARK_FAIL, "fail", "void"},
    {"a script that could not start, where both outcomes are defensible", "swapped-keeping-tickets", OUTCOME_BROKEN, MARK_FAIL, "fail",
     "void"},
    {"refusing a good resolver fails", "good-staple", OUTCOME_REFUSED, MARK_FAIL, "fail",
     "fail"},
    {"an IPv6 scenario is measured against the good IPv6 resolver", "wrong-address-v6", OUTCOME_REFUSED, MARK_PASS, "fail",
     "pass"},
    {"a scenario that was not tried", "name-other", OUTCOME_SKIPPED, MARK_SKIP, "fail", "skip"},
};

static const char *
mark_at(json_t *results, size_t i)
{
	return json_string_value(
	    json_object_get(json_array_get(json_object_get(results, "results"), i), "mark"));
}

static void
refusals_count_only_for_clients_that_accept_the_good_resolver(void **state)
{
	const struct lab_client_about client = {.name = "x"};

	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		const struct refusal_row *row = &refusals[i];
		bool taken = strcmp(row->good_v4, "pass") == 0;
		struct trial_result good = {.outcome = taken ? OUTCOME_ACCEPTED : OUTCOME_REFUSED,
					    .mark = taken ? MARK_PASS : MARK_FAIL};
		struct trial_result result = {.outcome = row->outcome, .mark = row->mark};
		json_t *results = results_new(&client, SERVER_DOT, "");

		assert_non_null(results);
		results_add(results, scenario_find(row->scenario), &result);
		results_add(results, scenario_find("good-v4"), &good);
		for (int twice = 0; twice < 2; twice++) {
			results_void(results);
			if (strcmp(mark_at(results, 0), row->want) != 0)
				fail_msg("%s: %s, not %s", row->sentence, mark_at(results, 0), row->want);
			assert_string_equal(mark_at(results, 1), row->good_v4);
		}
		json_decref(results);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refusals_count_only_for_clients_that_accept_the_good_resolver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
