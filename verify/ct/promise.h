/*
 * promise.h - what the SCTs of a certificate promise: that a log has an entry with this hash, at this index if it is static-ct.
 *
 * Pure: a chain and a list of logs in, promises out. Whether a log keeps them is for somebody with a network to find out
 * (`ctstub audit`). An SCT promises only what its log really signed: without the issuer's certificate in the chain nothing
 * can be said, and an SCT whose signature does not verify is no promise of that log (RFC 6962, 3.2).
 */
#ifndef VERIFY_CT_PROMISE_H
#define VERIFY_CT_PROMISE_H

#include "verify/ct/ctlogs.h"
#include "verify/ct/sct.h"
#include "verify/ct/tree.h"

/* Certificates of which the issuer is looked for, as in a chain that is judged. */
#define PROMISE_CHAIN_MAX 16

enum promise_state {
	PROMISE_SIGNED,        /* the log made it */
	PROMISE_UNKNOWN_LOG,   /* in no list, never to be believed, or the SCT cannot be read */
	PROMISE_BAD_SIGNATURE, /* not made by the log that it names */
	PROMISE_NO_PLACE,      /* of a static-ct log, and without a leaf index */
};

struct promise {
	enum promise_state state;
	const struct ctlog *log; /* NULL: unknown. Lent by the list */
	uint8_t log_id[32];      /* zero when it cannot be read */
	uint64_t timestamp_ms;
	uint64_t leaf_index;   /* of static-ct logs */
	struct tree_hash leaf; /* the hash of the entry that the log must have; zero: none */
	struct span sct;       /* points into the chain; its signature is the evidence */
};

struct promises {
	struct promise promise[SCT_LIST_MAX];
	size_t n;
};

/*
 * Reads the promises of chain[0]. RES_NOT_FOUND: it has none. RES_MALFORMED, RES_LIMIT: they cannot be read.
 * RES_UNSUPPORTED: the certificate of the issuer is not in the chain. RES_NOMEM.
 */
enum res promises_read(struct promises *, const struct span *chain, size_t n, const struct ctlogs *);

/* What it means that a tree head does not have the entry. */
enum promise_missing {
	PROMISE_NOT_YET, /* the log still has time */
	PROMISE_UNSETTLED, /* the head is older than the time that the log had: it says nothing about the entry */
	PROMISE_BROKEN, /* a head of after that time, signed by the log, lacks what the log promised */
};
/* The time at which the log must have the entry, in milliseconds since the epoch (RFC 6962, 3: the maximum merge
 * delay). */
uint64_t promise_due_ms(const struct promise *);
enum promise_missing promise_missing(const struct promise *, uint64_t head_ms, int64_t now_ms);

#endif
