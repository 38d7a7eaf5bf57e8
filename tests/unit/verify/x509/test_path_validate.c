/*
 * test_path_validate.c - path lengths and name constraints, as in RFC 5280 (6.1), and TLS features (RFC 7633).
 *
 * Each row is a chain of CAs below an anchor, which gets a whole verdict.
 */
#include "contrib/lab/pki/derw.h"
#include "tests/unit/verify/forged.h"
#include "verify/x509/oid.h"
#include "verify/x509/path_validate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CAS_MAX 4

/* GeneralSubtrees of one name: its tag and its text; a directory name as derw_name reads it. */
struct subtree {
	uint8_t tag;
	const char *text;
};

#define HOST(text) {DERW_CONTEXT(2), (text)}
#define DIR(dn)    {DERW_CONSTRUCTED(4), (dn)}

struct ca {
	const char *name; /* NULL: there are no more CAs */
	int path_length;
	struct subtree permitted, excluded;
	bool broken_signature;
};

#define FREE -1, {0, NULL}, {0, NULL}, false
#define LENGTH(n) (n), {0, NULL}, {0, NULL}, false

static const struct row {
	const char *what;
	struct ca ca[CAS_MAX]; /* the anchor first */
	const char *subject;   /* of the leaf */
	bool host;             /* it has a DNS name as well */
	const char *reasons;
} rows[] = {
    {"a CA and a leaf", {{"CN=Root", FREE}, {"CN=A", LENGTH(0)}}, "CN=leaf", true, ""},
    {"a CA below one that allows no CA", {{"CN=Root", FREE}, {"CN=A", LENGTH(0)}, {"CN=B", FREE}}, "CN=leaf", true,
        "path-too-long"},
    {"a self-issued CA is not counted", {{"CN=Root", FREE}, {"CN=A", LENGTH(0)}, {"CN=A", LENGTH(0)}}, "CN=leaf", true, ""},
    {"a self-issued CA below the anchor is not counted", {{"CN=Root", LENGTH(0)}, {"CN=Root", FREE}}, "CN=leaf", true, ""},
    {"a self-issued CA in the middle is not counted", {{"CN=Root", FREE}, {"CN=A", LENGTH(1)}, {"CN=A", LENGTH(1)}, {"CN=B", LENGTH(0)}}, "CN=leaf", true,
        ""},
    {"the CA after a self-issued one is counted", {{"CN=Root", FREE}, {"CN=A", LENGTH(0)}, {"CN=A", FREE}, {"CN=B", FREE}}, "CN=leaf", true,
        "path-too-long"},
    {"a self-issued CA has its own limit", {{"CN=Root", FREE}, {"CN=A", LENGTH(1)}, {"CN=A", LENGTH(0)}, {"CN=B", FREE}},
        "CN=leaf", true, "path-too-long"},
    {"a self-issued CA that its issuer did not sign",
        {{"CN=Root", FREE}, {"CN=A", LENGTH(0)}, {"CN=A", 0, {0, NULL}, {0, NULL}, true}}, "CN=leaf", true, "bad-signature"},

    {"a permitted host", {{"CN=Root", FREE}, {"CN=A", -1, HOST("lab.test"), {0, NULL}, false}}, "CN=leaf", true, ""},
    {"another one", {{"CN=Root", FREE}, {"CN=A", -1, HOST("x.test"), {0, NULL}, false}}, "CN=leaf", true, "name-constraints"},
    {"only an address: the common name does not count as a host", {{"CN=Root", FREE}, {"CN=A", -1, HOST("x.test"), {0, NULL}, false}},
        "CN=leaf", false, ""},
    {"every host is excluded, and the leaf has none", {{"CN=Root", FREE}, {"CN=A", -1, {0, NULL}, HOST(""), false}}, "CN=leaf",
        false, ""},
    {"the anchor's constraints apply", {{"CN=Root", -1, {0, NULL}, HOST(""), false}, {"CN=A", FREE}}, "CN=leaf", false, ""},
    {"the anchor's constraints apply below a CA that it did not sign",
        {{"CN=Root", -1, {0, NULL}, HOST(""), false}, {"CN=A", -1, {0, NULL}, {0, NULL}, true}}, "CN=leaf", false,
        "bad-signature"},

    {"a permitted organisation", {{"CN=Root", FREE}, {"CN=A", -1, DIR("O=Org"), {0, NULL}, false}}, "O=Org/CN=leaf", true, ""},
    {"another one", {{"CN=Root", FREE}, {"CN=A", -1, DIR("O=Org"), {0, NULL}, false}}, "O=Other/CN=leaf", true,
        "name-constraints"},
    {"an excluded one", {{"CN=Root", FREE}, {"CN=A", -1, {0, NULL}, DIR("O=Org"), false}}, "O=Org/CN=leaf", true,
        "name-constraints"},
    {"beside an excluded one", {{"CN=Root", FREE}, {"CN=A", -1, {0, NULL}, DIR("O=Org"), false}}, "O=Other/CN=leaf", true, ""},
    {"a name is excluded from its first part on", {{"CN=Root", FREE}, {"CN=A", -1, {0, NULL}, DIR("CN=leaf"), false}},
        "O=Org/CN=leaf", true, ""},
    {"constraints spare a self-issued CA, not the leaf",
        {{"CN=Root", FREE}, {"CN=A", -1, DIR("O=Org"), {0, NULL}, false}, {"CN=A", FREE}}, "O=Org/CN=leaf", true, ""},
    {"constraints apply to another CA",
        {{"CN=Root", FREE}, {"CN=A", -1, DIR("O=Org"), {0, NULL}, false}, {"CN=B", FREE}}, "O=Org/CN=leaf", true,
        "name-constraints"},
    {"constraints apply to a leaf named as its CA",
        {{"CN=Root", FREE}, {"CN=A", -1, DIR("O=Org"), {0, NULL}, false}}, "CN=A", true, "name-constraints"},
};

