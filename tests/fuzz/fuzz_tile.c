/*
 * fuzz_tile.c - data tiles of static-ct logs, packed and not: a tile is its leaves without a gap, and a packed one never
 * grows beyond its limit.
 *
 * The input is read as a tile, and as the gzip body of one.
 */
#include "contrib/watch/gzip.h"
#include "verify/ct/entry.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define TILE_MAX ((size_t)1 << 20) /* bytes of an unpacked tile here, which a bomb soon exceeds */

/* The TimestampedEntry with two zero bytes in front is the MerkleTreeLeaf of get-entries. */
static void
leaf_look(const struct entry *entry, struct span leaf)
{
	struct buf merkle = buf_max(leaf.n + ENTRY_LEAF_FRONT);
	struct entry again;

	buf_u16(&merkle, 0);
	buf_put(&merkle, leaf);
	check(entry_read_leaf(&again, buf_span(&merkle)) == RES_OK);
	check(again.timestamp_ms == entry->timestamp_ms && again.precertificate == entry->precertificate);
	check(span_equal(again.certificate, entry->certificate) && span_equal(again.extensions, entry->extensions));
	if (entry->precertificate)
		check(memcmp(again.issuer_key_hash, entry->issuer_key_hash, 32) == 0);
	buf_free(&merkle);
}

static void
tile_look(struct span tile)
{
	struct entry entry;
	struct entry_extra extra;
	struct span leaf, left = tile;
	enum res r;

	do {
		struct span before = left;

		r = entry_take_tile_leaf(&entry, &extra, &leaf, &left);
		if (r != RES_OK) {
			check(left.p == before.p && left.n == before.n);
			break;
		}
		/* leaf, precertificate (3 bytes of length) and fingerprints (2) follow each other and end where the rest begins */
		check(leaf.p == before.p && left.p + left.n == before.p + before.n);
		check(leaf.n + (entry.precertificate ? 3 + extra.precertificate.n : 0) + 2 + extra.fingerprints.n ==
		      before.n - left.n);
		check((extra.precertificate.n > 0) == entry.precertificate && extra.fingerprints.n % 32 == 0);
		leaf_look(&entry, leaf);
	} while (left.n < tile.n);
	check((r == RES_NOT_FOUND) == (left.n == 0));
}

/* A body of exactly the limit fits; with a limit of one byte less it does not. */
static void
limit_look(struct gunzip *g, struct span body, struct span unpacked)
{
	struct buf exact = buf_max(unpacked.n), less = buf_max(unpacked.n > 0 ? unpacked.n - 1 : 0);

	check(gunzip_read(g, &exact, body) == RES_OK && span_equal(buf_span(&exact), unpacked));
	if (unpacked.n > 0)
		check(gunzip_read(g, &less, body) == RES_LIMIT && less.n <= less.max);
	check(gunzip_read(g, &exact, span_slice(body, 0, body.n - 1)) != RES_OK); /* every byte counts */
	buf_free(&exact);
	buf_free(&less);
}

static void
packed_look(struct span body)
{
	struct gunzip *g = gunzip_new();
	struct buf out = buf_max(TILE_MAX);
	enum res r;

	check(g != NULL);
	r = gunzip_read(g, &out, body);
	check(r == RES_OK || r == RES_LIMIT || r == RES_MALFORMED);
	check(out.n <= TILE_MAX && (r != RES_LIMIT || out.n == TILE_MAX));
	if (r == RES_OK) {
		tile_look(buf_span(&out));
		limit_look(g, body, buf_span(&out));
	}
	gunzip_free(g);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	tile_look(span_of(data, n));
	packed_look(span_of(data, n));
	return 0;
}
