/*
 * test_verify.c - whole verdicts over forged chains: paths and their history, what an anchor may, everything wrong at
 * once, the modes of CT, and the bounds of the work.
 */
#include "tests/unit/forged.h"
#include "base/text.h"
#include "contrib/lab/derw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- paths */

static void
good(struct forged *f)
{
	forged_good(f);
}

static void
no_certificate(struct forged *f)
{
	forged_anchor(f, CA_ROOT);
}

static void
leaf_is_noise(struct forged *f)
{
	forged_put_der(f, span_str("not a certificate"));
	forged_put_ca(f, CA_ISSUING);
	forged_anchor(f, CA_ROOT);
}

static void
second_is_noise(struct forged *f)
{
	forged_good(f);
	forged_put_der(f, span_str("not a certificate"));
}

static void
second_is_empty(struct forged *f)
{
	forged_good(f);
	forged_put_der(f, span_str(""));
}

static void
byte_behind_leaf(struct forged *f)
{
	forged_good(f);
	buf_u8(&f->der[0], 0);
	f->certs[0] = buf_span(&f->der[0]);
}

static void
larger_than_read(struct forged *f)
{
	struct forge forge;

	forged_leaf(&forge, CA_ISSUING);
	for (size_t i = 0; i < 9000; i++) {
		char name[64];

		snprintf(name, sizeof name, "a-rather-long-label-%05zu.lab.test", i);
		forge_san_dns(&forge, span_str(name));
	}
	forged_put(f, &forge);
	forge_free(&forge);
	forged_put_ca(f, CA_ISSUING);
	forged_anchor(f, CA_ROOT);
	assert_true(f->certs[0].n > CERT_BYTES_MAX);
}

static void
no_anchors(struct forged *f)
{
	forged_put_leaf(f, CA_ISSUING);
	forged_put_ca(f, CA_ISSUING);
}

static void
intermediate_from_anchors(struct forged *f)
{
	forged_put_leaf(f, CA_ISSUING);
	forged_anchor(f, CA_ROOT);
	forged_anchor(f, CA_ISSUING);
}

static void
anchor_not_self_signed(struct forged *f)
{
	forged_put_leaf(f, CA_ISSUING);
	forged_put_ca(f, CA_ISSUING);
	forged_put_ca(f, CA_ROOT);
	forged_anchor(f, CA_ISSUING);
}

static void
leaf_is_anchor(struct forged *f)
{
	struct forge forge;

	forged_leaf(&forge, CA_ISSUING);
	forged_put(f, &forge);
	forged_anchor_forge(f, &forge);
	forge_free(&forge);
}

static void
leaf_is_anchor_and_ca(struct forged *f)
{
	struct forge forge;

	forged_leaf(&forge, CA_ISSUING);
	forge.basic = BASIC_CA;
	forge.usage |= USAGE_KEY_CERT_SIGN;
	forged_put(f, &forge);
	forged_anchor_forge(f, &forge);
	forge_free(&forge);
}

static void
leaf_like_anchor(struct forged *f)
{
	struct forge forge;

	forged_leaf(&forge, CA_STRANGER_ISSUING);
	forged_put(f, &forge);
	forge.serial_seed = "another";
	forged_anchor_forge(f, &forge);
	forge_free(&forge);
}

/* A, B and the leaf's issuer sign each other in a ring that no anchor is in. */
static void
ring(struct forged *f)
{
	static const char *const cas[] = {"CN=Ring A", "CN=Ring B", "CN=Ring C"};
	struct forge forge;

	forged_leaf(&forge, CA_ISSUING);
	forge.issuer = cas[0];
	forge.issuer_key = world_key(forged_world(), "ring0", KEY_P256);
	forged_put(f, &forge);
	forge_free(&forge);
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 3; k++) {
			char key[32], issuer_key[32];

			snprintf(key, sizeof key, "ring%zu", i);
			snprintf(issuer_key, sizeof issuer_key, "ring%zu", k);
			forged_sub_ca(&forge, cas[i], key, cas[k], issuer_key);
			forge.serial_seed = key;
			forged_put(f, &forge);
			forge_free(&forge);
		}
	forged_anchor(f, CA_ROOT);
}

