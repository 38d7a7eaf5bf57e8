/*
 * spki.h - a public key that may be computed with: its kind, its size, and what one signature check with it costs.
 *
 * A key that comes from outside is read here before anything is computed with it: GnuTLS computes with any size and
 * exponent, and a 34 KB certificate could cost half a minute. Only the kinds below exist for the judge, each in the
 * one encoding that its RFC gives: RSA (RFC 3279, 2.3.1, and RFC 4055, 1.2) with a modulus of SPKI_RSA_BITS_MIN to
 * SPKI_RSA_BITS_MAX bits, EC on three named curves (RFC 5480, 2.1.1) with an uncompressed point, Ed25519 and Ed448
 * (RFC 8410, 3). Whether a point lies on its curve is left to GnuTLS.
 */
#ifndef VERIFY_X509_SPKI_H
#define VERIFY_X509_SPKI_H

#include "base/bytes.h"

#include <gnutls/gnutls.h>

#define SPKI_RSA_BITS_MIN 2048
#define SPKI_RSA_BITS_MAX 8192 /* public CAs have 4096 at most; the cost grows with the square */
/* Odd exponents of 3 to 2^32: public keys have 65537 and now and then 3; the cost grows with the length. */
#define SPKI_RSA_EXPONENT_BITS_MAX 32

/* Costs are counted in tenths of a check with RSA-4096 and the exponent 65537. */
#define SPKI_COST_RSA_4096 10

enum spki_kind { SPKI_RSA, SPKI_RSA_PSS, SPKI_P256, SPKI_P384, SPKI_P521, SPKI_ED25519, SPKI_ED448 };

struct spki {
	enum spki_kind kind;
	struct span modulus;            /* RSA only: without the leading zero octet; lent */
	gnutls_digest_algorithm_t only; /* RSA-PSS: the one digest it signs with; GNUTLS_DIG_UNKNOWN: any */
	unsigned cost;                  /* of one check, rounded up */
};

/* Reads a SubjectPublicKeyInfo with its header. NULL, or what is wrong with the key: a constant, and *out is
 * undefined. */
const char *spki_read(struct spki *out, struct span spki);

#endif
