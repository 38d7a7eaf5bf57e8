/*
 * path.h - candidate paths from a leaf to an anchor, by the names in the certificates alone.
 *
 * The presented order proves nothing, so it is not used: a certificate's issuers are all presented
 * certificates and anchors whose subject has the very bytes of its issuer (RFC 5280, 6.1.3 (a)(4)). Key
 * identifiers only order the tries. No key is used and nothing is verified here. The work is bounded whatever
 * is presented.
 */
#ifndef VERIFY_X509_PATH_H
#define VERIFY_X509_PATH_H

#include "verify/x509/trust.h"
#include "verify/verify.h"

#define PATH_LENGTH_MAX (VFY_CERTS_MAX + 1) /* everything presented, and the anchor */
#define PATH_STEPS_MAX  4096 /* certificates stepped on while searching; a public chain needs ten */

struct path {
	const struct cert *certs[PATH_LENGTH_MAX]; /* leaf to anchor */
	size_t place[PATH_LENGTH_MAX];             /* of each but the anchor among the presented */
	size_t n;
	size_t anchor; /* its place in the trust */
};

/* Those valid at the time of the judgement and those not, each in the order in which they are tried. */
struct path_set {
	struct path valid[VFY_PATHS_MAX];
	size_t n_valid;
	struct path dated[VFY_PATHS_MAX]; /* a certificate in it has expired or is not valid yet */
	size_t n_dated;
	size_t steps;
};

/*
 * Finds paths for certs[0] over n certificates. A leaf that is itself an anchor (the very same bytes) is a
 * path of one: who configures a certificate as anchor trusts that certificate, and everything else about it
 * is still judged.
 */
void path_find(struct path_set *, const struct cert *certs, size_t n, const struct trust *, int64_t now_ms);

/* RFC 5280, 4.1.2.5: valid through notAfter, that second included. */
bool path_cert_expired(const struct cert *, int64_t now_ms);
bool path_cert_not_yet_valid(const struct cert *, int64_t now_ms);
bool path_self_issued(const struct cert *);

#endif
