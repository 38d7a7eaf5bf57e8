/*
 * trust.h - trust anchors: immutable, shared by upstreams and threads.
 */
#ifndef VERIFY_X509_TRUST_H
#define VERIFY_X509_TRUST_H

#include "verify/x509/cert.h"

#define TRUST_FILE_MAX    (16 * 1024 * 1024) /* Debian's bundle is 220 KB */
#define TRUST_ANCHORS_MAX 4096

struct trust;

/* PEM certificates in one text, anything between them is passed over. RES_NOT_FOUND: there is none in it. */
enum res trust_from_pem(struct trust **out, struct span pem, char **why);
/* Adds another text's certificates while the trust is being built; same errors. Twins are kept once. */
enum res trust_add_pem(struct trust *, struct span pem, char **why);
void trust_free(struct trust *);
size_t trust_count(const struct trust *);
const struct cert *trust_at(const struct trust *, size_t i); /* lent */

#endif
