/*
 * test_verify_ct.c - refusals by CT: the SCTs of a leaf, the modes, and the age of the list of logs.
 */
#include "tests/unit/verify/forged_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- CT */

static void
with_scts(struct forged *f, size_t n)
{
	struct forge forge;

	forged_leaf(&forge, CA_ISSUING);
	forge.n_sct = n;
	forged_put(f, &forge);
	forge_free(&forge);
	forged_put_ca(f, CA_ISSUING);
	forged_anchor(f, CA_ROOT);
}

static void
one_sct(struct forged *f)
{
	with_scts(f, 1);
}

static void
no_sct(struct forged *f)
{
	with_scts(f, 0);
}

static void
no_sct_in_report(struct forged *f)
{
	no_sct(f);
	f->policy.ct_mode = CT_REPORT;
}

static void
no_sct_and_ct_off(struct forged *f)
{
	no_sct(f);
	f->policy.ct_mode = CT_OFF;
	f->policy.ctlogs = NULL;
}

static void
wrong_address_in_report(struct forged *f)
{
	no_sct_in_report(f);
	f->ip[3] = 2;
}

static void
list_break(struct forge *f)
{
	f->sct_list_fault = SCT_LIST_LENGTH_LIES;
}

static void
broken_list(struct forged *f)
{
	forged_leaf_changed(f, list_break);
}

static void
list_double(struct forge *f)
{
	f->sct_list_fault = SCT_LIST_TWICE;
}

static void
list_twice(struct forged *f)
{
	forged_leaf_changed(f, list_double);
}

static void
scts_sixty(struct forge *f)
{
	while (f->n_sct < 60)
		forge_sct_add(f, LOG_ALPHA, f->not_before_ms, SCT_GOOD);
}

static void
sixty_scts(struct forged *f)
{
	forged_leaf_changed(f, scts_sixty);
}

static void
scts_most(struct forge *f)
{
	while (f->n_sct < SCT_LIST_MAX)
		forge_sct_add(f, LOG_ALPHA, f->not_before_ms, SCT_GOOD);
}

static void
most_scts(struct forged *f)
{
	forged_leaf_changed(f, scts_most);
}

static void
list_missing(struct forged *f)
{
	forged_good(f);
	f->policy.ctlogs = NULL;
}

static void
list_missing_in_report(struct forged *f)
{
	list_missing(f);
	f->policy.ct_mode = CT_REPORT;
}

/* The lab's fresh list, aged by days. */
static void
aged(struct forged *f, int days, enum ct_when_stale when, bool scts)
{
	with_scts(f, scts ? 2 : 0);
	f->policy.ct_list_max_age_ms = f->in.now_ms - ctlogs_date_ms(f->policy.ctlogs) + (70 - days) * DAY_MS;
	f->policy.ct_when_stale = when;
}

#define AGED(name, days, when, scts)                                                                                   \
	static void name(struct forged *f)                                                                             \
	{                                                                                                              \
		aged(f, days, when, scts);                                                                             \
	}
AGED(t22_69_days_refuse, 69, CT_STALE_REFUSE, true)
AGED(t22_70_days_refuse, 70, CT_STALE_REFUSE, true)
AGED(t22_71_days_refuse, 71, CT_STALE_REFUSE, true)
AGED(t22_71_days_enforce, 71, CT_STALE_ENFORCE, true)
AGED(t22_71_days_enforce_no_sct, 71, CT_STALE_ENFORCE, false)
AGED(t22_71_days_report_no_sct, 71, CT_STALE_REPORT, false)
AGED(t22_69_days_report_no_sct, 69, CT_STALE_REPORT, false)

/* ---- the table */

static const struct forged_row rows[] = {
    {"T18 no SCT", no_sct, "ct-no-scts"},
    {"T18 one SCT", one_sct, "ct-too-few-scts"},
    {"report: no SCT does not refuse", no_sct_in_report, ""},
    {"report: a wrong address still refuses", wrong_address_in_report, "ip-mismatch"},
    {"off: no list is needed", no_sct_and_ct_off, ""},
    {"T19 an SCT list with a wrong length", broken_list, "ct-malformed"},
    {"the certificate has two SCT lists", list_twice, "cert-malformed"},
    {"T19 more SCTs than the limit", sixty_scts, "ct-malformed"},
    {"as many SCTs as the limit", most_scts, ""},
    {"no list of logs", list_missing, "ct-list-missing"},
    {"report: no list of logs does not refuse", list_missing_in_report, ""},
    {"T22 a list of 69 days", t22_69_days_refuse, ""},
    {"T22 a list of 70 days", t22_70_days_refuse, ""},
    {"T22 a list of 71 days, refuse", t22_71_days_refuse, "ct-list-stale"},
    {"T22 a list of 71 days, enforce", t22_71_days_enforce, ""},
    {"T22 enforce: an old list still applies", t22_71_days_enforce_no_sct, "ct-no-scts"},
    {"T22 report: CT refuses nothing while the list is old", t22_71_days_report_no_sct, ""},
    {"T22 report: it refuses while the list is not old", t22_69_days_report_no_sct, "ct-no-scts"},
};

static void
every_chain_is_judged_as_its_row_says(void **state)
{
	(void)state;
	forged_rows_judge(rows, sizeof rows / sizeof rows[0]);
}

static void
findings_that_do_not_refuse_are_kept(void **state)
{
	struct forged f;
	struct vfy_work work;
	struct verdict v;

	(void)state;
	forged_begin(&f);
	no_sct_in_report(&f);
	forged_judge(&f, &v, &work);
	assert_true(verdict_accepted(&v));
	assert_true(verdict_has(&v, REASON_CT_NO_SCTS));
	assert_false(v.findings[0].enforced);
	assert_int_equal(verdict_reason(&v), REASON_NONE);
	verdict_clear(&v);
	forged_end(&f);

	forged_begin(&f);
	t22_71_days_enforce(&f);
	forged_judge(&f, &v, &work);
	assert_true(verdict_accepted(&v));
	assert_true(verdict_has(&v, REASON_CT_LIST_STALE));
	verdict_clear(&v);
	forged_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_chain_is_judged_as_its_row_says),
	    cmocka_unit_test(findings_that_do_not_refuse_are_kept),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
