/*
 * strength.h - keys and signature algorithms that are strong enough, as lists of the allowed ones: an unknown one
 * is weak. GnuTLS's priorities do not matter here.
 */
#ifndef VERIFY_X509_STRENGTH_H
#define VERIFY_X509_STRENGTH_H

#include "base/bytes.h"

/* Each returns what is wrong (constant), or NULL. */
const char *strength_key_fault(struct span spki); /* SubjectPublicKeyInfo with its header; see spki.h */
const char *strength_signature_fault(struct span sig_alg); /* AlgorithmIdentifier with its header */

#endif
