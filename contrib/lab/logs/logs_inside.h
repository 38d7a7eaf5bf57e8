/*
 * logs_inside.h - one toy log, for the files of lab_logs.h only.
 */
#ifndef CONTRIB_LAB_LOGS_LOGS_INSIDE_H
#define CONTRIB_LAB_LOGS_LOGS_INSIDE_H

#include "contrib/lab/logs/logs_reply.h"
#include "contrib/lab/logs/toytree.h"

#include <pthread.h>

#define LOG_ORIGIN_MAX 256
#define LEVEL_TILE     256 /* hashes, or entries, of a full tile (C2SP static-ct-api) */

struct lab_log {
	const char *name;            /* constant */
	char origin[LOG_ORIGIN_MAX]; /* of its checkpoints */
	bool tiled;
	const struct key *key; /* lent; its spki_sha256 is the log's id */
	int64_t mmd_ms;
	const struct logs_options *options;

	pthread_mutex_t lock; /* all below */
	struct toytree *tree;
	int64_t *due_ms; /* when each submission gets into the tree */
	size_t n_due;
	uint64_t merged; /* entries in the tree; never decreases */
	uint64_t heads, requests;
	bool forked; /* the last head was of the other view */
	bool wrong[MISBEHAVIOUR_COUNT];
	uint64_t victim; /* the entry that is left out or altered */
};

struct toy_head {
	uint64_t size, timestamp_ms;
	struct tree_hash root;
	struct buf signature; /* DigitallySigned: two octets of algorithms, vector of the signature */
};

/* With the lock held: moves what is due into the tree, and gives its size. */
uint64_t lab_log_merge(struct lab_log *);
/* With the lock held: a head as the log gives one now. toy_head's signature is the caller's to free. */
enum res lab_log_head(struct lab_log *, struct toy_head *);
struct toyview lab_log_view(const struct lab_log *);
/* An SCT's signature over the leaf; DigitallySigned. With the lock held. */
void lab_log_sign(struct lab_log *, struct span bytes, struct buf *out);
/* With the lock held. Adds what is due in due_ms. */
enum res lab_log_add(struct lab_log *, const struct leaf *, const struct span *chain, size_t n,
		     int64_t due_ms);

/* The APIs of one log: `path` is what follows the log's name, "ct/v1/get-sth?...". False: not theirs. */
bool log_api_read(struct lab_log *, struct span path, struct logs_reply *);
bool log_api_submit(struct lab_log *, struct span path, struct span body, struct logs_reply *);
bool log_api_tiles(struct lab_log *, struct span path, bool gzip, struct logs_reply *);

/* Sets status and a text for people. */
void reply_say(struct logs_reply *, int status, const char *text);
/* Does *path begin with this text? Then removes it. */
bool path_take(struct span *path, const char *front);
/* A whole decimal number that fills the text. */
bool path_number(struct span text, uint64_t *out);

#endif