/* So many issuers of the right name in front of the right one: with other keys, or with signatures that do not hold. */
static void
twins_first(struct forged *f, size_t twins, bool other_keys)
{
	struct forge forge;

	forged_put_leaf(f, CA_ISSUING);
	for (size_t i = 0; i < twins; i++) {
		char key[32];

		snprintf(key, sizeof key, "twin%zu", i);
		forged_ca(&forge, CA_ISSUING);
		forge.serial_seed = key;
		if (other_keys)
			forge.key = world_key(forged_world(), key, KEY_P256);
		else
			forge.broken_signature = true;
		forged_put(f, &forge);
		forge_free(&forge);
	}
	forged_put_ca(f, CA_ISSUING);
	forged_anchor(f, CA_ROOT);
}

static void
fourteen_other_keys(struct forged *f)
{
	twins_first(f, 14, true);
}

static void
seven_broken_twins(struct forged *f)
{
	twins_first(f, 7, false);
}

static void
eight_broken_twins(struct forged *f)
{
	twins_first(f, 8, false);
}

static void
sixteen_certificates(struct forged *f)
{
	forged_good(f);
	while (f->n < VFY_CERTS_MAX)
		forged_put_ca(f, CA_STRANGER_ROOT);
}

static void
seventeen_certificates(struct forged *f)
{
	sixteen_certificates(f);
	forged_put_ca(f, CA_STRANGER_ROOT);
}

static void
hundred_certificates(struct forged *f)
{
	forged_good(f);
	while (f->n < 100)
		forged_put_ca(f, CA_ISSUING);
}

/* A chain of n sub-CAs below CA_ROOT, all presented. */
static void
deep(struct forged *f, size_t n)
{
	char subject[64], issuer[64], key[32], issuer_key[32];
	struct forge forge;

	forged_leaf(&forge, CA_ISSUING);
	snprintf(issuer, sizeof issuer, "CN=Deep %zu", n - 1);
	snprintf(issuer_key, sizeof issuer_key, "deep%zu", n - 1);
	forge.issuer = issuer;
	forge.issuer_key = world_key(forged_world(), issuer_key, KEY_P256);
	forged_put(f, &forge);
	forge_free(&forge);
	for (size_t i = n; i > 0; i--) {
		snprintf(subject, sizeof subject, "CN=Deep %zu", i - 1);
		snprintf(key, sizeof key, "deep%zu", i - 1);
		snprintf(issuer, sizeof issuer, "CN=Deep %zu", i - 2);
		snprintf(issuer_key, sizeof issuer_key, "deep%zu", i - 2);
		forged_sub_ca(&forge, subject, key, i == 1 ? world_ca_name(CA_ROOT) : issuer, i == 1 ? key : issuer_key);
		if (i == 1)
			forge.issuer_key = world_ca_key(forged_world(), CA_ROOT);
		forged_put(f, &forge);
		forge_free(&forge);
	}
	forged_anchor(f, CA_ROOT);
}

static void
deep_fourteen(struct forged *f)
{
	deep(f, 14);
}

static void
deep_fifteen_shuffled(struct forged *f)
{
	deep(f, 14);
	for (size_t i = 1; i < f->n / 2; i++) {
		struct span other = f->certs[i];

		f->certs[i] = f->certs[f->n - i];
		f->certs[f->n - i] = other;
	}
}

/* ---- what a CA may */

static void
issuing_changed(struct forged *f, void (*change)(struct forge *))
{
	struct forge forge;

	forged_put_leaf(f, CA_ISSUING);
	forged_ca(&forge, CA_ISSUING);
	change(&forge);
	forged_put(f, &forge);
	forge_free(&forge);
	forged_anchor(f, CA_ROOT);
}

static void
root_changed(struct forged *f, void (*change)(struct forge *))
{
	struct forge forge;

	forged_put_leaf(f, CA_ISSUING);
	forged_put_ca(f, CA_ISSUING);
	forged_ca(&forge, CA_ROOT);
	change(&forge);
	forged_anchor_forge(f, &forge);
	forge_free(&forge);
}

static void
leaf_changed(struct forged *f, void (*change)(struct forge *))
{
	struct forge forge;

	forged_leaf(&forge, CA_ISSUING);
	change(&forge);
	forged_put(f, &forge);
	forge_free(&forge);
	forged_put_ca(f, CA_ISSUING);
	forged_anchor(f, CA_ROOT);
}

static void
version_1(struct forge *f)
{
	f->version = 1;
	f->basic = BASIC_NONE;
	f->usage = 0;
}

