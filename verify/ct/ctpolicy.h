/*
 * ctpolicy.h - which SCTs count, and whether they are enough. Knows no keys and checks no signature.
 *
 * One row a policy, in ctpolicy.c. What holds for all: an SCT counts when it is v1 and whole, its log is in
 * the list, not denied and not a test log, its algorithm is that of the log's key, its signature holds, it is
 * not dated after the judgement, and its log is current (qualified, usable, read-only) or was retired after
 * it; a log counts once.
 */
#ifndef VERIFY_CT_CTPOLICY_H
#define VERIFY_CT_CTPOLICY_H

#include "verify/anchor_limits.h"
#include "verify/ct/sctcheck.h"
#include "verify/policy.h"
#include "verify/when.h"

#define CTPOLICY_SHORT_LIFETIME_MS ((int64_t)180 * 86400 * 1000)

struct ctpolicy {
	bool inclusive; /* the lifetime counts its last second (RFC 5280, 4.1.2.5): 180 days to the second is
			   long */
	size_t scts[2]; /* that must count, of a [short, long] lifetime */
	size_t operators[2];         /* that they must come from; 0: not asked */
	size_t per_operator[2];      /* of one operator that may count; 0: any number */
	bool retired_needs_issuance; /* a retired log counts only if the certificate was issued before that
					too: its earliest SCT from a current log stands for the time of
					issuance */
	bool leaf_index;             /* a static-ct log must give it */
	bool rfc6962_log;            /* one valid SCT must be from a current log that is not static-ct */
	bool interval; /* the certificate must end inside the log's temporal interval, where the list gives
			  one */
	bool after_distrust; /* an SCT after the anchor's distrust date does not count. The date also refuses
			       by itself when every SCT is after it (anchor-distrusted), under every policy */
};

struct ctpolicy_tally {
	size_t counted;
	size_t wanted;
	size_t operators; /* among those that count */
	size_t operators_wanted;
	bool current; /* a valid one is from a current log of the kind that is asked for */
};

const struct ctpolicy *ctpolicy_of(enum ct_policy);
/* Sets the status of every SCT, and marks those that count. limit: the anchor's, or NULL. */
void ctpolicy_judge(struct ctpolicy_tally *, struct sct_check *, const struct ctpolicy *,
		    const struct cert *leaf, const struct anchor_limit *limit, struct when);
/* Do the SCTs that count satisfy the policy? */
bool ctpolicy_is_met(const struct ctpolicy_tally *);
/* The earliest proven SCT of a current log; false when there is none. */
bool ctpolicy_issued_at(int64_t *ms, const struct sct_check *, struct when);

#endif
