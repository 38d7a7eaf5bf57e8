/*
 * record_ldns.h - the text of any record, as a zone file has it, read by ldns: every type that it knows, escapes,
 * parentheses, and those of RFC 3597.
 *
 * ldns needs libcrypto for its DNSSEC: 1.9 MiB in memory and 2 ms of a start. It is therefore loaded when the first text is
 * read that record_plain.h leaves to it, and a daemon whose local data has none never loads it. A process that has restricted
 * its system calls cannot load code (sandbox.h), so the daemon says when it does so.
 *
 * One thread at a time.
 */
#ifndef RESOLVER_RECORD_LDNS_H
#define RESOLVER_RECORD_LDNS_H

#include "base/bytes.h"

/* Appends the record in wire form (RFC 1035, 3.2.1). Names are relative to the root. Returns what is wrong (lent
 * until the next call), or NULL. */
const char *record_ldns_read(struct buf *wire, const char *text, uint32_t default_ttl);
/* From now on ldns is not loaded; if it is loaded already, it stays in use. */
void record_ldns_seal(void);

#endif
