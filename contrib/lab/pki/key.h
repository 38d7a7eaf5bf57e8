/*
 * key.h - the lab's keys: made here, kept in files marked TEST ONLY, used for certificates, logs and
 * servers.
 *
 * Signatures are reproducible (RFC 6979 for ECDSA): the same key and bytes give the same signature, so every
 * process forges the same certificates from one folder of keys.
 */
#ifndef CONTRIB_LAB_PKI_KEY_H
#define CONTRIB_LAB_PKI_KEY_H

#include "base/bytes.h"
#include "base/res.h"

#include <gnutls/abstract.h>

enum key_kind { KEY_P256, KEY_RSA_2048, KEY_RSA_1024 };
enum key_digest { KEY_SHA256, KEY_SHA1, KEY_MD5 };

struct key {
	enum key_kind kind;
	gnutls_privkey_t private;
	gnutls_pubkey_t public;
	struct buf spki; /* DER SubjectPublicKeyInfo */
	uint8_t spki_sha256[32];
};

#define KEY_FILE_MAX (64 * 1024)

/* Loads the key from the file, or makes it and writes the file. Yours: key_free. */
enum res key_open(struct key **out, enum key_kind, const char *file);
void key_free(struct key *);

/* Appends the signature: DER SEQUENCE for ECDSA, PKCS#1 v1.5 for RSA. A failure makes *out bad. */
void key_sign(const struct key *, enum key_digest, struct span data, struct buf *out);
/* Appends the AlgorithmIdentifier of such a signature (RFC 5758, RFC 4055). */
void key_algorithm_write(const struct key *, enum key_digest, struct buf *out);

void lab_sha256(uint8_t out[32], struct span data);
void lab_sha1(uint8_t out[20], struct span data);

#endif
