/*
 * evidence_folder.h - the evidence of refusals, for others to check: state-dir/evidence/NAME.pem has the certificates
 * as they were presented, and NAME.json the verdict. Their number and bytes are bounded: the oldest are removed.
 *
 * Only the helper uses it. A NAME is REASON-LEAF-CHAIN: the code, 16 hex digits of the SHA-256 of the server's
 * certificate, and 16 of a hash over all of them, so that a chain refused for one reason is kept once.
 */
#ifndef RESOLVER_DAEMON_EVIDENCE_FOLDER_H
#define RESOLVER_DAEMON_EVIDENCE_FOLDER_H

#include "base/bytes.h"
#include "base/res.h"

#define REFUSAL_FOLDER    "evidence"
#define REFUSAL_NAME_MAX  96   /* the longest code has 19 characters */
#define REFUSAL_COUNT_MAX 1000 /* of option `count`; so many names are read at once */

/* Stores the evidence if it is not stored yet. pem may be empty: the peer presented nothing. RES_LIMIT: it alone is
 * larger than `bytes`. RES_IO: errno says why. */
enum res evidence_folder_put(int state_dir, const char *name, struct span pem, struct span json,
			     unsigned count, uint64_t bytes);
/* The name: REFUSAL_NAME_MAX bytes. certs: each after its length of 24 bits. sha256: of the first; NULL: it cannot be read. */
const char *evidence_name(char *out, const char *reason, const uint8_t *sha256, struct span certs);

#endif
