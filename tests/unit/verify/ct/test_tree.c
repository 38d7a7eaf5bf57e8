#include "verify/ct/tree.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LEAVES 70

static struct tree_hasher *hasher;
static struct tree_hash leaves[LEAVES];

/* RFC 6962, 2.1, written word for word, as the reference. */
static struct tree_hash
root_of(uint64_t begin, uint64_t end)
{
	struct tree_hash left, right;
	uint64_t k = 1;

	if (end - begin == 1)
		return leaves[begin];
	while (k * 2 < end - begin)
		k *= 2;
	left = root_of(begin, begin + k);
	right = root_of(begin + k, end);
	tree_node_hash(hasher, &left, &left, &right);
	return left;
}

static enum res
node_give(void *arg, unsigned level, uint64_t index, struct tree_hash *out)
{
	uint64_t begin = index << level, end = (index + 1) << level;

	/* a proof may use only complete subtrees of its tree */
	if (end > *(uint64_t *)arg)
		return RES_NOT_FOUND;
	*out = root_of(begin, end);
	return RES_OK;
}

/* PATH(m, D[n]) of RFC 6962, 2.1.1. */
static void
path_of(struct tree_proof *out, uint64_t m, uint64_t begin, uint64_t end)
{
	uint64_t k = 1;

	if (end - begin == 1)
		return;
	while (k * 2 < end - begin)
		k *= 2;
	if (m < k) {
		path_of(out, m, begin, begin + k);
		out->hash[out->n++] = root_of(begin + k, end);
	} else {
		path_of(out, m - k, begin + k, end);
		out->hash[out->n++] = root_of(begin, begin + k);
	}
}

/* SUBPROOF(m, D[n], b) of RFC 6962, 2.1.2. */
static void
subproof_of(struct tree_proof *out, uint64_t m, uint64_t begin, uint64_t end, bool known)
{
	uint64_t k = 1;

	if (m == end - begin) {
		if (!known)
			out->hash[out->n++] = root_of(begin, end);
		return;
	}
	while (k * 2 < end - begin)
		k *= 2;
	if (m <= k) {
		subproof_of(out, m, begin, begin + k, known);
		out->hash[out->n++] = root_of(begin + k, end);
	} else {
		subproof_of(out, m - k, begin + k, end, false);
		out->hash[out->n++] = root_of(begin, begin + k);
	}
}

static void
proof_equal(const struct tree_proof *a, const struct tree_proof *b)
{
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a->hash, b->hash, a->n * sizeof a->hash[0]);
}

static void
hex_equal(const struct tree_hash *hash, const char *hex)
{
	char text[2 * TREE_HASH_SIZE + 1];

	assert_string_equal(hex_write(text, span_of(hash->b, TREE_HASH_SIZE)), hex);
}

