/*
 * name.h - distinguished names in the form in which they are compared.
 *
 * Compared attribute by attribute: OID, and value as UTF-8 with ASCII case and inner spaces folded, whatever the
 * string type (RFC 5280, 7.1, simplified in the way interface and manual state). The attributes of a multi-valued
 * RDN are a set. The reader of RFC 4514 text takes multi-valued RDNs, dotted OIDs, emailAddress and all escapes.
 */
#ifndef VERIFY_X509_NAME_H
#define VERIFY_X509_NAME_H

#include "base/bytes.h"
#include "base/res.h"

#define NAME_TEXT_MAX 4096 /* bytes of RFC 4514 text that are read */
#define NAME_RDNS_MAX 64

/* A canonical byte string: two names are the same when their keys are equal. Appends to key. */
enum res name_key_from_der(struct buf *key, struct span name);
enum res name_key_from_text(struct buf *key, const char *rfc4514);
/* The same for a text in the other order, most general attribute first, as openssl(1) prints names. RES_NOT_FOUND: the
 * name has one RDN, so there is no other order. */
enum res name_key_from_text_backwards(struct buf *key, const char *text);
/* RFC 4514 text of a DER Name for people and JSON; odd bytes are escaped. Appends. */
enum res name_text(struct buf *out, struct span name);

#endif
