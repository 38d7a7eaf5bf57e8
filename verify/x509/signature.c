#include "verify/x509/signature.h"

#include <gnutls/abstract.h>

bool
signature_budget_take(struct signature_budget *b, size_t n)
{
	if (n > b->max - b->used)
		return false;
	b->used += n;
	return true;
}

static gnutls_datum_t
datum_of(struct span s)
{
	return (gnutls_datum_t){(unsigned char *)(uintptr_t)s.p, (unsigned)s.n};
}

enum res
signature_by_key(const struct cert *c, gnutls_x509_crt_t crt, struct span spki,
		 struct signature_budget *budget)
{
	const unsigned any = GNUTLS_VERIFY_ALLOW_BROKEN | GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1;
	gnutls_datum_t der = datum_of(spki), tbs = datum_of(c->tbs), signature = datum_of(c->signature);
	int algorithm = gnutls_x509_crt_get_signature_algorithm(crt);
	gnutls_pubkey_t key;
	int rc;

	if (algorithm <= GNUTLS_SIGN_UNKNOWN)
		return RES_NOT_FOUND;
	if (!signature_budget_take(budget, 1))
		return RES_LIMIT;
	if (gnutls_pubkey_init(&key) < 0)
		return RES_NOMEM;
	rc = gnutls_pubkey_import(key, &der, GNUTLS_X509_FMT_DER);
	if (rc >= 0)
		rc = gnutls_pubkey_verify_data2(key, (gnutls_sign_algorithm_t)algorithm, any, &tbs,
						&signature);
	gnutls_pubkey_deinit(key);
	if (rc == GNUTLS_E_MEMORY_ERROR)
		return RES_NOMEM;
	return rc >= 0 ? RES_OK : RES_NOT_FOUND;
}
