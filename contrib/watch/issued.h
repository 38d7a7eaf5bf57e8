/*
 * issued.h - was a logged certificate issued by the CA that it names, and by which path?
 *
 * A log can make an entry up, and anybody can submit to a log that checks nothing. So neither the entry's issuer key hash
 * nor the chain beside it is believed: what counts is a signature over the certificate or the precertificate as it was
 * submitted, whose TBSCertificate must be the one in the entry (precert.h), and the path from there to an anchor. Paths
 * are the judge's own (verify.h), so that an issuer is allowed here exactly when the daemon allows it.
 */
#ifndef CONTRIB_WATCH_ISSUED_H
#define CONTRIB_WATCH_ISSUED_H

#include "contrib/watch/finding.h"
#include "verify/verify.h"

struct issued {
	/* The certificate or precertificate as submitted, and its issuers; where a Precertificate Signing Certificate signed
	 * it, that one comes first instead. Lent by the finding and the evidence. */
	struct span certs[VFY_CERTS_MAX];
	size_t n;
	uint8_t signer_spki_sha256[32]; /* the key that signed it, when `fault` is NULL */
	const char *fault; /* why it is not signed by a certificate of its chain; NULL: it is. Constant */
};

/* Reads the evidence, and checks it against the finding. RES_NOMEM. */
enum res issued_read(struct issued *, const struct watch_finding *, const struct watch_evidence *);

/* Is there a path to an anchor of this policy, whatever its dates, that the list allows as allow-issuer does? now_ms: the
 * time of the judgement. */
bool issued_path_allowed(const struct issued *, const struct vfy_policy *, const struct cert_match *list,
			 int64_t now_ms);
/* Would a client that trusts these anchors accept it at that time? NULL: yes; else why not, a constant. */
const char *issued_path_fault(const struct issued *, const struct vfy_policy *, int64_t now_ms);

#endif
