/*
 * issuers.h - who may have issued a certificate, by its names, in the order in which they are tried.
 *
 * The presented order proves nothing: the candidates are all presented certificates and anchors whose subject has the
 * very bytes of the certificate's issuer (RFC 5280, 6.1.3 (a)(4)). Key identifiers only order them (RFC 4158, 3.5.12):
 * equal ones first, then where one is missing, then those that differ; anchors before the others in each. No key is
 * used here.
 */
#ifndef VERIFY_X509_ISSUERS_H
#define VERIFY_X509_ISSUERS_H

#include "verify/x509/trust.h"

/* What was presented and what is trusted; all lent. */
struct issuers_ground {
	const struct cert *certs; /* the leaf first */
	size_t n_certs;
	const struct trust *trust;
};

struct issuers {
	const struct issuers_ground *ground;
	const struct cert *below;
	struct span authority;  /* the key identifier that is named; empty without one */
	size_t anchor, anchors; /* the first anchor of that name, and how many there are */
	size_t rank, next;
};

struct issuers issuers_of(const struct issuers_ground *, const struct cert *below);
/* The next candidate; NULL: there are no more. A certificate that was presented twice is returned once. Lent. */
const struct cert *issuers_next(struct issuers *, bool *is_anchor);

#endif
