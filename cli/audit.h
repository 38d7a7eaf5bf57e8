/*
 * audit.h - does a log keep what one SCT promises? Asked of the log itself, its answers verified.
 *
 * RFC 6962: get-sth, get-proof-by-hash. static-ct: the checkpoint, and the hash tiles from the leaf index to the root. What
 * the log says counts only with a head that its key signed and a proof that leads to it.
 */
#ifndef CLI_AUDIT_H
#define CLI_AUDIT_H

#include "verify/ct/head.h"
#include "verify/ct/promise.h"
#include "verify/verify.h"

enum audit_outcome {
	AUDIT_INCLUDED,  /* the entry is in the tree of the head */
	AUDIT_NOT_YET,   /* it is not, and the log still has time: its maximum merge delay is not over */
	AUDIT_BROKEN,    /* it is not, though the delay is over; or the log proves something else */
	AUDIT_NOT_ASKED, /* the SCT is no promise of a known log, or where the log is read is not known */
	AUDIT_FAILED,    /* the log cannot be reached, or gives no head that verifies */
};

struct audit_result {
	enum audit_outcome outcome;
	char *why;        /* a sentence; NULL when included. Owned */
	struct head head; /* verified, when has_head */
	bool has_head;
	uint64_t index;       /* when included */
	struct buf answer;    /* the last answer of the log, as evidence */
	struct buf head_text; /* the head as the log gave it */
};

/* Asks the log; the certificate of its server is verified with the policy. */
void audit_promise(struct audit_result *, const struct promise *, const struct vfy_policy *, int64_t now_ms);
void audit_result_clear(struct audit_result *);
const char *audit_outcome_text(
    enum audit_outcome); /* "included", "not-yet", "broken-promise", "not-asked", "failed" */

#endif
