/*
 * test_signature.c - signatures by real keys: which verify, in how many encodings, and what the checks cost.
 */
#include "base/text.h"
#include "verify/x509/der.h"
#include "verify/x509/sigform.h"
#include "verify/x509/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#define MAX 4096

/* ---- keys, made once */

enum maker { P256, P384, P521, RSA, ED25519, ED448, MAKERS };

static const struct {
	const char *name;
	gnutls_pk_algorithm_t pk;
	unsigned bits;
	enum algorithm_family family;
	gnutls_sign_algorithm_t sign;
	gnutls_digest_algorithm_t digest;
	enum spki_kind kind;
} makers[MAKERS] = {
    [P256] = {"P-256", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), ALGORITHM_ECDSA,
	      GNUTLS_SIGN_ECDSA_SHA256, GNUTLS_DIG_SHA256, SPKI_P256},
    [P384] = {"P-384", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1), ALGORITHM_ECDSA,
	      GNUTLS_SIGN_ECDSA_SHA384, GNUTLS_DIG_SHA384, SPKI_P384},
    [P521] = {"P-521", GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1), ALGORITHM_ECDSA,
	      GNUTLS_SIGN_ECDSA_SHA512, GNUTLS_DIG_SHA512, SPKI_P521},
    [RSA] = {"RSA", GNUTLS_PK_RSA, 2048, ALGORITHM_RSA, GNUTLS_SIGN_RSA_SHA256, GNUTLS_DIG_SHA256, SPKI_RSA},
    [ED25519] = {"Ed25519", GNUTLS_PK_EDDSA_ED25519, 0, ALGORITHM_ED25519, GNUTLS_SIGN_EDDSA_ED25519,
		 GNUTLS_DIG_UNKNOWN, SPKI_ED25519},
    [ED448] = {"Ed448", GNUTLS_PK_EDDSA_ED448, 0, ALGORITHM_ED448, GNUTLS_SIGN_EDDSA_ED448, GNUTLS_DIG_UNKNOWN,
	       SPKI_ED448},
};

static const struct span message = {(const uint8_t *)"what was signed", 15};
static gnutls_privkey_t private[MAKERS];
static struct buf spki[MAKERS], value[MAKERS];

static void
sign(struct buf *out, enum maker m, gnutls_sign_algorithm_t with, struct span what)
{
	gnutls_datum_t data = {(unsigned char *)(uintptr_t)what.p, (unsigned)what.n}, made;

	buf_clear(out);
	assert_true(gnutls_privkey_sign_data2(private[m], with, 0, &data, &made) >= 0);
	buf_put(out, span_of(made.data, made.size));
	gnutls_free(made.data);
}

static int
keys_make(void **state)
{
	(void)state;
	for (size_t m = 0; m < MAKERS; m++) {
		gnutls_pubkey_t public = NULL;
		gnutls_datum_t der;

		spki[m] = buf_max(MAX);
		value[m] = buf_max(MAX);
		assert_true(gnutls_privkey_init(&private[m]) >= 0 && gnutls_pubkey_init(&public) >= 0);
		assert_true(gnutls_privkey_generate(private[m], makers[m].pk, makers[m].bits, 0) >= 0);
		assert_true(gnutls_pubkey_import_privkey(public, private[m], 0, 0) >= 0);
		assert_true(gnutls_pubkey_export2(public, GNUTLS_X509_FMT_DER, &der) >= 0);
		buf_put(&spki[m], span_of(der.data, der.size));
		gnutls_free(der.data);
		gnutls_pubkey_deinit(public);
		sign(&value[m], (enum maker)m, makers[m].sign, message);
	}
	return 0;
}

static int
keys_free(void **state)
{
	(void)state;
	for (size_t m = 0; m < MAKERS; m++) {
		gnutls_privkey_deinit(private[m]);
		buf_free(&spki[m]);
		buf_free(&value[m]);
	}
	return 0;
}

