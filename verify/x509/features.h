/*
 * features.h - the TLS extensions that a certificate demands of every handshake (RFC 7633), by number.
 */
#ifndef VERIFY_X509_FEATURES_H
#define VERIFY_X509_FEATURES_H

#include "verify/x509/cert.h"

/* Of one certificate; each is compared with each of its issuer's. Public certificates have one. */
#define FEATURES_MAX 16

/* Contents of INTEGERs, minimal: equal numbers are equal bytes. Lent by the certificate. */
struct features {
	struct span number[FEATURES_MAX];
	size_t n;
};

/* A certificate without the extension has none. RES_MALFORMED; RES_LIMIT: more than FEATURES_MAX. On an error there are
 * none either. */
enum res features_read(struct features *, const struct cert *);
bool features_has(const struct features *, struct span number);
/*
 * RFC 7633, 4.2.2: a certificate demands all that the certificate of its issuer demands. Applied to anchors too, as GnuTLS
 * does. NULL: so does `below`. Else what is wrong with it, a constant; also when either cannot be read.
 */
const char *features_fault(const struct cert *ca, const struct cert *below);

#endif
