#include "verify/ct/tree.h"

#include <gnutls/crypto.h>

#include <stdlib.h>
#include <string.h>

struct tree_hasher {
	gnutls_hash_hd_t sha256;
};

struct tree_hasher *
tree_hasher_new(void)
{
	struct tree_hasher *hasher = malloc(sizeof *hasher);

	if (hasher != NULL && gnutls_hash_init(&hasher->sha256, GNUTLS_DIG_SHA256) < 0) {
		free(hasher);
		return NULL;
	}
	return hasher;
}

void
tree_hasher_free(struct tree_hasher *hasher)
{
	if (hasher == NULL)
		return;
	gnutls_hash_deinit(hasher->sha256, NULL);
	free(hasher);
}

bool
tree_hash_equal(const struct tree_hash *a, const struct tree_hash *b)
{
	return memcmp(a->b, b->b, TREE_HASH_SIZE) == 0;
}

void
tree_leaf_hash(struct tree_hasher *hasher, struct tree_hash *out, struct span front, struct span rest)
{
	static const uint8_t leaf = 0; /* RFC 6962, 2.1 */

	(void)gnutls_hash(hasher->sha256, &leaf, 1);
	if (front.n > 0)
		(void)gnutls_hash(hasher->sha256, front.p, front.n);
	if (rest.n > 0)
		(void)gnutls_hash(hasher->sha256, rest.p, rest.n);
	gnutls_hash_output(hasher->sha256, out->b);
}

void
tree_node_hash(struct tree_hasher *hasher, struct tree_hash *out, const struct tree_hash *left,
	       const struct tree_hash *right)
{
	uint8_t bytes[1 + 2 * TREE_HASH_SIZE];

	bytes[0] = 1; /* RFC 6962, 2.1 */
	memcpy(bytes + 1, left->b, TREE_HASH_SIZE);
	memcpy(bytes + 1 + TREE_HASH_SIZE, right->b, TREE_HASH_SIZE);
	(void)gnutls_hash(hasher->sha256, bytes, sizeof bytes);
	gnutls_hash_output(hasher->sha256, out->b);
}

static bool
bit(uint64_t n, unsigned level)
{
	return (n >> level & 1) != 0;
}

enum res
tree_range_append(struct tree_hasher *hasher, struct tree_range *range, const struct tree_hash *leaf)
{
	struct tree_hash hash = *leaf;
	unsigned level;

	if (range->size >= TREE_SIZE_MAX)
		return RES_LIMIT;
	for (level = 0; bit(range->size, level); level++)
		tree_node_hash(hasher, &hash, &range->node[level], &hash);
	range->node[level] = hash;
	range->size++;
	return RES_OK;
}

void
tree_range_root(struct tree_hasher *hasher, struct tree_hash *out, const struct tree_range *range)
{
	bool any = false;

	for (unsigned level = 0; level < TREE_LEVELS; level++) {
		if (!bit(range->size, level))
			continue;
		if (any)
			tree_node_hash(hasher, out, &range->node[level], out);
		else
			*out = range->node[level];
		any = true;
	}
	if (!any) /* RFC 6962, 2.1: the hash of an empty list is the hash of an empty string */
		gnutls_hash_output(hasher->sha256, out->b);
}

enum res
tree_inclusion_verify(struct tree_hasher *hasher, const struct tree_hash *leaf, uint64_t index, uint64_t size,
		      const struct tree_proof *proof, const struct tree_hash *root)
{
	struct tree_hash hash = *leaf;
	uint64_t at = index, last = size - 1;

	if (index >= size || size > TREE_SIZE_MAX || proof->n > TREE_PROOF_MAX)
		return RES_MALFORMED;
	for (size_t i = 0; i < proof->n; i++) {
		if (last == 0)
			return RES_MALFORMED;
		if (bit(at, 0) || at == last) {
			tree_node_hash(hasher, &hash, &proof->hash[i], &hash);
			for (; !bit(at, 0) && at != 0; at >>= 1)
				last >>= 1;
		} else {
			tree_node_hash(hasher, &hash, &hash, &proof->hash[i]);
		}
		at >>= 1;
		last >>= 1;
	}
	return last == 0 && tree_hash_equal(&hash, root) ? RES_OK : RES_MALFORMED;
}

