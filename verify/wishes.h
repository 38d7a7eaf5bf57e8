/*
 * wishes.h - what the policy wants of a proven path: the anchor's limits, allowed issuers, pins. Not for other rooms.
 */
#ifndef VERIFY_WISHES_H
#define VERIFY_WISHES_H

#include "verify/judge.h"
#include "verify/x509/path.h"

/* Adds what the policy has against the path; faults of rules in report mode are marked. */
void wishes_judge(struct path_faults *, struct judgement *, const struct path *);
/* Is a key of the path pinned, from this place on? */
bool pin_met(const struct disallow *pins, const struct path *, size_t from);
/* Who signed the leaf, also where that is in no path: a leaf that is an anchor, or a chain that ends nowhere. Looked for
 * among the presented certificates and the anchors; into j->issuer. False: no memory. */
bool issuer_search(struct judgement *);

#endif
