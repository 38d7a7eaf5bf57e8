#include "tests/unit/verify/ct/signing_log.h"

#include "base/bytes.h"
#include "verify/ct/sct.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static gnutls_privkey_t private_key;
static gnutls_datum_t spki;

bool
signing_log_open(struct ctlog *log)
{
	gnutls_pubkey_t key = NULL;
	bool made;

	if (gnutls_privkey_init(&private_key) < 0 ||
	    gnutls_privkey_generate(private_key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) < 0 ||
	    gnutls_pubkey_init(&key) < 0)
		return false;
	made = gnutls_pubkey_import_privkey(key, private_key, 0, 0) >= 0 &&
	       gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &spki) >= 0 &&
	       gnutls_hash_fast(GNUTLS_DIG_SHA256, spki.data, spki.size, log->id) >= 0;
	gnutls_pubkey_deinit(key);
	if (!made)
		return false;
	log->key = span_of(spki.data, spki.size);
	log->key_kind = CTLOG_ECDSA_P256;
	return true;
}

void
signing_log_close(void)
{
	gnutls_privkey_deinit(private_key);
	gnutls_free(spki.data);
}

void
signing_log_sign(struct head *head)
{
	struct buf bytes = buf_max(64);
	gnutls_datum_t data, signature;

	head->hash_algorithm = SCT_HASH_SHA256;
	head->signature_algorithm = SCT_SIGNATURE_ECDSA;
	buf_u16(&bytes, 1); /* version v1, signature type tree_hash */
	buf_u64(&bytes, head->timestamp_ms);
	buf_u64(&bytes, head->size);
	buf_put(&bytes, span_of(head->root.b, TREE_HASH_SIZE));
	data = (gnutls_datum_t){bytes.p, (unsigned)bytes.n};
	assert_true(gnutls_privkey_sign_data2(private_key, GNUTLS_SIGN_ECDSA_SHA256, 0, &data, &signature) >= 0);
	head->n_signature = (uint16_t)signature.size;
	memcpy(head->signature, signature.data, signature.size);
	gnutls_free(signature.data);
	buf_free(&bytes);
}
