/*
 * lead.h - chains by names alone, which explain why there is no path.
 *
 * Nothing in a lead is proven, so it has another type than a path and satisfies no rule.
 */
#ifndef VERIFY_X509_LEAD_H
#define VERIFY_X509_LEAD_H

#include "verify/x509/issuers.h"
#include "verify/x509/path_validate.h"

#define LEADS_MAX      8    /* more of them would not explain more */
#define LEAD_STEPS_MAX 1024 /* issuers looked at while searching */

struct lead {
	const struct cert *certs[PATH_LENGTH_MAX]; /* leaf to anchor */
	size_t n;
};

typedef void lead_visit(void *arg, const struct lead *);

/* Calls with each chain from the leaf to an anchor, likely ones first. */
void leads_find(const struct issuers_ground *, lead_visit *, void *arg);

#endif
