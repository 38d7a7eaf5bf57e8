/*
 * Rules in report mode: which findings refuse, which are only reported, and until when.
 */
#include "tests/unit/verify/forged.h"

#include "verify/verdict.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY ((int64_t)86400000)

static void
report(struct forged *f, enum vfy_rule rule)
{
	f->policy.mode[rule] = VFY_REPORT;
}

static void
report_all(struct forged *f)
{
	for (int i = 0; i < VFY_RULE_COUNT; i++)
		f->policy.mode[i] = VFY_REPORT;
}

static void
good_reported(struct forged *f)
{
	forged_good(f);
	report_all(f);
}

/* ---- one rule broken */

static void
pin_stranger(struct forged *f)
{
	char entry[128];

	forged_good(f);
	f->pins = forged_entries(forged_spki_entry(entry, CA_STRANGER_ROOT));
}

static void
allow_stranger(struct forged *f)
{
	char entry[128];

	forged_good(f);
	f->allow = forged_entries(forged_spki_entry(entry, CA_STRANGER_ROOT));
}

static void
root_disallowed(struct forged *f)
{
	char entry[128];

	forged_good(f);
	f->disallow = forged_entries(forged_spki_entry(entry, CA_ROOT));
}

static void
root_limited(struct forged *f)
{
	forged_good(f);
	forged_constraint(f, CA_ROOT, "not-before-max 2026-11-01T00:00:00Z");
}

static void
root_limited_by_scts(struct forged *f)
{
	forged_good(f);
	forged_constraint(f, CA_ROOT, "sct-not-after 2026-11-11T12:59:59Z");
}

static void
staple_wanted(struct forge *leaf)
{
	leaf->must_staple = true;
}

static void
no_staple(struct forged *f)
{
	forged_leaf_changed(f, staple_wanted);
}

static void
no_scts(struct forge *leaf)
{
	leaf->n_sct = 0;
}

static void
not_logged(struct forged *f)
{
	forged_leaf_changed(f, no_scts);
	f->policy.ct_mode = CT_REPORT;
}

/* ---- in report mode */

static void
pin_reported(struct forged *f)
{
	pin_stranger(f);
	report(f, VFY_RULE_PIN);
}

static void
issuer_reported(struct forged *f)
{
	allow_stranger(f);
	report(f, VFY_RULE_ALLOW_ISSUER);
}

static void
disallow_reported(struct forged *f)
{
	root_disallowed(f);
	report(f, VFY_RULE_DISALLOW);
}

static void
disallow_always(struct forged *f)
{
	disallow_reported(f);
	f->policy.n_disallow_always = 1;
}

static void
limit_reported(struct forged *f)
{
	root_limited(f);
	report(f, VFY_RULE_LIMITS);
}

static void
sct_limit_reported(struct forged *f)
{
	root_limited_by_scts(f);
	report(f, VFY_RULE_LIMITS);
}

static void
staple_reported(struct forged *f)
{
	no_staple(f);
	report(f, VFY_RULE_REVOCATION);
}

static void
bad_staple_reported(struct forged *f)
{
	forged_good(f);
	f->in.staple = span_str("0");
	report(f, VFY_RULE_REVOCATION);
}

static void
other_rules_reported(struct forged *f)
{
	pin_stranger(f);
	report_all(f);
	f->policy.mode[VFY_RULE_PIN] = VFY_REQUIRE;
}

static void
everything_reported(struct forged *f)
{
	char entry[128];

	forged_leaf_changed(f, staple_wanted);
	f->pins = forged_entries(forged_spki_entry(entry, CA_STRANGER_ROOT));
	f->allow = forged_entries(entry);
	f->disallow = forged_entries(forged_spki_entry(entry, CA_ROOT));
	forged_constraint(f, CA_ROOT, "not-before-max 2026-11-01T00:00:00Z");
	report_all(f);
}

