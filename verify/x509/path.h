/*
 * path.h - proven paths from the leaf to an anchor, and the search for them.
 *
 * A struct path cannot hold a certificate that is not proven: its only maker is the search, and that takes a
 * certificate in when the key of that certificate has verified the signature of the one below it. So the receiver of
 * a path (for pins, allowed issuers, the anchor's limits, the issuer of SCTs, staples and CRLs) holds a chain of
 * signatures up to a key that is trusted. What else RFC 5280 (6.1) asks of a path is in path_validate.h.
 *
 * An anchor is a key and a name. A leaf that is itself an anchor (the very same bytes) is a path of one: to
 * configure a certificate as anchor is to trust that certificate, and everything else about it is still judged.
 */
#ifndef VERIFY_X509_PATH_H
#define VERIFY_X509_PATH_H

#include "verify/x509/issuers.h"
#include "verify/x509/path_validate.h"
#include "verify/x509/proofs.h"

/* Issuers looked at in one search. A public chain needs two; sixteen certificates that all have one name, 240. */
#define PATH_STEPS_MAX 4096
/* Proven paths that one search looks at; cross-signed public chains have two or three. */
#define PATHS_MAX 64

struct path;

size_t path_n(const struct path *);
/* Leaf to anchor, path_n() of them; lent. */
const struct cert *const *path_certs(const struct path *);
const struct cert *path_leaf(const struct path *);
const struct cert *path_anchor(const struct path *);
/* The CA whose key verified the leaf; NULL when the leaf is the anchor. */
const struct cert *path_issuer(const struct path *);
bool path_equal(const struct path *, const struct path *); /* the very same certificates */
/* Yours. NULL: no memory. */
struct path *path_copy(const struct path *);
void path_free(struct path *);

/* ---- the search */

struct path_ground {
	struct issuers_ground issuers;
	struct path_rules *rules;
	struct proofs *proofs;
};

enum path_kind {
	PATH_SOUND, /* no certificate with a fault of its own; lengths, features and names met: others cost no signature check */
	PATH_PROVEN /* all */
};

/* The end of a search. */
struct path_search_end {
	size_t steps;
	size_t paths;
	/* PATHS_MAX, PATH_STEPS_MAX or the number of signature checks ended it: there may be more. */
	bool limited;
	bool starved; /* no memory */
};

/* Is called with each path, lent; false ends the search. */
typedef bool path_visit(void *arg, const struct path *);

/* Finds the paths of the leaf, the likely ones first (issuers.h). No CA (name and key, in whatever certificate) is
 * in a path twice: such a path is no better, and there would be no end of them. */
struct path_search_end path_search(const struct path_ground *, enum path_kind, path_visit *, void *arg);

#endif
