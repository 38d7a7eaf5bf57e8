/*
 * test_verify_policy.c - the rules that the user configures: identity, constraints, allowed issuers, pins and disallowed
 * keys, with one path and with two.
 */
#include "tests/unit/verify/forged_rows.h"
#include "contrib/lab/pki/derw.h"
#include "verify/x509/der.h"
#include "verify/x509/sigform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- identity */

static void
nothing_expected(struct forged *f)
{
	forged_good(f);
	f->in.ip.n = 0;
	f->in.name = "";
}

static void
name_alone(struct forged *f)
{
	forged_good(f);
	f->in.ip.n = 0;
	f->in.name = "resolver.lab.test.";
}

static void
name_and_address(struct forged *f)
{
	forged_good(f);
	f->in.name = "RESOLVER.lab.test";
}

static void
right_name_wrong_address(struct forged *f)
{
	name_and_address(f);
	f->ip[3] = 2;
}

static void
right_address_wrong_name(struct forged *f)
{
	forged_good(f);
	f->in.name = "lab.test";
}

static void
also_address(struct forged *f)
{
	static const struct span also[] = {{(const uint8_t *)"\x08\x08\x08\x08", 4}, {(const uint8_t *)"\x01\x01\x01\x01", 4}};

	forged_good(f);
	f->ip[3] = 2;
	f->in.also_ips = also;
	f->in.n_also_ips = 2;
}

static void
address_of_five_bytes(struct forged *f)
{
	forged_good(f);
	f->in.ip.n = 5;
}

/* ---- constraints, allowed issuers, pins */

static void
distrusted_by_date(struct forged *f)
{
	forged_good(f);
	forged_constraint(f, CA_ROOT, "not-before-max 2026-11-11T11:59:59Z");
}

static void
trusted_on_the_date(struct forged *f)
{
	forged_good(f);
	forged_constraint(f, CA_ROOT, "not-before-max 2026-11-11T12:00:00Z");
}

static void
logged_too_late(struct forged *f)
{
	forged_good(f);
	forged_constraint(f, CA_ROOT, "sct-not-after 2026-11-11T12:59:59Z");
}

static void
logged_too_late_and_forged(struct forged *f)
{
	forged_bad_signature(f);
	forged_constraint(f, CA_ROOT, "sct-not-after 2026-11-11T12:59:59Z");
}

static void
logged_too_late_without_ct(struct forged *f)
{
	logged_too_late(f);
	f->policy.ct_mode = CT_OFF;
}

static void
logged_too_late_under_chrome(struct forged *f)
{
	logged_too_late(f);
	f->policy.ct_policy = CT_CHROME;
}

static void
permitted_names(struct forged *f)
{
	forged_good(f);
	forged_constraint(f, CA_ROOT, "permit-name lab.test permit-ip 1.1.1.0/24");
}

static void
permitted_names_only(struct forged *f)
{
	forged_good(f);
	forged_constraint(f, CA_ROOT, "permit-name lab.test");
}

static void
permitted_other_names(struct forged *f)
{
	forged_good(f);
	forged_constraint(f, CA_ROOT, "permit-name ab.test permit-ip 0.0.0.0/0");
}

static void
allow_by(struct forged *f, enum ca_id id)
{
	char entry[128];

	forged_good(f);
	f->allow = forged_entries(forged_spki_entry(entry, id));
}

static void
allow_root(struct forged *f)
{
	allow_by(f, CA_ROOT);
}

static void
allow_issuing(struct forged *f)
{
	allow_by(f, CA_ISSUING);
}

static void
allow_stranger(struct forged *f)
{
	allow_by(f, CA_STRANGER_ROOT);
}

static void
allow_leaf(struct forged *f)
{
	char entry[128];

	forged_good(f);
	f->allow = forged_entries(forged_cert_entry(entry, f->certs[0]));
}

static void
allow_cert(struct forged *f)
{
	char entry[128];

	forged_good(f);
	f->allow = forged_entries(forged_cert_entry(entry, f->certs[1]));
}

