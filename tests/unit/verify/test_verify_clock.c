/*
 * test_verify_clock.c - a clock that is not set: findings for which it is blamed, findings that refuse all the same, and the
 * floor in place of the clock (time-names). An old list of logs, and what the update window requires instead.
 *
 * The leaf of every row is valid from FORGED_AT - 10 days for 90 days, and logged an hour after it was issued.
 */
#include "tests/unit/verify/forged_rows.h"

#include "base/text.h"
#include "contrib/lab/pki/lab_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY ((int64_t)86400000)

static int64_t
forged_at(void)
{
	int64_t at = 0;

	assert_int_equal(time_read(&at, FORGED_AT), RES_OK);
	return at;
}

/* The clock stands at the beginning of 1970; the floor is FORGED_AT. */
static void
in_1970(struct forged *f)
{
	f->in.now_ms = 100000;
	f->policy.floor_ms = forged_at();
}

static void
good(struct forged *f)
{
	forged_good(f);
	in_1970(f);
}

static void
clock_right_after_the_floor(struct forged *f)
{
	forged_good(f);
	f->policy.floor_ms = forged_at();
}

static void
clock_a_little_slow(struct forged *f)
{
	forged_good(f);
	f->policy.floor_ms = forged_at() + DAY;
}

static void
clock_before_the_scts(struct forged *f)
{
	forged_good(f);
	f->in.now_ms = forged_at() - 10 * DAY + 60000;
	f->policy.floor_ms = forged_at();
}

static void
not_yet_and_no_floor(struct forged *f)
{
	good(f);
	f->policy.floor_ms = 0;
}

static void
early_and_clock_right(struct forged *f)
{
	forged_good(f);
	f->in.now_ms = forged_at() - 11 * DAY;
	f->policy.floor_ms = forged_at() - 20 * DAY;
}

static void
ended_before_the_floor(struct forge *leaf)
{
	leaf->not_after_ms = forged_at() - 1000;
}

static void
expired(struct forged *f)
{
	forged_leaf_changed(f, ended_before_the_floor);
	in_1970(f);
}

static void
expired_by_a_slow_clock(struct forged *f)
{
	forged_leaf_changed(f, ended_before_the_floor);
	f->in.now_ms = forged_at() - DAY;
	f->policy.floor_ms = forged_at();
}

static void
not_logged_enough(struct forge *leaf)
{
	leaf->n_sct = 1;
}

static void
rogue_one_sct(struct forged *f)
{
	forged_leaf_changed(f, not_logged_enough);
	in_1970(f);
}

static void
not_logged(struct forge *leaf)
{
	leaf->n_sct = 0;
}

static void
rogue_no_sct(struct forged *f)
{
	forged_leaf_changed(f, not_logged);
	in_1970(f);
}

static void
rogue_address(struct forged *f)
{
	good(f);
	f->ip[3] = 2;
}

static void
rogue_ca(struct forged *f)
{
	forged_put_leaf(f, CA_STRANGER_ROOT);
	forged_anchor(f, CA_ROOT);
	in_1970(f);
}

static void
rogue_signature(struct forged *f)
{
	forged_bad_signature(f);
	in_1970(f);
}

static void
disallowed(struct forged *f)
{
	char entry[128];

	good(f);
	f->disallow = forged_entries(forged_spki_entry(entry, CA_ISSUING));
}

static void
not_pinned(struct forged *f)
{
	char entry[128];

	good(f);
	f->pins = forged_entries(forged_spki_entry(entry, CA_STRANGER_ROOT));
}

static void
another_issuer_allowed(struct forged *f)
{
	char entry[128];

	good(f);
	f->allow = forged_entries(forged_spki_entry(entry, CA_STRANGER_ROOT));
}

static void
distrusted(struct forged *f)
{
	good(f);
	forged_constraint(f, CA_ROOT, "distrusted-since 2026-11-01T00:00:00Z");
}

static void
logged_in_time(struct forged *f)
{
	forged_logged_in_time(f);
	in_1970(f);
}

static void
logged_too_late(struct forged *f)
{
	good(f);
	forged_constraint(f, CA_ROOT, "sct-not-after 2026-11-11T12:59:59Z");
}

static void
must_staple(struct forge *leaf)
{
	leaf->must_staple = true;
}