static void
everything_reported_to_a_stranger(struct forged *f)
{
	char entry[128];

	forged_put_leaf(f, CA_STRANGER_ROOT);
	forged_anchor(f, CA_ROOT);
	f->pins = forged_entries(forged_spki_entry(entry, CA_ROOT));
	report_all(f);
	f->policy.ct_mode = CT_REPORT;
}

static void
broken_signature(struct forged *f)
{
	forged_bad_signature(f);
	report_all(f);
	f->policy.ct_mode = CT_REPORT;
}

static void
wrong_address(struct forged *f)
{
	everything_reported(f);
	f->in.ip = span_of("\x01\x00\x00\x01", 4);
}

/* ---- limits by SCTs where CT does not refuse */

static void
limit_without_scts(struct forged *f)
{
	not_logged(f);
	forged_constraint(f, CA_ROOT, "sct-not-after 2026-11-11T13:00:00Z");
}

static void
limit_without_scts_required(struct forged *f)
{
	limit_without_scts(f);
	f->policy.ct_mode = CT_REQUIRE;
}

static void
limit_without_scts_off(struct forged *f)
{
	limit_without_scts(f);
	f->policy.ct_mode = CT_OFF;
}

static void
limit_in_time_off(struct forged *f)
{
	forged_logged_in_time(f);
	f->policy.ct_mode = CT_OFF;
}

static void
limit_in_time_report(struct forged *f)
{
	forged_logged_in_time(f);
	f->policy.ct_mode = CT_REPORT;
}

static void
limit_without_a_list(struct forged *f)
{
	limit_in_time_report(f);
	f->policy.ctlogs = NULL;
}

static void
stale_list(struct forged *f, enum ct_mode mode, enum ct_when_stale when)
{
	forged_good(f);
	f->policy.ct_mode = mode;
	f->policy.ct_when_stale = when;
	f->policy.ct_list_max_age_ms = -100000 * DAY;
	f->policy.report_until_ms = f->in.now_ms + 1;
}

static void
stale_list_refused(struct forged *f)
{
	stale_list(f, CT_REQUIRE, CT_STALE_REFUSE);
}

static void
stale_list_refused_in_report(struct forged *f)
{
	stale_list(f, CT_REPORT, CT_STALE_REFUSE);
}

static void
stale_list_enforced_in_report(struct forged *f)
{
	stale_list(f, CT_REPORT, CT_STALE_ENFORCE);
}

static void
stale_list_reported(struct forged *f)
{
	stale_list(f, CT_REQUIRE, CT_STALE_REPORT);
}

static void
limit_and_stale_list(struct forged *f)
{
	limit_without_scts(f);
	f->policy.ct_mode = CT_REQUIRE;
	f->policy.ct_when_stale = CT_STALE_REPORT;
	f->policy.ct_list_max_age_ms = -100000 * DAY;
}

static void
limit_without_scts_reported(struct forged *f)
{
	limit_without_scts(f);
	report(f, VFY_RULE_LIMITS);
}

/* ---- two paths */

static void
crossed(struct forged *f, bool cross_first)
{
	struct forge cross;

	forged_ca(&cross, CA_ISSUING);
	cross.issuer = world_ca_name(CA_PRIVATE_ROOT);
	cross.issuer_key = world_ca_key(forged_world(), CA_PRIVATE_ROOT);
	cross.serial_seed = "cross";
	forged_put_leaf(f, CA_ISSUING);
	if (cross_first)
		forged_put(f, &cross);
	forged_put_ca(f, CA_ISSUING);
	if (!cross_first)
		forged_put(f, &cross);
	forge_free(&cross);
	forged_anchor(f, CA_ROOT);
	forged_anchor(f, CA_PRIVATE_ROOT);
}

static void
second_path_has_nothing_to_report(struct forged *f)
{
	char entry[128];

	crossed(f, false);
	f->pins = forged_entries(forged_spki_entry(entry, CA_PRIVATE_ROOT));
	report(f, VFY_RULE_PIN);
}

