/*
 * test_disguise.c - one certificate and one key in every other encoding that an attacker can give them.
 */
#include "verify/x509/der.h"
#include "verify/x509/disguise.h"
#include "verify/x509/oid.h"
#include "verify/x509/sigform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#define MAX 8192

static void
put(struct buf *out, uint8_t id, struct span body)
{
	der_header(out, id, body.n);
	buf_put(out, body);
}

static bool
has(const struct disguises *d, struct span whole)
{
	uint8_t hash[32];

	assert_true(gnutls_hash_fast(GNUTLS_DIG_SHA256, whole.p, whole.n, hash) >= 0);
	for (size_t i = 0; i < d->n; i++)
		if (memcmp(d->sha256[i], hash, 32) == 0)
			return true;
	return false;
}

/* ---- certificates */

/* A certificate that a key of this kind signed for itself. */
static void
self_signed(struct buf *out, gnutls_pk_algorithm_t pk, unsigned bits, gnutls_digest_algorithm_t digest)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt = NULL;
	gnutls_datum_t der;

	assert_true(gnutls_x509_privkey_init(&key) >= 0 && gnutls_x509_crt_init(&crt) >= 0);
	assert_true(gnutls_x509_privkey_generate(key, pk, bits, 0) >= 0);
	assert_true(gnutls_x509_crt_set_version(crt, 3) >= 0 && gnutls_x509_crt_set_serial(crt, "\x05", 1) >= 0);
	assert_true(gnutls_x509_crt_set_activation_time(crt, 1000000000) >= 0);
	assert_true(gnutls_x509_crt_set_expiration_time(crt, 2000000000) >= 0);
	assert_true(gnutls_x509_crt_set_dn(crt, "CN=one", NULL) >= 0 && gnutls_x509_crt_set_key(crt, key) >= 0);
	assert_true(gnutls_x509_crt_sign2(crt, crt, key, digest, 0) >= 0);
	assert_true(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der) >= 0);
	buf_put(out, span_of(der.data, der.size));
	gnutls_free(der.data);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

/* The same with another signature. */
static void
signed_again(struct buf *out, const struct cert *c, struct span signature)
{
	struct buf body = buf_max(MAX), bits = buf_max(MAX);

	buf_put(&body, c->tbs);
	buf_put(&body, c->sig_alg);
	buf_u8(&bits, 0);
	buf_put(&bits, signature);
	put(&body, DER_BIT_STRING, buf_span(&bits));
	put(out, DER_SEQUENCE, buf_span(&body));
	buf_free(&body);
	buf_free(&bits);
}

static void
a_certificate_and_its_twin_find_each_other(void **state)
{
	static const struct {
		const char *what;
		gnutls_ecc_curve_t curve;
		gnutls_digest_algorithm_t digest;
		enum spki_kind kind;
	} rows[] = {
	    {"P-256 with SHA-256", GNUTLS_ECC_CURVE_SECP256R1, GNUTLS_DIG_SHA256, SPKI_P256},
	    {"P-256 with SHA-384", GNUTLS_ECC_CURVE_SECP256R1, GNUTLS_DIG_SHA384, SPKI_P256},
	    {"P-384", GNUTLS_ECC_CURVE_SECP384R1, GNUTLS_DIG_SHA384, SPKI_P384},
	    {"P-521", GNUTLS_ECC_CURVE_SECP521R1, GNUTLS_DIG_SHA512, SPKI_P521},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf der = buf_max(MAX), twin = buf_max(MAX), other = buf_max(MAX);
		struct cert c, t;
		struct disguises d;

		self_signed(&der, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(rows[i].curve), rows[i].digest);
		assert_int_equal(cert_read(&c, buf_span(&der)), RES_OK);
		assert_int_equal(ecdsa_twin(&twin, rows[i].kind, c.signature), RES_OK);
		signed_again(&other, &c, buf_span(&twin));
		assert_int_equal(cert_read(&t, buf_span(&other)), RES_OK);
		assert_memory_not_equal(c.sha256, t.sha256, 32);
		assert_int_equal(disguises_of_cert(&d, &c), RES_OK);
		if (!has(&d, t.der))
			fail_msg("%s: the twin is not found from the certificate", rows[i].what);
		assert_int_equal(disguises_of_cert(&d, &t), RES_OK);
		if (!has(&d, c.der))
			fail_msg("%s: the certificate is not found from the twin", rows[i].what);
		buf_free(&der);
		buf_free(&twin);
		buf_free(&other);
	}
}

static void
a_certificate_signed_otherwise_has_no_twin(void **state)
{
	static const struct {
		gnutls_pk_algorithm_t pk;
		unsigned bits;
		gnutls_digest_algorithm_t digest;
	} rows[] = {{GNUTLS_PK_RSA, 2048, GNUTLS_DIG_SHA256}, {GNUTLS_PK_EDDSA_ED25519, 0, GNUTLS_DIG_SHA512}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf der = buf_max(MAX);
		struct disguises d;
		struct cert c;

		self_signed(&der, rows[i].pk, rows[i].bits, rows[i].digest);
		assert_int_equal(cert_read(&c, buf_span(&der)), RES_OK);
		assert_int_equal(disguises_of_cert(&d, &c), RES_OK);
		assert_int_equal(d.n, 0);
		buf_free(&der);
	}
}

/* ---- keys */

static const uint8_t number[129] = {0, 0xc3, [128] = 1}, padded[131] = {0, 0, 0, 0xc3, [130] = 1};