static void
staple_missing(struct forged *f)
{
	forged_leaf_changed(f, must_staple);
	in_1970(f);
}

/* A good chain with a staple of that time. The clock stands two days before the floor. */
static void
stapled(struct forged *f, int64_t this_ms, const struct forge *delegate)
{
	static struct buf staple;
	struct forge_ocsp ocsp = {.this_ms = this_ms, .next_ms = forged_at() + DAY};
	struct cert leaf;

	forged_good(f);
	f->in.now_ms = forged_at() - 2 * DAY;
	f->policy.floor_ms = forged_at();
	assert_int_equal(cert_read(&leaf, f->certs[0]), RES_OK);
	ocsp.serial = leaf.serial;
	ocsp.responder = ocsp.issuer = world_ca_name(CA_ISSUING);
	ocsp.responder_key = ocsp.issuer_key = world_ca_key(forged_world(), CA_ISSUING);
	if (delegate != NULL) {
		forged_put(f, delegate);
		ocsp.delegate = f->certs[f->n - 1];
		ocsp.responder = delegate->subject;
		ocsp.responder_key = delegate->key;
	}
	buf_free(&staple);
	staple = buf_max(1 << 16);
	lab_status_ocsp_write(&ocsp, &staple);
	f->in.staple = buf_span(&staple);
}

static void
staple_after_the_clock(struct forged *f)
{
	stapled(f, forged_at() - DAY, NULL);
}

static void
stapled_by_delegate(struct forged *f, int64_t not_before_ms)
{
	struct forge delegate;

	forged_sub_ca(&delegate, "CN=responder", "responder", world_ca_name(CA_ISSUING), "responder");
	delegate.issuer_key = world_ca_key(forged_world(), CA_ISSUING);
	delegate.basic = BASIC_NONE;
	delegate.usage = USAGE_DIGITAL_SIGNATURE;
	delegate.eku = "1.3.6.1.5.5.7.3.9";
	delegate.not_before_ms = not_before_ms;
	stapled(f, forged_at() - 3 * DAY, &delegate);
	forge_free(&delegate);
}

static void
responder_before_the_clock(struct forged *f)
{
	stapled_by_delegate(f, forged_at() - 4 * DAY);
}

static void
responder_after_the_clock(struct forged *f)
{
	stapled_by_delegate(f, forged_at() - DAY);
}

static void
staple_after_the_clock_reported(struct forged *f)
{
	staple_after_the_clock(f);
	f->policy.mode[VFY_RULE_REVOCATION] = VFY_REPORT;
}

static void
report_has_ended(struct forged *f)
{
	not_pinned(f);
	f->policy.mode[VFY_RULE_PIN] = VFY_REPORT;
	f->policy.report_until_ms = forged_at() - DAY;
}

static void
ct_in_report(struct forged *f)
{
	clock_before_the_scts(f);
	f->policy.ct_mode = CT_REPORT;
}

static void
ct_off(struct forged *f)
{
	clock_before_the_scts(f);
	f->policy.ct_mode = CT_OFF;
}

static void
list_was_stale_at_the_floor(struct forged *f)
{
	good(f);
	f->policy.floor_ms = forged_at() + 75 * DAY;
	f->policy.ct_when_stale = CT_STALE_REFUSE;
}

static void
before_1970_and_no_floor(struct forged *f)
{
	not_yet_and_no_floor(f);
	f->in.now_ms = -DAY;
}

