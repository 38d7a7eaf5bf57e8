/*
 * strength.h - keys and signature algorithms that are good enough, as lists of what is allowed: what is not
 * known is weak. GnuTLS's priorities have no say here.
 */
#ifndef VERIFY_X509_STRENGTH_H
#define VERIFY_X509_STRENGTH_H

#include "base/bytes.h"

/* Each gives what is wrong, a constant, or NULL. */
const char *strength_key_fault(struct span spki); /* SubjectPublicKeyInfo with its header; see spki.h */
const char *strength_signature_fault(struct span sig_alg); /* AlgorithmIdentifier with its header */

#endif
