/*
 * idn.h - internationalised domain names: U-labels to A-labels (RFC 5890; UTS #46), by GnuTLS's own IDNA library.
 */
#ifndef VERIFY_X509_IDN_H
#define VERIFY_X509_IDN_H

#include "base/bytes.h"
#include "base/res.h"

#define IDN_TEXT_MAX 1024 /* bytes of UTF-8: 253 characters of up to 4 bytes, and a little */

/* Appends the ASCII form of a name in UTF-8. RES_MALFORMED: it has none. RES_LIMIT: it is too long. RES_NOMEM. */
enum res idn_to_ascii(struct buf *out, struct span utf8);

#endif
