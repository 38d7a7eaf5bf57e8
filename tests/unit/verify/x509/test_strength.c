#include "verify/x509/strength.h"
#include "verify/x509/der.h"
#include "verify/x509/oid.h"
#include "verify/x509/spki.h"

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

/* The fault of an RSA key with this modulus and exponent (contents of INTEGERs) and these parameters. */
static const char *
rsa_fault(struct span oid, struct span parameters, struct span modulus, struct span exponent)
{
	struct buf body = buf_max(MAX), key = buf_max(MAX), spki = buf_max(MAX);
	const char *fault;

	put(&body, DER_INTEGER, modulus);
	put(&body, DER_INTEGER, exponent);
	wrap(&key, DER_SEQUENCE, &body);
	spki_make(&spki, oid, parameters, buf_span(&key));
	fault = strength_key_fault(buf_span(&spki));
	buf_free(&body);
	buf_free(&key);
	buf_free(&spki);
	return fault;
}

static const struct span null = {(const uint8_t *)"\x05\x00", 2};

/* An RSA key whose modulus has so many bits, all ones. */
static const char *
rsa(struct span oid, struct span parameters, size_t bits, struct span exponent)
{
	struct buf modulus = buf_max(MAX);
	const char *fault;

	if (bits % 8 == 0)
		buf_u8(&modulus, 0);
	else
		buf_u8(&modulus, (uint8_t)((1u << bits % 8) - 1));
	for (size_t i = 0; i < bits / 8; i++)
		buf_u8(&modulus, 0xff);
	fault = rsa_fault(oid, parameters, buf_span(&modulus), exponent);
	buf_free(&modulus);
	return fault;
}

