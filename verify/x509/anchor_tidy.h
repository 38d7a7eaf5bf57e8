/*
 * anchor_tidy.h - a root certificate that is not quite DER, written as DER.
 *
 * For trust anchors only: an anchor is a key and a name (RFC 5280, 6.1.1 (d)), the maker of a bundle vouches for
 * it, and old roots have what OpenSSL and GnuTLS read all the same. Certificates that a server presents stay strict,
 * but for those that are anchors themselves (judge_import.c).
 */
#ifndef VERIFY_X509_ANCHOR_TIDY_H
#define VERIFY_X509_ANCHOR_TIDY_H

#include "base/bytes.h"
#include "base/res.h"

#define ANCHOR_NESTING_MAX 16 /* of elements; certificates have about 10 */

/* The first element of `in`, with its header, and what comes after it. RES_MALFORMED: there is none of definite length. */
enum res anchor_first(struct span in, struct span *first, struct span *rest);

/*
 * Appends the element `in` with these errors corrected: lengths that are not minimal, INTEGERs with needless octets,
 * BOOLEANs other than 00 and ff, a FALSE where it is the default (X.690, 11.5: in a certificate always), times without
 * seconds or with an offset of zero or a fraction, and the type of a time (RFC 5280, 4.1.2.5). Everything else is
 * copied unchanged. RES_MALFORMED: not a sequence of elements. RES_LIMIT: nested too deep. RES_NOMEM: out takes no
 * more.
 */
enum res anchor_tidy(struct buf *out, struct span in);

#endif
