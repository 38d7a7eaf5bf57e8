/*
 * path_policy.h - what the policy requires of a verified path: the anchor's limits, allowed issuers, pins.
 */
#ifndef VERIFY_PATH_POLICY_H
#define VERIFY_PATH_POLICY_H

#include "verify/judge.h"
#include "verify/x509/path.h"

/* Adds the policy's objections to the path; faults of rules in report mode are marked. */
void path_policy_judge(struct path_faults *, struct judgement *, const struct path *);
/* Is a key of the path pinned, from this index on? */
bool path_policy_pinned(const struct cert_match *pins, const struct path *, size_t from);

#endif