static const struct forged_row not_set[] = {
    {"K03 in 1970 the clock is blamed, not the certificate", good, "clock-not-set"},
    {"without a floor the certificate is not valid yet", not_yet_and_no_floor, "not-yet-valid,ct-too-few-scts"},
    {"nor is it in the year before 1970", before_1970_and_no_floor, "not-yet-valid,ct-too-few-scts"},
    {"with a clock after the floor the certificate is not valid yet", early_and_clock_right, "not-yet-valid,ct-too-few-scts"},
    {"a clock at the floor is set", clock_right_after_the_floor, ""},
    {"a clock before the floor refuses no certificate that is valid by both", clock_a_little_slow, ""},
    {"SCTs after a clock that is not set: the clock is to blame", clock_before_the_scts, "clock-not-set"},
    {"the same in report mode of CT refuses nothing", ct_in_report, ""},
    {"with CT off nothing refuses", ct_off, ""},
    {"a certificate that ended before the floor has expired, whatever the clock", expired, "expired,clock-not-set"},
    {"also with a clock at which it is valid", expired_by_a_slow_clock, "expired"},
    {"one SCT is too few, whatever the clock", rogue_one_sct, "clock-not-set,ct-too-few-scts"},
    {"no SCT", rogue_no_sct, "clock-not-set,ct-no-scts"},
    {"another address", rogue_address, "clock-not-set,ip-mismatch"},
    {"a CA that is no anchor", rogue_ca, "untrusted,clock-not-set,ct-too-few-scts"},
    {"a signature that does not hold", rogue_signature, "clock-not-set,bad-signature,ct-too-few-scts"},
    {"a disallowed key", disallowed, "clock-not-set,disallowed"},
    {"a key that is not pinned", not_pinned, "clock-not-set,pin-mismatch"},
    {"an issuer that is not allowed", another_issuer_allowed, "clock-not-set,issuer-not-allowed"},
    {"an anchor that was distrusted before the floor", distrusted, "clock-not-set,anchor-distrusted"},
    {"an anchor limited by SCT dates, and logged in time", logged_in_time, "clock-not-set"},
    {"the same, logged too late", logged_too_late, "clock-not-set,anchor-distrusted,ct-too-few-scts"},
    {"a staple that is missing", staple_missing, "clock-not-set,staple-missing"},
    {"a staple after the clock", staple_after_the_clock, "clock-not-set"},
    {"the same in report mode of revocation refuses nothing", staple_after_the_clock_reported, ""},
    {"a staple whose responder was certified before the clock", responder_before_the_clock, ""},
    {"the same, certified after the clock", responder_after_the_clock, "clock-not-set"},
    {"a report mode that ended before the floor refuses", report_has_ended, "clock-not-set,pin-mismatch"},
    {"a list that was too old at the floor", list_was_stale_at_the_floor, "clock-not-set,ct-list-stale"},
};

static void
unset_clocks_are_blamed(void **state)
{
	(void)state;
	forged_rows_judge(not_set, sizeof not_set / sizeof not_set[0]);
}

/* ---- the update window: an old list, and known keys */

/* A list of 75 days, and a leaf with SCTs of logs that it does not have. */
static void
window(struct forged *f, size_t unknown, size_t known)
{
	struct forge leaf;
	int64_t at = forged_at() - 10 * DAY + 60000;

	forged_leaf(&leaf, CA_ISSUING);
	leaf.n_sct = 0;
	for (size_t i = 0; i < unknown; i++)
		forge_sct_add(&leaf, LOG_UNKNOWN, at + (int64_t)i, SCT_GOOD);
	for (size_t i = 0; i < known; i++)
		forge_sct_add(&leaf, LOG_ALPHA, at + (int64_t)i, SCT_GOOD);
	forged_put(f, &leaf);
	forge_free(&leaf);
	forged_put_ca(f, CA_ISSUING);
	forged_anchor(f, CA_ROOT);
	f->policy.ct_list_max_age_ms = 0;
	f->policy.old_list_serves = true;
}

static void
window_old_list(struct forged *f)
{
	window(f, 1, 1);
}

static void
window_one_unknown_log_twice(struct forged *f)
{
	window(f, 2, 0);
}

static void
window_known_logs_only(struct forged *f)
{
	window(f, 0, 1);
}

static void
window_no_sct(struct forged *f)
{
	window(f, 0, 0);
}

static void
window_refuse(struct forged *f)
{
	window(f, 1, 1);
	f->policy.ct_when_stale = CT_STALE_REFUSE;
}

static void
window_fresh_list(struct forged *f)
{
	window(f, 1, 1);
	f->policy.ct_list_max_age_ms = 75 * DAY;
}

static void
window_not_open(struct forged *f)
{
	window(f, 1, 1);
	f->policy.old_list_serves = false;
}

static void
known(struct forged *f, enum ca_id id)
{
	char entry[128];

	window(f, 1, 1);
	f->known = forged_entries(forged_spki_entry(entry, id));
	f->policy.mode[VFY_RULE_PIN] = VFY_REPORT;
}

static void
known_issuer(struct forged *f)
{
	known(f, CA_ISSUING);
}

static void
known_other(struct forged *f)
{
	known(f, CA_STRANGER_ISSUING);
}

