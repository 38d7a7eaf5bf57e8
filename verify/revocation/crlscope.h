/*
 * crlscope.h - which certificates of its issuer a CRL speaks for, and about which reasons (RFC 5280, 5.2.5 and 6.3.3 (b)).
 *
 * Without an issuing distribution point it is all of them. That a list does not name a certificate it does not speak for
 * says nothing.
 */
#ifndef VERIFY_REVOCATION_CRLSCOPE_H
#define VERIFY_REVOCATION_CRLSCOPE_H

#include "verify/x509/cert.h"

/* Of the list's point; each is compared with each of a certificate's. Public CRLs have one. */
#define CRL_SCOPE_NAMES_MAX 16
/* Of all points of a certificate that are compared with one list's; public certificates have one or two. */
#define CRL_SCOPE_CERT_NAMES_MAX 64

/* ReasonFlags 1 to 8, flag n as the bit 1 << n (RFC 5280, 4.2.1.13); flag 0 is not used. */
#define CRL_REASONS_ALL 0x1feu

/* DistributionPointName. Spans are lent. */
struct crl_point {
	bool present;
	bool relative; /* names is one RDN below the issuer's name, without its header; else GeneralNames */
	struct span names; /* empty: there are too many, and none is ever met */
};

struct crl_scope {
	bool servers_only;
	bool cas_only;
	unsigned reasons;       /* the others stand in a list that is not this one */
	struct crl_point point; /* when present: only certificates that name it, too */
	struct span issuer;     /* of the list, Name with its header */
};

/* Of a list without an issuing distribution point. */
struct crl_scope crl_scope_everything(struct span issuer);
/* Reads an IssuingDistributionPoint. RES_UNSUPPORTED: its entries are of other issuers, or of attribute
 * certificates. RES_MALFORMED: also if it is empty, or limits the list to more than one kind of certificate. */
enum res crl_scope_read(struct crl_scope *, struct span value, struct span issuer);
/* The revocation reasons that the list covers for this certificate of its issuer; 0: it does not cover the
 * certificate. */
unsigned crl_scope_reasons(const struct crl_scope *, const struct cert *);

#endif
