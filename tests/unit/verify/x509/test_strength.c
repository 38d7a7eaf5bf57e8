#include "verify/x509/strength.h"
#include "verify/x509/der.h"
#include "verify/x509/oid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MAX 8192

static void
wrap(struct buf *out, uint8_t id, const struct buf *body)
{
	der_header(out, id, body->n);
	buf_put(out, buf_span(body));
}

static void
put(struct buf *out, uint8_t id, struct span body)
{
	der_header(out, id, body.n);
	buf_put(out, body);
}

/* SubjectPublicKeyInfo of an algorithm, raw parameters and the key's bytes. */
static void
spki_make(struct buf *out, struct span oid, struct span parameters, struct span key)
{
	struct buf algorithm = buf_max(MAX), body = buf_max(MAX), bits = buf_max(MAX);

	put(&algorithm, DER_OID, oid);
	buf_put(&algorithm, parameters);
	wrap(&body, DER_SEQUENCE, &algorithm);
	buf_u8(&bits, 0);
	buf_put(&bits, key);
	wrap(&body, DER_BIT_STRING, &bits);
	buf_clear(out);
	wrap(out, DER_SEQUENCE, &body);
	buf_free(&algorithm);
	buf_free(&body);
	buf_free(&bits);
}

/* An RSA key whose modulus has so many bits, all ones. */
static const char *
rsa(struct span oid, size_t bits, struct span exponent)
{
	struct buf body = buf_max(MAX), key = buf_max(MAX), modulus = buf_max(MAX), spki = buf_max(MAX);
	const char *fault;

	if (bits % 8 == 0)
		buf_u8(&modulus, 0);
	else
		buf_u8(&modulus, (uint8_t)((1u << bits % 8) - 1));
	for (size_t i = 0; i < bits / 8; i++)
		buf_u8(&modulus, 0xff);
	put(&body, DER_INTEGER, buf_span(&modulus));
	put(&body, DER_INTEGER, exponent);
	wrap(&key, DER_SEQUENCE, &body);
	spki_make(&spki, oid, span_of("\x05\x00", 2), buf_span(&key));
	fault = strength_key_fault(buf_span(&spki));
	buf_free(&body);
	buf_free(&key);
	buf_free(&modulus);
	buf_free(&spki);
	return fault;
}