/* The compiled-in list, which has none of the lab's logs. */
static void
window_all_logs_newer(struct forged *f)
{
	static struct ctlogs *list;

	forged_good(f);
	if (list == NULL)
		assert_int_equal(ctlogs_compiled_in(&list), RES_OK);
	f->policy.ctlogs = list;
	f->policy.ct_list_max_age_ms = 0;
	f->policy.old_list_serves = true;
}

static void
window_anchor_has_ended(struct forged *f)
{
	window_all_logs_newer(f);
	forged_constraint(f, CA_ROOT, "sct-not-after 2020-01-01T00:00:00Z");
}

static void
window_anchor_has_ended_enforce(struct forged *f)
{
	window_anchor_has_ended(f);
	f->policy.ct_when_stale = CT_STALE_ENFORCE;
}

static void
window_anchor_ends_later(struct forged *f)
{
	window_all_logs_newer(f);
	forged_constraint(f, CA_ROOT, "sct-not-after 2030-01-01T00:00:00Z");
}

static const struct forged_row windows[] = {
    {"a log that an old list does not have counts", window_old_list, ""},
    {"the same log twice does not", window_one_unknown_log_twice, "ct-too-few-scts"},
    {"one SCT of a log on the list is still too few", window_known_logs_only, "ct-too-few-scts"},
    {"no SCT at all is refused", window_no_sct, "ct-no-scts"},
    {"when-stale = refuse refuses all the same", window_refuse, "ct-list-stale"},
    {"with a fresh list a log that it does not have does not count", window_fresh_list, "ct-too-few-scts"},
    {"outside of the window as well", window_not_open, "ct-too-few-scts"},
    {"no log of the list, all are newer", window_all_logs_newer, ""},
    {"an anchor for earlier certificates still needs a valid SCT", window_anchor_has_ended, "anchor-distrusted"},
    {"with when-stale = enforce as well", window_anchor_has_ended_enforce, "anchor-distrusted"},
    {"so does an anchor whose date is to come", window_anchor_ends_later, "anchor-distrusted"},
    {"the key of the issuer is known", known_issuer, ""},
    {"another key is known, and report mode of pins does not help", known_other, "pin-mismatch"},
};

static void
the_window_asks_for_known_keys(void **state)
{
	(void)state;
	forged_rows_judge(windows, sizeof windows / sizeof windows[0]);
}

/* ---- time-names: the floor serves as the clock; every row above gives its reasons without clock-not-set */

static void
without(char *reasons, const char *code)
{
	char *at = strstr(reasons, code);
	size_t n = strlen(code);

	if (at == NULL)
		return;
	if (at[n] == ',')
		n++;
	else if (at > reasons) {
		at--;
		n++;
	}
	memmove(at, at + n, strlen(at + n) + 1);
}

static void
the_floor_serves(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof not_set / sizeof not_set[0]; i++) {
		struct forged f;
		struct vfy_work work;
		char want[256];
		const char *have;

		forged_begin(&f);
		not_set[i].make(&f);
		f.policy.floor_serves = true;
		(void)strncpy(want, not_set[i].reasons, sizeof want - 1);
		want[sizeof want - 1] = '\0';
		without(want, "clock-not-set");
		have = forged_reasons(&f, &work);
		if (strcmp(have, want) != 0)
			fail_msg("%s: \"%s\", expected \"%s\"", not_set[i].what, have, want);
		forged_end(&f);
	}
}

static void
the_sentence_says_why(void **state)
{
	struct verdict v = {0};
	struct vfy_work work;
	struct forged f;
	char *text;

	(void)state;
	forged_begin(&f);
	good(&f);
	forged_judge(&f, &v, &work);
	assert_int_equal(verdict_reason(&v), REASON_CLOCK_NOT_SET);
	assert_string_equal(reason_stage(verdict_reason(&v)), "dates");
	text = verdict_text(&v);
	assert_non_null(strstr(text, "by the clock, which is not set, valid from 2026-11-11T12:00:00Z"));
	assert_int_equal(v.scts[0].status, SCT_STATUS_FUTURE);
	assert_false(v.scts[0].counts);
	free(text);
	verdict_clear(&v);
	forged_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unset_clocks_are_blamed),
	    cmocka_unit_test(the_floor_serves),
	    cmocka_unit_test(the_window_asks_for_known_keys),
	    cmocka_unit_test(the_sentence_says_why),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
