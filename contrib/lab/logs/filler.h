/*
 * filler.h - any number of entries, for a log that must be large: certificates from one template, each with a serial of
 * its own.
 *
 * Entries repeat after FILLER_PERIOD of them, so the tree over any number of them follows from that many hashes.
 * Immutable once made, so that threads may share it.
 */
#ifndef CONTRIB_LAB_LOGS_FILLER_H
#define CONTRIB_LAB_LOGS_FILLER_H

#include "contrib/lab/pki/world.h"
#include "verify/ct/tree.h"

#define FILLER_LEVEL  12 /* a complete subtree of this level is one period */
#define FILLER_PERIOD (1u << FILLER_LEVEL)

struct filler;

/* Certificates of about `size` bytes of DER, every other entry a precertificate; with leaf indices when tiled. Yours. */
enum res filler_new(struct filler **, struct world *, bool tiled, size_t size);
void filler_free(struct filler *);

/* Append an entry's MerkleTreeLeaf, its extra_data (RFC 6962, 4.6), what follows the leaf in a TileLeaf. */
void filler_leaf(const struct filler *, uint64_t index, struct buf *out);
void filler_extra(const struct filler *, uint64_t index, struct buf *out);
void filler_tile_rest(const struct filler *, uint64_t index, struct buf *out);
/* The complete subtree, all of whose leaves are filler. */
const struct tree_hash *filler_node(const struct filler *, unsigned level, uint64_t index);
/* The DER of the CA that issued them. Lent. */
struct span filler_issuer(const struct filler *);

#endif
