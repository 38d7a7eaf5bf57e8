/*
 * trust.h - trust anchors: immutable, shared by upstreams and threads.
 */
#ifndef VERIFY_X509_TRUST_H
#define VERIFY_X509_TRUST_H

#include "base/faults.h"
#include "verify/x509/cert.h"

#define TRUST_FILE_MAX    (16 * 1024 * 1024) /* Debian's bundle is 220 KB */
#define TRUST_ANCHORS_MAX 4096
#define TRUST_REJECTS_MAX 4096 /* certificates whose own settings reject them */

struct trust;

/*
 * The anchors of one PEM text ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"); text between them is skipped.
 * Bundles are collected by others, so a certificate that cannot be used is left out (trust_left_out), and the others
 * are used. Roots that are not quite DER are read (anchor_tidy.h). RES_NOT_FOUND: there is no certificate in the text.
 * RES_MALFORMED: there are certificates, but none can be used. RES_LIMIT: the text is larger than TRUST_FILE_MAX.
 */
enum res trust_from_pem(struct trust **out, struct span pem, char **why);
/* Adds another text's certificates while the trust is being built; same errors. Identical certificates are kept
 * once. */
enum res trust_add_pem(struct trust *, struct span pem, char **why);
/* The certificates that were left out, with lines; the caller may clear it between two texts. Lent. */
struct faults *trust_left_out(struct trust *);
void trust_free(struct trust *);
size_t trust_count(const struct trust *);
const struct cert *trust_at(const struct trust *, size_t i); /* lent */
/* How many anchors have this subject (bytes of the Name), and the index of the first; they are adjacent. */
size_t trust_find(const struct trust *, struct span subject, size_t *first);
/* The anchor with this fingerprint (cert_fingerprint); NULL: none. Lent. */
const struct cert *trust_named(const struct trust *, const uint8_t sha256[32]);

#endif
