/*
 * name_value.h - the parts of a distinguished name, for name*.c only.
 */
#ifndef VERIFY_X509_NAME_VALUE_H
#define VERIFY_X509_NAME_VALUE_H

#include "verify/x509/der.h"

/* The next AttributeTypeAndValue of an RDN (RFC 5280, 4.1.2.4). */
enum res attribute_read(struct span *oid, struct der_element *value, struct der_reader *set);
/* The OID (content bytes) of a type by its name in RFC 4514 text, any case. */
bool attribute_find(struct span *oid, struct span name);
/* The name that is written for an OID; NULL when it has none. */
const char *attribute_name(struct span oid);
/* Appends a string of any type as UTF-8. False: not a string, or not a good one of its type; out is as before. */
bool attribute_value_utf8(struct buf *out, const struct der_element *value);

#endif
