/*
 * source.h - the two read APIs of logs: their URLs, and the entries in an answer.
 *
 * RFC 6962, 4 (get-sth, get-entries, ...) and C2SP static-ct-api (checkpoint, tiles). Text and bytes only: fetch.h fetches.
 */
#ifndef CONTRIB_WATCH_SOURCE_H
#define CONTRIB_WATCH_SOURCE_H

#include "contrib/watch/entries_json.h"
#include "contrib/watch/entry.h"
#include "verify/ct/entry.h"

#define TILE_WIDTH 256 /* hashes, or entries, in a full tile */

/* Each appends a URL. */
void source_head_url(struct buf *, const struct watch_log *);
/* Of an RFC 6962 log. */
void source_consistency_url(struct buf *, const struct watch_log *, uint64_t first, uint64_t second);
void source_inclusion_url(struct buf *, const struct watch_log *, const struct tree_hash *leaf,
			  uint64_t size);
/* Of a static-ct log. width below TILE_WIDTH: the partial tile. */
void source_tile_url(struct buf *, const struct watch_log *, unsigned level, uint64_t tile, unsigned width);
void source_issuer_url(struct buf *, const struct watch_log *, const uint8_t fingerprint[32]);
/* Entries [begin, end), at most one tile of a static-ct log: then the whole tile is fetched, which starts at a multiple of
 * TILE_WIDTH; `width` is as above. */
void source_entries_url(struct buf *, const struct watch_log *, uint64_t begin, uint64_t end, unsigned width);

/* The width of a tile of level `level` in a tree of this size; 0: there is none. */
unsigned source_tile_width(unsigned level, uint64_t tile, uint64_t size);

/* The head of either kind. RES_MALFORMED, RES_NOMEM with a sentence (yours). The signature is not checked. */
enum res source_head_read(struct head *, const struct watch_log *, struct span body, char **why);

/* The entries of one answer, in order. Zeroed before its first use; its buffers are kept from answer to answer. */
struct batch {
	bool tiled;
	struct span tile; /* what is left of it */
	struct entries_json json;
	const char *why; /* constant */
};

struct batch_entry {
	struct span front, rest; /* the MerkleTreeLeaf, in two pieces */
	bool readable;           /* else only the pieces are set */
	struct entry entry;
	struct span extra_data;   /* of get-entries, when it was asked for */
	struct entry_extra extra; /* of a tile */
};

void batch_open(struct batch *, bool tiled, struct span body);
/* RES_NOT_FOUND: the answer ends. RES_MALFORMED, RES_LIMIT: the rest cannot be read, see why. RES_NOMEM. */
enum res batch_next(struct batch *, struct batch_entry *, bool extra_too);
void batch_free(struct batch *);

#endif