static void
no_basic(struct forge *f)
{
	f->basic = BASIC_NONE;
}

static void
end_entity(struct forge *f)
{
	f->basic = BASIC_END_ENTITY;
}

static void
no_cert_sign(struct forge *f)
{
	f->usage = USAGE_DIGITAL_SIGNATURE;
}

static void
client_auth(struct forge *f)
{
	f->eku = "1.3.6.1.5.5.7.3.2";
}

static void
any_purpose(struct forge *f)
{
	f->eku = "2.5.29.37.0";
}

static void
server_and_any_purpose(struct forge *f)
{
	f->eku = "1.3.6.1.5.5.7.3.1 2.5.29.37.0";
}

static void
no_purpose(struct forge *f)
{
	f->eku = NULL;
}

static void
unknown_critical(struct forge *f)
{
	f->unknown_critical = true;
}

static void
poison(struct forge *f)
{
	f->poison = true;
}

static void
a_ca(struct forge *f)
{
	f->basic = BASIC_CA;
}

static void
cert_sign_too(struct forge *f)
{
	f->usage |= USAGE_KEY_CERT_SIGN;
}

static void
crl_sign_only(struct forge *f)
{
	f->usage = USAGE_CRL_SIGN;
}

static void
constrains_names(struct forge *f)
{
	derw_tlv(&f->excluded, DERW_CONTEXT(2), span_str("other.test"));
}

static void
path_length_0(struct forge *f)
{
	f->path_length = 0;
}

static void
signed_with_sha1(struct forge *f)
{
	f->digest = KEY_SHA1;
}

static void
signed_with_md5(struct forge *f)
{
	f->digest = KEY_MD5;
}

static void
rsa_1024(struct forge *f)
{
	f->key = world_key(forged_world(), "weak", KEY_RSA_1024);
}

static void
bad_signature(struct forge *f)
{
	f->broken_signature = true;
}

#define CHANGED(whose, change)                                                                                         \
	static void whose##_##change(struct forged *f)                                                                 \
	{                                                                                                              \
		whose##_changed(f, change);                                                                            \
	}

CHANGED(issuing, version_1)
CHANGED(issuing, no_basic)
CHANGED(issuing, end_entity)
CHANGED(issuing, no_cert_sign)
CHANGED(issuing, client_auth)
CHANGED(issuing, any_purpose)
CHANGED(issuing, unknown_critical)
CHANGED(issuing, path_length_0)
CHANGED(issuing, bad_signature)
CHANGED(root, version_1)
CHANGED(root, no_basic)
CHANGED(root, end_entity)
CHANGED(root, no_cert_sign)
CHANGED(root, client_auth)
CHANGED(root, unknown_critical)
CHANGED(root, path_length_0)
CHANGED(root, bad_signature)
CHANGED(leaf, version_1)
CHANGED(leaf, client_auth)
CHANGED(leaf, any_purpose)
CHANGED(leaf, server_and_any_purpose)
CHANGED(leaf, no_purpose)
CHANGED(leaf, unknown_critical)
CHANGED(leaf, poison)
CHANGED(leaf, a_ca)
CHANGED(leaf, cert_sign_too)
CHANGED(leaf, crl_sign_only)
CHANGED(leaf, no_basic)
CHANGED(leaf, constrains_names)
CHANGED(leaf, rsa_1024)
CHANGED(leaf, bad_signature)

static void
rsa_issued(struct forged *f, void (*change)(struct forge *))
{
	struct forge forge;

	forged_leaf(&forge, CA_RSA_ISSUING);
	change(&forge);
	forged_put(f, &forge);
	forge_free(&forge);
	forged_put_ca(f, CA_RSA_ISSUING);
	forged_anchor(f, CA_ROOT);
}

static void
leaf_sha1(struct forged *f)
{
	rsa_issued(f, signed_with_sha1);
}

static void
leaf_md5(struct forged *f)
{
	rsa_issued(f, signed_with_md5);
}

static void
weak_issuer(struct forged *f)
{
	forged_put_leaf(f, CA_WEAK_ISSUING);
	forged_put_ca(f, CA_WEAK_ISSUING);
	forged_anchor(f, CA_ROOT);
}

static void
weak_anchor(struct forged *f)
{
	forged_put_leaf(f, CA_WEAK_ISSUING);
	forged_anchor(f, CA_WEAK_ISSUING);
}

