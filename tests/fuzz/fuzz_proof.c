/*
 * fuzz_proof.c - inclusion and consistency proofs that an attacker wrote: only the true one verifies, and only for its leaf
 * and its root.
 *
 * The input: the sizes of a small tree at two times, an index in it (a byte each), and two sizes of 8 bytes that are taken
 * as they are. A proof follows, with a hash for every two bytes: see hash_chosen().
 */
#include "verify/ct/tree.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define LEAVES 64U
#define LEVELS 7

static struct tree_hasher *hasher;
static struct tree_hash nodes[LEVELS][LEAVES];

static void
nodes_make(void)
{
	hasher = tree_hasher_new();
	check(hasher != NULL);
	for (uint8_t i = 0; i < LEAVES; i++)
		tree_leaf_hash(hasher, &nodes[0][i], span_of(&i, 1), span_of(NULL, 0));
	for (unsigned level = 1; level < LEVELS; level++)
		for (unsigned i = 0; i < LEAVES >> level; i++)
			tree_node_hash(hasher, &nodes[level][i], &nodes[level - 1][2 * i], &nodes[level - 1][2 * i + 1]);
}

static enum res
node_give(void *arg, unsigned level, uint64_t index, struct tree_hash *out)
{
	(void)arg;
	check(level < LEVELS && index < (uint64_t)LEAVES >> level);
	*out = nodes[level][index];
	return RES_OK;
}

static struct tree_hash
root_of(uint64_t size)
{
	struct tree_range range = {.size = 0};
	struct tree_hash root;

	check(tree_range_of(&range, size, node_give, NULL) == RES_OK);
	tree_range_root(hasher, &root, &range);
	return root;
}

static struct tree_hash
changed(struct tree_hash hash)
{
	hash.b[0] ^= 1;
	return hash;
}

/* Level and index of a complete subtree, or 128 + end and begin of leaves, whose subtree need not be complete. */
static struct tree_hash
hash_chosen(uint8_t level, uint8_t index)
{
	struct tree_hash hash = {{level, index}};

	if (level < LEVELS && index < LEAVES >> level)
		hash = nodes[level][index];
	else if (level >= 128 && index + 128U < level && level - 128U <= LEAVES) {
		struct tree_range range = {.size = 0};

		for (unsigned i = index; i < level - 128U; i++)
			check(tree_range_append(hasher, &range, &nodes[0][i]) == RES_OK);
		tree_range_root(hasher, &hash, &range);
	}
	return hash;
}

static void
proof_choose(struct tree_proof *out, struct cursor *in)
{
	out->n = 0;
	while (cursor_left(in) >= 2 && out->n < TREE_PROOF_MAX) {
		uint8_t level = cursor_u8(in);

		out->hash[out->n++] = hash_chosen(level, cursor_u8(in));
	}
}

static bool
proof_equal(const struct tree_proof *a, const struct tree_proof *b)
{
	return a->n == b->n && memcmp(a->hash, b->hash, a->n * sizeof a->hash[0]) == 0;
}

static void
inclusion_look(const struct tree_proof *proof, uint64_t index, uint64_t size)
{
	struct tree_hash root = root_of(size), other_root = changed(root), other_leaf = changed(nodes[0][index]);
	struct tree_proof truth;
	bool verifies = tree_inclusion_verify(hasher, &nodes[0][index], index, size, proof, &root) == RES_OK;

	check(tree_inclusion_prove(hasher, &truth, index, size, node_give, NULL) == RES_OK);
	check(verifies == proof_equal(proof, &truth));
	check(tree_inclusion_verify(hasher, &nodes[0][index], index, size, &truth, &root) == RES_OK);
	check(tree_inclusion_verify(hasher, &other_leaf, index, size, proof, &root) != RES_OK);
	check(tree_inclusion_verify(hasher, &nodes[0][index], index, size, proof, &other_root) != RES_OK);
	for (uint64_t i = 0; i < size; i++)
		check(i == index || tree_inclusion_verify(hasher, &nodes[0][index], i, size, proof, &root) != RES_OK);
}

/* The proof's nodes are those of the first tree. */
static void
range_look(const struct tree_proof *proof, uint64_t first, uint64_t second, bool verifies)
{
	struct tree_hash root = root_of(second), first_root = root_of(first), found;
	struct tree_range range;
	enum res r = tree_range_from_proof(hasher, &range, first, second, &root, proof);

	if (first > 0 && r == RES_OK) {
		check(verifies && range.size == first);
		tree_range_root(hasher, &found, &range);
		check(tree_hash_equal(&found, &first_root));
	}
	check(!verifies || r == RES_OK || r == RES_UNSUPPORTED || first == second);
}

static void
consistency_look(const struct tree_proof *proof, uint64_t first, uint64_t second)
{
	struct tree_hash a = root_of(first), b = root_of(second), other_a = changed(a), other_b = changed(b);
	struct tree_proof truth;
	bool verifies = tree_consistency_verify(hasher, first, &a, second, &b, proof) == RES_OK;

	check(tree_consistency_prove(hasher, &truth, first, second, node_give, NULL) == RES_OK);
	check(verifies == proof_equal(proof, &truth));
	check(tree_consistency_verify(hasher, first, &a, second, &b, &truth) == RES_OK);
	range_look(proof, first, second, verifies);
	if (first == 0) /* every tree is consistent with the empty one */
		return;
	check(tree_consistency_verify(hasher, first, &other_a, second, &b, proof) != RES_OK);
	check(tree_consistency_verify(hasher, first, &a, second, &other_b, proof) != RES_OK);
	check(first == second || tree_consistency_verify(hasher, second, &b, first, &a, proof) != RES_OK);
}

/* Sizes that no tree here has: no proof leads to a root that is not the hash of known nodes. */
static void
sizes_look(const struct tree_proof *proof, uint64_t a, uint64_t b)
{
	static const struct tree_hash root = {{7, 7, 7}};
	struct tree_range range;

	check(tree_inclusion_verify(hasher, &nodes[0][0], a, b, proof, &root) != RES_OK);
	check(tree_consistency_verify(hasher, a, &nodes[1][0], b, &root, proof) != RES_OK ||
	      (a == 0 && proof->n == 0 && b <= TREE_SIZE_MAX));
	check(a == 0 || tree_range_from_proof(hasher, &range, a, b, &root, proof) != RES_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cursor in = cursor_over(span_of(data, n));
	uint64_t first = cursor_u8(&in) % (LEAVES + 1), second = cursor_u8(&in) % (LEAVES + 1);
	uint64_t index = cursor_u8(&in), a = cursor_u64(&in), b = cursor_u64(&in);
	struct tree_proof proof;

	if (hasher == NULL)
		nodes_make();
	proof_choose(&proof, &in);
	if (second > 0)
		inclusion_look(&proof, index % second, second);
	if (first <= second)
		consistency_look(&proof, first, second);
	sizes_look(&proof, a, b);
	return 0;
}
