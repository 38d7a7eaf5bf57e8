/*
 * follow.h - inside the reader: one log that is followed.
 */
#ifndef CONTRIB_WATCH_FOLLOW_H
#define CONTRIB_WATCH_FOLLOW_H

#include "contrib/watch/gzip.h"
#include "contrib/watch/pace.h"
#include "contrib/watch/proof.h"
#include "contrib/watch/reader_settings.h"
#include "contrib/watch/source.h"
#include "contrib/watch/state.h"

/* Heads that go back or cannot be read are asked for again: a frontend may lag or fail. */
#define FOLLOW_RECHECKS   3
#define FOLLOW_RECHECK_MS 1000
/* Between two writes of a state while much is read; after a kill we read this much again. */
#define FOLLOW_SAVE_MS         2000
#define FOLLOW_UNPACKED_MAX    FETCHER_ANSWER_MAX
#define FOLLOW_GIVE_UP_ENTRIES 5 /* answers without the entries: the log is reported then */
#define FOLLOW_GIVE_UP         3 /* failures in a row after which --once leaves a log */

enum misbehaviour {
#define MISBEHAVIOUR(id, word, text) MISBEHAVIOUR_##id,
#include "contrib/watch/misbehaviour.def"
#undef MISBEHAVIOUR
	MISBEHAVIOUR_COUNT
};

/* One request for entries, and its answer until its turn comes. */
struct slot {
	struct follow *follow;
	uint64_t begin, end; /* the entries that are wanted of it */
	bool under_way, here;
	bool whole; /* the full tile, in place of a partial one that is gone */
	bool gzip;
	struct fetch_body body;
};

struct follow {
	struct watch_log log;
	struct watch_reader *reader;
	struct pace pace;
	struct log_state state;
	bool started; /* state.range says where to go on */

	/* the head (heads.c) */
	bool has_head;
	bool head_under_way;
	struct head candidate;
	struct proof_job *proof;
	unsigned rechecks;
	int64_t next_poll_ms;
	bool polled;       /* a head was judged since the reader was opened */
	bool head_refused; /* the last one; the trouble ends with the next good one, not with other answers */

	/* the start (start.c) */
	uint64_t low, high; /* the entry of that time lies between */
	uint64_t start;
	bool searching, start_under_way;

	/* entries (entries.c) */
	bool has_target;
	struct head target; /* where the range goes */
	struct slot slot[PACE_PARALLEL_MAX];
	size_t first_slot, n_slots; /* a ring, in order of their entries; the first is next */
	unsigned under_way;
	size_t entry_bytes;  /* of one entry in an answer, learned */
	unsigned refusals;   /* answers in a row without the entries, or without a start */
	unsigned setbacks;   /* roots in a row that were not the signed one */
	unsigned unrecorded; /* times in a row that a finding in an entry could not be recorded */
	int64_t again_ms;    /* when the log is asked again after one of these */
	int64_t entry_ms;

	bool dirty;
	bool unsaved; /* the last write failed */
	int64_t saved_ms;
	unsigned failures;  /* in a row, of requests */
	bool trouble_stays; /* it is about what the log says: an answer alone does not end it */
	char trouble[256];
	bool reported[MISBEHAVIOUR_COUNT]; /* since things were well */
	uint64_t entries, bytes, requests, total_failures, misbehaviours;
};

/* Evidence of one entry (proven.c). */
struct proven {
	struct watch_reader *reader;
	const struct follow *follow;
	uint64_t index;
	watch_evidence_fn *fn;
	void *arg;
	bool used, under_way;
	unsigned tries;
	int64_t next_ms;
	struct buf bytes; /* leaf, certificate and chain, one after the other */
	size_t leaf_n, certificate_n;
	size_t chain_n[WATCH_CHAIN_MAX];
	size_t n_chain, n_issuers; /* issuers: how many of the chain are to be fetched */
	uint8_t fingerprint[WATCH_CHAIN_MAX][32];
	bool has_entry, has_proof;
	struct head head;
	struct tree_hash leaf_hash;
	struct tree_proof proof;
	struct proof_job *job;
};

struct watch_reader {
	struct reader_settings settings;
	struct fetcher *fetcher;
	struct tree_hasher *hasher;
	struct gunzip *gunzip;
	struct buf unpacked;
	struct batch batch;
	struct follow *follow;
	size_t n_follow;
	const struct ctlog **left_out;
	size_t n_left_out;
	struct proven proven[WATCH_EVIDENCE_MAX];
	int64_t next_ms; /* when something is due again */
	bool no_room;    /* a request for entries did not fit into the budget in this round */
};

/* Reports it to the findings, once until follow_well. False: it could not be recorded. */
bool follow_misbehaved(struct follow *, enum misbehaviour, const struct head *first,
		       const struct head *second, struct span bytes);
void follow_well(struct follow *, enum misbehaviour);

/* Bookkeeping of every answer. True: it has status 200. */
bool follow_answered(struct follow *, const struct fetch_answer *);
void follow_failed(struct follow *, const char *why);
/* The log answers, but not what it should; until follow_content_good. */
void follow_content_bad(struct follow *, const char *why);
void follow_content_good(struct follow *);
/* Asks for entries, or for where to begin, later each time: the log is not flooded with requests that it cannot answer. */
void follow_setback(struct follow *, unsigned times);
/* There is no memory for what the log gave: it is asked again later, and not blamed. */
void follow_unread(struct follow *);
/* Something is due at that time. */
void follow_due(struct watch_reader *, int64_t at_ms);
void follow_save(struct follow *, bool now);

/* Each starts what is due. */
void heads_step(struct follow *, int64_t now_ms);
void start_step(struct follow *, int64_t now_ms);
void entries_step(struct follow *, int64_t now_ms);
void proven_step(struct watch_reader *, int64_t now_ms);
/* Drops what is under way. */
void heads_close(struct follow *);
void entries_close(struct follow *);
/* Drops the answers that wait for those before them: their bytes are needed. */
void entries_give_way(struct follow *);
void proven_close(struct watch_reader *);

/* The body of an answer, decompressed if needed; lent until the next call. RES_LIMIT: larger than it may be. */
enum res reader_unpack(struct watch_reader *, struct span *out, struct span body, bool gzip);
/* The entry with this index in an answer that begins with entry `first`. RES_NOT_FOUND: it is not in it. */
enum res reader_entry_find(struct watch_reader *, const struct watch_log *, struct span body, bool gzip,
			   uint64_t first, uint64_t index, struct batch_entry *out);

#endif
