/*
 * test_vectors.c - certificates and SCTs that others made (tests/data/vectors): real chains of public resolvers
 * and four sets of CT test data, against the results of an independent implementation (expected.json).
 */
#include "base/text.h"
#include "verify/x509/der.h"
#include "verify/x509/oid.h"
#include "verify/x509/pem.h"
#include "verify/x509/strength.h"
#include "verify/ct/sctcheck.h"
#include "verify/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gnutls/crypto.h>
#include <jansson.h>

#include "tests/unit/verify/data_file.h"
#include "tests/unit/verify/judged_again.h"

#define FOLDER "vectors/"
#define CERTS_MAX 16

static json_t *
vector_json(const char *name)
{
	struct buf text = data_file(name);
	json_t *value = json_loadb((const char *)text.p, text.n, 0, NULL);

	buf_free(&text);
	assert_non_null(value);
	return value;
}

static void
sha256_text(char out[65], struct span data)
{
	uint8_t hash[32];

	assert_int_equal(gnutls_hash_fast(GNUTLS_DIG_SHA256, data.p, data.n, hash), 0);
	hex_write(out, span_of(hash, 32));
}

/* One log in the form of a public list; the id is the hash of the key. */
static json_t *
log_json(const char *description, const char *key)
{
	struct buf der = buf_max(4096), id = buf_max(64);
	uint8_t hash[32];
	json_t *log;

	assert_int_equal(base64_read(&der, span_str(key)), RES_OK);
	assert_int_equal(gnutls_hash_fast(GNUTLS_DIG_SHA256, der.p, der.n, hash), 0);
	base64_write(&id, span_of(hash, 32));
	log = json_pack("{s:s,s:s,s:s,s:i,s:{s:{s:s}}}", "description", description, "key", key, "log_id", buf_cstr(&id), "mmd",
	    86400, "state", "usable", "timestamp", "2013-01-01T00:00:00Z");
	assert_non_null(log);
	buf_free(&der);
	buf_free(&id);
	return log;
}

static enum res
list_make(struct ctlogs **out, json_t *logs)
{
	json_t *list = json_pack("{s:s,s:s,s:[{s:s,s:[],s:o}]}", "version", "1.0", "log_list_timestamp", "2026-11-01T00:00:00Z",
	    "operators", "name", "All", "email", "logs", logs);
	char *text = json_dumps(list, 0), *why = NULL;
	enum res r = ctlogs_from_json(out, span_str(text), &why);

	free(why);
	free(text);
	json_decref(list);
	return r;
}

static struct ctlogs *
logs_of_the_vectors(void)
{
	json_t *keys = vector_json(FOLDER "log-keys.json"), *logs = json_array(), *entry;
	struct ctlogs *list = NULL;
	const char *id;

	json_object_foreach (keys, id, entry)
		json_array_append_new(logs, log_json(json_string_value(json_object_get(entry, "description")),
		                                json_string_value(json_object_get(entry, "key"))));
	assert_int_equal(list_make(&list, logs), RES_OK);
	json_decref(keys);
	return list;
}

struct chain {
	struct buf der[CERTS_MAX];
	struct span certs[CERTS_MAX];
	size_t n;
};

static void
chain_add(struct chain *c, const char *file)
{
	char name[256];
	struct buf text;
	struct span left;

	snprintf(name, sizeof name, FOLDER "%s", file);
	text = data_file(name);
	left = buf_span(&text);
	for (; c->n < CERTS_MAX; c->n++) {
		c->der[c->n] = buf_max(CERT_BYTES_MAX);
		if (pem_next(&c->der[c->n], &left, "CERTIFICATE") != RES_OK) {
			buf_free(&c->der[c->n]);
			break;
		}
		c->certs[c->n] = buf_span(&c->der[c->n]);
	}
	buf_free(&text);
}

/* The sets of test data that have the issuer in a file of its own. */
static void
issuers_add(struct chain *c, const char *file)
{
	if (strncmp(file, "google-ct/", 10) == 0) {
		chain_add(c, "google-ct/ca-cert.pem");
		chain_add(c, "google-ct/intermediate-cert.pem");
	}
	if (strstr(file, "embeddedSCTs1") != NULL)
		chain_add(c, "openssl/embeddedSCTs1_issuer.pem");
	if (strstr(file, "embeddedSCTs3") != NULL)
		chain_add(c, "openssl/embeddedSCTs3_issuer.pem");
}

