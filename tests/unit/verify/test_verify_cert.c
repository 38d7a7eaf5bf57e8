/*
 * test_verify_cert.c - the certificates of a path one by one: CAs, anchors and leaves, with their usage, keys,
 * signatures and dates.
 */
#include "tests/unit/verify/forged_rows.h"
#include "contrib/lab/pki/derw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the usage of a CA */

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
	forged_leaf_changed(f, change);
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
	size_t subtree = derw_open(&f->excluded, DERW_SEQUENCE);

	derw_tlv(&f->excluded, DERW_CONTEXT(2), span_str("other.test"));
	derw_close(&f->excluded, subtree);
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
old_root(struct forged *f)
{
	struct forge forge;

	forged_leaf(&forge, CA_OLD_ROOT);
	forged_put(f, &forge);
	forge_free(&forge);
	forged_anchor(f, CA_OLD_ROOT);
}

/* ---- the table */

static const struct forged_row rows[] = {
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
    {"an anchor with CA:FALSE", root_end_entity, "not-a-ca"},
    {"an anchor without keyCertSign", root_no_cert_sign, "not-a-ca"},
    {"an anchor for clients only", root_client_auth, "wrong-usage"},
    {"an anchor with an unknown critical extension", root_unknown_critical, "unknown-critical"},
    {"T09 an anchor that allows no CA below it", root_path_length_0, "path-too-long"},
    {"an anchor whose self-signature is broken, which does not matter", root_bad_signature, ""},
    {"a leaf of version 1", leaf_version_1, "wrong-usage,ip-mismatch,ct-no-scts"},
    {"T09 a leaf for clients only", leaf_client_auth, "wrong-usage"},
    {"a leaf for any purpose", leaf_any_purpose, "wrong-usage"},
    {"a leaf for servers and any purpose", leaf_server_and_any_purpose, "wrong-usage"},
    {"a leaf with an empty list of purposes", leaf_no_purpose, "wrong-usage"},
    {"a leaf with an unknown critical extension", leaf_unknown_critical, "unknown-critical"},
    {"a precertificate used as a certificate", leaf_poison, "unknown-critical"},
    {"a leaf that is a CA", leaf_a_ca, "wrong-usage"},
    {"a leaf whose key signs certificates", leaf_cert_sign_too, "wrong-usage"},
    {"a leaf whose key signs CRLs only", leaf_crl_sign_only, "wrong-usage"},
    {"a leaf without basicConstraints", leaf_no_basic, ""},
    {"a leaf that constrains names", leaf_constrains_names, "name-constraints"},
    {"T09 a leaf with an RSA key of 1024 bits", leaf_rsa_1024, "weak-key"},
    {"a leaf whose signature is broken", forged_bad_signature, "bad-signature,ct-too-few-scts"},
    {"T09 a leaf signed with SHA-1", leaf_sha1, "weak-signature"},
    {"a leaf signed with MD5", leaf_md5, "weak-signature"},
    {"an issuer with an RSA key of 1024 bits", weak_issuer, "weak-key,ct-too-few-scts"},
    {"an anchor with an RSA key of 1024 bits", weak_anchor, "weak-key,ct-too-few-scts"},

    {"the end of the leaf's last second", last_second, ""},
    {"a millisecond later", a_millisecond_late, "expired"},
    {"the first millisecond", first_moment, ""},
    {"a millisecond earlier", a_millisecond_early, "not-yet-valid"},
    {"expired and untrusted: both are reported", forged_expired_and_unknown, "untrusted,expired"},
    {"an anchor that has expired", old_root, "expired"},
};

static void
every_chain_is_judged_as_its_row_says(void **state)
{
	(void)state;
	forged_rows_judge(rows, sizeof rows / sizeof rows[0]);
}

/* However long its name is, a certificate is named in whole characters. */
static void
a_long_name_is_cut_between_characters(void **state)
{
	static const char *const begin[] = {"CN=", "CN=a"}; /* then characters of two bytes */

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct buf name = buf_max(1024);
		char label[JUDGE_LABEL_MAX];
		struct forge forge;
		struct forged f;
		struct cert cert;

		buf_text(&name, begin[i]);
		for (size_t n = 0; n < 100; n++)
			buf_text(&name, "\xc3\xa9");
		forged_leaf(&forge, CA_ISSUING);
		forge.subject = buf_cstr(&name);
		forged_begin(&f);
		forged_put(&f, &forge);
		assert_int_equal(cert_read(&cert, f.certs[0]), RES_OK);
		assert_string_equal(judge_label(label, &cert) + strlen(label) - 2, "\xc3\xa9");
		assert_memory_equal(label, begin[i], strlen(begin[i]));
		assert_int_equal(strlen(label), JUDGE_LABEL_MAX - 1 - (i == 1));
		forge_free(&forge);
		forged_end(&f);
		buf_free(&name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_chain_is_judged_as_its_row_says),
	    cmocka_unit_test(a_long_name_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
