/*
 * pem.h - the binary inside PEM text (RFC 7468). Text around and between the blocks is passed over.
 */
#ifndef VERIFY_X509_PEM_H
#define VERIFY_X509_PEM_H

#include "base/bytes.h"
#include "base/res.h"

/*
 * Appends the content of the next block with this label ("CERTIFICATE") to out and moves *text behind it.
 * RES_NOT_FOUND: there is none left. RES_MALFORMED: it has no end or is not base64. RES_LIMIT: more than out
 * takes. RES_NOMEM.
 */
enum res pem_next(struct buf *out, struct span *text, const char *label);

#endif
