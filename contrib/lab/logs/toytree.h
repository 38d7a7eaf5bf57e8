/*
 * toytree.h - the entries of one toy log and the tree over them: filler first, then what was submitted.
 *
 * A tree is seen up to a given size, in one of two views: as it is, or forked, with another first leaf, so that every
 * root differs. Nothing here knows time, heads or misbehaviour. Only entries that are filler may be used by several
 * threads at once.
 */
#ifndef CONTRIB_LAB_LOGS_TOYTREE_H
#define CONTRIB_LAB_LOGS_TOYTREE_H

#include "contrib/lab/logs/filler.h"
#include "contrib/lab/logs/leaf.h"

#define TOYTREE_ENTRIES_MAX 65536 /* that were submitted; a lab logs only dozens */
#define TOYTREE_CHAIN_MAX   16    /* certificates of one submission */
#define TOYTREE_ENTRY_MAX   (1024 * 1024)

struct toytree;

/* The filler is lent, and may be NULL when fill is 0. */
enum res toytree_new(struct toytree **, const struct filler *, uint64_t fill);
void toytree_free(struct toytree *);

/* How many entries there are, filler included. */
uint64_t toytree_count(const struct toytree *);
/* Adds the entry of a leaf with its chain, chain[0] being the certificate or precertificate. RES_LIMIT, RES_NOMEM. */
enum res toytree_add(struct toytree *, const struct leaf *, const struct span *chain, size_t n);
/* More filler, up to `fill` entries in all; only before anything is added. RES_LIMIT: too late. */
enum res toytree_fill(struct toytree *, const struct filler *, uint64_t fill);
/* Is the entry filler? Any thread may append it then. */
bool toytree_is_filler(const struct toytree *, uint64_t index);

/* Append parts of an entry, as filler.h does. */
void toytree_leaf(const struct toytree *, uint64_t index, struct buf *out);
void toytree_extra(const struct toytree *, uint64_t index, struct buf *out);
void toytree_tile_rest(const struct toytree *, uint64_t index, struct buf *out);
/* The certificate of an issuer by its SHA-256. Empty: none. Lent. */
struct span toytree_issuer(const struct toytree *, const uint8_t fingerprint[32]);

/* For proofs. Lent; with the same care as the tree. */
struct tree_hasher *toytree_hasher(const struct toytree *);

struct toyview {
	struct toytree *tree;
	bool forked;
};
/* A tree_node_fn over a struct toyview. */
enum res toyview_node(void *view, unsigned level, uint64_t index, struct tree_hash *out);
enum res toyview_root(struct toyview *, uint64_t size, struct tree_hash *out);
/* The index of a leaf by its hash, below size. RES_NOT_FOUND. */
enum res toytree_find(const struct toytree *, const uint8_t hash[32], uint64_t size, uint64_t *index);

#endif
