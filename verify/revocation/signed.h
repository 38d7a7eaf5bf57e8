/*
 * signed.h - a body, an algorithm and a signature, as CRLs, OCSP responses and certificates hold them.
 *
 * RSA PKCS#1 and ECDSA with SHA-2, and Ed25519; everything else, SHA-1 first of all, is not supported and so never
 * verifies.
 */
#ifndef VERIFY_REVOCATION_SIGNED_H
#define VERIFY_REVOCATION_SIGNED_H

#include "base/bytes.h"
#include "base/res.h"

#include <gnutls/gnutls.h>

struct signed_body {
	struct span body;      /* lent */
	struct span signature; /* content of the BIT STRING without its first octet; lent */
	gnutls_sign_algorithm_t algorithm;
	uint8_t digest[64]; /* of the body; Ed25519 has none */
	size_t digest_n;
};

/* Hashes the body once, so that a check costs the same for a small and a large one. RES_UNSUPPORTED: the algorithm. */
enum res signed_read(struct signed_body *, struct span body, struct span sig_alg, struct span signature);
/* Did this key (DER SubjectPublicKeyInfo) sign it? A weak key never did. */
bool signed_by(const struct signed_body *, struct span spki);

#endif
