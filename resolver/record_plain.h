/*
 * record_plain.h - the text of a record, as a zone file has it, in the forms that nearly all local data have: an owner, a TTL,
 * the class IN, one of the types of record_plain.c, and RDATA without comments or parentheses; escapes only in strings.
 *
 * For such texts it gives the bytes that ldns gives (the test compares them). Any other text is left to ldns, also one that is
 * malformed: ldns says what is wrong with it. Knows no files and no library.
 */
#ifndef RESOLVER_RECORD_PLAIN_H
#define RESOLVER_RECORD_PLAIN_H

#include "base/bytes.h"

#include <stdbool.h>

/* Appends the record in wire form (RFC 1035, 3.2.1), names as spelled and without pointers. Names are relative to the root. False:
 * the text is of another form, and wire is undefined. */
bool record_plain_read(struct buf *wire, const char *text, uint32_t default_ttl);

#endif