static struct algorithm
algorithm_of(enum maker m)
{
	return (struct algorithm){makers[m].family, makers[m].sign, makers[m].digest, 0, false};
}

static struct signature_budget
plenty(void)
{
	return (struct signature_budget){.max = 1000, .cost_max = 100000};
}

static enum res
check(enum maker m, struct span signature)
{
	struct signature s = {.bytes = message, .value = signature, .algorithm = algorithm_of(m)};
	struct signature_budget budget = plenty();

	return signature_check(&s, buf_span(&spki[m]), &budget);
}

/* ---- each kind of key */

static void
a_signature_verifies_with_its_key_only(void **state)
{
	(void)state;
	for (enum maker m = 0; m < MAKERS; m++)
		for (enum maker k = 0; k < MAKERS; k++) {
			struct signature s = {.bytes = message, .value = buf_span(&value[m]), .algorithm = algorithm_of(m)};
			struct signature_budget budget = plenty();
			enum res r = signature_check(&s, buf_span(&spki[k]), &budget);

			if (r != (m == k ? RES_OK : RES_NOT_FOUND))
				fail_msg("signed by %s, checked with %s: %s", makers[m].name, makers[k].name,
					 res_text(r));
		}
}

static void
other_bytes_do_not_verify(void **state)
{
	(void)state;
	for (enum maker m = 0; m < MAKERS; m++) {
		struct signature s = {.bytes = span_str("what was not"), .value = buf_span(&value[m]), .algorithm = algorithm_of(m)};
		struct signature_budget budget = plenty();

		assert_int_equal(signature_check(&s, buf_span(&spki[m]), &budget), RES_NOT_FOUND);
	}
}

/* ---- ECDSA: exactly two forms */

static void
an_ecdsa_signature_has_one_twin(void **state)
{
	(void)state;
	for (enum maker m = P256; m <= P521; m++)
		for (int i = 0; i < 20; i++) {
			struct buf made = buf_max(MAX), twin = buf_max(MAX), again = buf_max(MAX);

			sign(&made, m, makers[m].sign, message);
			assert_int_equal(ecdsa_twin(&twin, makers[m].kind, buf_span(&made)), RES_OK);
			assert_false(span_equal(buf_span(&made), buf_span(&twin)));
			assert_int_equal(check(m, buf_span(&twin)), RES_OK);
			assert_int_equal(ecdsa_twin(&again, makers[m].kind, buf_span(&twin)), RES_OK);
			assert_true(span_equal(buf_span(&made), buf_span(&again)));
			buf_free(&made);
			buf_free(&twin);
			buf_free(&again);
		}
}

/* The two numbers of a signature as octets without zeros in front. */
static void
numbers_read(struct span *r, struct span *s, struct span signature)
{
	struct der_reader in = der_only(signature, DER_SEQUENCE);

	*r = der_take(&in, DER_INTEGER).body;
	*s = der_take(&in, DER_INTEGER).body;
	assert_true(der_done(&in) && der_natural(r) == RES_OK && der_natural(s) == RES_OK);
}

enum integer { USUAL, PADDED, BARE, TOO_LARGE, ZERO, EMPTY, OCTETS };

static const uint8_t p256_order[] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
				     0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
				     0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

/* number + order: the same number for a reader that reduces it. The caller makes sure that both have 32 octets. */
static void
order_added(uint8_t out[33], struct span number)
{
	unsigned carry = 0;

	for (size_t i = 0; i < 32; i++) {
		carry += p256_order[31 - i] + (i < number.n ? number.p[number.n - 1 - i] : 0u);
		out[32 - i] = (uint8_t)carry;
		carry >>= 8;
	}
	out[0] = (uint8_t)carry;
}