/* Leaves and roots that every CT implementation tests with: certificate-transparency-go and others print them. */
static const struct {
	const char *leaf;
	size_t n;
	const char *root; /* of all leaves so far */
} vectors[] = {
    {"", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {"\x00", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {"\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {"\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {"\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    {"\x40\x41\x42\x43", 4, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    {"\x50\x51\x52\x53\x54\x55\x56\x57", 8, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
     "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
};

static void
roots_are_those_of_the_known_vectors(void **state)
{
	struct tree_range range = {0};
	struct tree_hash hash;

	(void)state;
	tree_range_root(hasher, &hash, &range);
	hex_equal(&hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		size_t cut = vectors[i].n / 2;

		tree_leaf_hash(hasher, &hash, span_of(vectors[i].leaf, cut),
			       span_of(vectors[i].leaf + cut, vectors[i].n - cut));
		assert_int_equal(tree_range_append(hasher, &range, &hash), RES_OK);
		tree_range_root(hasher, &hash, &range);
		hex_equal(&hash, vectors[i].root);
	}
}

static void
a_compact_range_has_the_root_of_all_leaves_so_far(void **state)
{
	struct tree_range range = {0}, made;
	struct tree_hash root, want;

	(void)state;
	for (uint64_t n = 1; n <= LEAVES; n++) {
		assert_int_equal(tree_range_append(hasher, &range, &leaves[n - 1]), RES_OK);
		tree_range_root(hasher, &root, &range);
		want = root_of(0, n);
		assert_true(tree_hash_equal(&root, &want));
		assert_int_equal(tree_range_of(&made, n, node_give, &n), RES_OK);
		tree_range_root(hasher, &root, &made);
		assert_true(tree_hash_equal(&root, &want));
	}
}

static void
inclusion_proofs_are_made_and_hold(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= LEAVES; n++) {
		struct tree_hash root = root_of(0, n);

		for (uint64_t i = 0; i < n; i++) {
			struct tree_proof proof, want = {.n = 0};

			assert_int_equal(tree_inclusion_prove(hasher, &proof, i, n, node_give, &n), RES_OK);
			path_of(&want, i, 0, n);
			proof_equal(&proof, &want);
			assert_int_equal(tree_inclusion_verify(hasher, &leaves[i], i, n, &proof, &root), RES_OK);
		}
	}
}

/* One correct proof, with each of its inputs changed in turn. */
static void
inclusion_proofs_that_are_wrong_do_not_hold(void **state)
{
	(void)state;
	for (uint64_t n = 2; n <= 20; n++) {
		struct tree_hash root = root_of(0, n);

		for (uint64_t i = 0; i < n; i++) {
			struct tree_proof proof, bad;

			assert_int_equal(tree_inclusion_prove(hasher, &proof, i, n, node_give, &n), RES_OK);
#define WRONG(leaf, index, size, p) \
	assert_int_equal(tree_inclusion_verify(hasher, leaf, index, size, p, &root), RES_MALFORMED)
			WRONG(&leaves[(i + 1) % n], i, n, &proof);
			WRONG(&leaves[i], (i + 1) % n, n, &proof);
			WRONG(&leaves[i], i + n, n, &proof);
			WRONG(&leaves[i], n, n, &proof);
			WRONG(&leaves[i], i, 0, &proof);
			WRONG(&leaves[i], i, UINT64_MAX, &proof);
			bad = proof;
			bad.n--;
			WRONG(&leaves[i], i, n, &bad);
			bad = proof;
			bad.hash[bad.n++] = leaves[0];
			WRONG(&leaves[i], i, n, &bad);
			for (size_t k = 0; k < proof.n; k++) {
				bad = proof;
				bad.hash[k].b[31] ^= 1;
				WRONG(&leaves[i], i, n, &bad);
			}
		}
	}
}

static void
consistency_proofs_are_made_and_hold(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= LEAVES; n++) {
		struct tree_hash second = root_of(0, n);

		for (uint64_t m = 1; m <= n; m++) {
			struct tree_hash first = root_of(0, m);
			struct tree_proof proof, want = {.n = 0};

			assert_int_equal(tree_consistency_prove(hasher, &proof, m, n, node_give, &n), RES_OK);
			subproof_of(&want, m, 0, n, true);
			proof_equal(&proof, &want);
			assert_int_equal(tree_consistency_verify(hasher, m, &first, n, &second, &proof), RES_OK);
		}
	}
}

static void
consistency_proofs_that_are_wrong_do_not_hold(void **state)
{
	struct tree_hash other = leaves[LEAVES - 1];

	(void)state;
	for (uint64_t n = 2; n <= 20; n++) {
		struct tree_hash second = root_of(0, n);

		for (uint64_t m = 1; m <= n; m++) {
			struct tree_hash first = root_of(0, m);
			struct tree_proof proof, bad;

			assert_int_equal(tree_consistency_prove(hasher, &proof, m, n, node_give, &n), RES_OK);
#define BROKEN(a, first, b, second, p) \
	assert_int_equal(tree_consistency_verify(hasher, a, first, b, second, p), RES_MALFORMED)
			BROKEN(m, &other, n, &second, &proof);
			BROKEN(m, &first, n, &other, &proof);
			BROKEN(n + 1, &first, n, &second, &proof);
			BROKEN(m, &first, UINT64_MAX, &second, &proof);
			bad = proof;
			bad.hash[bad.n++] = other;
			BROKEN(m, &first, n, &second, &bad);
			for (size_t k = 0; k < proof.n; k++) {
				bad = proof;
				bad.hash[k].b[0] ^= 1;
				BROKEN(m, &first, n, &second, &bad);
			}
			if (proof.n == 0)
				continue;
			bad = proof;
			bad.n--;
			BROKEN(m, &first, n, &second, &bad);
		}
	}
}

static void
proofs_from_the_empty_tree_and_to_itself_are_empty(void **state)
{
	struct tree_proof none = {.n = 0}, one = {.n = 1};
	struct tree_hash a = leaves[0], b = leaves[1];

	(void)state;
	assert_int_equal(tree_consistency_verify(hasher, 0, &a, 9, &b, &none), RES_OK);
	assert_int_equal(tree_consistency_verify(hasher, 0, &a, 9, &b, &one), RES_MALFORMED);
	assert_int_equal(tree_consistency_verify(hasher, 9, &a, 9, &a, &none), RES_OK);
	assert_int_equal(tree_consistency_verify(hasher, 9, &a, 9, &a, &one), RES_MALFORMED);
	assert_int_equal(tree_consistency_verify(hasher, 9, &a, 9, &b, &none), RES_MALFORMED);
}

static void
a_consistency_proof_gives_the_compact_range(void **state)
{
	(void)state;
	for (uint64_t n = 2; n <= LEAVES; n++) {
		struct tree_hash second = root_of(0, n), other = leaves[LEAVES - 1];

		for (uint64_t m = 1; m < n; m++) {
			struct tree_proof proof;
			struct tree_range range;
			struct tree_hash root, want = root_of(0, m);
			bool power = (m & (m - 1)) == 0;

			assert_int_equal(tree_consistency_prove(hasher, &proof, m, n, node_give, &n), RES_OK);
			assert_int_equal(tree_range_from_proof(hasher, &range, m, n, &second, &proof),
					 power ? RES_UNSUPPORTED : RES_OK);
			if (power)
				continue;
			tree_range_root(hasher, &root, &range);
			assert_true(tree_hash_equal(&root, &want));
			for (; range.size < n;)
				assert_int_equal(tree_range_append(hasher, &range, &leaves[range.size]), RES_OK);
			tree_range_root(hasher, &root, &range);
			assert_true(tree_hash_equal(&root, &second));
			assert_int_equal(tree_range_from_proof(hasher, &range, m, n, &other, &proof), RES_MALFORMED);
			proof.hash[0].b[0] ^= 1;
			assert_int_equal(tree_range_from_proof(hasher, &range, m, n, &second, &proof), RES_MALFORMED);
		}
	}
}

static void
sizes_beyond_the_limit_are_refused(void **state)
{
	struct tree_proof proof = {.n = 0};
	struct tree_range range = {.size = TREE_SIZE_MAX};
	uint64_t size = UINT64_MAX;

	(void)state;
	assert_int_equal(tree_range_append(hasher, &range, &leaves[0]), RES_LIMIT);
	assert_int_equal(tree_range_of(&range, UINT64_MAX, node_give, &size), RES_LIMIT);
	assert_int_equal(tree_inclusion_prove(hasher, &proof, 0, UINT64_MAX, node_give, &size), RES_LIMIT);
	assert_int_equal(tree_inclusion_prove(hasher, &proof, 5, 5, node_give, &size), RES_LIMIT);
	assert_int_equal(tree_consistency_prove(hasher, &proof, 1, UINT64_MAX, node_give, &size), RES_LIMIT);
	assert_int_equal(tree_consistency_prove(hasher, &proof, 6, 5, node_give, &size), RES_LIMIT);
}

static int
setup(void **state)
{
	(void)state;
	hasher = tree_hasher_new();
	for (uint8_t i = 0; hasher != NULL && i < LEAVES; i++)
		tree_leaf_hash(hasher, &leaves[i], span_of(&i, 1), span_of(NULL, 0));
	return hasher == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	tree_hasher_free(hasher);
	tree_hasher_free(NULL);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(roots_are_those_of_the_known_vectors),
	    cmocka_unit_test(a_compact_range_has_the_root_of_all_leaves_so_far),
	    cmocka_unit_test(inclusion_proofs_are_made_and_hold),
	    cmocka_unit_test(inclusion_proofs_that_are_wrong_do_not_hold),
	    cmocka_unit_test(consistency_proofs_are_made_and_hold),
	    cmocka_unit_test(consistency_proofs_that_are_wrong_do_not_hold),
	    cmocka_unit_test(proofs_from_the_empty_tree_and_to_itself_are_empty),
	    cmocka_unit_test(a_consistency_proof_gives_the_compact_range),
	    cmocka_unit_test(sizes_beyond_the_limit_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
