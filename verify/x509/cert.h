/*
 * cert.h - one X.509 certificate, its parts as spans over its own DER bytes.
 *
 * Reading only: nothing here knows trust, time or policy. The bytes are lent and must outlive the cert.
 * Strict: DER lengths, one SubjectPublicKeyInfo, dates of RFC 5280 form (4.1.2.5), no duplicate extension
 * (4.2). What does not fit is RES_MALFORMED.
 */
#ifndef VERIFY_X509_CERT_H
#define VERIFY_X509_CERT_H

#include "base/bytes.h"
#include "base/res.h"

#define CERT_BYTES_MAX      (256 * 1024) /* a certificate with thousands of names; public ones stay below 10 KiB */
#define CERT_EXTENSIONS_MAX 64           /* public certificates have about ten */

struct cert_ext {
	struct span oid; /* content bytes of the OBJECT IDENTIFIER */
	bool critical;
	struct span value; /* content bytes of extnValue */
};

struct cert {
	struct span der;       /* the whole Certificate */
	struct span tbs;       /* TBSCertificate with its header */
	int version;           /* 1, 2, 3 */
	struct span serial;    /* content bytes of the INTEGER, as they stand (leading 00 kept) */
	struct span sig_alg;   /* the outer AlgorithmIdentifier with its header */
	struct span issuer;    /* Name with its header */
	struct span subject;   /* Name with its header */
	struct span spki;      /* SubjectPublicKeyInfo with its header, as it stands */
	struct span signature; /* content of the BIT STRING, a whole number of octets */
	int64_t not_before_ms;
	int64_t not_after_ms;
	struct cert_ext ext[CERT_EXTENSIONS_MAX];
	size_t n_ext;
	uint8_t sha256[32];      /* of der */
	uint8_t spki_sha256[32]; /* of spki */
};

/* RES_MALFORMED, RES_LIMIT (too large, too many extensions), RES_NOMEM; then the content of the cert is undefined. */
enum res cert_read(struct cert *, struct span der);
/* The same without the two fingerprints, which are zero. */
enum res cert_read_parts(struct cert *, struct span der);
/* Sets both fingerprints: that of the certificate as it was given, which for an anchor need not be DER, and that of
 * the key. RES_NOMEM. */
enum res cert_fingerprint(struct cert *, struct span given);

/* The extension with this OID (content bytes), NULL when absent. Lent. */
const struct cert_ext *cert_ext_find(const struct cert *, struct span oid);
/* Content of subjectKeyIdentifier; empty when there is none that can be read. A hint, never a proof. Lent. */
struct span cert_subject_key_id(const struct cert *);
bool cert_subject_is_empty(const struct cert *);

#endif
