#include "verify/ct/logsign.h"

#include "verify/ct/sct.h"
#include "verify/x509/datum.h"
#include "verify/x509/sigform.h"

#include <gnutls/abstract.h>

#define P256_BYTES 32 /* of a coordinate */

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

/* A key on P-256 is imported by its two coordinates, which are its last bytes: as DER that would take ten times as long,
 * for each SCT. */
static int
log_key_import(gnutls_pubkey_t key, const struct ctlog *log)
{
	gnutls_datum_t der = datum_of(log->key), x, y;

	switch (log->key_kind) {
	case CTLOG_ECDSA_P256:
		x = datum_of(span_slice(log->key, log->key.n - 2 * P256_BYTES, P256_BYTES));
		y = datum_of(span_slice(log->key, log->key.n - P256_BYTES, P256_BYTES));
		return gnutls_pubkey_import_ecc_raw(key, GNUTLS_ECC_CURVE_SECP256R1, &x, &y);
	case CTLOG_RSA:
		break;
	}
	return gnutls_pubkey_import(key, &der, GNUTLS_X509_FMT_DER);
}

/* GnuTLS's result: an error, or else the signature is valid. */
static int
log_key_verify(const struct ctlog *log, gnutls_sign_algorithm_t sign, struct span data, struct span signature)
{
	gnutls_datum_t signed_bytes = datum_of(data), given = datum_of(signature);
	gnutls_pubkey_t key;
	int rc = gnutls_pubkey_init(&key);

	if (rc < 0)
		return rc;
	rc = log_key_import(key, log);
	if (rc >= 0)
		rc = gnutls_pubkey_verify_data2(key, sign, 0, &signed_bytes, &given);
	gnutls_pubkey_deinit(key);
	return rc;
}

enum res
log_signature_verify(const struct ctlog *log, struct span data, struct span signature)
{
	const struct algorithm algorithm = log_algorithm(log);
	struct spki key;
	int rc;

	if (spki_read(&key, log->key) != NULL || !signature_form_fits(&algorithm, &key, signature))
		return RES_MALFORMED;
	rc = log_key_verify(log, algorithm.sign, data, signature);
	if (rc == GNUTLS_E_MEMORY_ERROR)
		return RES_NOMEM;
	return rc >= 0 ? RES_OK : RES_MALFORMED;
}