static void
tbs_compare(const char *file, const struct chain *c, const json_t *expected)
{
	struct buf tbs = buf_max(CERT_BYTES_MAX);
	struct cert leaf;
	char hash[65];
	enum res r;

	assert_int_equal(cert_read(&leaf, c->certs[0]), RES_OK);
	r = der_tbs_without(&tbs, leaf.tbs, OID_SCT_LIST);
	sha256_text(hash, buf_span(&tbs));
	if (json_is_null(expected) ? r != RES_NOT_FOUND : strcmp(hash, json_string_value(expected)) != 0)
		fail_msg("%s: the precertificate's TBSCertificate differs", file);
	buf_free(&tbs);
}

/* The CA of the vectors has an RSA key of 1024 bits: no signature is checked with it, so it is never found as an issuer. */
static bool
an_issuer_is_strong(const struct chain *c)
{
	struct cert cert;

	for (size_t i = 1; i < c->n; i++)
		if (cert_read(&cert, c->certs[i]) == RES_OK && strength_key_fault(cert.spki) == NULL)
			return true;
	return false;
}

static void
sct_compare(const char *file, const struct verdict_sct *have, const json_t *want, bool issuer)
{
	const char *verdict = issuer ? json_string_value(json_object_get(want, "signature")) : "NO-ISSUER";
	enum sct_status status = strcmp(verdict, "OK") == 0        ? SCT_STATUS_VALID
	                         : strcmp(verdict, "BAD-SIG") == 0 ? SCT_STATUS_BAD_SIGNATURE
	                                                           : SCT_STATUS_UNCHECKED;

	if (have->status != status || have->timestamp_ms != json_integer_value(json_object_get(want, "timestamp_ms")))
		fail_msg("%s: an SCT is %s, expected %s", file, sct_status_code(have->status), verdict);
}

static void
every_sct_is_judged_as_expected(void **state)
{
	json_t *expected = vector_json(FOLDER "expected.json"), *entry;
	struct vfy_policy policy = {.ct_policy = CT_CHROME, .ct_list_max_age_ms = INT64_MAX};
	struct ctlogs *logs;
	size_t i, scts = 0;

	(void)state;
	policy.ctlogs = logs = logs_of_the_vectors();
	json_array_foreach (json_object_get(expected, "certificates"), i, entry) {
		const char *file = json_string_value(json_object_get(entry, "file"));
		const json_t *want = json_object_get(entry, "scts");
		struct chain chain = {.n = 0};
		struct vfy_input in;
		struct vfy_work work;
		struct verdict v = {0};

		chain_add(&chain, file);
		issuers_add(&chain, file);
		tbs_compare(file, &chain, json_object_get(entry, "precert_tbs_sha256"));
		in = (struct vfy_input){.certs = chain.certs, .n_certs = chain.n, .name = "nobody.test"};
		assert_int_equal(time_read(&in.now_ms, "2026-11-21T00:00:00Z"), RES_OK);
		vfy_check_work(&v, &policy, &in, &work);
		assert_true(judged_again_same(&v, &work, &policy, in));
		assert_false(verdict_accepted(&v)); /* nothing is trusted here */
		if (v.n_scts != json_array_size(want))
			fail_msg("%s: %zu SCTs", file, v.n_scts);
		for (size_t k = 0; k < v.n_scts; k++)
			sct_compare(file, &v.scts[k], json_array_get(want, k), an_issuer_is_strong(&chain));
		scts += v.n_scts;
		verdict_clear(&v);
		for (size_t k = 0; k < chain.n; k++)
			buf_free(&chain.der[k]);
	}
	assert_int_equal(scts, 39);
	json_decref(expected);
	ctlogs_free(logs);
}

/* ---- sct-rs: SCTs of x509 entries over four bytes */

enum outcome_of_sct { GOOD, BAD, WRONG_ALGORITHM, UNKNOWN_LOG, VERSION, MALFORMED, NO_SUCH_LOG };