static void
subtree_put(struct buf *out, const struct subtree *tree)
{
	size_t whole, name;

	if (tree->text == NULL)
		return;
	whole = derw_open(out, DERW_SEQUENCE);
	name = derw_open(out, tree->tag);
	if (tree->tag == DERW_CONSTRUCTED(4))
		derw_name(out, tree->text, DERW_UTF8);
	else
		buf_text(out, tree->text);
	derw_close(out, name);
	derw_close(out, whole);
}

/* The name of its key is its place in the chain, so that two CAs of one name have two keys. */
static void
ca_make(struct forge *forge, const struct row *row, size_t i)
{
	static const char *const seeds[CAS_MAX] = {"zero", "one", "two", "three"};
	char key[16], issuer_key[16];
	size_t above = i == 0 ? 0 : i - 1;

	snprintf(key, sizeof key, "path%zu", i);
	snprintf(issuer_key, sizeof issuer_key, "path%zu", above);
	forged_sub_ca(forge, row->ca[i].name, key, row->ca[above].name, issuer_key);
	forge->serial_seed = seeds[i];
	forge->path_length = row->ca[i].path_length;
	forge->broken_signature = row->ca[i].broken_signature;
	subtree_put(&forge->permitted, &row->ca[i].permitted);
	subtree_put(&forge->excluded, &row->ca[i].excluded);
}

static void
chain_make(struct forged *f, const struct row *row)
{
	struct forge forge;
	char key[16];
	size_t n = 0;

	while (n < CAS_MAX && row->ca[n].name != NULL)
		n++;
	forged_leaf(&forge, CA_ISSUING);
	snprintf(key, sizeof key, "path%zu", n - 1);
	forge.issuer = row->ca[n - 1].name;
	forge.issuer_key = world_key(forged_world(), key, KEY_P256);
	forge.subject = row->subject;
	if (!row->host) {
		buf_clear(&forge.san);
		forge_san_ip(&forge, span_of("\x01\x01\x01\x01", 4));
	}
	forged_put(f, &forge);
	forge_free(&forge);
	for (size_t i = n; i-- > 0;) {
		ca_make(&forge, row, i);
		if (i > 0)
			forged_put(f, &forge);
		else
			forged_anchor_forge(f, &forge);
		forge_free(&forge);
	}
}

static void
every_path_is_judged_as_its_row_says(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct forged f;
		const char *have;

		forged_begin(&f);
		chain_make(&f, &rows[i]);
		have = forged_reasons(&f, NULL);
		if (strcmp(have, rows[i].reasons) != 0) {
			print_error("%s: \"%s\", expected \"%s\"\n", rows[i].what, have, rows[i].reasons);
			wrong++;
		}
		forged_end(&f);
	}
	assert_int_equal(wrong, 0);
}

/* ---- TLS features (RFC 7633, 4.2.2): nobody staples, so a leaf that demands it lacks the staple */

