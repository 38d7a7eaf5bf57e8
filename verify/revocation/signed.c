#include "verify/revocation/signed.h"

#include "verify/x509/der.h"
#include "verify/x509/oid.h"
#include "verify/x509/strength.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#define OID_MGF1          OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08")

#define ED448_SIGNATURE_N 114
#define PSS_SALT_DEFAULT  20   /* RFC 4055, 3.1 */
#define PSS_SALT_MAX      1024 /* bytes; more does not fit into RSA of 8192 bits */

struct signed_row {
	struct span oid;
	gnutls_sign_algorithm_t sign;
	gnutls_digest_algorithm_t digest;
};

static gnutls_datum_t
datum(struct span s)
{
	return (gnutls_datum_t){(unsigned char *)(uintptr_t)s.p, (unsigned)s.n};
}

static bool
row_find(struct signed_body *s, gnutls_digest_algorithm_t *digest, const struct signed_row *rows, size_t n,
	 struct span oid)
{
	for (size_t i = 0; i < n; i++)
		if (span_equal(oid, rows[i].oid)) {
			s->algorithm = rows[i].sign;
			*digest = rows[i].digest;
			return true;
		}
	return false;
}

/* The OID of a HashAlgorithm; with it NULL or nothing. */
static struct span
hash_oid(struct der_reader *in)
{
	struct der_reader id = der_enter(in, DER_SEQUENCE);
	struct span oid = der_take(&id, DER_OID).body;

	if (der_at(&id, DER_NULL))
		der_any(&id);
	if (!der_done(&id))
		in->bad = true;
	return oid;
}

/* RSASSA-PSS-params (RFC 4055, 3.1): a SHA-2 digest, and the same for the mask. */
static bool
signed_pss_read(struct signed_body *s, gnutls_digest_algorithm_t *digest, struct der_reader *algorithm)
{
	const struct signed_row rows[] = {
	    {OID_SHA256, GNUTLS_SIGN_RSA_PSS_SHA256, GNUTLS_DIG_SHA256},
	    {OID_SHA384, GNUTLS_SIGN_RSA_PSS_SHA384, GNUTLS_DIG_SHA384},
	    {OID_SHA512, GNUTLS_SIGN_RSA_PSS_SHA512, GNUTLS_DIG_SHA512},
	};
	struct der_reader params = der_enter(algorithm, DER_SEQUENCE);
	struct der_reader hash = der_enter(&params, DER_CONTEXT_CONS(0));
	struct der_reader mask = der_enter(&params, DER_CONTEXT_CONS(1));
	struct der_reader mgf = der_enter(&mask, DER_SEQUENCE), last;
	struct span oid = hash_oid(&hash), function = der_take(&mgf, DER_OID).body, masked = hash_oid(&mgf);
	uint32_t salt = PSS_SALT_DEFAULT, trailer = 1;

	if (der_at(&params, DER_CONTEXT_CONS(2))) {
		last = der_enter(&params, DER_CONTEXT_CONS(2));
		if (der_uint(&salt, der_take(&last, DER_INTEGER).body) != RES_OK || !der_done(&last))
			return false;
	}
	if (der_at(&params, DER_CONTEXT_CONS(3))) {
		last = der_enter(&params, DER_CONTEXT_CONS(3));
		if (der_uint(&trailer, der_take(&last, DER_INTEGER).body) != RES_OK || !der_done(&last))
			return false;
	}
	s->salt = salt;
	return der_done(&params) && der_done(&hash) && der_done(&mask) && der_done(&mgf) &&
	       span_equal(function, OID_MGF1) && span_equal(masked, oid) && salt <= PSS_SALT_MAX &&
	       trailer == 1 && row_find(s, digest, rows, sizeof rows / sizeof rows[0], oid);
}

