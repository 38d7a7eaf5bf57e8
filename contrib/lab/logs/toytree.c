#include "config.h"

#include "contrib/lab/logs/toytree.h"

#include <stdlib.h>
#include <string.h>

struct toyentry {
	struct buf leaf, extra, tile_rest;
	struct tree_hash hash;
};

struct issuer {
	uint8_t fingerprint[32];
	struct buf der;
};

struct toytree {
	const struct filler *filler;
	uint64_t fill;
	struct toyentry *entry;
	size_t n, cap;
	struct issuer *issuer;
	size_t n_issuers;
	struct tree_hasher *hasher;
};

enum res
toytree_new(struct toytree **out, const struct filler *filler, uint64_t fill)
{
	struct toytree *tree = calloc(1, sizeof *tree);

	if (tree == NULL || (tree->hasher = tree_hasher_new()) == NULL) {
		free(tree);
		return RES_NOMEM;
	}
	tree->filler = filler;
	tree->fill = fill;
	*out = tree;
	return RES_OK;
}

static void
toyentry_free(struct toyentry *entry)
{
	buf_free(&entry->leaf);
	buf_free(&entry->extra);
	buf_free(&entry->tile_rest);
}

void
toytree_free(struct toytree *tree)
{
	if (tree == NULL)
		return;
	for (size_t i = 0; i < tree->n; i++)
		toyentry_free(&tree->entry[i]);
	for (size_t i = 0; i < tree->n_issuers; i++)
		buf_free(&tree->issuer[i].der);
	free(tree->entry);
	free(tree->issuer);
	tree_hasher_free(tree->hasher);
	free(tree);
}

struct tree_hasher *
toytree_hasher(const struct toytree *tree)
{
	return tree->hasher;
}

uint64_t
toytree_count(const struct toytree *tree)
{
	return tree->fill + tree->n;
}

enum res
toytree_fill(struct toytree *tree, const struct filler *filler, uint64_t fill)
{
	if (tree->n > 0 || fill < tree->fill || fill > TREE_SIZE_MAX / 2)
		return RES_LIMIT;
	tree->filler = filler;
	tree->fill = fill;
	return RES_OK;
}

bool
toytree_is_filler(const struct toytree *tree, uint64_t index)
{
	return index < tree->fill;
}

static bool
room_make(struct toytree *tree)
{
	size_t cap = tree->cap == 0 ? 64 : tree->cap * 2;
	struct toyentry *larger;

	if (tree->n < tree->cap)
		return true;
	larger = reallocarray(tree->entry, cap, sizeof *larger);
	if (larger == NULL)
		return false;
	tree->entry = larger;
	tree->cap = cap;
	return true;
}

static enum res
issuer_keep(struct toytree *tree, struct span der, uint8_t fingerprint[32])
{
	struct issuer *larger;

	lab_sha256(fingerprint, der);
	if (toytree_issuer(tree, fingerprint).n > 0)
		return RES_OK;
	larger = reallocarray(tree->issuer, tree->n_issuers + 1, sizeof *larger);
	if (larger == NULL)
		return RES_NOMEM;
	tree->issuer = larger;
	larger += tree->n_issuers;
	memcpy(larger->fingerprint, fingerprint, 32);
	larger->der = buf_max(TOYTREE_ENTRY_MAX);
	buf_put(&larger->der, der);
	tree->n_issuers++;
	return buf_ok(&larger->der) ? RES_OK : RES_NOMEM;
}

static void
vector_write(struct buf *out, struct span bytes)
{
	buf_u24(out, (uint32_t)bytes.n);
	buf_put(out, bytes);
}

/* RFC 6962, 4.6 and the end of a TileLeaf. */
static enum res
extra_write(struct toytree *tree, struct toyentry *entry, bool precertificate, const struct span *chain,
	    size_t n)
{
	struct buf issuers = buf_max(TOYTREE_ENTRY_MAX), fingerprints = buf_max(TOYTREE_ENTRY_MAX);
	enum res res = RES_OK;

	for (size_t i = 1; i < n && res == RES_OK; i++) {
		uint8_t fingerprint[32];

		res = issuer_keep(tree, chain[i], fingerprint);
		vector_write(&issuers, chain[i]);
		buf_put(&fingerprints, span_of(fingerprint, 32));
	}
	if (precertificate) {
		vector_write(&entry->extra, chain[0]);
		vector_write(&entry->tile_rest, chain[0]);
	}
	vector_write(&entry->extra, buf_span(&issuers));
	buf_u16(&entry->tile_rest, (uint16_t)fingerprints.n);
	buf_put(&entry->tile_rest, buf_span(&fingerprints));
	if (!buf_ok(&issuers) || !buf_ok(&fingerprints) || !buf_ok(&entry->extra) ||
	    !buf_ok(&entry->tile_rest))
		res = res == RES_OK ? RES_LIMIT : res;
	buf_free(&issuers);
	buf_free(&fingerprints);
	return res;
}

