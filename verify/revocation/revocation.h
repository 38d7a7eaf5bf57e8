/*
 * revocation.h - revocation as it was handed to us: a stapled OCSP response, CRL files. Nothing is fetched.
 *
 * A response without nextUpdate is good for seven days. Of several entries for the certificate the worst counts. A CRL
 * must be current (nextUpdate present) and for certificates of this kind and place, but what it names is revoked whatever
 * it is for, and stays so when it is old; delta and indirect CRLs, a serial number twice, and critical extensions that are
 * not known are refused where the file is read. Signatures: RSA PKCS#1 and ECDSA with SHA-2, Ed25519.
 */
#ifndef VERIFY_REVOCATION_REVOCATION_H
#define VERIFY_REVOCATION_REVOCATION_H

#include "base/faults.h"
#include "verify/x509/cert.h"
#include "verify/verdict.h"

#define CRL_FILE_MAX (64 * 1024 * 1024)
#define CRLS_MAX     64
#define STAPLE_MAX   (64 * 1024)

struct crls;

enum res crls_new(struct crls **);
/* PEM (one or more) or DER. Of several, those that cannot be used are left out (crls_left_out). An error: none is left. */
enum res crls_add(struct crls *, struct span file, char **why);
/* What the files lost, with lines; the caller may clear it between two files. Lent. */
struct faults *crls_left_out(struct crls *);
/* A file that was to be here cannot be read: nothing passes (crl-invalid), though what the others name is revoked. */
void crls_lack(struct crls *);
void crls_free(struct crls *);
size_t crls_count(const struct crls *);

/* Does the certificate demand a staple (RFC 7633, status_request)? */
bool cert_must_staple(const struct cert *);

/* Judges the staple for leaf, issued by issuer. REASON_NONE: good. REASON_REVOKED, REASON_STAPLE_INVALID,
 * REASON_OUT_OF_MEMORY otherwise; *text gets a sentence (yours). */
enum reason staple_check(struct span staple, const struct cert *leaf, const struct cert *issuer,
			 int64_t now_ms, char **text);

/* Judges every certificate of the path but the anchor against the CRLs of its issuer. REASON_NONE,
 * REASON_REVOKED, REASON_CRL_INVALID (a CRL of an issuer in the path is not signed by it, or none of its CRLs is current
 * and for the certificate). */
enum reason crls_check(const struct crls *, const struct cert *path, size_t n_path, int64_t now_ms,
		       char **text);

#endif