static void
rsa_keys(void **state)
{
	static const uint8_t long_exponent[2048] = {1, [2047] = 1};
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
	    {"8192 bits", 8192, span_of("\x01\x00\x01", 3), true},
	    {"8200 bits", 8200, span_of("\x01\x00\x01", 3), false},
	    {"16384 bits", 16384, span_of("\x01\x00\x01", 3), false},
	    {"an exponent of 3", 2048, span_of("\x03", 1), true},
	    {"an exponent of 1", 2048, span_of("\x01", 1), false},
	    {"an exponent of 0", 2048, span_of("\x00", 1), false},
	    {"an even exponent", 2048, span_of("\x04", 1), false},
	    {"a negative exponent", 2048, span_of("\xfd", 1), false},
	    {"an exponent of 2^32 - 1", 2048, span_of("\x00\xff\xff\xff\xff", 5), true},
	    {"an exponent of 2^32 + 1", 2048, span_of("\x01\x00\x00\x00\x01", 5), false},
	    {"an exponent of 2^33 - 1", 2048, span_of("\x01\xff\xff\xff\xff", 5), false},
	    {"an exponent as long as the modulus", 2048, span_of(long_exponent, 256), false},
	    {"an exponent longer than the modulus", 2048, span_of(long_exponent, 2048), false},
	    {"an exponent with a zero in front", 2048, span_of("\x00\x01\x00\x01", 4), false},
	    {"no exponent", 2048, span_of("", 0), false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if ((rsa(OID_RSA, null, rows[i].bits, rows[i].exponent) == NULL) != rows[i].strong)
			fail_msg("%s", rows[i].what);
}

/* One key has one encoding: another one would have another hash. */
static void
rsa_encodings(void **state)
{
	static const uint8_t plain[258] = {0, 0xff, [257] = 1}, padded[259] = {0, 0, 0xff, [258] = 1};
	static const uint8_t negative[256] = {0xff, [255] = 1}, even[258] = {0, 0xff};
#define PSS(oid)                                                                                             \
	"\x30\x34\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" oid "\x05\x00\xa1\x1c\x30\x1a"     \
	"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" oid    \
	"\x05\x00\xa2\x03\x02\x01"
	const struct span usual = span_of(plain, sizeof plain);
	const struct {
		const char *what;
		struct span oid, parameters, modulus;
		bool strong;
	} rows[] = {
	    {"RSA with NULL", OID_RSA, null, usual, true},
	    {"RSA without parameters", OID_RSA, {NULL, 0}, usual, false},
	    {"RSA with a NULL that has a byte", OID_RSA, OID("\x05\x01\x00"), usual, false},
	    {"RSA with an empty SEQUENCE", OID_RSA, OID("\x30\x00"), usual, false},
	    {"RSA with two NULLs", OID_RSA, OID("\x05\x00\x05\x00"), usual, false},
	    {"RSA with a modulus that is padded", OID_RSA, null, span_of(padded, sizeof padded), false},
	    {"RSA with a negative modulus", OID_RSA, null, span_of(negative, sizeof negative), false},
	    {"RSA with an even modulus", OID_RSA, null, span_of(even, sizeof even), false},
	    {"PSS for any digest", OID_RSA_PSS, {NULL, 0}, usual, true},
	    {"PSS with NULL", OID_RSA_PSS, null, usual, false},
	    {"PSS with SHA-256", OID_RSA_PSS, OID(PSS("\x01") "\x20"), usual, true},
	    {"PSS with SHA-384", OID_RSA_PSS, OID(PSS("\x02") "\x30"), usual, true},
	    {"PSS with SHA-512", OID_RSA_PSS, OID(PSS("\x03") "\x40"), usual, true},
	    {"PSS with another salt", OID_RSA_PSS, OID(PSS("\x01") "\x21"), usual, false},
	    {"PSS with SHA-224", OID_RSA_PSS, OID(PSS("\x04") "\x1c"), usual, false},
	    {"PSS by default: SHA-1", OID_RSA_PSS, OID("\x30\x00"), usual, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if ((rsa_fault(rows[i].oid, rows[i].parameters, rows[i].modulus, span_of("\x01\x00\x01", 3)) ==
		     NULL) != rows[i].strong)
			fail_msg("%s", rows[i].what);
	assert_non_null(rsa(OID_RSA_PSS, OID(""), 1024, span_of("\x01\x00\x01", 3)));
}

/* The cost of a check with a key, in tenths of one with RSA-4096: in the order of measured times. */
static void
costs(void **state)
{
	struct spki key;
	struct buf body = buf_max(MAX), bytes = buf_max(MAX), spki = buf_max(MAX), modulus = buf_max(MAX);
	const struct {
		size_t bits;
		struct span exponent;
		unsigned cost;
	} rows[] = {
	    {2048, span_of("\x01\x00\x01", 3), 4},   {2056, span_of("\x03", 1), 8},
	    {3072, span_of("\x01\x00\x01", 3), 8},   {4096, span_of("\x01\x00\x01", 3), 10},
	    {4104, span_of("\x01\x00\x01", 3), 20},  {8192, span_of("\x01\x00\x01", 3), 28},
	    {8192, span_of("\x01\x00\x03", 3), 70},  {8192, span_of("\x00\xff\xff\xff\xff", 5), 70},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		buf_clear(&body);
		buf_clear(&bytes);
		buf_clear(&modulus);
		buf_u8(&modulus, 0);
		for (size_t k = 0; k < rows[i].bits / 8; k++)
			buf_u8(&modulus, 0xff);
		put(&body, DER_INTEGER, buf_span(&modulus));
		put(&body, DER_INTEGER, rows[i].exponent);
		wrap(&bytes, DER_SEQUENCE, &body);
		spki_make(&spki, OID_RSA, null, buf_span(&bytes));
		assert_null(spki_read(&key, buf_span(&spki)));
		assert_int_equal(key.cost, rows[i].cost);
	}
	buf_free(&body);
	buf_free(&bytes);
	buf_free(&spki);
	buf_free(&modulus);
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
	    {"a compressed point", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10, 33, false},
	    {"a curve and a NULL", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x05\x00", 12, 65, false},
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
	    {"RSA without the NULL (RFC 4055, 5)", "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", 13, true},
	    {"RSA with SHA-1 and without the NULL", "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", 13, false},
	    {"RSA with two NULLs", "\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00\x05\x00", 17, false},
	    {"RSA with a NULL of a byte", "\x30\x0e\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x01\x00", 16, false},
	    {"RSA with other parameters", "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x30\x00", 15, false},
	    {"ECDSA with a NULL", "\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x05\x00", 14, false},
	    {"Ed25519 with a NULL", "\x30\x07\x06\x03\x2b\x65\x70\x05\x00", 9, false},
	    {"ECDSA with SHA-1", "\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01", 11, false},
	    {"DSA with SHA-256", "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x02", 13, false},
	    {"Ed25519", "\x30\x05\x06\x03\x2b\x65\x70", 7, true},
	    {"PSS by default: SHA-1", "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x00", 15, false},
	    {"PSS with a digest and no mask",
	     "\x30\x1e\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x11\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01"
	     "\x65\x03\x04\x02\x01\x05\x00",
	     32, false},
	    {"nothing", "", 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if ((strength_signature_fault(span_of(rows[i].hex, rows[i].n)) == NULL) != rows[i].strong)
			fail_msg("%s", rows[i].what);
}

/* RSASSA-PSS-params in parts, each of which a row can replace. */
static void
pss_signatures(void **state)
{
#define SHA(n)    "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" n
#define MGF1      "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"
#define D256      "\xa0\x0f\x30\x0d" SHA("\x01") "\x05\x00"
#define M256      "\xa1\x1c\x30\x1a" MGF1 "\x30\x0d" SHA("\x01") "\x05\x00"
#define S32       "\xa2\x03\x02\x01\x20"
#define ID(n)     "\x30" n "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30"
	static const struct {
		const char *what;
		struct span der;
		bool strong;
	} rows[] = {
	    {"SHA-256 throughout", {(const uint8_t *)ID("\x41") "\x34" D256 M256 S32, 67}, true},
	    {"digests without NULL (RFC 4055, 2.1)",
	     {(const uint8_t *)ID("\x3d") "\x30\xa0\x0d\x30\x0b" SHA("\x01") "\xa1\x1a\x30\x18" MGF1
					  "\x30\x0b" SHA("\x01") S32, 63}, true},
	    {"another digest for the mask",
	     {(const uint8_t *)ID("\x41") "\x34" D256 "\xa1\x1c\x30\x1a" MGF1 "\x30\x0d" SHA("\x02") "\x05\x00" S32, 67},
	     false},
	    {"no salt length: 20 is the default", {(const uint8_t *)ID("\x3c") "\x2f" D256 M256, 62}, false},
	    {"the default trailer written out",
	     {(const uint8_t *)ID("\x46") "\x39" D256 M256 S32 "\xa3\x03\x02\x01\x01", 72}, false},
	    {"another trailer", {(const uint8_t *)ID("\x46") "\x39" D256 M256 S32 "\xa3\x03\x02\x01\x02", 72}, false},
	    {"a salt length with a zero in front",
	     {(const uint8_t *)ID("\x42") "\x35" D256 M256 "\xa2\x04\x02\x02\x00\x20", 68}, false},
	    {"a byte after the salt",
	     {(const uint8_t *)ID("\x43") "\x36" D256 M256 "\xa2\x05\x02\x01\x20\x05\x00", 69}, false},
	    {"parameters twice", {(const uint8_t *)ID("\x43") "\x34" D256 M256 S32 "\x05\x00", 69}, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if ((strength_signature_fault(rows[i].der) == NULL) != rows[i].strong)
			fail_msg("%s", rows[i].what);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rsa_keys),
	    cmocka_unit_test(rsa_encodings),
	    cmocka_unit_test(costs),
	    cmocka_unit_test(curves),
	    cmocka_unit_test(other_keys),
	    cmocka_unit_test(signatures),
	    cmocka_unit_test(pss_signatures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
