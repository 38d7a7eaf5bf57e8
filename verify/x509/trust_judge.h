/*
 * trust_judge.h - what the judge itself asks of the anchors. Not for other rooms.
 */
#ifndef VERIFY_X509_TRUST_JUDGE_H
#define VERIFY_X509_TRUST_JUDGE_H

#include "verify/x509/trust.h"

/* How many anchors have this subject (bytes of the Name), and the place of the first; they lie side by side.
 */
size_t trust_find(const struct trust *, struct span subject, size_t *first);

#endif