/* The walk of RFC 9162, 2.1.4.2 from the node that both trees have, up to the roots of both; the nodes on its left side
 * are those of the compact range of the first tree. */
struct walk {
	uint64_t at, last; /* the last node of each tree, on this level */
	unsigned level;
	struct tree_hash first, second;
	struct tree_range range;
};

static void
walk_up(struct walk *walk)
{
	walk->at >>= 1;
	walk->last >>= 1;
	walk->level++;
}

static void
walk_begin(struct walk *walk, uint64_t first, uint64_t second, const struct tree_hash *common)
{
	*walk = (struct walk){.at = first - 1, .last = second - 1, .first = *common, .second = *common};
	while (bit(walk->at, 0))
		walk_up(walk);
	walk->range.size = first;
	walk->range.node[walk->level] = *common;
}

static void
walk_left(struct tree_hasher *hasher, struct walk *walk, const struct tree_hash *hash)
{
	tree_node_hash(hasher, &walk->first, hash, &walk->first);
	tree_node_hash(hasher, &walk->second, hash, &walk->second);
	while (!bit(walk->at, 0) && walk->at != 0)
		walk_up(walk);
	walk->range.node[walk->level] = *hash;
}

/* Both sizes are checked. True: the walk ended at the root of the second tree. */
static bool
walk_whole(struct tree_hasher *hasher, struct walk *walk, const struct tree_hash *hash, size_t n,
	   const struct tree_hash *second_root)
{
	for (size_t i = 0; i < n; i++) {
		if (walk->last == 0)
			return false;
		if (bit(walk->at, 0) || walk->at == walk->last)
			walk_left(hasher, walk, &hash[i]);
		else
			tree_node_hash(hasher, &walk->second, &walk->second, &hash[i]);
		walk_up(walk);
	}
	return walk->last == 0 && tree_hash_equal(&walk->second, second_root);
}

static bool
is_power_of_two(uint64_t n)
{
	return (n & (n - 1)) == 0;
}

enum res
tree_consistency_verify(struct tree_hasher *hasher, uint64_t first, const struct tree_hash *first_root,
			uint64_t second, const struct tree_hash *second_root, const struct tree_proof *proof)
{
	struct walk walk;
	size_t given;

	if (first > second || second > TREE_SIZE_MAX || proof->n > TREE_PROOF_MAX)
		return RES_MALFORMED;
	if (first == 0)
		return proof->n == 0 ? RES_OK : RES_MALFORMED;
	if (first == second)
		return proof->n == 0 && tree_hash_equal(first_root, second_root) ? RES_OK : RES_MALFORMED;
	given = is_power_of_two(first) ? 0 : 1; /* else the first root is the node that both have */
	if (proof->n < given)
		return RES_MALFORMED;
	walk_begin(&walk, first, second, given == 0 ? first_root : &proof->hash[0]);
	return walk_whole(hasher, &walk, proof->hash + given, proof->n - given, second_root) &&
		       tree_hash_equal(&walk.first, first_root)
		   ? RES_OK
		   : RES_MALFORMED;
}

enum res
tree_range_from_proof(struct tree_hasher *hasher, struct tree_range *out, uint64_t first, uint64_t second,
		      const struct tree_hash *second_root, const struct tree_proof *proof)
{
	struct walk walk;

	if (first == 0) {
		*out = (struct tree_range){0};
		return RES_OK;
	}
	if (first > second || second > TREE_SIZE_MAX || proof->n > TREE_PROOF_MAX)
		return RES_MALFORMED;
	if (is_power_of_two(first))
		return RES_UNSUPPORTED;
	if (first == second || proof->n == 0)
		return RES_MALFORMED;
	walk_begin(&walk, first, second, &proof->hash[0]);
	if (!walk_whole(hasher, &walk, proof->hash + 1, proof->n - 1, second_root))
		return RES_MALFORMED;
	*out = walk.range;
	return RES_OK;
}