enum res
toytree_add(struct toytree *tree, const struct leaf *leaf, const struct span *chain, size_t n)
{
	struct toyentry entry = {.leaf = buf_max(TOYTREE_ENTRY_MAX),
				 .extra = buf_max(TOYTREE_ENTRY_MAX),
				 .tile_rest = buf_max(TOYTREE_ENTRY_MAX)};
	enum res res = n == 0 || n > TOYTREE_CHAIN_MAX || tree->n == TOYTREE_ENTRIES_MAX ? RES_LIMIT : RES_OK;

	if (res == RES_OK && !room_make(tree))
		res = RES_NOMEM;
	if (res == RES_OK)
		leaf_write(&entry.leaf, leaf);
	if (res == RES_OK && !buf_ok(&entry.leaf))
		res = RES_LIMIT;
	if (res == RES_OK)
		res = extra_write(tree, &entry, leaf->issuer_key_hash != NULL, chain, n);
	if (res != RES_OK) {
		toyentry_free(&entry);
		return res;
	}
	tree_leaf_hash(tree->hasher, &entry.hash, buf_span(&entry.leaf), (struct span){0});
	tree->entry[tree->n++] = entry;
	return RES_OK;
}

void
toytree_leaf(const struct toytree *tree, uint64_t index, struct buf *out)
{
	if (index < tree->fill)
		filler_leaf(tree->filler, index, out);
	else
		buf_put(out, buf_span(&tree->entry[index - tree->fill].leaf));
}

void
toytree_extra(const struct toytree *tree, uint64_t index, struct buf *out)
{
	if (index < tree->fill)
		filler_extra(tree->filler, index, out);
	else
		buf_put(out, buf_span(&tree->entry[index - tree->fill].extra));
}

void
toytree_tile_rest(const struct toytree *tree, uint64_t index, struct buf *out)
{
	if (index < tree->fill)
		filler_tile_rest(tree->filler, index, out);
	else
		buf_put(out, buf_span(&tree->entry[index - tree->fill].tile_rest));
}

struct span
toytree_issuer(const struct toytree *tree, const uint8_t fingerprint[32])
{
	uint8_t of_filler[32];

	for (size_t i = 0; i < tree->n_issuers; i++)
		if (memcmp(tree->issuer[i].fingerprint, fingerprint, 32) == 0)
			return buf_span(&tree->issuer[i].der);
	if (tree->filler != NULL) {
		lab_sha256(of_filler, filler_issuer(tree->filler));
		if (memcmp(of_filler, fingerprint, 32) == 0)
			return filler_issuer(tree->filler);
	}
	return (struct span){NULL, 0};
}

/* The complete subtree in a view; computed from its leaves only where a submission, or the other leaf, is below. */
static void
node_get(const struct toyview *view, unsigned level, uint64_t index, struct tree_hash *out)
{
	const struct toytree *tree = view->tree;
	bool other = view->forked && index == 0;
	struct tree_hash left, right;

	if (!other && (index + 1) << level <= tree->fill) {
		*out = *filler_node(tree->filler, level, index);
	} else if (level == 0) {
		*out = index < tree->fill ? *filler_node(tree->filler, 0, index)
					  : tree->entry[index - tree->fill].hash;
		out->b[0] ^= other;
	} else {
		node_get(view, level - 1, 2 * index, &left);
		node_get(view, level - 1, 2 * index + 1, &right);
		tree_node_hash(tree->hasher, out, &left, &right);
	}
}

enum res
toyview_node(void *arg, unsigned level, uint64_t index, struct tree_hash *out)
{
	const struct toyview *view = arg;
	uint64_t count = toytree_count(view->tree);

	if (level >= TREE_LEVELS || index >= count >> level)
		return RES_LIMIT;
	node_get(view, level, index, out);
	return RES_OK;
}

enum res
toyview_root(struct toyview *view, uint64_t size, struct tree_hash *out)
{
	struct tree_range range;
	enum res res = tree_range_of(&range, size, toyview_node, view);

	if (res == RES_OK)
		tree_range_root(view->tree->hasher, out, &range);
	return res;
}

enum res
toytree_find(const struct toytree *tree, const uint8_t hash[32], uint64_t size, uint64_t *index)
{
	for (uint64_t i = 0; i < tree->fill && i < FILLER_PERIOD && i < size; i++)
		if (memcmp(filler_node(tree->filler, 0, i)->b, hash, 32) == 0) {
			*index = i;
			return RES_OK;
		}
	for (size_t i = 0; i < tree->n && tree->fill + i < size; i++)
		if (memcmp(tree->entry[i].hash.b, hash, 32) == 0) {
			*index = tree->fill + i;
			return RES_OK;
		}
	return RES_NOT_FOUND;
}
