/*
 * test_verify_path.c - which paths are found among the presented certificates, and where the search ends.
 */
#include "tests/unit/verify/forged_rows.h"

#include "contrib/lab/scenarios/site.h"
#include "verify/x509/der.h"

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

/* n certificates after a good chain: junk, each with a host name of so many bytes. */
static void
junk_behind(struct forged *f, size_t certs, size_t hosts)
{
	forged_good(f);
	for (size_t k = 0; k < certs; k++) {
		struct forge forge;

		forged_ca(&forge, CA_ISSUING);
		forge.subject = forge.issuer = "CN=Junk";
		for (size_t i = 0; i < hosts; i++) {
			char name[64];

			snprintf(name, sizeof name, "a-rather-long-label-%05zu.lab.test", i);
			forge_san_dns(&forge, span_str(name));
		}
		forged_put(f, &forge);
		forge_free(&forge);
	}
}

static void
junk_that_fits(struct forged *f)
{
	junk_behind(f, 5, 250);
}

static void
junk_that_does_not_fit(struct forged *f)
{
	junk_behind(f, 10, 250);
	assert_true(f->certs[2].n < VFY_BYTES_MAX / 6);
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
leaf_anchored(struct forged *f, bool must_staple)
{
	struct forge forge;

	forged_leaf(&forge, CA_ISSUING);
	forge.must_staple = must_staple;
	forged_put(f, &forge);
	forged_anchor_forge(f, &forge);
	forge_free(&forge);
}

static void
leaf_is_anchor(struct forged *f)
{
	leaf_anchored(f, false);
}

/* No key is known that could verify a staple. */
static void
leaf_is_anchor_and_wants_staple(struct forged *f)
{
	leaf_anchored(f, true);
	f->in.staple = span_str("0");
}

static void
leaf_is_anchor_with_ca(struct forged *f)
{
	leaf_is_anchor(f);
	forged_put_ca(f, CA_ISSUING);
}

static void
leaf_and_ca_are_anchors(struct forged *f)
{
	leaf_is_anchor(f);
	forged_anchor(f, CA_ISSUING);
}

static void
leaf_is_anchor_with_false_ca(struct forged *f)
{
	struct forge forge;

	leaf_is_anchor(f);
	forged_ca(&forge, CA_ISSUING);
	forge.key = world_key(forged_world(), "false", KEY_P256);
	forged_put(f, &forge);
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

/* n issuers of the right name before the right one: with other keys, or with bad signatures. */
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
fourteen_broken_twins(struct forged *f)
{
	twins_first(f, 14, false);
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

static void
message_too_large(struct forged *f)
{
	f->n = 0;
	f->in.larger_than = 32768;
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

/* The usual chain with its root, whose `critical` is written in another way than DER's. The root is an anchor, or another
 * certificate with the same name and key is. */
static void
loose_root(struct forged *f, bool anchor)
{
	static const uint8_t critical[] = {DER_BOOLEAN, 1, 0xff};
	struct span root;
	size_t at = 0;

	forged_good(f);
	forged_put_ca(f, CA_ROOT);
	root = f->certs[f->n - 1];
	while (memcmp(root.p + at, critical, sizeof critical) != 0)
		assert_true(++at + sizeof critical <= root.n);
	f->der[f->n - 1].p[at + 2] = 1;
	if (!anchor)
		return;
	buf_clear(&f->anchors);
	lab_pem_write(&f->anchors, "CERTIFICATE", root);
}

static void
loose_root_is_anchor(struct forged *f)
{
	loose_root(f, true);
}

static void
loose_root_is_no_anchor(struct forged *f)
{
	loose_root(f, false);
}

static void
loose_root_is_disallowed(struct forged *f)
{
	char entry[128];

	loose_root(f, true);
	f->disallow = forged_entries(forged_cert_entry(entry, f->certs[f->n - 1]));
}

static void
loose_leaf(struct forged *f)
{
	loose_root(f, true);
	f->certs[0] = f->certs[f->n - 1];
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

/* ---- the table */

static const struct forged_row rows[] = {
    {"a good chain", good, ""},
    {"no certificate", no_certificate, "chain-empty"},
    {"a leaf that is noise", leaf_is_noise, "cert-malformed"},
    {"noise after a good chain", second_is_noise, "cert-malformed"},
    {"an empty certificate after a good chain", second_is_empty, "cert-malformed"},
    {"a byte after the leaf", byte_behind_leaf, "cert-malformed"},
    {"T07 a leaf larger than the limit", larger_than_read, "chain-too-long"},
    {"junk next to it, within the limit", junk_that_fits, ""},
    {"junk next to it, together above the limit", junk_that_does_not_fit, "chain-too-long"},
    {"a root that is not quite DER, and an anchor", loose_root_is_anchor, ""},
    {"the same, disallowed", loose_root_is_disallowed, "disallowed"},
    {"the same root is no anchor", loose_root_is_no_anchor, "cert-malformed"},
    {"it is sent as the server's own", loose_leaf, "cert-malformed"},
    {"no anchors", no_anchors, "untrusted"},
    {"the missing intermediate is among the anchors", intermediate_from_anchors, ""},
    {"the anchor is an intermediate, and certificates follow it", anchor_not_self_signed, ""},
    {"the leaf is an anchor, and its issuer is unknown", leaf_is_anchor, "ct-too-few-scts"},
    {"the same, and the leaf demands a staple", leaf_is_anchor_and_wants_staple, "ct-too-few-scts,staple-invalid"},
    {"the leaf is an anchor, and its CA's certificate was sent", leaf_is_anchor_with_ca, ""},
    {"the leaf is an anchor, and so is its CA", leaf_and_ca_are_anchors, ""},
    {"the leaf is an anchor, and a CA of its issuer's name did not sign it", leaf_is_anchor_with_false_ca, "ct-too-few-scts"},
    {"the leaf is an anchor and a CA", leaf_is_anchor_and_ca, "wrong-usage,ct-too-few-scts"},
    {"the leaf resembles an anchor and is another certificate", leaf_like_anchor, "untrusted,ct-too-few-scts"},
    {"T10 CAs that sign each other in a ring", ring, "untrusted"},
    {"fourteen twins with other keys in front of the issuer", fourteen_other_keys, ""},
    {"fourteen twins whose signatures are broken", fourteen_broken_twins, ""},
    {"sixteen certificates are read", sixteen_certificates, ""},
    {"seventeen are not", seventeen_certificates, "chain-too-long"},
    {"T10 a hundred certificates are not read", hundred_certificates, "chain-too-long"},
    {"a message over the size limit", message_too_large, "chain-too-long"},
    {"fourteen CAs below the anchor", deep_fourteen, ""},
    {"in any order", deep_fifteen_shuffled, ""},
    {"two CAs below an anchor that allows one", path_length_1_of_two, "path-too-long"},
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