static void
integer_put(struct buf *out, enum integer form, struct span number)
{
	struct buf body = buf_max(MAX);
	uint8_t large[33];
	bool sign = (number.p[0] & 0x80) != 0;

	switch (form) {
	case PADDED:
		buf_u8(&body, 0);
		/* fall through */
	case USUAL:
	case OCTETS:
		if (sign || form == PADDED)
			buf_u8(&body, 0);
		/* fall through */
	case BARE:
		buf_put(&body, number);
		break;
	case TOO_LARGE:
		order_added(large, number);
		if ((large[0] & 0x80) != 0)
			buf_u8(&body, 0);
		buf_put(&body, large[0] != 0 ? span_of(large, 33) : span_of(large + 1, 32));
		break;
	case ZERO:
		buf_u8(&body, 0);
		break;
	case EMPTY:
		break;
	}
	der_header(out, form == OCTETS ? DER_OCTET_STRING : DER_INTEGER, body.n);
	buf_put(out, buf_span(&body));
	buf_free(&body);
}

/* The encodings around and after the two numbers. */
enum wrapping { TIGHT, LONG_LENGTH, INDEFINITE, BYTE_INSIDE, BYTE_BEHIND, SET_INSTEAD, CUT };

static void
wrapping_put(struct buf *out, enum wrapping form, struct buf *body)
{
	if (form == BYTE_INSIDE)
		buf_put(body, span_of("\x05\x00", 2));
	if (form == LONG_LENGTH || form == INDEFINITE) {
		buf_u8(out, DER_SEQUENCE);
		buf_u8(out, form == INDEFINITE ? 0x80 : 0x81);
		if (form == LONG_LENGTH)
			buf_u8(out, (uint8_t)body->n);
	} else {
		der_header(out, form == SET_INSTEAD ? DER_SET : DER_SEQUENCE, body->n);
	}
	buf_put(out, buf_span(body));
	if (form == INDEFINITE)
		buf_put(out, span_of("\x00\x00", 2));
	if (form == BYTE_BEHIND)
		buf_u8(out, 0);
	if (form == CUT)
		out->n--;
}

static void
an_ecdsa_signature_is_strict_der(void **state)
{
	static const struct {
		const char *what;
		enum integer r, s;
		enum wrapping wrapping;
		bool verifies;
	} rows[] = {
	    {"the strict encoding", USUAL, USUAL, TIGHT, true},
	    {"r with a redundant zero", PADDED, USUAL, TIGHT, false},
	    {"s with a redundant zero", USUAL, PADDED, TIGHT, false},
	    {"r that reads as negative", BARE, USUAL, TIGHT, false},
	    {"s that reads as negative", USUAL, BARE, TIGHT, false},
	    {"r + n", TOO_LARGE, USUAL, TIGHT, false},
	    {"s + n", USUAL, TOO_LARGE, TIGHT, false},
	    {"r = 0", ZERO, USUAL, TIGHT, false},
	    {"s = 0", USUAL, ZERO, TIGHT, false},
	    {"r without octets", EMPTY, USUAL, TIGHT, false},
	    {"s without octets", USUAL, EMPTY, TIGHT, false},
	    {"r as an OCTET STRING", OCTETS, USUAL, TIGHT, false},
	    {"a length in long form", USUAL, USUAL, LONG_LENGTH, false},
	    {"an indefinite length", USUAL, USUAL, INDEFINITE, false},
	    {"a third element", USUAL, USUAL, BYTE_INSIDE, false},
	    {"a byte after the signature", USUAL, USUAL, BYTE_BEHIND, false},
	    {"a SET", USUAL, USUAL, SET_INSTEAD, false},
	    {"the last byte is missing", USUAL, USUAL, CUT, false},
	};
	struct buf made = buf_max(MAX);
	struct span r, s;

	(void)state;
	do { /* both with the top bit, so that they need a zero in front: each row then changes something */
		sign(&made, P256, makers[P256].sign, message);
		numbers_read(&r, &s, buf_span(&made));
	} while (r.n != 32 || s.n != 32 || r.p[0] < 0x80 || s.p[0] < 0x80);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf body = buf_max(MAX), whole = buf_max(MAX);

		integer_put(&body, rows[i].r, r);
		integer_put(&body, rows[i].s, s);
		wrapping_put(&whole, rows[i].wrapping, &body);
		if ((check(P256, buf_span(&whole)) == RES_OK) != rows[i].verifies)
			fail_msg("%s", rows[i].what);
		if ((ecdsa_twin(&made, SPKI_P256, buf_span(&whole)) == RES_OK) != rows[i].verifies)
			fail_msg("%s: it has a twin", rows[i].what);
		buf_free(&body);
		buf_free(&whole);
		sign(&made, P256, makers[P256].sign, message);
		do {
			sign(&made, P256, makers[P256].sign, message);
			numbers_read(&r, &s, buf_span(&made));
		} while (r.n != 32 || s.n != 32 || r.p[0] < 0x80 || s.p[0] < 0x80);
	}
	buf_free(&made);
}