static void
first_path_has_nothing_to_report(struct forged *f)
{
	char entry[128];

	crossed(f, true);
	f->pins = forged_entries(forged_spki_entry(entry, CA_PRIVATE_ROOT));
	report(f, VFY_RULE_PIN);
}

/* The path that meets the pin is limited, and limits refuse: the other is taken, and reported. */
static void
pinned_path_is_limited(struct forged *f)
{
	first_path_has_nothing_to_report(f);
	forged_constraint(f, CA_PRIVATE_ROOT, "not-before-max 2020-01-01T00:00:00Z");
}

/* One path is good but for a rule in report mode and a disallow entry, which refuses: an attacker could choose that path. */
static void
first_path_reports_and_is_disallowed(struct forged *f)
{
	char entry[128];

	second_path_has_nothing_to_report(f);
	f->disallow = forged_entries(forged_spki_entry(entry, CA_ROOT));
}

static void
other_path_is_disallowed_and_reported(struct forged *f)
{
	char entry[128];

	crossed(f, false);
	f->disallow = forged_entries(forged_spki_entry(entry, CA_PRIVATE_ROOT));
	report(f, VFY_RULE_DISALLOW);
}

/* ---- more paths than are tried */

#define TWINS 4

static void
twins_put(struct forged *f, struct forge *ca)
{
	for (size_t i = 0; i < TWINS; i++) {
		char serial[16];

		(void)snprintf(serial, sizeof serial, "%s%zu", "twin", i);
		ca->serial_seed = serial;
		forged_put(f, ca);
	}
	forge_free(ca);
}

/*
 * The leaf's CA below "upper" below "top" below CA_ROOT, each in four certificates: with the root itself these are 64
 * paths. What comes last is the CA's own certificate, below CA_PRIVATE_ROOT: no path that is tried has that.
 */
static void
many_paths(struct forged *f)
{
	const struct key *issuing = world_ca_key(forged_world(), CA_ISSUING);
	struct forge ca;

	forged_put_leaf(f, CA_ISSUING);
	forged_sub_ca(&ca, world_ca_name(CA_ISSUING), "issuing", "CN=upper", "upper");
	ca.key = issuing;
	twins_put(f, &ca);
	forged_sub_ca(&ca, "CN=upper", "upper", "CN=top", "top");
	twins_put(f, &ca);
	forged_sub_ca(&ca, "CN=top", "top", world_ca_name(CA_ROOT), "top");
	ca.issuer_key = world_ca_key(forged_world(), CA_ROOT);
	twins_put(f, &ca);
	forged_sub_ca(&ca, world_ca_name(CA_ISSUING), "issuing", world_ca_name(CA_PRIVATE_ROOT), "top");
	ca.key = issuing;
	ca.issuer_key = world_ca_key(forged_world(), CA_PRIVATE_ROOT);
	ca.serial_seed = "last";
	forged_put(f, &ca);
	forge_free(&ca);
	forged_anchor(f, CA_ROOT);
	forged_anchor(f, CA_PRIVATE_ROOT);
}

static void
many_paths_and_another_entry(struct forged *f)
{
	char entry[128];

	many_paths(f);
	f->disallow = forged_entries(forged_spki_entry(entry, CA_STRANGER_ROOT));
}

static void
many_paths_and_an_entry(struct forged *f)
{
	char entry[128];

	many_paths(f);
	f->disallow = forged_entries(forged_spki_entry(entry, CA_PRIVATE_ROOT));
}

static void
many_paths_and_an_entry_reported(struct forged *f)
{
	many_paths_and_an_entry(f);
	report(f, VFY_RULE_DISALLOW);
}

/* ---- the end */

/* FORGED_AT is on 2026-11-21. */
static void
until(struct forged *f, int64_t ms)
{
	everything_reported(f);
	f->policy.report_until_ms = ms;
}

