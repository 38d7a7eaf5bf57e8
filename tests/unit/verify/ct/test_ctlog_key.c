/*
 * Which keys a log may have: the result must be that of GnuTLS, which reads the key and writes it again.
 */
#include "verify/ct/ctlogs_build.h"

#include "base/text.h"
#include "verify/ct/logsign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gnutls/abstract.h>

#include "tests/unit/verify/ct/ctlog_keys.h"

#define P256_HEAD 27 /* the bytes before the two coordinates */

static bool
gnutls_takes(struct span key, enum ctlog_key_kind *kind)
{
	gnutls_datum_t der = {(unsigned char *)(uintptr_t)key.p, (unsigned)key.n}, again = {NULL, 0};
	gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
	gnutls_pubkey_t read;
	unsigned bits = 0;
	bool taken;

	assert_true(gnutls_pubkey_init(&read) >= 0);
	taken = gnutls_pubkey_import(read, &der, GNUTLS_X509_FMT_DER) >= 0 && gnutls_pubkey_export2(read, GNUTLS_X509_FMT_DER, &again) >= 0 &&
		span_equal(span_of(again.data, again.size), key);
	*kind = gnutls_pubkey_get_pk_algorithm(read, &bits) == GNUTLS_PK_RSA ? CTLOG_RSA : CTLOG_ECDSA_P256;
	if (taken && *kind == CTLOG_RSA)
		taken = bits >= CTLOG_RSA_BITS_MIN && bits <= CTLOG_RSA_BITS_MAX;
	else if (taken)
		taken = gnutls_pubkey_get_pk_algorithm(read, NULL) == GNUTLS_PK_ECDSA &&
			gnutls_pubkey_export_ecc_raw2(read, &curve, NULL, NULL, 0) >= 0 && curve == GNUTLS_ECC_CURVE_SECP256R1;
	gnutls_free(again.data);
	gnutls_pubkey_deinit(read);
	return taken;
}

/* Reads the key with our reader and with GnuTLS, which must agree. True when the key is accepted. */
static bool
both_read(struct span key, const char *what, size_t at, unsigned flip)
{
	const struct ctlog log = {.key = key, .operator_name = "Op"};
	enum ctlog_key_kind kind;
	bool want = gnutls_takes(key, &kind), taken;
	struct ctlogs *list;
	char *why = NULL;

	assert_int_equal(ctlogs_new(&list), RES_OK);
	taken = ctlogs_add(list, &log, &why) == RES_OK;
	if (taken != want || (taken && list->log[0].key_kind != kind))
		fail_msg("%s, byte %zu changed by %02x: GnuTLS %s it; %s", what, at, flip, want ? "accepts" : "refuses", why != NULL ? why : "accepted");
	free(why);
	ctlogs_free(list);
	return taken;
}

static struct buf
key_of(const char *base64)
{
	struct buf key = buf_max(CTLOG_KEY_MAX + 1);

	assert_int_equal(base64_read(&key, span_str(base64)), RES_OK);
	return key;
}

static const struct {
	const char *what;
	const char *key;
	bool taken;
} keys[] = {
    {"P-256", A_KEY, true},         {"RSA of 2048 bits", RSA2048_KEY, true}, {"RSA of 1024 bits", RSA1024_KEY, false},
    {"P-384", P384_KEY, false},     {"Ed25519", ED_KEY, false},              {"P-256 and a byte", TAIL_KEY, false},
};

static void
keys_are_read_as_gnutls_reads_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		struct buf key = key_of(keys[i].key);

		if (both_read(buf_span(&key), keys[i].what, 0, 0) != keys[i].taken)
			fail_msg("%s is %s", keys[i].what, keys[i].taken ? "refused" : "taken");
		for (size_t n = 0; n < key.n; n++)
			assert_false(both_read(span_of(key.p, n), keys[i].what, n, 0) && keys[i].taken);
		buf_free(&key);
	}
}

/* Every value of every byte before the coordinates, in which a key could have a second encoding. */
static void
a_changed_header_is_read_as_gnutls_reads_it(void **state)
{
	struct buf key = key_of(A_KEY);

	(void)state;
	for (size_t at = 0; at < P256_HEAD; at++)
		for (unsigned flip = 1; flip < 256; flip++) {
			key.p[at] ^= (uint8_t)flip;
			assert_false(both_read(buf_span(&key), "P-256", at, flip));
			key.p[at] ^= (uint8_t)flip;
		}
	buf_free(&key);
}

/* GnuTLS reads such a key, and so does the list. */
static void
a_point_off_the_curve_verifies_nothing(void **state)
{
	static const uint8_t signature[] = {0x30, 6, 2, 1, 1, 2, 1, 1};
	struct buf key = key_of(A_KEY);
	struct ctlog log = {.key_kind = CTLOG_ECDSA_P256};

	(void)state;
	memset(key.p + P256_HEAD, 7, key.n - P256_HEAD);
	assert_true(both_read(buf_span(&key), "a point off the curve", 0, 0));
	log.key = buf_span(&key);
	assert_int_equal(log_signature_verify(&log, span_str("x"), span_of(signature, sizeof signature)), RES_MALFORMED);
	buf_free(&key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_are_read_as_gnutls_reads_them),
	    cmocka_unit_test(a_changed_header_is_read_as_gnutls_reads_it),
	    cmocka_unit_test(a_point_off_the_curve_verifies_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
