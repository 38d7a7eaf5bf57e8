/*
 * precert.h - precertificates: what a log puts into its tree for one (RFC 6962, 3.1 and 3.2).
 *
 * A CA submits a certificate with a poison extension, signed like any other. The log keeps its TBSCertificate without the
 * poison. Where a Precertificate Signing Certificate signed, the log also puts that one's issuer and authority key
 * identifier in place of those that the precertificate has. Only the one signature is verified here, and no path.
 */
#ifndef VERIFY_CT_PRECERT_H
#define VERIFY_CT_PRECERT_H

#include "verify/x509/cert.h"

/* Signatures that are looked at to find who signed; chains of logs have two to five. */
#define PRECERT_CHECKS_MAX 16

/* The certificate of the chain whose key signed the leaf, at chain[*at]. RES_NOT_FOUND: none did. RES_NOMEM. */
enum res precert_signer(struct cert *signer, size_t *at, const struct cert *leaf, const struct span *chain,
			size_t n);
/* Is it a Precertificate Signing Certificate: is its extended key usage the one of RFC 6962, 3.1? */
bool precert_signing(const struct cert *);
/*
 * Appends the TBSCertificate of a submitted precertificate as the log stores it. signing: the Precertificate Signing
 * Certificate that signed it; NULL: none did. An SCT list is left out as well, so that a certificate and its
 * precertificate give the same bytes. RES_MALFORMED, RES_NOMEM.
 */
enum res precert_tbs(struct buf *out, const struct cert *submitted, const struct cert *signing);

#endif
