/*
 * revocation.h - revocation by what is given: a stapled OCSP response and CRL files. Nothing is fetched.
 *
 * Both speak with the key of the certificate's issuer in the proven path, or in the staple's case with one that it
 * delegated; a CA that renewed its key under its old name is another issuer here.
 *
 * Staples (RFC 6960): a response without nextUpdate is good for seven days. Of several entries for the certificate the
 * worst counts.
 *
 * Lists (RFC 5280, 5 and 6.3.3): one must be current (nextUpdate present) and for certificates of this kind and place, but
 * a certificate that a list of the right key names is revoked, whatever the list is for and however old it is. Not used:
 * delta CRLs, indirect CRLs, lists that name a serial number twice, lists with unknown critical extensions. A list of
 * another key of the same name is ignored. CRLs signed by another certificate than the issuer's own are not supported.
 */
#ifndef VERIFY_REVOCATION_REVOCATION_H
#define VERIFY_REVOCATION_REVOCATION_H

#include "base/faults.h"
#include "verify/x509/cert.h"
#include "verify/verdict.h"
#include "verify/when.h"

#define CRL_FILE_MAX (64 * 1024 * 1024)
#define CRLS_MAX     1024 /* a large organisation's CAs, each with an old and a new key, and lists in parts */
#define STAPLE_MAX   (64 * 1024)

struct crls;
struct signature_budget;

enum res crls_new(struct crls **);
/* PEM (one or more) or DER. A list that occurs twice is kept once. If some of several lists cannot be used, they are
 * left out (crls_left_out); if their issuer's name can be read, crls_check still knows that this issuer has a list.
 * An error: none can be used. */
enum res crls_add(struct crls *, struct span file, char **why);
/* The lists that were left out, with lines; the caller may clear it between two files. Lent. */
struct faults *crls_left_out(struct crls *);
/* A configured file cannot be read: no certificate passes (crl-invalid), and those that the other lists name are revoked. */
void crls_lack(struct crls *);
void crls_free(struct crls *);
size_t crls_count(const struct crls *); /* those that can be used */

/* Does the certificate demand a staple (RFC 7633, status_request)? */
bool cert_must_staple(const struct cert *);

/* Judges the staple for leaf, issued by issuer. REASON_NONE: good. REASON_REVOKED, REASON_STAPLE_INVALID,
 * REASON_OUT_OF_MEMORY otherwise; *text gets a sentence (yours) or NULL. */
enum reason staple_check(struct span staple, const struct cert *leaf, const struct cert *issuer, struct when,
			 struct signature_budget *, char **text);

/* Checks a certificate against the CRLs of its issuer, whose key verified the certificate's signature; NULL: the
 * issuer was not found. REASON_NONE, REASON_REVOKED, REASON_CRL_INVALID (there are CRLs in the issuer's name, but no
 * current one of its key covers the certificate), REASON_OUT_OF_MEMORY; *text gets a sentence (yours) or NULL. */
enum reason crls_check(const struct crls *, const struct cert *, const struct cert *issuer, struct when,
		       struct signature_budget *, char **text);

#endif
