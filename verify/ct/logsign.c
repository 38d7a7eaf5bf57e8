#include "verify/ct/logsign.h"

#include "verify/ct/sct.h"
#include "verify/x509/datum.h"
#include "verify/x509/sigform.h"

bool
log_algorithm_fits(const struct ctlog *log, uint8_t hash, uint8_t signature)
{
	if (hash != SCT_HASH_SHA256)
		return false;
	switch (log->key_kind) {
	case CTLOG_ECDSA_P256:
		return signature == SCT_SIGNATURE_ECDSA;
	case CTLOG_RSA:
		return signature == SCT_SIGNATURE_RSA;
	}
	return false;
}

static struct algorithm
log_algorithm(const struct ctlog *log)
{
	switch (log->key_kind) {
	case CTLOG_ECDSA_P256:
		return (struct algorithm){ALGORITHM_ECDSA, GNUTLS_SIGN_ECDSA_SHA256, GNUTLS_DIG_SHA256, 0,
					  false};
	case CTLOG_RSA:
		break;
	}
	return (struct algorithm){ALGORITHM_RSA, GNUTLS_SIGN_RSA_SHA256, GNUTLS_DIG_SHA256, 0, false};
}

enum res
log_signature_verify(const struct ctlog *log, struct span data, struct span signature)
{
	const struct algorithm algorithm = log_algorithm(log);
	gnutls_datum_t signed_bytes = datum_of(data), given = datum_of(signature);
	struct spki key;
	int rc;

	if (spki_read(&key, log->key) != NULL || !signature_form_fits(&algorithm, &key, signature))
		return RES_MALFORMED;
	rc = gnutls_pubkey_verify_data2(log->pubkey, algorithm.sign, 0, &signed_bytes, &given);
	if (rc == GNUTLS_E_MEMORY_ERROR)
		return RES_NOMEM;
	return rc >= 0 ? RES_OK : RES_MALFORMED;
}
