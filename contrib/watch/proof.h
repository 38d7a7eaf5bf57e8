/*
 * proof.h - a consistency or inclusion proof, fetched from a log of either kind.
 *
 * RFC 6962 logs give proofs; those of static-ct logs are put together from tiles. Nothing is verified here: the caller
 * checks the proof against a signed head.
 */
#ifndef CONTRIB_WATCH_PROOF_H
#define CONTRIB_WATCH_PROOF_H

#include "contrib/watch/entry.h"
#include "contrib/watch/fetch.h"

/* Tiles of one proof: two edges of a tree, each with a tile a level, and what partial tiles need beside them. */
#define PROOF_TILES_MAX 32

struct proof_job;

struct proof_result {
	/* RES_OK; RES_IO: the log did not answer; RES_MALFORMED: it answered something else; RES_NOMEM: not the log's fault */
	enum res res;
	const char *why; /* for people, on failure. Lent */
	const struct tree_proof *proof;
	const struct fetch_answer *answer; /* the last one; NULL: none */
};
typedef void proof_fn(void *arg, const struct proof_result *);

struct proof_request {
	const struct watch_log *log;
	/* Of leaf number `first` in the tree of size `second`; else consistency of both sizes. */
	bool inclusion;
	uint64_t first, second;
	struct tree_hash leaf; /* of inclusion: RFC 6962 logs are asked by hash */
};

/* Calls back from fetcher_wait, once. RES_LIMIT: no room in the budget now. RES_NOMEM. */
enum res proof_start(struct proof_job **, struct fetcher *, struct tree_hasher *,
		     const struct proof_request *, proof_fn *, void *arg);
/* Drops it without calling back. NULL is allowed. */
void proof_drop(struct proof_job *);

#endif
