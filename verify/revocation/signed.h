/*
 * signed.h - a body, an algorithm and a signature, as CRLs, OCSP responses and certificates hold them.
 *
 * The door of signature.h for what is judged many times: the digest is made once, when the body is read. RSA (PKCS#1 and
 * PSS) and ECDSA with SHA-2, Ed25519 and Ed448; everything else, SHA-1 first of all, is not supported and so never verifies.
 */
#ifndef VERIFY_REVOCATION_SIGNED_H
#define VERIFY_REVOCATION_SIGNED_H

#include "base/bytes.h"
#include "base/res.h"
#include "verify/x509/signature.h"

struct signed_body {
	struct span body;      /* lent */
	struct span signature; /* content of the BIT STRING without its first octet; lent */
	struct algorithm algorithm;
	uint8_t digest[64]; /* of the body; Ed25519 and Ed448 have none */
	size_t digest_n;
};

/* Hashes the body once, so that a check costs the same for a small and a large one. RES_UNSUPPORTED: the algorithm. */
enum res signed_read(struct signed_body *, struct span body, struct span sig_alg, struct span signature);
/* Did this key (DER SubjectPublicKeyInfo) sign it? A weak key never did, and costs nothing. RES_OK, RES_NOT_FOUND: it did
 * not. RES_LIMIT: the budget is used up. RES_NOMEM. */
enum res signed_by(const struct signed_body *, struct span spki, struct signature_budget *);

#endif