/* The compact range of the leaves [begin, end); begin is a multiple of a power of two that is not below their number. */
static enum res
nodes_get(struct tree_range *out, uint64_t begin, uint64_t end, tree_node_fn *node, void *arg)
{
	enum res r = RES_OK;

	out->size = end - begin;
	for (unsigned level = TREE_LEVELS; r == RES_OK && level-- > 0;) {
		if (!bit(out->size, level))
			continue;
		r = node(arg, level, begin >> level, &out->node[level]);
		begin += (uint64_t)1 << level;
	}
	return r;
}

enum res
tree_range_of(struct tree_range *out, uint64_t size, tree_node_fn *node, void *arg)
{
	return size > TREE_SIZE_MAX ? RES_LIMIT : nodes_get(out, 0, size, node, arg);
}

/* Adds the root of the leaves [begin, end). */
static enum res
proof_add(struct tree_hasher *hasher, struct tree_proof *out, uint64_t begin, uint64_t end,
	  tree_node_fn *node, void *arg)
{
	struct tree_range range;
	enum res r = nodes_get(&range, begin, end, node, arg);

	if (r == RES_OK)
		tree_range_root(hasher, &out->hash[out->n++], &range);
	return r;
}

/* The recursions of the RFC begin at the root, and their proofs end there. */
static void
proof_turn(struct tree_proof *proof)
{
	for (size_t i = 0; i < proof->n / 2; i++) {
		struct tree_hash swap = proof->hash[i];

		proof->hash[i] = proof->hash[proof->n - 1 - i];
		proof->hash[proof->n - 1 - i] = swap;
	}
}

/* Where n leaves divide: the largest power of two below n; n > 1. */
static uint64_t
half(uint64_t n)
{
	uint64_t k = 1;

	while (k < n - k)
		k <<= 1;
	return k;
}

enum res
tree_inclusion_prove(struct tree_hasher *hasher, struct tree_proof *out, uint64_t index, uint64_t size,
		     tree_node_fn *node, void *arg)
{
	uint64_t begin = 0, end = size;
	enum res r = RES_OK;

	out->n = 0;
	if (index >= size || size > TREE_SIZE_MAX)
		return RES_LIMIT;
	while (r == RES_OK && end - begin > 1) {
		uint64_t middle = begin + half(end - begin);

		if (index < middle) {
			r = proof_add(hasher, out, middle, end, node, arg);
			end = middle;
		} else {
			r = proof_add(hasher, out, begin, middle, node, arg);
			begin = middle;
		}
	}
	proof_turn(out);
	return r;
}

enum res
tree_consistency_prove(struct tree_hasher *hasher, struct tree_proof *out, uint64_t first, uint64_t second,
		       tree_node_fn *node, void *arg)
{
	uint64_t begin = 0, end = second;
	enum res r = RES_OK;

	out->n = 0;
	if (first > second || second > TREE_SIZE_MAX)
		return RES_LIMIT;
	if (first == 0 || first == second)
		return RES_OK;
	while (r == RES_OK && first != end) {
		uint64_t middle = begin + half(end - begin);

		if (first <= middle) {
			r = proof_add(hasher, out, middle, end, node, arg);
			end = middle;
		} else {
			r = proof_add(hasher, out, begin, middle, node, arg);
			begin = middle;
		}
	}
	if (r == RES_OK && begin != 0) /* a subtree that is not the first tree itself */
		r = proof_add(hasher, out, begin, end, node, arg);
	proof_turn(out);
	return r;
}
