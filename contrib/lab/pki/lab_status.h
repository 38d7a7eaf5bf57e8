/*
 * lab_status.h - revocation data of a CA: CRLs (RFC 5280, 5) and OCSP responses (RFC 6960), right and
 * wrong.
 */
#ifndef CONTRIB_LAB_PKI_LAB_STATUS_H
#define CONTRIB_LAB_PKI_LAB_STATUS_H

#include "contrib/lab/pki/forge.h"

struct forge_crl {
	const char *issuer; /* as derw_name reads it */
	const struct key *key;
	int64_t this_ms, next_ms;
	struct span revoked; /* one serial; empty: nothing is revoked */
	bool broken_signature;
};
void lab_status_crl_write(const struct forge_crl *, struct buf *out);

enum ocsp_status { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };

struct forge_ocsp {
	bool try_later; /* responseStatus tryLater and nothing else */
	enum ocsp_status status;
	struct span serial;
	const char *issuer;           /* of the certificate asked about */
	const struct key *issuer_key; /* P-256 */
	int64_t this_ms, next_ms;
	const char *responder; /* the issuer itself or a delegate, whose certificate is `delegate` */
	const struct key *responder_key;
	struct span delegate;
	bool broken_signature;
};
void lab_status_ocsp_write(const struct forge_ocsp *, struct buf *out);

#endif
