/*
 * identity.h - does a certificate bear this address, this name?
 *
 * subjectAltName only: the common name is never looked at (RFC 9525, 2). An address is an iPAddress of
 * exactly its 4 or 16 bytes; no mapped form, no mask, no text in a dNSName. A name matches by RFC 9525, 6.3:
 * letters, digits and hyphens, ASCII case folded, "*" only as the whole left-most label and above two labels
 * or more, which are no public suffix: names right below one belong to strangers (Baseline Requirements, 3.2.2.6).
 */
#ifndef VERIFY_X509_IDENTITY_H
#define VERIFY_X509_IDENTITY_H

#include "verify/x509/cert.h"

#define IDENTITY_NAME_MAX   253 /* RFC 1035, 2.3.4, without the root's dot */
#define IDENTITY_TEXT_SHOWN 6   /* by identity_text; the rest is counted */

/* Is this a public suffix, below which anyone can register names? The domain is a host name in lower case of two
 * labels or more. */
typedef bool identity_is_suffix(const char *domain);

bool identity_has_ip(const struct cert *, struct span ip);
/* A trailing dot of the expected name does not matter. An expected name that is not a host name matches nothing.
 * is_suffix NULL: only the simplest public suffixes are known ("co.uk"). */
bool identity_has_name(const struct cert *, const char *name, identity_is_suffix *is_suffix);
/* For people: the first few of its addresses and host names, "nothing" when it has none. Appends. */
void identity_text(struct buf *, const struct cert *);
/* The names can be read to their end (or there are none). */
bool identity_readable(const struct cert *);

/* A host name: labels of letters, digits and inner hyphens, the last one not all digits; no dot at the end.
 */
bool identity_is_host(struct span name);

#endif
