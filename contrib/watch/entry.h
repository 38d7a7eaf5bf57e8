/*
 * entry.h - what the reader of logs hands over: entries, the misbehaviour of logs, and evidence on demand.
 *
 * The reader (reader.h) fetches, hashes and verifies; the findings (findings.h) match and judge what it hands over here.
 * Entries of one log come in rising order of their index, logs in any order. An entry is handed over as soon as it is
 * hashed. When the root over a range is not the signed one, the log's misbehaviour is reported, and the range is fetched
 * again: entries may come again, then and after a restart, and must not count twice.
 */
#ifndef CONTRIB_WATCH_ENTRY_H
#define CONTRIB_WATCH_ENTRY_H

#include "base/bytes.h"
#include "base/res.h"
#include "verify/ct/ctlogs.h"
#include "verify/ct/head.h"
#include "verify/ct/tree.h"

#define WATCH_CHAIN_MAX 16 /* issuers of one entry, as many certificates as a chain may have elsewhere */

struct watch_findings;
struct watch_reader;

/* A log that is read. Lives as long as the reader. */
struct watch_log {
	const struct ctlog *ctlog; /* name (description), operator, id, key, MMD */
	const char *url;           /* its reading interface; ends in a slash */
	char id_hex[65];           /* its id, for names of files */
};

struct watch_entry {
	const struct watch_log *log;
	uint64_t index;
	uint64_t timestamp_ms;
	bool unreadable; /* the leaf itself cannot be read: certificate is the whole leaf */
	bool precertificate;
	struct span certificate; /* X.509 DER, or the TBSCertificate of a precertificate; lent for the call */
	uint8_t issuer_key_hash[32]; /* of a precertificate, else zero */
};

/* The log did what no log may do. */
struct watch_misbehaviour {
	const struct watch_log *log;
	const char *kind;          /* a word: see misbehaviour.def */
	const char *text;          /* a sentence for people */
	const struct head *first;  /* the head that was verified before; NULL: none */
	const struct head *second; /* the head that contradicts it, or does not verify; NULL: none */
	struct span bytes;         /* what the log answered, as evidence; may be empty, and may be cut */
};

/* Implemented by the findings. An entry that does not match costs less than 2 microseconds. False: it could not be recorded,
 * and must be handed over again later. */
bool watch_entry_seen(struct watch_findings *, const struct watch_entry *);
/* False: it could not be recorded, and must be reported again when it is met again. */
bool watch_log_misbehaved(struct watch_findings *, const struct watch_misbehaviour *);
/* RES_OK: everything that was handed over and must be kept is on disk. Called before a position is written, so that a
 * kill loses nothing; after any other result the position stays where it is. */
enum res watch_findings_sync(struct watch_findings *);

/* All of one entry, proven to be in the log. Lent for the call. */
struct watch_evidence {
	struct span leaf;                   /* MerkleTreeLeaf: what is hashed */
	struct span certificate;            /* as submitted: the certificate, or the precertificate */
	struct span chain[WATCH_CHAIN_MAX]; /* its issuers, the nearest first; from the log, not judged */
	size_t n_chain;
	const struct head *head;        /* verified */
	const struct tree_proof *proof; /* from the leaf to the head's root, verified */
};

/* `evidence` on RES_OK, else `why`, a sentence. RES_NOT_FOUND: the log no longer serves the entry. */
typedef void watch_evidence_fn(void *arg, enum res, const char *why, const struct watch_log *, uint64_t index,
			       const struct watch_evidence *evidence);

/*
 * Fetches the evidence and calls back from the loop, once, never before this returns. The reader tries again while the
 * log cannot be reached; closing the reader drops the request without a call. RES_LIMIT: WATCH_EVIDENCE_MAX are under
 * way, or WATCH_EVIDENCE_LOG_MAX of this log; ask again later. RES_NOMEM.
 */
#define WATCH_EVIDENCE_MAX     64
#define WATCH_EVIDENCE_LOG_MAX 8 /* a log that proves none of its many findings does not delay other logs */
enum res watch_evidence_get(struct watch_reader *, const struct watch_log *, uint64_t index,
			    watch_evidence_fn *, void *arg);

#endif