static void
rsa_key(struct buf *out, struct span algorithm, struct span modulus, struct span exponent)
{
	struct buf body = buf_max(MAX), bits = buf_max(MAX), whole = buf_max(MAX);

	put(&body, DER_INTEGER, modulus);
	put(&body, DER_INTEGER, exponent);
	buf_u8(&bits, 0);
	put(&bits, DER_SEQUENCE, buf_span(&body));
	put(&whole, DER_SEQUENCE, algorithm);
	put(&whole, DER_BIT_STRING, buf_span(&bits));
	put(out, DER_SEQUENCE, buf_span(&whole));
	buf_free(&body);
	buf_free(&bits);
	buf_free(&whole);
}

#define RSA_ID "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define PSS_ID "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"

static void
an_rsa_key_is_found_however_it_is_written(void **state)
{
	static const uint8_t negative[128] = {0xc3, [127] = 1};
	const struct span usual = span_of(number, sizeof number), f4 = OID("\x01\x00\x01");
	const struct {
		const char *what;
		struct span algorithm, modulus, exponent;
	} rows[] = {
	    {"the usual encoding", OID(RSA_ID "\x05\x00"), usual, f4},
	    {"without NULL", OID(RSA_ID), usual, f4},
	    {"with an empty SEQUENCE", OID(RSA_ID "\x30\x00"), usual, f4},
	    {"with a NULL of a byte", OID(RSA_ID "\x05\x01\x00"), usual, f4},
	    {"with NULL twice", OID(RSA_ID "\x05\x00\x05\x00"), usual, f4},
	    {"as RSASSA-PSS", OID(PSS_ID), usual, f4},
	    {"as RSASSA-PSS with NULL", OID(PSS_ID "\x05\x00"), usual, f4},
	    {"as RSASSA-PSS by default", OID(PSS_ID "\x30\x00"), usual, f4},
	    {"the modulus padded", OID(RSA_ID "\x05\x00"), span_of(padded, sizeof padded), f4},
	    {"the modulus without the zero", OID(RSA_ID "\x05\x00"), span_of(negative, sizeof negative), f4},
	    {"the exponent padded", OID(RSA_ID "\x05\x00"), usual, OID("\x00\x00\x01\x00\x01")},
	};
	struct buf good = buf_max(MAX);

	(void)state;
	rsa_key(&good, OID(RSA_ID "\x05\x00"), usual, f4);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf spki = buf_max(MAX), pss = buf_max(MAX);
		struct disguises d;

		rsa_key(&spki, rows[i].algorithm, rows[i].modulus, rows[i].exponent);
		rsa_key(&pss, OID(PSS_ID), usual, f4);
		assert_int_equal(disguises_of_key(&d, buf_span(&spki)), RES_OK);
		if (!has(&d, buf_span(&good)) || !has(&d, buf_span(&pss)))
			fail_msg("%s", rows[i].what);
		buf_free(&spki);
		buf_free(&pss);
	}
	buf_free(&good);
}

static void
a_point_is_found_however_it_is_written(void **state)
{
#define EC_ID  "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
#define P256   "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define FIELD  "\x06\x07\x2a\x86\x48\xce\x3d\x01\x01\x02\x21\x00"
#define NUMBER "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	const struct {
		const char *what;
		struct span algorithm;
		uint8_t form;
		bool found;
	} rows[] = {
	    {"the usual encoding", OID(EC_ID P256), 4, true},
	    {"a hybrid point", OID(EC_ID P256), 6, true},
	    {"the other hybrid point", OID(EC_ID P256), 7, true},
	    {"a NULL after the curve", OID(EC_ID P256 "\x05\x00"), 4, true},
	    {"explicit parameters of that size", OID(EC_ID "\x30\x31\x02\x01\x01\x30\x2c" FIELD NUMBER NUMBER), 4, true},
	    {"another curve of that size", OID(EC_ID "\x06\x05\x2b\x81\x04\x00\x0a"), 4, false},
	};
	struct buf good = buf_max(MAX);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf body = buf_max(MAX), spki = buf_max(MAX), bits = buf_max(MAX);
		struct disguises d;

		buf_u8(&bits, 0);
		buf_u8(&bits, rows[i].form);
		for (uint8_t k = 1; k <= 64; k++)
			buf_u8(&bits, k);
		put(&body, DER_SEQUENCE, rows[i].algorithm);
		put(&body, DER_BIT_STRING, buf_span(&bits));
		put(&spki, DER_SEQUENCE, buf_span(&body));
		if (i == 0)
			buf_put(&good, buf_span(&spki));
		assert_int_equal(disguises_of_key(&d, buf_span(&spki)), RES_OK);
		if (has(&d, buf_span(&good)) != rows[i].found)
			fail_msg("%s", rows[i].what);
		buf_free(&body);
		buf_free(&spki);
		buf_free(&bits);
	}
	buf_free(&good);
}

static void
invalid_keys_have_no_other_form(void **state)
{
	const struct span rows[] = {
	    OID(""), OID("\x30\x00"), OID("\x30\x02\x30\x00"), OID("\x30\x04\x30\x00\x03\x00"),
	    /* a key with an unused bit */
	    OID("\x30\x13\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x03\x02\x01\x00")};
	struct disguises d;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(disguises_of_key(&d, rows[i]), RES_OK);
		assert_int_equal(d.n, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_certificate_and_its_twin_find_each_other),
	    cmocka_unit_test(a_certificate_signed_otherwise_has_no_twin),
	    cmocka_unit_test(an_rsa_key_is_found_however_it_is_written),
	    cmocka_unit_test(a_point_is_found_however_it_is_written),
	    cmocka_unit_test(invalid_keys_have_no_other_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