static const struct {
	const char *what;
	bool root, ca, leaf;
	const char *reasons;
} demands[] = {
    {"nobody demands a staple", false, false, false, ""},
    {"the leaf alone", false, false, true, "staple-missing"},
    {"the CA, and not its leaf", false, true, false, "wrong-usage"},
    {"the CA and its leaf", false, true, true, "staple-missing"},
    {"the anchor, and not its CA", true, false, false, "wrong-usage"},
    {"the anchor and the leaf, and not the CA between", true, false, true, "wrong-usage,staple-missing"},
    {"the anchor and its CA, and not the leaf", true, true, false, "wrong-usage"},
    {"all", true, true, true, "staple-missing"},
};

static void
demanding_chain_make(struct forged *f, bool root, bool ca, bool leaf)
{
	struct forge forge;

	forged_leaf(&forge, CA_ISSUING);
	forge.issuer = "CN=A";
	forge.issuer_key = world_key(forged_world(), "path1", KEY_P256);
	forge.must_staple = leaf;
	forged_put(f, &forge);
	forge_free(&forge);
	forged_sub_ca(&forge, "CN=A", "path1", "CN=Root", "path0");
	forge.must_staple = ca;
	forged_put(f, &forge);
	forge_free(&forge);
	forged_sub_ca(&forge, "CN=Root", "path0", "CN=Root", "path0");
	forge.must_staple = root;
	forged_anchor_forge(f, &forge);
	forge_free(&forge);
}

static void
a_ca_binds_those_below_it_to_its_features(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof demands / sizeof demands[0]; i++) {
		struct forged f;

		forged_begin(&f);
		demanding_chain_make(&f, demands[i].root, demands[i].ca, demands[i].leaf);
		if (strcmp(forged_reasons(&f, NULL), demands[i].reasons) != 0)
			fail_msg("%s: \"%s\"", demands[i].what, forged_reasons(&f, NULL));
		forged_end(&f);
	}
}

/* The CA has another certificate, which demands nothing. */
static void
another_path_is_found_around_the_features(void **state)
{
	struct forged f;
	struct forge forge;

	(void)state;
	forged_begin(&f);
	demanding_chain_make(&f, false, true, false);
	forged_sub_ca(&forge, "CN=A", "path1", "CN=Root", "path0");
	forge.serial_seed = "without features";
	forged_put(&f, &forge);
	forge_free(&forge);
	assert_string_equal(forged_reasons(&f, NULL), "");
	forged_end(&f);
}

/* ---- results about names are remembered, for each pair of a CA and a certificate below it */

#define ASKED 512 /* more than are remembered, so that some replace others */
_Static_assert(ASKED > PATH_RULES_NAMES, "answers must be displaced");

static struct cert asked[ASKED + 1];

/* Permits or has one of two hosts. */
static void
host_set(struct cert *c, bool ca, bool second)
{
	static const uint8_t permits[2][14] = {"\x30\x0c\xa0\x0a\x30\x08\x82\x06" "a.test", "\x30\x0c\xa0\x0a\x30\x08\x82\x06" "b.test"};
	static const uint8_t bears[2][10] = {"\x30\x08\x82\x06" "a.test", "\x30\x08\x82\x06" "b.test"};

	c->n_ext = 1;
	c->subject = span_of("\x30\x00", 2);
	c->issuer = span_of(c, 1); /* not self-issued */
	c->ext[0] = ca ? (struct cert_ext){OID_NAME_CONSTRAINTS, true, span_of(permits[second], 14)}
		       : (struct cert_ext){OID_SUBJECT_ALT_NAME, false, span_of(bears[second], 10)};
}

/* Any two CAs (or leaves) that share a place differ in a bit of their number, and so in one of the rounds. */
static void
a_result_belongs_to_its_ca_and_its_leaf(void **state)
{
	static struct path_rules rules;

	(void)state;
	for (unsigned of_cas = 0; of_cas < 2; of_cas++)
		for (size_t bit = 1; bit < ASKED; bit <<= 1) {
			path_rules_begin(&rules, when_at(0));
			host_set(&asked[ASKED], of_cas == 0, false);
			for (size_t i = 0; i < ASKED; i++) {
				const struct cert *leaf = of_cas ? &asked[ASKED] : &asked[i];
				const struct cert *ca = of_cas ? &asked[i] : &asked[ASKED];

				host_set(&asked[i], of_cas, (i & bit) != 0);
				if (path_names_sound(&rules, (const struct cert *const[]){leaf, ca}, 1) != ((i & bit) == 0))
					fail_msg("%s %zu, bit %zu", of_cas ? "CA" : "leaf", i, bit);
			}
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_path_is_judged_as_its_row_says),
	    cmocka_unit_test(a_ca_binds_those_below_it_to_its_features),
	    cmocka_unit_test(another_path_is_found_around_the_features),
	    cmocka_unit_test(a_result_belongs_to_its_ca_and_its_leaf),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