static void
rsa_keys(void **state)
{
	const struct {
		const char *what;
		size_t bits;
		struct span exponent;
		bool strong;
	} rows[] = {
	    {"1024 bits", 1024, span_of("\x01\x00\x01", 3), false},
	    {"2040 bits", 2040, span_of("\x01\x00\x01", 3), false},
	    {"2047 bits", 2047, span_of("\x01\x00\x01", 3), false},
	    {"2048 bits", 2048, span_of("\x01\x00\x01", 3), true},
	    {"2049 bits", 2049, span_of("\x01\x00\x01", 3), false},
	    {"4096 bits", 4096, span_of("\x01\x00\x01", 3), true},
	    {"16384 bits", 16384, span_of("\x01\x00\x01", 3), true},
	    {"16392 bits", 16392, span_of("\x01\x00\x01", 3), false},
	    {"an exponent of 3", 2048, span_of("\x03", 1), true},
	    {"an exponent of 1", 2048, span_of("\x01", 1), false},
	    {"an exponent of 0", 2048, span_of("\x00", 1), false},
	    {"an even exponent", 2048, span_of("\x04", 1), false},
	    {"a negative exponent", 2048, span_of("\xfd", 1), false},
	    {"no exponent", 2048, span_of("", 0), false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if ((rsa(OID_RSA, rows[i].bits, rows[i].exponent) == NULL) != rows[i].strong)
			fail_msg("%s", rows[i].what);
	assert_null(rsa(OID_RSA_PSS, 2048, span_of("\x01\x00\x01", 3)));
	assert_non_null(rsa(OID_RSA_PSS, 1024, span_of("\x01\x00\x01", 3)));
}

static void
curves(void **state)
{
	static const uint8_t point[200] = {4};
	const struct {
		const char *what;
		const char *parameters;
		size_t n, key;
		bool strong;
	} rows[] = {
	    {"P-256", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10, 65, true},
	    {"P-384", "\x06\x05\x2b\x81\x04\x00\x22", 7, 97, true},
	    {"P-521", "\x06\x05\x2b\x81\x04\x00\x23", 7, 133, true},
	    {"P-192", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x01", 10, 49, false},
	    {"P-224", "\x06\x05\x2b\x81\x04\x00\x21", 7, 57, false},
	    {"secp256k1", "\x06\x05\x2b\x81\x04\x00\x0a", 7, 65, false},
	    {"explicit parameters", "\x30\x03\x02\x01\x01", 5, 65, false},
	    {"no parameters", "", 0, 65, false},
	    {"a point of another curve", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10, 97, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf spki = buf_max(MAX);

		spki_make(&spki, OID_EC, span_of(rows[i].parameters, rows[i].n), span_of(point, rows[i].key));
		if ((strength_key_fault(buf_span(&spki)) == NULL) != rows[i].strong)
			fail_msg("%s", rows[i].what);
		buf_free(&spki);
	}
}

static void
other_keys(void **state)
{
	static const uint8_t key[64] = {4};
	const struct {
		const char *what;
		struct span oid;
		size_t n;
		bool strong;
	} rows[] = {
	    {"Ed25519", OID_ED25519, 32, true},
	    {"a short Ed25519", OID_ED25519, 31, false},
	    {"Ed448", OID_ED448, 57, true},
	    {"DSA", OID("\x2a\x86\x48\xce\x38\x04\x01"), 40, false},
	    {"something unknown", OID("\x2a\x03"), 40, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf spki = buf_max(MAX);

		spki_make(&spki, rows[i].oid, span_of("", 0), span_of(key, rows[i].n));
		if ((strength_key_fault(buf_span(&spki)) == NULL) != rows[i].strong)
			fail_msg("%s", rows[i].what);
		buf_free(&spki);
	}
	assert_non_null(strength_key_fault(span_str("")));
	assert_non_null(strength_key_fault(span_of("\x30\x00", 2)));
}

static void
signatures(void **state)
{
	static const struct {
		const char *what;
		const char *hex;
		size_t n;
		bool strong;
	} rows[] = {
	    {"RSA with SHA-256", "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00", 15, true},
	    {"RSA with SHA-1", "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00", 15, false},
	    {"RSA with MD5", "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04\x05\x00", 15, false},
	    {"RSA with MD2", "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02\x05\x00", 15, false},
	    {"RSA with SHA-224", "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e\x05\x00", 15, false},
	    {"ECDSA with SHA-256", "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 12, true},
	    {"RSA without the NULL", "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", 13, true},
	    {"RSA with a NULL of a byte", "\x30\x0e\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x01\x00", 16, false},
	    {"RSA with other parameters", "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x30\x00", 15, false},
	    {"ECDSA with a NULL", "\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x05\x00", 14, false},
	    {"Ed25519 with a NULL", "\x30\x07\x06\x03\x2b\x65\x70\x05\x00", 9, false},
	    {"ECDSA with SHA-1", "\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01", 11, false},
	    {"DSA with SHA-256", "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x02", 13, false},
	    {"Ed25519", "\x30\x05\x06\x03\x2b\x65\x70", 7, true},
	    {"PSS by default: SHA-1", "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x00", 15, false},
	    {"PSS with SHA-256",
	        "\x30\x1e\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x11\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"
	        "\x05\x00",
	        32, true},
	    {"nothing", "", 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if ((strength_signature_fault(span_of(rows[i].hex, rows[i].n)) == NULL) != rows[i].strong)
			fail_msg("%s", rows[i].what);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rsa_keys),
	    cmocka_unit_test(curves),
	    cmocka_unit_test(other_keys),
	    cmocka_unit_test(signatures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
