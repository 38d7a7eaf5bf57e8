/*
 * signature.h - did this key sign that certificate, and how many such questions may still be asked.
 */
#ifndef VERIFY_X509_SIGNATURE_H
#define VERIFY_X509_SIGNATURE_H

#include "verify/x509/cert.h"

#include <gnutls/x509.h>

/* Signature checks are what a hostile chain costs most; one judgement has a fixed number of them. */
struct signature_budget {
	size_t used;
	size_t max;
};

/* True, and counted, when n more may be checked. */
bool signature_budget_take(struct signature_budget *, size_t n);

/*
 * Does the key (SubjectPublicKeyInfo) verify the certificate's signature? Weak algorithms are not refused
 * here: who signed is one question, with what another. crt is the same certificate for GnuTLS. RES_OK: it
 * does. RES_NOT_FOUND: it does not, or can not be told. RES_LIMIT: the budget is used up. RES_NOMEM.
 */
enum res signature_by_key(const struct cert *, gnutls_x509_crt_t crt, struct span spki,
			  struct signature_budget *);

#endif