static void
until_a_moment_later(struct forged *f)
{
	until(f, f->in.now_ms + 1);
}

static void
until_this_moment(struct forged *f)
{
	until(f, f->in.now_ms);
}

static void
until_long_ago(struct forged *f)
{
	until(f, DAY);
}

static void
ct_until_this_moment(struct forged *f)
{
	not_logged(f);
	f->policy.report_until_ms = f->in.now_ms;
}

static void
ct_until_a_moment_later(struct forged *f)
{
	not_logged(f);
	f->policy.report_until_ms = f->in.now_ms + 1;
}

static void
ct_off_until_this_moment(struct forged *f)
{
	ct_until_this_moment(f);
	f->policy.ct_mode = CT_OFF;
}

#define EVERYTHING "anchor-distrusted,issuer-not-allowed,pin-mismatch,disallowed,staple-missing"

static const struct {
	const char *what;
	void (*make)(struct forged *);
	const char *reasons;  /* that refuse */
	const char *reported; /* those that would */
} rows[] = {
    {"a good chain has nothing to report", good_reported, "", ""},
    {"another key is pinned", pin_stranger, "pin-mismatch", ""},
    {"the same in report mode", pin_reported, "", "pin-mismatch"},
    {"another issuer is allowed", issuer_reported, "", "issuer-not-allowed"},
    {"the anchor is disallowed", disallow_reported, "", "disallowed"},
    {"the anchor is disallowed by an entry that is compiled in", disallow_always, "disallowed", ""},
    {"the anchor is limited", limit_reported, "", "anchor-distrusted"},
    {"logged after the anchor's date: its SCTs count, too", sct_limit_reported, "", "anchor-distrusted"},
    {"the staple is missing", staple_reported, "", "staple-missing"},
    {"the staple cannot be read", bad_staple_reported, "", "staple-invalid"},
    {"the mode of one rule is not that of another", other_rules_reported, "pin-mismatch", ""},
    {"everything at once", everything_reported, "", EVERYTHING},
    {"a chain to no anchor has no report mode", everything_reported_to_a_stranger, "untrusted", "ct-too-few-scts"},
    {"nor a broken signature", broken_signature, "bad-signature", "ct-too-few-scts"},
    {"nor another address", wrong_address, "ip-mismatch", EVERYTHING},
    /* a limit by SCT dates applies also when CT does not refuse */
    {"ct in report, no SCT", not_logged, "", "ct-no-scts"},
    {"ct in report, no SCT, and a limit", limit_without_scts, "anchor-distrusted", "ct-no-scts"},
    {"ct required, no SCT, and a limit", limit_without_scts_required, "ct-no-scts", ""},
    {"ct off, no SCT, and a limit", limit_without_scts_off, "anchor-distrusted", ""},
    {"ct off, and an SCT in time", limit_in_time_off, "", ""},
    {"ct in report, and an SCT in time", limit_in_time_report, "", ""},
    {"ct in report, an SCT in time, and no list to check it with", limit_without_a_list, "anchor-distrusted", "ct-list-missing"},
    {"ct suspended while the list is old, no SCT, and a limit", limit_and_stale_list, "anchor-distrusted", "ct-no-scts"},
    {"an old list that refuses", stale_list_refused, "ct-list-stale", ""},
    {"the same with ct in report", stale_list_refused_in_report, "", "ct-list-stale"},
    {"an old list that goes on being applied, with ct in report", stale_list_enforced_in_report, "", ""},
    {"an old list that suspends ct", stale_list_reported, "", ""},
    {"ct and limits in report, no SCT", limit_without_scts_reported, "", "anchor-distrusted,ct-no-scts"},
    /* two paths */
    {"the second path has nothing to report", second_path_has_nothing_to_report, "", ""},
    {"the first path has nothing to report", first_path_has_nothing_to_report, "", ""},
    {"a path with a reported finding is preferred to a refused one", pinned_path_is_limited, "", "pin-mismatch"},
    {"a path with a reported finding counts as one that an attacker may choose", first_path_reports_and_is_disallowed, "disallowed", ""},
    {"the other path is disallowed, in report", other_path_is_disallowed_and_reported, "", "disallowed"},
    {"64 paths and one more, and an entry that names nothing in them", many_paths_and_another_entry, "", ""},
    {"64 paths, and an entry that names what the next may contain", many_paths_and_an_entry, "disallowed", ""},
    {"the same in report", many_paths_and_an_entry_reported, "", "disallowed"},
    /* the end of report mode */
    {"a millisecond before the end", until_a_moment_later, "", EVERYTHING},
    {"at the end", until_this_moment, EVERYTHING, ""},
    {"long after the end", until_long_ago, EVERYTHING, ""},
    {"ct a millisecond before the end", ct_until_a_moment_later, "", "ct-no-scts"},
    {"ct at the end", ct_until_this_moment, "ct-no-scts", ""},
    {"ct that is off has no end", ct_off_until_this_moment, "", ""},
};

