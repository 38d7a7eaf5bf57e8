/*
 * usage.h - the uses that a certificate allows: basicConstraints, keyUsage, extendedKeyUsage, and
 * which critical extensions we understand.
 */
#ifndef VERIFY_X509_USAGE_H
#define VERIFY_X509_USAGE_H

#include "verify/x509/cert.h"

/* Bits of KeyUsage (RFC 5280, 4.2.1.3), most significant first. */
#define USAGE_DIGITAL_SIGNATURE 0x80
#define USAGE_KEY_CERT_SIGN     0x04
#define USAGE_CRL_SIGN          0x02

struct usage {
	bool has_basic;
	bool ca;
	bool has_path_len;
	uint32_t path_len;
	bool has_key_usage;
	uint8_t key_usage; /* the first eight bits; decipherOnly is of no interest */
	bool has_purposes;
	bool server_auth;
	bool any_purpose;
	bool foreign_purpose; /* one that does not go together with serverAuth */
};

/* RES_MALFORMED: one of the three extensions cannot be read. */
enum res usage_read(struct usage *, const struct cert *);
/* Does the extended key usage name that purpose, up to its first mistake? False without the extension. */
bool usage_names_purpose(const struct cert *, struct span oid);
/* The first critical extension that is not known or whose content cannot be processed (critical.c), NULL when there is
 * none. Lent. */
const struct cert_ext *usage_unknown_critical(const struct cert *);

/* Each returns what is wrong (constant), or NULL. */
const char *usage_server_fault(const struct usage *);          /* as a TLS server's own certificate */
const char *usage_ca_fault(const struct usage *, int version); /* as an issuer inside a path */
const char *usage_anchor_fault(const struct usage *,
			       int version);           /* as an anchor: a version 1 root has no extensions */
const char *usage_purpose_fault(const struct usage *); /* an issuer that is not for TLS servers */

#endif
