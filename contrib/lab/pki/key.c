#include "contrib/lab/pki/key.h"
#include "contrib/lab/pki/derw.h"
#include "contrib/lab/lab_files.h"

#include <stdlib.h>
#include <string.h>

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#define SPKI_MAX      4096
#define SIGNATURE_MAX 1024 /* RSA-2048 needs 256 */

static const char key_banner[] =
    "TEST ONLY: a key of ctstub-lab. Whoever can read this file can be anybody in the lab.\n";

void
lab_sha256(uint8_t out[32], struct span data)
{
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, data.p, data.n, out) < 0)
		memset(out, 0, 32);
}

void
lab_sha1(uint8_t out[20], struct span data)
{
	if (gnutls_hash_fast(GNUTLS_DIG_SHA1, data.p, data.n, out) < 0)
		memset(out, 0, 20);
}

static int
key_make(gnutls_x509_privkey_t made, enum key_kind kind)
{
	switch (kind) {
	case KEY_P256:
		return gnutls_x509_privkey_generate(made, GNUTLS_PK_ECDSA,
						    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	case KEY_RSA_2048:
		return gnutls_x509_privkey_generate(made, GNUTLS_PK_RSA, 2048, 0);
	case KEY_RSA_1024:
		return gnutls_x509_privkey_generate(made, GNUTLS_PK_RSA, 1024, 0);
	}
	return GNUTLS_E_INVALID_REQUEST;
}

static enum res
key_store(gnutls_x509_privkey_t made, const char *file)
{
	struct buf text = buf_max(KEY_FILE_MAX);
	gnutls_datum_t pem = {0};
	enum res res = RES_NOMEM;

	if (gnutls_x509_privkey_export2_pkcs8(made, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem) ==
	    0) {
		buf_text(&text, key_banner);
		buf_put(&text, span_of(pem.data, pem.size));
		res = buf_ok(&text) ? lab_file_create(file, buf_span(&text), 0600) : RES_NOMEM;
	}
	gnutls_free(pem.data);
	buf_free(&text);
	return res;
}

static enum res
lab_key_read(gnutls_x509_privkey_t private, const char *file)
{
	struct buf text = buf_max(KEY_FILE_MAX);
	enum res res = lab_file_read(&text, file);
	gnutls_datum_t pem = {.data = text.p, .size = (unsigned)text.n};

	if (res == RES_OK && gnutls_x509_privkey_import(private, &pem, GNUTLS_X509_FMT_PEM) != 0)
		res = RES_MALFORMED;
	buf_free(&text);
	return res;
}

/* The private key as a library object: from the file, or new. */
static enum res
key_material(gnutls_x509_privkey_t *private, enum key_kind kind, const char *file)
{
	enum res res = lab_key_read(*private, file);

	if (res != RES_NOT_FOUND)
		return res;
	res = key_make(*private, kind) == 0 ? key_store(*private, file) : RES_NOMEM;
	if (res != RES_LIMIT)
		return res;
	/* Another process was faster: its key counts. */
	gnutls_x509_privkey_deinit(*private);
	*private = NULL;
	return gnutls_x509_privkey_init(private) < 0 ? RES_NOMEM : lab_key_read(*private, file);
}

enum res
key_open(struct key **out, enum key_kind kind, const char *file)
{
	struct key *key = calloc(1, sizeof *key);
	gnutls_x509_privkey_t private = NULL;
	gnutls_datum_t spki = {0};
	enum res res = RES_NOMEM;

	if (key == NULL)
		return RES_NOMEM;
	key->kind = kind;
	key->spki = buf_max(SPKI_MAX);
	if (gnutls_x509_privkey_init(&private) < 0)
		goto out;
	res = key_material(&private, kind, file);
	if (res != RES_OK)
		goto out;
	res = RES_NOMEM;
	if (gnutls_privkey_init(&key->private) < 0 || gnutls_pubkey_init(&key->public) < 0 ||
	    gnutls_privkey_import_x509(key->private, private, GNUTLS_PRIVKEY_IMPORT_COPY) < 0 ||
	    gnutls_pubkey_import_privkey(key->public, key->private, 0, 0) < 0 ||
	    gnutls_pubkey_export2(key->public, GNUTLS_X509_FMT_DER, &spki) < 0)
		goto out;
	buf_put(&key->spki, span_of(spki.data, spki.size));
	lab_sha256(key->spki_sha256, buf_span(&key->spki));
	res = buf_ok(&key->spki) ? RES_OK : RES_NOMEM;
out:
	gnutls_free(spki.data);
	gnutls_x509_privkey_deinit(private);
	if (res == RES_OK)
		*out = key;
	else
		key_free(key);
	return res;
}

void
key_free(struct key *key)
{
	if (key == NULL)
		return;
	gnutls_privkey_deinit(key->private);
	gnutls_pubkey_deinit(key->public);
	buf_free(&key->spki);
	free(key);
}

static gnutls_digest_algorithm_t
digest_of(enum key_digest digest)
{
	switch (digest) {
	case KEY_SHA256:
		return GNUTLS_DIG_SHA256;
	case KEY_SHA1:
		return GNUTLS_DIG_SHA1;
	case KEY_MD5:
		return GNUTLS_DIG_MD5;
	}
	return GNUTLS_DIG_UNKNOWN;
}

void
key_sign(const struct key *key, enum key_digest digest, struct span data, struct buf *out)
{
	gnutls_datum_t message = {.data = (unsigned char *)(uintptr_t)data.p, .size = (unsigned)data.n};
	gnutls_datum_t signature = {0};

	if (gnutls_privkey_sign_data(key->private, digest_of(digest), GNUTLS_PRIVKEY_FLAG_REPRODUCIBLE,
				     &message, &signature) < 0 ||
	    signature.size > SIGNATURE_MAX)
		out->bad = true;
	else
		buf_put(out, span_of(signature.data, signature.size));
	gnutls_free(signature.data);
}

static const char *
algorithm_oid(const struct key *key, enum key_digest digest)
{
	bool rsa = key->kind != KEY_P256;

	switch (digest) {
	case KEY_SHA256:
		return rsa ? "1.2.840.113549.1.1.11" : "1.2.840.10045.4.3.2";
	case KEY_SHA1:
		return rsa ? "1.2.840.113549.1.1.5" : "1.2.840.10045.4.1";
	case KEY_MD5:
		return "1.2.840.113549.1.1.4"; /* there is no ECDSA with MD5 */
	}
	return "";
}

void
key_algorithm_write(const struct key *key, enum key_digest digest, struct buf *out)
{
	size_t at = derw_open(out, DERW_SEQUENCE);

	derw_oid(out, algorithm_oid(key, digest));
	if (key->kind != KEY_P256)
		derw_null(out); /* RFC 4055, 5: NULL for RSA; RFC 5758, 3.2: absent for ECDSA */
	derw_close(out, at);
}
