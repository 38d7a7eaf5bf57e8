/*
 * test_verify_unjudged.c - a path that is not judged to the end cannot hide a disallowed certificate.
 *
 * Each row has two anchors of one name and key, one of which is named by an entry, and uses up the limit on name
 * constraints before the path to that anchor is judged.
 */
#include "contrib/lab/pki/derw.h"
#include "contrib/lab/scenarios/site.h"
#include "tests/unit/verify/forged_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
exclude(struct forge *forge, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t subtree = derw_open(&forge->excluded, DERW_SEQUENCE);
		char name[32];

		snprintf(name, sizeof name, "x%04zu.t", i);
		derw_text(&forge->excluded, DERW_CONTEXT(2), name);
		derw_close(&forge->excluded, subtree);
	}
}

static void
root_write(struct buf *der, const char *serial, size_t excluded)
{
	struct forge root;

	forged_ca(&root, CA_ROOT);
	root.serial_seed = serial;
	exclude(&root, excluded);
	buf_clear(der);
	forge_certificate(&root, world_logs(forged_world()), der);
	assert_true(buf_ok(der));
	forge_free(&root);
}

/* Anchors of one name are ordered by their hash, so the clean one is found first. The other has that many excluded names. */
static void
anchors_put(struct forged *f, size_t excluded, bool disallowed)
{
	struct buf clean = buf_max(FORGE_CERT_MAX), named = buf_max(FORGE_CERT_MAX);
	char serial[32], a[128], b[128];

	root_write(&clean, "clean", 0);
	for (size_t i = 0; i == 0 || strcmp(forged_cert_entry(a, buf_span(&clean)), b) > 0; i++) {
		snprintf(serial, sizeof serial, "named %zu", i);
		root_write(&named, serial, excluded);
		forged_cert_entry(b, buf_span(&named));
	}
	lab_pem_write(&f->anchors, "CERTIFICATE", buf_span(&clean));
	lab_pem_write(&f->anchors, "CERTIFICATE", buf_span(&named));
	if (disallowed)
		f->disallow = forged_entries(b);
	buf_free(&clean);
	buf_free(&named);
}

/* The anchor that is named excludes two names, more than the intermediate leaves of the limit. */
static void
spent_below(struct forged *f, size_t excluded, bool disallowed)
{
	struct forge ca;

	forged_put_leaf(f, CA_ISSUING);
	forged_ca(&ca, CA_ISSUING);
	exclude(&ca, excluded);
	forged_put(f, &ca);
	forge_free(&ca);
	anchors_put(f, 2, disallowed);
}

static void
within_the_limit(struct forged *f)
{
	spent_below(f, 100, true);
}

static void
beyond_the_limit(struct forged *f)
{
	spent_below(f, NAMECONSTRAINTS_SUBTREES_MAX - 1, true);
}

static void
beyond_the_limit_without_entry(struct forged *f)
{
	spent_below(f, NAMECONSTRAINTS_SUBTREES_MAX - 1, false);
}

static void
beyond_the_limit_reported(struct forged *f)
{
	beyond_the_limit(f);
	f->policy.mode[VFY_RULE_DISALLOW] = VFY_REPORT;
}

/* A CA that leads nowhere, and constrains names. */
static void
stray_put(struct forged *f)
{
	struct forge stray;

	forged_sub_ca(&stray, "CN=stray", "stray", "CN=nobody", "nobody");
	exclude(&stray, 1);
	forged_put(f, &stray);
	forge_free(&stray);
}

/* The same CA under the stray one: its key identifier makes the search try it before the other. */
static void
twin_put(struct forged *f)
{
	struct forge twin, stray;

	forged_sub_ca(&stray, "CN=stray", "stray", "CN=nobody", "nobody");
	forged_ca(&twin, CA_ISSUING);
	twin.issuer = stray.subject;
	twin.issuer_key = stray.key;
	forged_put(f, &twin);
	forge_free(&twin);
	forge_free(&stray);
}

/*
 * Every second search reads 1,100 names again: at places 8 and 9, the stray CA and the leaf push the issuing CA and the
 * leaf out of the answers that are remembered (PATH_RULES_NAMES).
 */
static void
answers_forgotten(struct forged *f, bool forgotten, bool disallowed)
{
	struct forge ca;

	forged_put_leaf(f, CA_ISSUING);
	forged_ca(&ca, CA_ISSUING);
	ca.no_key_ids = true;
	exclude(&ca, 1100);
	forged_put(f, &ca);
	forge_free(&ca);
	for (size_t i = 0; i < 6; i++) {
		char name[] = "CN=filler 0";

		name[sizeof name - 2] += (char)i;
		forged_sub_ca(&ca, name, "filler", name, "filler");
		forged_put(f, &ca);
		forge_free(&ca);
	}
	if (!forgotten)
		stray_put(f);
	twin_put(f);
	if (forgotten)
		stray_put(f);
	anchors_put(f, 0, disallowed);
}

static void
answers_kept(struct forged *f)
{
	answers_forgotten(f, false, true);
}

static void
answers_pushed_out(struct forged *f)
{
	answers_forgotten(f, true, true);
}

static void
answers_pushed_out_without_entry(struct forged *f)
{
	answers_forgotten(f, true, false);
}

static const struct forged_row rows[] = {
    {"an anchor that an entry names, within the limit", within_the_limit, "disallowed"},
    {"the intermediate uses up the limit first", beyond_the_limit, "disallowed"},
    {"the same without an entry", beyond_the_limit_without_entry, ""},
    {"the same, and entries only report", beyond_the_limit_reported, ""},
    {"the names are read once in both searches", answers_kept, "disallowed"},
    {"the names are read again in the second search", answers_pushed_out, "disallowed"},
    {"the same without an entry", answers_pushed_out_without_entry, ""},
};

static void
a_path_that_is_given_up_may_be_the_disallowed_one(void **state)
{
	(void)state;
	forged_rows_judge(rows, sizeof rows / sizeof rows[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_path_that_is_given_up_may_be_the_disallowed_one),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