/* The path length of CA_ROOT is met by one CA and broken by two. */
static void
path_length_1_of_two(struct forged *f)
{
	struct forge forge;

	deep(f, 2);
	buf_clear(&f->anchors);
	forged_ca(&forge, CA_ROOT);
	forge.path_length = 1;
	forged_anchor_forge(f, &forge);
	forge_free(&forge);
}

/* ---- dates */

static void
last_second(struct forged *f)
{
	forged_good(f);
	f->in.now_ms += 80 * DAY_MS - 1; /* the leaf ends 80 days from now, less a second, that second included */
	f->policy.ct_list_max_age_ms = 1000 * DAY_MS;
}

static void
a_millisecond_late(struct forged *f)
{
	last_second(f);
	f->in.now_ms++;
}

static void
first_moment(struct forged *f)
{
	forged_good(f);
	f->in.now_ms -= 10 * DAY_MS;
	f->policy.ct_mode = CT_OFF; /* its SCTs are an hour younger */
}

static void
a_millisecond_early(struct forged *f)
{
	first_moment(f);
	f->in.now_ms--;
}

static void
expired_and_unknown(struct forged *f)
{
	struct forge forge;

	forged_leaf(&forge, CA_STRANGER_ISSUING);
	forge.not_after_ms = f->in.now_ms - DAY_MS;
	forged_put(f, &forge);
	forge_free(&forge);
	forged_put_ca(f, CA_STRANGER_ISSUING);
	forged_anchor(f, CA_ROOT);
}

static void
old_root(struct forged *f)
{
	struct forge forge;

	forged_leaf(&forge, CA_OLD_ROOT);
	forged_put(f, &forge);
	forge_free(&forge);
	forged_anchor(f, CA_OLD_ROOT);
}

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
constraint(struct forged *f, enum ca_id id, const char *rest)
{
	char line[256], entry[128], *why = NULL;
	size_t number;

	snprintf(line, sizeof line, "%s %s", forged_spki_entry(entry, id), rest);
	assert_int_equal(constraints_new(&f->constraints), RES_OK);
	assert_int_equal(constraints_add_file(f->constraints, span_str(line), &number, &why), RES_OK);
}

static void
distrusted_by_date(struct forged *f)
{
	forged_good(f);
	constraint(f, CA_ROOT, "not-before-max 2026-11-11T11:59:59Z");
}

static void
trusted_on_the_date(struct forged *f)
{
	forged_good(f);
	constraint(f, CA_ROOT, "not-before-max 2026-11-11T12:00:00Z");
}

static void
logged_too_late(struct forged *f)
{
	forged_good(f);
	constraint(f, CA_ROOT, "sct-not-after 2026-11-11T12:59:59Z");
}

static void
logged_in_time(struct forged *f)
{
	forged_good(f);
	constraint(f, CA_ROOT, "sct-not-after 2026-11-11T13:00:00Z");
}

static void
logged_too_late_and_forged(struct forged *f)
{
	leaf_bad_signature(f);
	constraint(f, CA_ROOT, "sct-not-after 2026-11-11T12:59:59Z");
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
	constraint(f, CA_ROOT, "permit-name lab.test permit-ip 1.1.1.0/24");
}

static void
permitted_names_only(struct forged *f)
{
	forged_good(f);
	constraint(f, CA_ROOT, "permit-name lab.test");
}

static void
permitted_other_names(struct forged *f)
{
	forged_good(f);
	constraint(f, CA_ROOT, "permit-name ab.test permit-ip 0.0.0.0/0");
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
	constraint(f, CA_PRIVATE_ROOT, "not-before-max 2020-01-01T00:00:00Z");
}

static void
pin_on_the_second_path(struct forged *f)
{
	char entry[128];

	crossed(f, false);
	f->pins = forged_entries(forged_spki_entry(entry, CA_PRIVATE_ROOT));
}

static void
superfluous_disallowed(struct forged *f)
{
	char entry[128];

	forged_good(f);
	forged_put_ca(f, CA_STRANGER_ROOT);
	f->disallow = forged_entries(forged_cert_entry(entry, f->certs[2]));
}

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
broken_list(struct forged *f)
{
	struct forge forge;

	forged_leaf(&forge, CA_ISSUING);
	forge.sct_list_fault = SCT_LIST_LENGTH_LIES;
	forged_put(f, &forge);
	forge_free(&forge);
	forged_put_ca(f, CA_ISSUING);
	forged_anchor(f, CA_ROOT);
}

