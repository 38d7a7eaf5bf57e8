#include "verify/revocation/signed.h"

#include "verify/x509/der.h"
#include "verify/x509/oid.h"
#include "verify/x509/strength.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

static gnutls_datum_t
datum(struct span s)
{
	return (gnutls_datum_t){(unsigned char *)(uintptr_t)s.p, (unsigned)s.n};
}

static bool
algorithm_find(gnutls_sign_algorithm_t *sign, gnutls_digest_algorithm_t *digest, struct span sig_alg)
{
	const struct {
		struct span oid;
		gnutls_sign_algorithm_t sign;
		gnutls_digest_algorithm_t digest;
	} known[] = {
	    {OID_RSA_SHA256, GNUTLS_SIGN_RSA_SHA256, GNUTLS_DIG_SHA256},
	    {OID_RSA_SHA384, GNUTLS_SIGN_RSA_SHA384, GNUTLS_DIG_SHA384},
	    {OID_RSA_SHA512, GNUTLS_SIGN_RSA_SHA512, GNUTLS_DIG_SHA512},
	    {OID_ECDSA_SHA256, GNUTLS_SIGN_ECDSA_SHA256, GNUTLS_DIG_SHA256},
	    {OID_ECDSA_SHA384, GNUTLS_SIGN_ECDSA_SHA384, GNUTLS_DIG_SHA384},
	    {OID_ECDSA_SHA512, GNUTLS_SIGN_ECDSA_SHA512, GNUTLS_DIG_SHA512},
	    {OID_ED25519, GNUTLS_SIGN_EDDSA_ED25519, GNUTLS_DIG_NULL},
	};
	struct der_reader in = der_only(sig_alg, DER_SEQUENCE);
	struct span oid = der_take(&in, DER_OID).body;

	for (size_t i = 0; !in.bad && i < sizeof known / sizeof known[0]; i++) {
		if (span_equal(oid, known[i].oid)) {
			*sign = known[i].sign;
			*digest = known[i].digest;
			return true;
		}
	}
	return false;
}

enum res
signed_read(struct signed_body *out, struct span body, struct span sig_alg, struct span signature)
{
	struct signed_body s = {.body = body, .signature = signature};
	gnutls_digest_algorithm_t digest;

	if (!algorithm_find(&s.algorithm, &digest, sig_alg))
		return RES_UNSUPPORTED;
	if (digest != GNUTLS_DIG_NULL) {
		s.digest_n = gnutls_hash_get_len(digest);
		if (gnutls_hash_fast(digest, body.p, body.n, s.digest) < 0)
			return RES_NOMEM;
	}
	*out = s;
	return RES_OK;
}

bool
signed_by(const struct signed_body *s, struct span spki)
{
	gnutls_datum_t key_der = datum(spki), signature = datum(s->signature), body = datum(s->body);
	gnutls_datum_t digest = {(unsigned char *)(uintptr_t)s->digest, (unsigned)s->digest_n};
	gnutls_pubkey_t key;
	bool ok = false;

	if (strength_key_fault(spki) != NULL || gnutls_pubkey_init(&key) < 0)
		return false;
	if (gnutls_pubkey_import(key, &key_der, GNUTLS_X509_FMT_DER) >= 0) {
		if (s->digest_n > 0)
			ok = gnutls_pubkey_verify_hash2(key, s->algorithm, 0, &digest, &signature) >= 0;
		else
			ok = gnutls_pubkey_verify_data2(key, s->algorithm, 0, &body, &signature) >= 0;
	}
	gnutls_pubkey_deinit(key);
	return ok;
}
