/*
 * test_verify.c - whole verdicts over forged chains: all faults at once, the cost of a verdict, and what it shows.
 *
 * Chains with a single fault are in test_verify_path.c, test_verify_cert.c, test_verify_policy.c and
 * test_verify_ct.c.
 */
#include "tests/unit/verify/forged_rows.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- everything at once */

static void
all_wrong(struct forged *f)
{
	struct forge forge;

	forged_leaf(&forge, CA_STRANGER_ISSUING);
	forge.n_sct = 0;
	forge.eku = NULL;
	forge.key = world_key(forged_world(), "weak", KEY_RSA_1024);
	forge.not_after_ms = f->in.now_ms - DAY_MS;
	forge.must_staple = true;
	forged_put(f, &forge);
	forge_free(&forge);
	forged_anchor(f, CA_ROOT);
	f->ip[3] = 2;
	f->in.name = "other.lab.test";
	f->disallow = forged_entries("");
}

static void
all_wrong_staple_unread(struct forged *f)
{
	all_wrong(f);
	f->in.staple_unread = true;
}

/* ---- the table */

static const struct forged_row rows[] = {
    {"all findings are reported together", all_wrong,
        "untrusted,expired,wrong-usage,weak-key,ip-mismatch,name-mismatch,ct-no-scts,staple-missing"},
    {"a staple that was not read is not called missing", all_wrong_staple_unread,
        "untrusted,expired,wrong-usage,weak-key,ip-mismatch,name-mismatch,ct-no-scts"},
};

static void
every_chain_is_judged_as_its_row_says(void **state)
{
	(void)state;
	forged_rows_judge(rows, sizeof rows / sizeof rows[0]);
}

/* A good chain costs one check of each signature. */
static void
no_signature_is_checked_twice(void **state)
{
	struct forged f;
	struct vfy_work work;

	(void)state;
	forged_begin(&f);
	forged_good(&f);
	assert_string_equal(forged_reasons(&f, &work), "");
	assert_int_equal(work.signature_checks, 4); /* leaf, issuer, two SCTs */
	assert_int_equal(work.paths, 1);
	forged_end(&f);
	/* with a dated limit on the anchor the SCTs are checked earlier, but not twice */
	forged_begin(&f);
	forged_logged_in_time(&f);
	assert_string_equal(forged_reasons(&f, &work), "");
	assert_int_equal(work.signature_checks, 4);
	forged_end(&f);
}

static void
the_verdict_shows_what_was_judged(void **state)
{
	struct forged f;
	struct vfy_work work;
	struct verdict v;

	(void)state;
	forged_begin(&f);
	forged_good(&f);
	forged_put_ca(&f, CA_STRANGER_ROOT);
	forged_judge(&f, &v, &work);
	assert_true(v.chain_verified);
	assert_int_equal(v.n_chain, 3); /* the path with its anchor, without superfluous certificates */
	assert_string_equal(v.chain[0].subject, "CN=resolver.lab.test,C=XX");
	assert_int_equal(v.valid_until_ms, v.chain[0].not_after_ms);
	assert_int_equal(v.n_scts, 2);
	assert_int_equal(v.scts[0].status, SCT_STATUS_VALID);
	assert_true(v.scts[0].counts);
	assert_string_equal(v.expected_ip, "1.1.1.1");
	assert_null(v.expected_name);
	assert_int_equal(v.at_ms, f.in.now_ms);
	verdict_clear(&v);
	forged_end(&f);

	forged_begin(&f);
	forged_expired_and_unknown(&f);
	forged_judge(&f, &v, &work);
	assert_false(v.chain_verified);
	assert_int_equal(v.n_chain, 2); /* as presented */
	assert_int_equal(v.valid_until_ms, VERDICT_NUMBER_NONE);
	assert_int_equal(v.scts[0].status, SCT_STATUS_VALID); /* the presented issuer's key signed the leaf */
	verdict_clear(&v);
	forged_end(&f);
}

static void
a_pin_that_only_the_leaf_meets_is_a_warning(void **state)
{
	struct forged f;
	struct vfy_work work;
	struct verdict v;
	char line[128], hex[65];

	(void)state;
	forged_begin(&f);
	forged_good(&f);
	snprintf(line, sizeof line, "spki-sha256 %s",
	    hex_write(hex, span_of(world_key(forged_world(), "a-server", KEY_P256)->spki_sha256, 32)));
	f.pins = forged_entries(line);
	forged_judge(&f, &v, &work);
	assert_true(verdict_accepted(&v));
	assert_int_equal(v.n_warnings, 1);
	verdict_clear(&v);
	forged_end(&f);
}

static void
modes_have_names(void **state)
{
	(void)state;
	assert_string_equal(ct_mode_text(CT_REQUIRE), "require");
	assert_string_equal(ct_mode_text(CT_REPORT), "report");
	assert_string_equal(ct_mode_text(CT_OFF), "off");
	assert_string_equal(ct_mode_text((enum ct_mode)9), "?");
	assert_string_equal(ct_when_stale_text(CT_STALE_ENFORCE), "enforce");
	assert_string_equal(ct_when_stale_text(CT_STALE_REFUSE), "refuse");
	assert_string_equal(ct_when_stale_text(CT_STALE_REPORT), "report");
	assert_string_equal(ct_when_stale_text((enum ct_when_stale)9), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_chain_is_judged_as_its_row_says),
	    cmocka_unit_test(no_signature_is_checked_twice),
	    cmocka_unit_test(the_verdict_shows_what_was_judged),
	    cmocka_unit_test(a_pin_that_only_the_leaf_meets_is_a_warning),
	    cmocka_unit_test(modes_have_names),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
