/*
 * crlscope.h - which certificates of its issuer a CRL speaks for (RFC 5280, 5.2.5 and 6.3.3 (b)).
 *
 * Without an issuing distribution point it is all of them. That a list does not name a certificate it does not speak for
 * says nothing.
 */
#ifndef VERIFY_REVOCATION_CRLSCOPE_H
#define VERIFY_REVOCATION_CRLSCOPE_H

#include "verify/x509/cert.h"

/* Of the point; each is compared with each of a certificate's. Public CRLs have one. */
#define CRL_SCOPE_NAMES_MAX 16

struct crl_scope {
	bool servers_only;
	bool cas_only;
	bool some_reasons; /* the others stand in a list that is not this one */
	bool pointed;      /* only certificates that name the same point */
	struct span names; /* of the point, GeneralNames without header; empty: of a kind that meets none */
};

/* Reads an IssuingDistributionPoint. RES_UNSUPPORTED: its entries are of other issuers, or of attribute certificates. */
enum res crl_scope_read(struct crl_scope *, struct span value);
bool crl_scope_has(const struct crl_scope *, const struct cert *);

#endif