static bool
signed_algorithm_read(struct signed_body *s, gnutls_digest_algorithm_t *digest, struct span sig_alg)
{
	const struct signed_row rows[] = {
	    {OID_RSA_SHA256, GNUTLS_SIGN_RSA_SHA256, GNUTLS_DIG_SHA256},
	    {OID_RSA_SHA384, GNUTLS_SIGN_RSA_SHA384, GNUTLS_DIG_SHA384},
	    {OID_RSA_SHA512, GNUTLS_SIGN_RSA_SHA512, GNUTLS_DIG_SHA512},
	    {OID_ECDSA_SHA256, GNUTLS_SIGN_ECDSA_SHA256, GNUTLS_DIG_SHA256},
	    {OID_ECDSA_SHA384, GNUTLS_SIGN_ECDSA_SHA384, GNUTLS_DIG_SHA384},
	    {OID_ECDSA_SHA512, GNUTLS_SIGN_ECDSA_SHA512, GNUTLS_DIG_SHA512},
	    {OID_ED25519, GNUTLS_SIGN_EDDSA_ED25519, GNUTLS_DIG_NULL},
	    {OID_ED448, GNUTLS_SIGN_EDDSA_ED448, GNUTLS_DIG_NULL},
	};
	struct der_reader in = der_only(sig_alg, DER_SEQUENCE);
	struct span oid = der_take(&in, DER_OID).body;

	if (strength_signature_fault(sig_alg) != NULL)
		return false;
	if (span_equal(oid, OID_RSA_PSS))
		return signed_pss_read(s, digest, &in) && der_done(&in);
	return row_find(s, digest, rows, sizeof rows / sizeof rows[0], oid);
}

enum res
signed_read(struct signed_body *out, struct span body, struct span sig_alg, struct span signature)
{
	struct signed_body s = {.body = body, .signature = signature};
	gnutls_digest_algorithm_t digest;

	if (!signed_algorithm_read(&s, &digest, sig_alg))
		return RES_UNSUPPORTED;
	if (digest != GNUTLS_DIG_NULL) {
		s.digest_n = gnutls_hash_get_len(digest);
		if (gnutls_hash_fast(digest, body.p, body.n, s.digest) < 0)
			return RES_NOMEM;
	}
	*out = s;
	return RES_OK;
}

/* GnuTLS takes the length of the salt from the key. */
static int
salt_set(gnutls_pubkey_t key, const struct signed_body *s)
{
	gnutls_digest_algorithm_t digest = gnutls_sign_get_hash_algorithm(s->algorithm);
	gnutls_x509_spki_t parameters;
	int rc;

	if (gnutls_sign_get_pk_algorithm(s->algorithm) != GNUTLS_PK_RSA_PSS)
		return 0;
	rc = gnutls_x509_spki_init(&parameters);
	if (rc < 0)
		return rc;
	gnutls_x509_spki_set_rsa_pss_params(parameters, digest, s->salt);
	rc = gnutls_pubkey_set_spki(key, parameters, 0);
	gnutls_x509_spki_deinit(parameters);
	return rc;
}

/* RFC 8032, 5.2.7: the half of the signature that is a number is below the group's order, so its last octet is 0. Nettle
 * does not look at that octet. */
static bool
form_fits(const struct signed_body *s)
{
	return s->algorithm != GNUTLS_SIGN_EDDSA_ED448 ||
	       (s->signature.n == ED448_SIGNATURE_N && s->signature.p[ED448_SIGNATURE_N - 1] == 0);
}

enum res
signed_by(const struct signed_body *s, struct span spki, struct signature_budget *budget)
{
	gnutls_datum_t key_der = datum(spki), signature = datum(s->signature), body = datum(s->body);
	gnutls_datum_t digest = {(unsigned char *)(uintptr_t)s->digest, (unsigned)s->digest_n};
	gnutls_pubkey_t key;
	int rc;

	if (strength_key_fault(spki) != NULL || !form_fits(s))
		return RES_NOT_FOUND;
	if (!signature_budget_take(budget, 1))
		return RES_LIMIT;
	if (gnutls_pubkey_init(&key) < 0)
		return RES_NOMEM;
	rc = gnutls_pubkey_import(key, &key_der, GNUTLS_X509_FMT_DER);
	if (rc >= 0)
		rc = salt_set(key, s);
	if (rc >= 0)
		rc = s->digest_n > 0 ? gnutls_pubkey_verify_hash2(key, s->algorithm, 0, &digest, &signature)
				     : gnutls_pubkey_verify_data2(key, s->algorithm, 0, &body, &signature);
	gnutls_pubkey_deinit(key);
	if (rc == GNUTLS_E_MEMORY_ERROR)
		return RES_NOMEM;
	return rc >= 0 ? RES_OK : RES_NOT_FOUND;
}