static const struct {
	const char *key;
	const char *sct;
	enum outcome_of_sct want;
} sct_rs[] = {
    {"ecdsa-prime256v1-pub.pem", "ecdsa_p256-basic-sct.bin", GOOD},
    {"ecdsa-prime256v1-pub.pem", "ecdsa_p256-wrongtime-sct.bin", BAD},
    {"ecdsa-prime256v1-pub.pem", "ecdsa_p256-wrongcert-sct.bin", BAD},
    {"ecdsa-prime256v1-pub.pem", "ecdsa_p256-wrongext-sct.bin", BAD},
    {"ecdsa-prime256v1-pub.pem", "ecdsa_p256-badsigalg-sct.bin", WRONG_ALGORITHM},
    {"ecdsa-prime256v1-pub.pem", "ecdsa_p256-wrongid-sct.bin", UNKNOWN_LOG},
    {"ecdsa-prime256v1-pub.pem", "ecdsa_p256-version-sct.bin", VERSION},
    {"ecdsa-prime256v1-pub.pem", "ecdsa_p256-junk-sct.bin", MALFORMED},
    {"ecdsa-prime256v1-pub.pem", "ecdsa_p256-short-sct.bin", GOOD},
    {"rsa-2048-pub.pem", "rsa2048-basic-sct.bin", GOOD},
    {"rsa-2048-pub.pem", "rsa2048-wrongtime-sct.bin", BAD},
    {"rsa-2048-pub.pem", "rsa2048-wrongcert-sct.bin", BAD},
    {"rsa-3072-pub.pem", "rsa3072-basic-sct.bin", WRONG_ALGORITHM}, /* SHA-384 (RFC 6962, 2.1.4) */
    {"rsa-4096-pub.pem", "rsa4096-basic-sct.bin", WRONG_ALGORITHM},
    {"ecdsa-secp384r1-pub.pem", "ecdsa_p384-basic-sct.bin", NO_SUCH_LOG}, /* P-384: a list cannot have such a log */
};

/* A list of one log with this key; NULL when a list cannot have such a log. */
static struct ctlogs *
one_log(const char *pem_file)
{
	char name[256];
	struct buf pem, der = buf_max(4096), key = buf_max(8192);
	struct ctlogs *list = NULL;
	struct span left;
	json_t *logs = json_array();

	snprintf(name, sizeof name, FOLDER "sct-rs/%s", pem_file);
	pem = data_file(name);
	left = buf_span(&pem);
	assert_int_equal(pem_next(&der, &left, "PUBLIC KEY"), RES_OK);
	base64_write(&key, buf_span(&der));
	json_array_append_new(logs, log_json(pem_file, buf_cstr(&key)));
	list_make(&list, logs);
	buf_free(&pem);
	buf_free(&der);
	buf_free(&key);
	return list;
}

static enum outcome_of_sct
sct_outcome(const struct ctlogs *logs, struct span wire)
{
	struct sct_item item = {0};
	struct buf bytes = buf_max(4096);
	enum res r;

	sct_read(&item.sct, wire);
	if (item.sct.malformed)
		return MALFORMED;
	if (item.sct.version != 0)
		return VERSION;
	item.log = ctlogs_find(logs, item.sct.log_id.p);
	if (item.log == NULL)
		return UNKNOWN_LOG;
	if (!sct_algorithm_fits(&item.sct, item.log))
		return WRONG_ALGORITHM;
	buf_u16(&bytes, 0);
	buf_u64(&bytes, 0);
	buf_u16(&bytes, 0); /* x509_entry */
	buf_u24(&bytes, 4);
	buf_text(&bytes, "cert");
	r = sct_item_prove(&item, &bytes, bytes.n);
	buf_free(&bytes);
	assert_int_equal(r, RES_OK);
	return item.proof == SCT_PROVEN ? GOOD : BAD;
}

static void
sct_rs_is_judged_as_expected(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof sct_rs / sizeof sct_rs[0]; i++) {
		struct ctlogs *logs;
		struct buf wire;
		char name[256];
		enum outcome_of_sct have;

		snprintf(name, sizeof name, FOLDER "sct-rs/%s", sct_rs[i].sct);
		wire = data_file(name);
		logs = one_log(sct_rs[i].key);
		have = logs == NULL ? NO_SUCH_LOG : sct_outcome(logs, buf_span(&wire));
		if (have != sct_rs[i].want)
			fail_msg("%s: %d, expected %d", sct_rs[i].sct, (int)have, (int)sct_rs[i].want);
		/* every prefix is malformed */
		for (size_t n = 0; logs != NULL && have == GOOD && n < wire.n; n++)
			assert_int_equal(sct_outcome(logs, span_slice(buf_span(&wire), 0, n)), MALFORMED);
		ctlogs_free(logs);
		buf_free(&wire);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_sct_is_judged_as_expected),
	    cmocka_unit_test(sct_rs_is_judged_as_expected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
