/*
 * signature.h - did this key sign those bytes, and how many such questions may still be asked.
 *
 * The one door to a computation with a key from outside: kind and size of the key (spki.h), the algorithm's encoding
 * (algorithm.h) and the form of the signature (sigform.h) are looked at first, so that nothing is computed with a key
 * that costs without bound, and so that a signature that verifies can be written in no other way than its form allows.
 */
#ifndef VERIFY_X509_SIGNATURE_H
#define VERIFY_X509_SIGNATURE_H

#include "verify/x509/algorithm.h"
#include "verify/x509/cert.h"
#include "verify/x509/sigcache.h"
#include "verify/x509/spki.h"

/*
 * Signature checks are the largest cost of a hostile chain. One judgement may make a fixed number of them, and their
 * total cost is limited: a check with P-521 costs eight times one with RSA-4096. A signature that is known to verify
 * counts like one that is computed.
 */
struct signature_budget {
	size_t used; /* checks */
	size_t max;
	size_t cost; /* as spki.h counts */
	size_t cost_max;
	struct sigcache *known; /* NULL: nothing is known, and every signature is computed; lent */
};

/* True, and counted, when one more check of this cost may be made. */
bool signature_budget_take(struct signature_budget *, unsigned cost);

/* One check, as the budget's cache of signatures stores it. */
struct signature_fact {
	struct sigcache_key key;
	bool keyed;  /* the key was made; else nothing is looked up or kept */
	size_t cost; /* of the budget, before the check */
};

/* Is the signature that depends on these parts (sigcache.h) known to verify? RES_OK: it is, and the check was
 * counted. RES_LIMIT: it is, but no more checks may be made. RES_NOT_FOUND: it is not known; check it and, if it
 * verifies, call signature_keep. */
enum res signature_known(struct signature_fact *, struct signature_budget *, enum sigcache_kind,
			 const struct span *parts, size_t n);
void signature_keep(const struct signature_fact *, struct signature_budget *);

/* The cost of a check with this key over this many bytes, which are hashed. */
unsigned signature_cost(const struct spki *, size_t bytes);

struct signature {
	struct span bytes; /* what was signed; lent */
	struct span value; /* the signature: content of the BIT STRING without its first octet; lent */
	struct algorithm algorithm;
	uint8_t digest[64]; /* of the bytes, once signature_hash has made it */
	size_t digest_n;    /* 0: not made, or EdDSA, which hashes by itself */
};

/* Makes the digest, so that each of several checks costs the same for few and many bytes. RES_NOMEM. */
enum res signature_hash(struct signature *);
/* Reads the signature of a CRL, an OCSP response or the certificate of a responder, and makes its digest. RES_UNSUPPORTED: a
 * weak algorithm, or one that is not known. RES_NOMEM. */
enum res signature_read_strong(struct signature *, struct span bytes, struct span sig_alg, struct span value);

/*
 * Does the key (SubjectPublicKeyInfo) verify the signature? Weak algorithms are not refused here; strength.h judges
 * them. RES_OK: it does. RES_NOT_FOUND: it does not, the signature has the wrong form, or nothing is computed with such
 * a key (strength_key_fault says why); only what is computed counts against the budget. RES_LIMIT: the budget is used
 * up. RES_NOMEM.
 */
enum res signature_check(const struct signature *, struct span spki, struct signature_budget *);
/* The same for a certificate's signature; with an unknown algorithm no signature verifies. */
enum res signature_by_key(const struct cert *, struct span spki, struct signature_budget *);

#endif
