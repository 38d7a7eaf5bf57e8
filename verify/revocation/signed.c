#include "verify/revocation/signed.h"

#include "verify/x509/sigform.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

static gnutls_datum_t
datum(struct span s)
{
	return (gnutls_datum_t){(unsigned char *)(uintptr_t)s.p, (unsigned)s.n};
}

/* EdDSA hashes by itself, so its check costs as the body is long. */
static bool
is_eddsa(const struct signed_body *s)
{
	return s->algorithm.family == ALGORITHM_ED25519 || s->algorithm.family == ALGORITHM_ED448;
}

enum res
signed_read(struct signed_body *out, struct span body, struct span sig_alg, struct span signature)
{
	struct signed_body s = {.body = body, .signature = signature};

	if (algorithm_read(&s.algorithm, sig_alg) != RES_OK || s.algorithm.weak)
		return RES_UNSUPPORTED;
	if (!is_eddsa(&s)) {
		s.digest_n = gnutls_hash_get_len(s.algorithm.digest);
		if (gnutls_hash_fast(s.algorithm.digest, body.p, body.n, s.digest) < 0)
			return RES_NOMEM;
	}
	*out = s;
	return RES_OK;
}

/* GnuTLS takes the length of the salt from the key. */
static int
salt_set(gnutls_pubkey_t key, const struct algorithm *a)
{
	gnutls_x509_spki_t parameters;
	int rc;

	if (a->family != ALGORITHM_RSA_PSS)
		return 0;
	rc = gnutls_x509_spki_init(&parameters);
	if (rc < 0)
		return rc;
	gnutls_x509_spki_set_rsa_pss_params(parameters, a->digest, (unsigned)a->salt);
	rc = gnutls_pubkey_set_spki(key, parameters, 0);
	gnutls_x509_spki_deinit(parameters);
	return rc;
}

/* GnuTLS's answer; anything but an error is yes. */
static int
computed(const struct signed_body *s, struct span spki)
{
	gnutls_datum_t key_der = datum(spki), signature = datum(s->signature), body = datum(s->body);
	gnutls_datum_t digest = datum(span_of(s->digest, s->digest_n));
	gnutls_pubkey_t key;
	int rc = gnutls_pubkey_init(&key);

	if (rc < 0)
		return rc;
	rc = gnutls_pubkey_import(key, &key_der, GNUTLS_X509_FMT_DER);
	if (rc >= 0)
		rc = salt_set(key, &s->algorithm);
	if (rc >= 0)
		rc = is_eddsa(s) ? gnutls_pubkey_verify_data2(key, s->algorithm.sign, 0, &body, &signature)
				 : gnutls_pubkey_verify_hash2(key, s->algorithm.sign, 0, &digest, &signature);
	gnutls_pubkey_deinit(key);
	return rc;
}

enum res
signed_by(const struct signed_body *s, struct span spki, struct signature_budget *budget)
{
	struct spki key;
	int rc;

	if (spki_read(&key, spki) != NULL || !signature_form_fits(&s->algorithm, &key, s->signature))
		return RES_NOT_FOUND;
	if (!signature_budget_take(budget, is_eddsa(s) ? signature_cost(&key, s->body.n) : key.cost))
		return RES_LIMIT;
	rc = computed(s, spki);
	if (rc == GNUTLS_E_MEMORY_ERROR)
		return RES_NOMEM;
	return rc >= 0 ? RES_OK : RES_NOT_FOUND;
}
