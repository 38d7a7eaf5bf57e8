/*
 * tree.h - the Merkle trees of CT logs: hashes, compact ranges, proofs (RFC 6962, 2.1; RFC 9162, 2.1).
 *
 * Arithmetic only: nothing here knows logs, keys, files or the clock. A tree of n leaves has complete subtrees; the one of
 * level l and index i holds the 2^l leaves from i * 2^l on. All that a proof is made of can be put together from those,
 * and so can the tiles of a static-ct log.
 */
#ifndef VERIFY_CT_TREE_H
#define VERIFY_CT_TREE_H

#include "base/bytes.h"
#include "base/res.h"

#define TREE_HASH_SIZE 32
#define TREE_LEVELS    63                /* subtrees above each other: no log has 2^63 entries */
#define TREE_SIZE_MAX  (INT64_MAX - 1)   /* leaves of a tree; a larger size is malformed */
#define TREE_PROOF_MAX (TREE_LEVELS + 1) /* hashes in the longest proof of such a tree */

struct tree_hash {
	uint8_t b[TREE_HASH_SIZE];
};

/* One SHA-256 in progress, used again and again: opening one for each hash would cost more than the hash. */
struct tree_hasher;

/* Yours. NULL: no memory. */
struct tree_hasher *tree_hasher_new(void);
void tree_hasher_free(struct tree_hasher *);

bool tree_hash_equal(const struct tree_hash *, const struct tree_hash *);

/* SHA-256(0x00 | front | rest): the leaf in one or two pieces. */
void tree_leaf_hash(struct tree_hasher *, struct tree_hash *out, struct span front, struct span rest);
/* SHA-256(0x01 | left | right); out may be left or right. */
void tree_node_hash(struct tree_hasher *, struct tree_hash *out, const struct tree_hash *left,
		    const struct tree_hash *right);

/*
 * A compact range: the hashes of the first `size` leaves that are needed to append the next leaf and to compute the
 * root. Where bit l of size is set, node[l] is the complete subtree of level l; the other nodes are not set. Zeroed, it
 * is the empty tree.
 */
struct tree_range {
	uint64_t size;
	struct tree_hash node[TREE_LEVELS];
};

/* RES_LIMIT: the tree has TREE_SIZE_MAX leaves. */
enum res tree_range_append(struct tree_hasher *, struct tree_range *, const struct tree_hash *leaf);
/* The root of the tree of those leaves; of none, SHA-256 of nothing. */
void tree_range_root(struct tree_hasher *, struct tree_hash *out, const struct tree_range *);

struct tree_proof {
	struct tree_hash hash[TREE_PROOF_MAX];
	size_t n;
};

/* Is the leaf with this hash number `index` of the tree of `size` leaves with this root (RFC 9162, 2.1.3.2)?
 * RES_MALFORMED: the proof does not show that. */
enum res tree_inclusion_verify(struct tree_hasher *, const struct tree_hash *leaf, uint64_t index,
			       uint64_t size, const struct tree_proof *, const struct tree_hash *root);
/* Is the tree of size `first` the beginning of the one of size `second` (RFC 9162, 2.1.4.2)? From size 0, and from a
 * size to itself, the proof is empty. RES_MALFORMED: the proof does not show that. */
enum res tree_consistency_verify(struct tree_hasher *, uint64_t first, const struct tree_hash *first_root,
				 uint64_t second, const struct tree_hash *second_root,
				 const struct tree_proof *);
/*
 * Reads the compact range of the first `first` leaves from the consistency proof to a tree whose root is known. The
 * proof contains the nodes of the range, and is verified at the same time. RES_UNSUPPORTED: `first` is a power of two,
 * and the proof leaves out its only node; use first - 1 instead. RES_MALFORMED: the proof does not lead to the root.
 */
enum res tree_range_from_proof(struct tree_hasher *, struct tree_range *out, uint64_t first, uint64_t second,
			       const struct tree_hash *second_root, const struct tree_proof *);

/* Gives the hash of a complete subtree. Any result other than RES_OK ends the computation and is its result. */
typedef enum res tree_node_fn(void *arg, unsigned level, uint64_t index, struct tree_hash *out);

/* Compute proofs, the root and the compact range from complete subtrees. RES_LIMIT: not within the tree, or the tree
 * is too large. */
enum res tree_inclusion_prove(struct tree_hasher *, struct tree_proof *out, uint64_t index, uint64_t size,
			      tree_node_fn *, void *arg);
enum res tree_consistency_prove(struct tree_hasher *, struct tree_proof *out, uint64_t first, uint64_t second,
				tree_node_fn *, void *arg);
enum res tree_range_of(struct tree_range *out, uint64_t size, tree_node_fn *, void *arg);

#endif
