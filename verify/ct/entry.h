/*
 * entry.h - one entry of a log, in both forms that logs give it.
 *
 * RFC 6962, 4.6: get-entries gives a MerkleTreeLeaf (3.4) and extra_data. C2SP static-ct-api: a data tile is a sequence of
 * TileLeaf, each a TimestampedEntry and what the log keeps beside it. Every span points into the caller's bytes.
 */
#ifndef VERIFY_CT_ENTRY_H
#define VERIFY_CT_ENTRY_H

#include "base/bytes.h"
#include "base/res.h"

/* Certificates of one entry that are read, as many as a chain may have elsewhere. */
#define ENTRY_CHAIN_MAX 16
/* Bytes of a MerkleTreeLeaf before its TimestampedEntry: version and type, both 0. */
#define ENTRY_LEAF_FRONT 2

struct entry {
	uint64_t timestamp_ms;
	bool precertificate;
	const uint8_t *issuer_key_hash; /* 32 bytes; NULL when it is no precertificate */
	struct span certificate;        /* X.509 DER, or the TBSCertificate of a precertificate */
	struct span extensions;         /* CtExtensions */
};

/* RES_MALFORMED; RES_UNSUPPORTED: a version or a kind of entry that is not known. */
enum res entry_read_leaf(struct entry *, struct span leaf);

/* What the log stores in addition to the entry. */
struct entry_extra {
	struct span precertificate;         /* as submitted; empty when the entry is none */
	struct span chain[ENTRY_CHAIN_MAX]; /* of get-entries: the issuers, DER */
	size_t n_chain;
	struct span fingerprints; /* of a tile: the SHA-256 of each issuer, 32 bytes each */
};

/* RES_MALFORMED; RES_LIMIT: more issuers than are read. */
enum res entry_read_extra(struct entry_extra *, struct span extra_data, bool precertificate);

/*
 * Takes the next TileLeaf off the front. *leaf is its TimestampedEntry: with two zero bytes in front it is the
 * MerkleTreeLeaf. RES_MALFORMED, RES_UNSUPPORTED: the rest of the tile cannot be read either. RES_NOT_FOUND: the tile
 * ends.
 */
enum res entry_take_tile_leaf(struct entry *, struct entry_extra *, struct span *leaf, struct span *tile);

#endif