static void
allow_name(struct forged *f, const char *dn)
{
	struct buf line = buf_max(256);

	forged_good(f);
	buf_text(&line, "issuer ");
	derw_name_rfc4514(&line, dn);
	f->allow = forged_entries(buf_cstr(&line));
	buf_free(&line);
}

static void
allow_anchor_name(struct forged *f)
{
	allow_name(f, world_ca_name(CA_ROOT));
}

static void
allow_intermediate_name(struct forged *f)
{
	allow_name(f, world_ca_name(CA_ISSUING));
}

static void
pin_stranger(struct forged *f)
{
	char entry[128];

	forged_good(f);
	f->pins = forged_entries(forged_spki_entry(entry, CA_STRANGER_ROOT));
}

static void
pin_with_backup(struct forged *f)
{
	char one[128], two[128], both[260];

	forged_good(f);
	snprintf(both, sizeof both, "%s\n%s\n", forged_spki_entry(one, CA_STRANGER_ROOT), forged_spki_entry(two, CA_ROOT));
	f->pins = forged_entries(both);
}

static void
pin_of_a_bad_chain(struct forged *f)
{
	char entry[128];

	forged_put_leaf(f, CA_STRANGER_ISSUING);
	forged_put_ca(f, CA_STRANGER_ISSUING);
	forged_anchor(f, CA_ROOT);
	f->pins = forged_entries(forged_spki_entry(entry, CA_STRANGER_ISSUING));
}

/* ---- two paths: CA_ISSUING under CA_ROOT and, by a cross-certificate, under CA_PRIVATE_ROOT */

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
two_good_paths(struct forged *f)
{
	crossed(f, true);
}

static void
second_path_disallowed(struct forged *f)
{
	char entry[128];

	crossed(f, false);
	f->disallow = forged_entries(forged_spki_entry(entry, CA_PRIVATE_ROOT));
}

static void
first_path_disallowed(struct forged *f)
{
	char entry[128];

	crossed(f, true);
	f->disallow = forged_entries(forged_spki_entry(entry, CA_PRIVATE_ROOT));
}

static void
disallowed_path_is_broken(struct forged *f)
{
	char entry[128];

	crossed(f, false);
	buf_clear(&f->anchors);
	forged_anchor(f, CA_ROOT);
	f->disallow = forged_entries(forged_spki_entry(entry, CA_PRIVATE_ROOT));
}

static void
first_anchor_distrusted(struct forged *f)
{
	crossed(f, true);
	forged_constraint(f, CA_PRIVATE_ROOT, "not-before-max 2020-01-01T00:00:00Z");
}

static void
pin_on_the_second_path(struct forged *f)
{
	char entry[128];

	crossed(f, false);
	f->pins = forged_entries(forged_spki_entry(entry, CA_PRIVATE_ROOT));
}

/* The certificate with the other form of its ECDSA signature, which anyone can make. */
static void
twin_write(struct buf *out, struct span der)
{
	struct buf signature = buf_max(256), body = buf_max(1 << 16);
	struct cert c;

	assert_int_equal(cert_read(&c, der), RES_OK);
	assert_int_equal(ecdsa_twin(&signature, SPKI_P256, c.signature), RES_OK);
	buf_put(&body, c.tbs);
	buf_put(&body, c.sig_alg);
	der_header(&body, DER_BIT_STRING, signature.n + 1);
	buf_u8(&body, 0);
	buf_put(&body, buf_span(&signature));
	der_header(out, DER_SEQUENCE, body.n);
	buf_put(out, buf_span(&body));
	assert_true(buf_ok(out) && buf_ok(&body));
	buf_free(&signature);
	buf_free(&body);
}