/* ---- RSA and EdDSA: one form */

/* Edwards S + L, little-endian, in place; the last octet has room for it. */
static void
edwards_order_add(uint8_t *s)
{
	static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
					  0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	unsigned carry = 0;

	for (size_t i = 0; i < 32; i++) {
		carry += s[i] + (unsigned)order[i];
		s[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

static bool
form_fits(enum maker m, struct span signature)
{
	struct algorithm a = algorithm_of(m);
	struct spki key;

	assert_null(spki_read(&key, buf_span(&spki[m])));
	return signature_form_fits(&a, &key, signature);
}

static void
other_signatures_have_one_form(void **state)
{
	(void)state;
	for (enum maker m = RSA; m <= ED448; m++) {
		struct buf changed = buf_max(MAX);

		buf_put(&changed, buf_span(&value[m]));
		buf_u8(&changed, 0);
		assert_int_equal(check(m, buf_span(&changed)), RES_NOT_FOUND); /* with a byte after it */
		buf_clear(&changed);
		buf_u8(&changed, 0);
		buf_put(&changed, buf_span(&value[m]));
		assert_int_equal(check(m, buf_span(&changed)), RES_NOT_FOUND); /* with a zero in front */
		assert_int_equal(check(m, span_slice(buf_span(&value[m]), 0, value[m].n - 1)), RES_NOT_FOUND);
		assert_int_equal(check(m, span_of("", 0)), RES_NOT_FOUND);
		buf_free(&changed);
	}
	edwards_order_add(value[ED25519].p + 32);
	assert_int_equal(check(ED25519, buf_span(&value[ED25519])), RES_NOT_FOUND);
}

static void
an_rsa_signature_is_below_the_modulus(void **state)
{
	struct signature s = {.bytes = message, .value = {NULL, 0}, .algorithm = algorithm_of(RSA)};
	struct spki key;
	uint8_t same[256];

	(void)state;
	assert_null(spki_read(&key, buf_span(&spki[RSA])));
	memcpy(same, key.modulus.p, sizeof same);
	s.value = span_of(same, sizeof same);
	assert_false(signature_form_fits(&s.algorithm, &key, s.value));
	same[255]--; /* the modulus is odd */
	assert_true(signature_form_fits(&s.algorithm, &key, s.value));
	memset(same, 0xff, sizeof same);
	assert_false(signature_form_fits(&s.algorithm, &key, s.value));
}

/* S must be below the order L: L itself is refused. */
static void
an_edwards_signature_is_below_the_order(void **state)
{
	struct buf changed = buf_max(MAX);

	(void)state;
	buf_put(&changed, buf_span(&value[ED25519]));
	memset(changed.p + 32, 0, 32);
	edwards_order_add(changed.p + 32);
	assert_int_equal(check(ED25519, buf_span(&changed)), RES_NOT_FOUND);
	assert_false(form_fits(ED25519, buf_span(&changed)));
	changed.p[32]--;
	assert_true(form_fits(ED25519, buf_span(&changed)));
	buf_free(&changed);
}

/* RFC 4055, 1.2 and 3.3: a key for PSS alone signs nothing else, and only with its digest when it names one. */
static void
a_key_takes_the_signatures_of_its_kind(void **state)
{
	static const struct {
		const char *what;
		enum spki_kind key;
		gnutls_digest_algorithm_t only;
		enum algorithm_family family;
		gnutls_digest_algorithm_t digest;
		bool fits;
	} rows[] = {
	    {"RSA, PKCS #1", SPKI_RSA, GNUTLS_DIG_UNKNOWN, ALGORITHM_RSA, GNUTLS_DIG_SHA256, true},
	    {"RSA, PSS", SPKI_RSA, GNUTLS_DIG_UNKNOWN, ALGORITHM_RSA_PSS, GNUTLS_DIG_SHA256, true},
	    {"RSA, ECDSA", SPKI_RSA, GNUTLS_DIG_UNKNOWN, ALGORITHM_ECDSA, GNUTLS_DIG_SHA256, false},
	    {"RSA-PSS, PKCS #1", SPKI_RSA_PSS, GNUTLS_DIG_UNKNOWN, ALGORITHM_RSA, GNUTLS_DIG_SHA256, false},
	    {"RSA-PSS without a digest", SPKI_RSA_PSS, GNUTLS_DIG_UNKNOWN, ALGORITHM_RSA_PSS, GNUTLS_DIG_SHA384, true},
	    {"RSA-PSS, its digest", SPKI_RSA_PSS, GNUTLS_DIG_SHA384, ALGORITHM_RSA_PSS, GNUTLS_DIG_SHA384, true},
	    {"RSA-PSS, another digest", SPKI_RSA_PSS, GNUTLS_DIG_SHA384, ALGORITHM_RSA_PSS, GNUTLS_DIG_SHA256, false},
	    {"RSA-PSS, PKCS #1 with its digest", SPKI_RSA_PSS, GNUTLS_DIG_SHA384, ALGORITHM_RSA, GNUTLS_DIG_SHA384, false},
	};
	static const uint8_t one[256] = {[255] = 1};
	struct spki key;

	(void)state;
	assert_null(spki_read(&key, buf_span(&spki[RSA])));
	assert_int_equal(key.modulus.n, sizeof one);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct algorithm a = {.family = rows[i].family, .digest = rows[i].digest, .salt = 32};

		key.kind = rows[i].key;
		key.only = rows[i].only;
		if (signature_form_fits(&a, &key, span_of(one, sizeof one)) != rows[i].fits)
			fail_msg("%s", rows[i].what);
	}
}

/* ---- RSA-PSS: the salt must have the declared length */

static void
pss_takes_the_salt_of_its_parameters(void **state)
{
	static const struct {
		unsigned made, declared;
		bool verifies;
	} rows[] = {{32, 32, true}, {32, 33, false}, {64, 64, true}, {222, 222, true}, {222, 32, false}, {32, 20, false}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct signature s = {.bytes = message,
				      .algorithm = {ALGORITHM_RSA_PSS, GNUTLS_SIGN_RSA_PSS_SHA256, GNUTLS_DIG_SHA256,
						    rows[i].declared, false}};
		struct signature_budget budget = plenty();
		struct buf made = buf_max(MAX);
		gnutls_x509_spki_t salt;
		gnutls_privkey_t key = NULL;
		gnutls_datum_t data = {(unsigned char *)(uintptr_t)message.p, (unsigned)message.n}, out;
		gnutls_x509_privkey_t plain;

		assert_true(gnutls_privkey_export_x509(private[RSA], &plain) >= 0);
		assert_true(gnutls_x509_spki_init(&salt) >= 0 && gnutls_privkey_init(&key) >= 0);
		gnutls_x509_spki_set_rsa_pss_params(salt, GNUTLS_DIG_SHA256, rows[i].made);
		assert_true(gnutls_x509_privkey_set_spki(plain, salt, 0) >= 0);
		assert_true(gnutls_privkey_import_x509(key, plain, GNUTLS_PRIVKEY_IMPORT_AUTO_RELEASE) >= 0);
		assert_true(gnutls_privkey_sign_data2(key, GNUTLS_SIGN_RSA_PSS_SHA256, 0, &data, &out) >= 0);
		buf_put(&made, span_of(out.data, out.size));
		gnutls_free(out.data);
		s.value = buf_span(&made);
		if ((signature_check(&s, buf_span(&spki[RSA]), &budget) == RES_OK) != rows[i].verifies)
			fail_msg("made with a salt of %u, declared to be %u", rows[i].made, rows[i].declared);
		gnutls_privkey_deinit(key);
		gnutls_x509_spki_deinit(salt);
		buf_free(&made);
	}
}

/* GnuTLS makes no salt below the digest's length, so these signatures of "what was signed" are from another library. */
static const char short_salt_key[] =
    "30820122300d06092a864886f70d01010105000382010f003082010a0282010100dd8232ffb81d33b544be23fc1af495"
    "9948d8507e56dd9ac87f9f2a33fab560c78ecce78c30f9a3cc087618ce8927143d92c4984b542ed91912d795df491f01"
    "d3d339b8ec0b88cc6e5f038aa959b4aaff10045fa5407e2de61ef7b6d086bb0ca58c237d8c7598d8c552e9b2413b6abd"
    "3608cc8daeaeed3af21199e78ff4f4ca3960f03d5213544f3db1acf46c4148dfbd6812467fa97287f1295ef9a4f03f88"
    "d6b4dc95e4cb24b93374b462f0eb779acd571a859ca845c0837caf6247ee225ac4891d6be5eb531f4e574c9edebf6ddb"
    "c656b2bc6a06bcad398a68cfdd865288e1e98a72521db6009eea12a4cb204e96976965216a7ae3ed3aae11dd5d0f1b38"
    "ff0203010001";

static const char made_with_salt_0[] =
    "a0641e99eeffe3a499434854fcb8b57ee256f3d0a151336d7a9e4bc2f56502ab8806c1b8c048fd8264aadb6d44586094"
    "30f28a9e85d68e6058ba4b261985166f330bbed76b81e5a93ffd3e56bd1a44661cfb134baddcd2353f03bde1c7af637c"
    "2598de63e458858ab5d88d184b46e0b50e7be775d091a922f2927014a1e890e002b3bc290286e2481dbdf460a2827be6"
    "bbceb1dccc9d3d60eeba11aaef95938492a0b923debac056bd601f0bddb8f19b4de9afb34a35558d02c59d83591f39ce"
    "389b6d66d955d085ac5ecf824eaea508397dd415eb884ebd7a46b019a146bdc84b8fbdf2cb2e8160b036ef00675c5aac"
    "3f698a48f632a3f851ceb8751593ce7c";

static const char made_with_salt_20[] =
    "4e7e7b0b5f9468c75d56a61fcc5b8e639eeb18178930968a36afeba9813f82f5de9ea77777823245d2fc404f11a9527f"
    "eb1ac1dc71a66a5e7ef44e90db66f1dd84e9c2da4bde3d17815b71d9bb833dc693a18db50572baa7ab7b6679752b82cf"
    "87322584d33079767158269dd1fc6b75faf25fd32ac7b72ddde00a9f15f45dca163c5eca28772e9b08d23ab500d7555c"
    "a9730756ed0e6a2eebc7c34207618d6e2fd293034414106f8f9a34648b37f995d7d9c78f10eec4a8786f3a7262bce7a3"
    "97d079419bab418adecad28fee354825650069e81bcba19d01871f7a3309fc92339d5c80b4f0728ea7ed873add420a12"
    "b437fd3c0105309a0c9ddea1d522d939";

static void
pss_takes_a_salt_shorter_than_the_digest(void **state)
{
	static const struct {
		const char *value;
		size_t salt;
		bool verifies;
	} rows[] = {{made_with_salt_0, 0, true}, {made_with_salt_20, 20, true}, {made_with_salt_20, 0, false},
		    {made_with_salt_0, 20, false}, {made_with_salt_0, 32, false}};
	uint8_t key[294], given[256];

	(void)state;
	assert_int_equal(hex_read(key, sizeof key, span_str(short_salt_key)), RES_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct signature s = {.bytes = span_str("what was signed"), .value = span_of(given, sizeof given),
				      .algorithm = {ALGORITHM_RSA_PSS, GNUTLS_SIGN_RSA_PSS_SHA256, GNUTLS_DIG_SHA256,
						    rows[i].salt, false}};

		assert_int_equal(hex_read(given, sizeof given, span_str(rows[i].value)), RES_OK);
		for (unsigned hashed = 0; hashed < 2; hashed++) {
			struct signature_budget budget = plenty();

			if (hashed == 1)
				assert_int_equal(signature_hash(&s), RES_OK);
			if ((signature_check(&s, span_of(key, sizeof key), &budget) == RES_OK) != rows[i].verifies)
				fail_msg("row %zu, hashed %u", i, hashed);
		}
	}
}

/* ---- the budget */

static void
the_budget_counts_checks_and_their_cost(void **state)
{
	struct signature s = {.bytes = message, .value = buf_span(&value[P521]), .algorithm = algorithm_of(P521)};
	struct signature_budget budget = {.max = 2, .cost_max = 1000};

	(void)state;
	assert_int_equal(signature_check(&s, buf_span(&spki[P521]), &budget), RES_OK);
	assert_int_equal(budget.used, 1);
	assert_int_equal(budget.cost, 82);
	s.bytes = span_str("something else");
	assert_int_equal(signature_check(&s, buf_span(&spki[P521]), &budget), RES_NOT_FOUND); /* this one is computed, too */
	assert_int_equal(budget.used, 2);
	assert_int_equal(signature_check(&s, buf_span(&spki[P521]), &budget), RES_LIMIT);
	assert_int_equal(budget.used, 2);
	s.bytes = message;
	budget = (struct signature_budget){.max = 10, .cost_max = 163};
	assert_int_equal(signature_check(&s, buf_span(&spki[P521]), &budget), RES_OK);
	assert_int_equal(signature_check(&s, buf_span(&spki[P521]), &budget), RES_LIMIT);
	assert_int_equal(budget.cost, 82);
	assert_int_equal(signature_check(&s, buf_span(&spki[RSA]), &budget), RES_NOT_FOUND); /* not computed */
	assert_int_equal(signature_check(&s, span_of("\x30\x00", 2), &budget), RES_NOT_FOUND);
	assert_int_equal(budget.used, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_signature_verifies_with_its_key_only),
	    cmocka_unit_test(other_bytes_do_not_verify),
	    cmocka_unit_test(an_ecdsa_signature_has_one_twin),
	    cmocka_unit_test(an_ecdsa_signature_is_strict_der),
	    cmocka_unit_test(an_edwards_signature_is_below_the_order),
	    cmocka_unit_test(other_signatures_have_one_form),
	    cmocka_unit_test(an_rsa_signature_is_below_the_modulus),
	    cmocka_unit_test(a_key_takes_the_signatures_of_its_kind),
	    cmocka_unit_test(pss_takes_the_salt_of_its_parameters),
	    cmocka_unit_test(pss_takes_a_salt_shorter_than_the_digest),
	    cmocka_unit_test(the_budget_counts_checks_and_their_cost),
	};

	return cmocka_run_group_tests(tests, keys_make, keys_free);
}