static void
list_twice(struct forged *f)
{
	struct forge forge;

	forged_leaf(&forge, CA_ISSUING);
	forge.sct_list_fault = SCT_LIST_TWICE;
	forged_put(f, &forge);
	forge_free(&forge);
	forged_put_ca(f, CA_ISSUING);
	forged_anchor(f, CA_ROOT);
}

static void
sixty_scts(struct forged *f)
{
	struct forge forge;

	forged_leaf(&forge, CA_ISSUING);
	while (forge.n_sct < 60)
		forge_sct_add(&forge, LOG_ALPHA, forge.not_before_ms, SCT_GOOD);
	forged_put(f, &forge);
	forge_free(&forge);
	forged_put_ca(f, CA_ISSUING);
	forged_anchor(f, CA_ROOT);
}

static void
most_scts(struct forged *f)
{
	struct forge forge;

	forged_leaf(&forge, CA_ISSUING);
	while (forge.n_sct < SCT_LIST_MAX)
		forge_sct_add(&forge, LOG_ALPHA, forge.not_before_ms, SCT_GOOD);
	forged_put(f, &forge);
	forge_free(&forge);
	forged_put_ca(f, CA_ISSUING);
	forged_anchor(f, CA_ROOT);
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

static const struct row {
	const char *what;
	void (*make)(struct forged *);
	const char *reasons; /* "" when accepted */
} rows[] = {
    {"a good chain", good, ""},
    {"no certificate", no_certificate, "chain-empty"},
    {"a leaf that is noise", leaf_is_noise, "cert-malformed"},
    {"noise behind a good chain", second_is_noise, "cert-malformed"},
    {"an empty certificate behind a good chain", second_is_empty, "cert-malformed"},
    {"a byte behind the leaf", byte_behind_leaf, "cert-malformed"},
    {"T07 a leaf larger than is read", larger_than_read, "chain-too-long"},
    {"no anchors at all", no_anchors, "untrusted"},
    {"the missing intermediate is among the anchors", intermediate_from_anchors, ""},
    {"the anchor is an intermediate, and certificates follow it", anchor_not_self_signed, ""},
    {"the leaf is an anchor", leaf_is_anchor, "ct-too-few-scts"},
    {"the leaf is an anchor and a CA", leaf_is_anchor_and_ca, "wrong-usage,ct-too-few-scts"},
    {"the leaf is like an anchor, and is not it", leaf_like_anchor, "untrusted,ct-too-few-scts"},
    {"T10 CAs that sign each other in a ring", ring, "untrusted"},
    {"fourteen twins with other keys in front of the issuer", fourteen_other_keys, ""},
    {"seven twins whose signatures are broken", seven_broken_twins, ""},
    {"eight of them: more paths than are tried", eight_broken_twins, "bad-signature"},
    {"sixteen certificates are read", sixteen_certificates, ""},
    {"seventeen are not", seventeen_certificates, "chain-too-long"},
    {"T10 a hundred are not", hundred_certificates, "chain-too-long"},
    {"fourteen CAs below the anchor", deep_fourteen, ""},
    {"in any order", deep_fifteen_shuffled, ""},

    {"T09 a version 1 intermediate", issuing_version_1, "not-a-ca"},
    {"an intermediate without basicConstraints", issuing_no_basic, "not-a-ca"},
    {"T09 an intermediate with CA:FALSE", issuing_end_entity, "not-a-ca"},
    {"an intermediate without keyCertSign", issuing_no_cert_sign, "not-a-ca"},
    {"an intermediate for clients only", issuing_client_auth, "wrong-usage"},
    {"an intermediate for any purpose", issuing_any_purpose, ""},
    {"an intermediate with an unknown critical extension", issuing_unknown_critical, "unknown-critical"},
    {"an intermediate that allows no CA below it", issuing_path_length_0, ""},
    {"an intermediate whose signature is broken", issuing_bad_signature, "bad-signature"},
    {"a version 1 anchor", root_version_1, ""},
    {"a version 3 anchor without basicConstraints", root_no_basic, "not-a-ca"},
    {"an anchor that says it is no CA", root_end_entity, "not-a-ca"},
    {"an anchor without keyCertSign", root_no_cert_sign, "not-a-ca"},
    {"an anchor for clients only", root_client_auth, "wrong-usage"},
    {"an anchor with an unknown critical extension", root_unknown_critical, "unknown-critical"},
    {"T09 an anchor that allows no CA below it", root_path_length_0, "path-too-long"},
    {"an anchor whose own signature is broken: it says nothing", root_bad_signature, ""},
    {"two CAs below an anchor that allows one", path_length_1_of_two, "path-too-long"},
    {"a leaf of version 1", leaf_version_1, "wrong-usage,ip-mismatch,ct-no-scts"},
    {"T09 a leaf for clients only", leaf_client_auth, "wrong-usage"},
    {"a leaf for any purpose", leaf_any_purpose, "wrong-usage"},
    {"a leaf for servers and any purpose", leaf_server_and_any_purpose, "wrong-usage"},
    {"a leaf for no purpose that it names", leaf_no_purpose, "wrong-usage"},
    {"a leaf with an unknown critical extension", leaf_unknown_critical, "unknown-critical"},
    {"a precertificate used as a certificate", leaf_poison, "unknown-critical"},
    {"a leaf that is a CA", leaf_a_ca, "wrong-usage"},
    {"a leaf whose key signs certificates", leaf_cert_sign_too, "wrong-usage"},
    {"a leaf whose key signs CRLs only", leaf_crl_sign_only, "wrong-usage"},
    {"a leaf without basicConstraints", leaf_no_basic, ""},
    {"a leaf that constrains names", leaf_constrains_names, "name-constraints"},
    {"T09 a leaf with an RSA key of 1024 bits", leaf_rsa_1024, "weak-key"},
    {"a leaf whose signature is broken", leaf_bad_signature, "bad-signature,ct-too-few-scts"},
    {"T09 a leaf signed with SHA-1", leaf_sha1, "weak-signature"},
    {"a leaf signed with MD5", leaf_md5, "weak-signature"},
    {"an issuer with an RSA key of 1024 bits", weak_issuer, "weak-key"},
    {"an anchor with an RSA key of 1024 bits", weak_anchor, "weak-key"},

    {"the last second of the leaf, to its end", last_second, ""},
    {"a millisecond later", a_millisecond_late, "expired"},
    {"the first millisecond", first_moment, ""},
    {"a millisecond earlier", a_millisecond_early, "not-yet-valid"},
    {"expired and unknown: both are said", expired_and_unknown, "untrusted,expired"},
    {"an anchor that has expired", old_root, "expired"},
    {"everything is said at once", all_wrong,
        "untrusted,expired,wrong-usage,weak-key,ip-mismatch,name-mismatch,ct-no-scts,staple-missing"},

    {"T02 nothing expected is never accepted", nothing_expected, "ip-mismatch"},
    {"T06 a name alone, with the root's dot", name_alone, ""},
    {"T06 name and address, in another case", name_and_address, ""},
    {"the right name does not make up for the address", right_name_wrong_address, "ip-mismatch"},
    {"nor the address for the name", right_address_wrong_name, "name-mismatch"},
    {"another address that was configured", also_address, ""},
    {"an address of five bytes is none", address_of_five_bytes, "ip-mismatch"},

    {"issued after the anchor's date", distrusted_by_date, "anchor-distrusted"},
    {"issued on the anchor's date", trusted_on_the_date, ""},
    {"logged after the anchor's date", logged_too_late, "anchor-distrusted,ct-too-few-scts"},
    {"logged on the anchor's date", logged_in_time, ""},
    {"a chain whose signatures do not hold has no anchor", logged_too_late_and_forged, "bad-signature,ct-too-few-scts"},
    {"without CT there is no such date", logged_too_late_without_ct, ""},
    {"chrome refuses the path, not the SCTs", logged_too_late_under_chrome, "anchor-distrusted"},
    {"an anchor for these names and addresses", permitted_names, ""},
    {"an anchor for these names, and for no address", permitted_names_only, "anchor-distrusted"},
    {"an anchor for other names", permitted_other_names, "anchor-distrusted"},
    {"the anchor's key is allowed", allow_root, ""},
    {"the issuer's key is allowed", allow_issuing, ""},
    {"another key is allowed", allow_stranger, "issuer-not-allowed"},
    {"the leaf itself is no issuer", allow_leaf, "issuer-not-allowed"},
    {"the issuer's certificate is allowed", allow_cert, ""},
    {"the anchor's name is allowed", allow_anchor_name, ""},
    {"an intermediate's name is nothing: any CA can mint it", allow_intermediate_name, "issuer-not-allowed"},
    {"T25 another key is pinned", pin_stranger, "pin-mismatch"},
    {"T25 a pin and its backup", pin_with_backup, ""},
    {"T25 a pinned key does not make a chain good", pin_of_a_bad_chain, "untrusted"},

    {"two good paths", two_good_paths, ""},
    {"a disallowed path behind a clean one", second_path_disallowed, "disallowed"},
    {"a disallowed path in front of a clean one", first_path_disallowed, "disallowed"},
    {"a disallowed key on no path that holds", disallowed_path_is_broken, ""},
    {"a constrained anchor beside a free one", first_anchor_distrusted, ""},
    {"a pin that another path meets", pin_on_the_second_path, ""},
    {"a disallowed certificate that is superfluous", superfluous_disallowed, "disallowed"},

    {"T18 no SCT", no_sct, "ct-no-scts"},
    {"T18 one SCT", one_sct, "ct-too-few-scts"},
    {"report: no SCT does not refuse", no_sct_in_report, ""},
    {"report: the address still does", wrong_address_in_report, "ip-mismatch"},
    {"off: no list is needed", no_sct_and_ct_off, ""},
    {"T19 an SCT list whose length lies", broken_list, "ct-malformed"},
    {"the SCT list is there twice", list_twice, "cert-malformed"},
    {"T19 more SCTs than are read", sixty_scts, "ct-malformed"},
    {"as many SCTs as are read", most_scts, ""},
    {"no list of logs", list_missing, "ct-list-missing"},
    {"report: no list of logs does not refuse", list_missing_in_report, ""},
    {"T22 a list of 69 days", t22_69_days_refuse, ""},
    {"T22 a list of 70 days", t22_70_days_refuse, ""},
    {"T22 a list of 71 days, refuse", t22_71_days_refuse, "ct-list-stale"},
    {"T22 a list of 71 days, enforce", t22_71_days_enforce, ""},
    {"T22 enforce: an old list goes on being applied", t22_71_days_enforce_no_sct, "ct-no-scts"},
    {"T22 report: CT refuses nothing while the list is old", t22_71_days_report_no_sct, ""},
    {"T22 report: it does while it is not", t22_69_days_report_no_sct, "ct-no-scts"},
};

static void
every_chain_is_judged_as_its_row_says(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct forged f;
		struct vfy_work work;
		const char *have;

		forged_begin(&f);
		rows[i].make(&f);
		have = forged_reasons(&f, &work);
		if (strcmp(have, rows[i].reasons) != 0) {
			print_error("%s: \"%s\", expected \"%s\"\n", rows[i].what, have, rows[i].reasons);
			wrong++;
		}
		/* T10: whatever is presented, the work has its bounds */
		assert_true(work.signature_checks <= VFY_SIG_CHECKS_MAX);
		assert_true(work.path_steps <= PATH_STEPS_MAX);
		assert_true(work.paths <= 4 * VFY_PATHS_MAX);
		forged_end(&f);
	}
	assert_int_equal(wrong, 0);
}

/* What a good chain costs: each signature once. */
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
	/* an anchor with a date needs the SCTs earlier, not again */
	forged_begin(&f);
	logged_in_time(&f);
	assert_string_equal(forged_reasons(&f, &work), "");
	assert_int_equal(work.signature_checks, 4);
	forged_end(&f);
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
	assert_int_equal(v.n_chain, 3); /* the path, with its anchor, without what was superfluous */
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
	expired_and_unknown(&f);
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
	assert_string_equal(ct_mode_text(CT_REPORT), "report");
	assert_string_equal(ct_policy_text(CT_APPLE), "apple");
	assert_string_equal(ct_when_stale_text(CT_STALE_ENFORCE), "enforce");
	assert_string_equal(ct_mode_text((enum ct_mode)9), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_chain_is_judged_as_its_row_says),
	    cmocka_unit_test(no_signature_is_checked_twice),
	    cmocka_unit_test(findings_that_do_not_refuse_are_kept),
	    cmocka_unit_test(the_verdict_shows_what_was_judged),
	    cmocka_unit_test(a_pin_that_only_the_leaf_meets_is_a_warning),
	    cmocka_unit_test(modes_have_names),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
