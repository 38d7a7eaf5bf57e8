/*
 * algorithm.h - signature algorithms as an AlgorithmIdentifier names them, each in its allowed encoding.
 *
 * NULL parameters with RSA, or none, which "implementations MUST accept" too (RFC 4055, 5); none with ECDSA (RFC 5758, 3.2)
 * and EdDSA (RFC 8410, 3); complete RSASSA-PSS-params with RSA-PSS (RFC 4055, 3.1). The salt may have any length (RFC 8017,
 * 9.1), although public CAs may only use one as long as the digest (Baseline Requirements, 7.1.3.2.1). Weak algorithms are
 * known too, so that their signatures can be checked; they are marked as weak.
 */
#ifndef VERIFY_X509_ALGORITHM_H
#define VERIFY_X509_ALGORITHM_H

#include "base/bytes.h"
#include "base/res.h"

#include <gnutls/gnutls.h>

enum algorithm_family {
	ALGORITHM_RSA,
	ALGORITHM_RSA_PSS,
	ALGORITHM_ECDSA,
	ALGORITHM_ED25519,
	ALGORITHM_ED448,
};

struct algorithm {
	enum algorithm_family family;
	gnutls_sign_algorithm_t sign;
	gnutls_digest_algorithm_t digest; /* GNUTLS_DIG_UNKNOWN with EdDSA, which hashes by itself */
	size_t salt;                      /* RSA-PSS only: octets of it */
	bool weak;                        /* MD5, SHA-1 or SHA-224 */
};

/* An AlgorithmIdentifier with its header. RES_UNSUPPORTED: not known. RES_MALFORMED: known, but with wrong
 * parameters; or not an AlgorithmIdentifier. */
enum res algorithm_read(struct algorithm *, struct span der);

struct pss {
	gnutls_digest_algorithm_t digest; /* of the message and of the mask */
	size_t salt;
	bool canonical; /* NULL beside both digests, and a salt as long as the digest */
};

/* RSASSA-PSS-params with its header. RES_UNSUPPORTED: another digest than SHA-256, SHA-384 and SHA-512 (SHA-1 is the
 * default), another for the mask, or another mask. RES_MALFORMED. */
enum res pss_read(struct pss *, struct span der);

#endif