/* The reasons of findings whose `reported` has this value, joined by commas. */
static void
reasons_of(char out[512], const struct verdict *v, bool reported)
{
	enum reason last = REASON_NONE;

	out[0] = '\0';
	for (size_t i = 0; i < v->n_findings; i++) {
		const struct finding *f = &v->findings[i];
		size_t n = strlen(out);

		if ((reported ? !finding_reported(f) : !f->enforced) || f->reason == last)
			continue;
		last = f->reason;
		(void)snprintf(out + n, 512 - n, "%s%s", n == 0 ? "" : ",", reason_code(last));
	}
}

static void
modes_are_as_their_rows_say(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char reasons[512], reported[512];
		struct forged f;
		struct verdict v;
		struct vfy_work work;

		forged_begin(&f);
		rows[i].make(&f);
		forged_judge(&f, &v, &work);
		reasons_of(reasons, &v, false);
		reasons_of(reported, &v, true);
		if (strcmp(reasons, rows[i].reasons) != 0 || strcmp(reported, rows[i].reported) != 0 ||
		    verdict_accepted(&v) != (rows[i].reasons[0] == '\0')) {
			print_error("%s: refused \"%s\", reported \"%s\"\n", rows[i].what, reasons, reported);
			wrong++;
		}
		/* A verdict has report_until only when a finding is reported until then. */
		assert_int_equal(v.report_until_ms != 0,
				 reported[0] != '\0' && f.policy.report_until_ms > f.in.now_ms);
		verdict_clear(&v);
		forged_end(&f);
	}
	assert_int_equal(wrong, 0);
}

static void
reported_findings_are_shown(void **state)
{
	struct forged f;
	struct verdict v;
	struct vfy_work work;
	char *json, *text;

	(void)state;
	forged_begin(&f);
	until_a_moment_later(&f);
	forged_judge(&f, &v, &work);
	json = verdict_json(&v);
	text = verdict_text(&v);
	assert_non_null(strstr(json, "\"outcome\":\"accepted\",\"reasons\":[]"));
	assert_non_null(strstr(json, "{\"reason\":\"pin-mismatch\",\"stage\":\"constraints\""));
	assert_non_null(strstr(json, "\"enforced\":false"));
	assert_null(strstr(json, "\"enforced\":true"));
	assert_non_null(strstr(json, "\"report_until\":\"2026-11-21T12:00:00"));
	assert_non_null(strstr(text, "outcome      accepted\n"));
	assert_non_null(strstr(text, "would refuse pin-mismatch: "));
	assert_non_null(strstr(text, "would refuse staple-missing: "));
	assert_null(strstr(text, "\nrefused"));
	free(json);
	free(text);
	verdict_clear(&v);
	forged_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(modes_are_as_their_rows_say),
	    cmocka_unit_test(reported_findings_are_shown),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
