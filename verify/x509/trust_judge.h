/*
 * trust_judge.h - what the judge itself asks of the anchors. Not for other rooms.
 */
#ifndef VERIFY_X509_TRUST_JUDGE_H
#define VERIFY_X509_TRUST_JUDGE_H

#include "verify/x509/trust.h"

#include <gnutls/x509.h>

/* How many anchors have this subject (bytes of the Name), and the place of the first; they lie side by side.
 */
size_t trust_find(const struct trust *, struct span subject, size_t *first);
/* A list that holds this anchor alone; made at loading, only read here, so threads may share it. Lent. */
gnutls_x509_trust_list_t trust_list_of(const struct trust *, size_t i);

#endif
