/*
 * identity.h - does a certificate bear this address, this name?
 *
 * subjectAltName only: the common name is never looked at (RFC 9525, 2). An address is an iPAddress of
 * exactly its 4 or 16 bytes; no mapped form, no mask, no text in a dNSName. A name matches by RFC 9525, 6.3:
 * letters, digits and hyphens, ASCII case folded, "*" only as the whole left-most label and above two labels
 * or more.
 */
#ifndef VERIFY_IDENTITY_H
#define VERIFY_IDENTITY_H

#include "verify/cert.h"

#define IDENTITY_NAME_MAX 253 /* RFC 1035, 2.3.4, without the root's dot */

bool identity_has_ip(const struct cert *, struct span ip);
/* A trailing dot of the wanted name does not matter. A wanted name that is no host name matches nothing. */
bool identity_has_name(const struct cert *, const char *name);
/* The names can be read to their end (or there are none). */
bool identity_readable(const struct cert *);

/* A host name: labels of letters, digits and inner hyphens, the last one not all digits; no dot at the end.
 */
bool identity_is_host(struct span name);

#endif