/* The peer presents the twin of the leaf that the entry names. */
static void
twin_shown(struct forged *f, bool disallowed)
{
	struct forged original;
	struct buf twin = buf_max(1 << 16);
	char entry[128];

	forged_begin(&original);
	forged_put_leaf(&original, CA_ISSUING);
	twin_write(&twin, original.certs[0]);
	assert_false(span_equal(buf_span(&twin), original.certs[0]));
	forged_put_der(f, buf_span(&twin));
	forged_put_ca(f, CA_ISSUING);
	forged_anchor(f, CA_ROOT);
	if (disallowed)
		f->disallow = forged_entries(forged_cert_entry(entry, original.certs[0]));
	buf_free(&twin);
	forged_end(&original);
}

static void
twin_of_good(struct forged *f)
{
	twin_shown(f, false);
}

static void
twin_of_disallowed(struct forged *f)
{
	twin_shown(f, true);
}

static void
superfluous_disallowed(struct forged *f)
{
	char entry[128];

	forged_good(f);
	forged_put_ca(f, CA_STRANGER_ROOT);
	f->disallow = forged_entries(forged_cert_entry(entry, f->certs[2]));
}

/* ---- the table */

static const struct forged_row rows[] = {
    {"T02 a check without an expected address or name refuses", nothing_expected, "ip-mismatch"},
    {"T06 a name alone, with the root's dot", name_alone, ""},
    {"T06 name and address, in another case", name_and_address, ""},
    {"the right name does not make up for the address", right_name_wrong_address, "ip-mismatch"},
    {"the right address does not make up for the name", right_address_wrong_name, "name-mismatch"},
    {"another address that was configured", also_address, ""},
    {"an expected address of five bytes refuses", address_of_five_bytes, "ip-mismatch"},

    {"issued after the anchor's date", distrusted_by_date, "anchor-distrusted"},
    {"issued on the anchor's date", trusted_on_the_date, ""},
    {"logged after the anchor's date", logged_too_late, "anchor-distrusted,ct-too-few-scts"},
    {"logged on the anchor's date", forged_logged_in_time, ""},
    {"a chain with a broken signature has no anchor", logged_too_late_and_forged, "bad-signature,ct-too-few-scts"},
    {"the anchor's date applies without CT as well", logged_too_late_without_ct, "anchor-distrusted"},
    {"chrome refuses the path, not the SCTs", logged_too_late_under_chrome, "anchor-distrusted"},
    {"an anchor for these names and addresses", permitted_names, ""},
    {"an anchor for these names, and for no address", permitted_names_only, "anchor-distrusted"},
    {"an anchor for other names", permitted_other_names, "anchor-distrusted"},
    {"the anchor's key is allowed", allow_root, ""},
    {"the issuer's key is allowed", allow_issuing, ""},
    {"another key is allowed", allow_stranger, "issuer-not-allowed"},
    {"the leaf itself does not count as an issuer", allow_leaf, "issuer-not-allowed"},
    {"the issuer's certificate is allowed", allow_cert, ""},
    {"the anchor's name is allowed", allow_anchor_name, ""},
    {"an intermediate's name is not enough: any CA can mint it", allow_intermediate_name, "issuer-not-allowed"},
    {"T25 another key is pinned", pin_stranger, "pin-mismatch"},
    {"T25 a pin and its backup", pin_with_backup, ""},
    {"T25 a pinned key does not make a chain good", pin_of_a_bad_chain, "untrusted"},

    {"two good paths", two_good_paths, ""},
    {"a disallowed path after a clean one", second_path_disallowed, "disallowed"},
    {"a disallowed path in front of a clean one", first_path_disallowed, "disallowed"},
    {"a disallowed key on no valid path", disallowed_path_is_broken, ""},
    {"a constrained anchor beside a free one", first_anchor_distrusted, ""},
    {"a pin that another path meets", pin_on_the_second_path, ""},
    {"the leaf with the other form of its signature", twin_of_good, ""},
    {"the same, and an entry names the leaf by its hash", twin_of_disallowed, "disallowed"},
    {"a superfluous certificate is disallowed", superfluous_disallowed, "disallowed"},
};

static void
every_chain_is_judged_as_its_row_says(void **state)
{
	(void)state;
	forged_rows_judge(rows, sizeof rows / sizeof rows[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_chain_is_judged_as_its_row_says),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
