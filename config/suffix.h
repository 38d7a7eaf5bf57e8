/*
 * suffix.h - public suffixes, below which unrelated people register names: the Public Suffix List that is compiled into the
 * system's libpsl. No file is read.
 */
#ifndef CONFIG_SUFFIX_H
#define CONFIG_SUFFIX_H

#include "base/bytes.h"
#include "base/random.h"
#include "verify/x509/identity.h"

/* For vfy_policy.is_public_suffix: the suffixes of registries and those of private owners ("s3.amazonaws.com"). */
identity_is_suffix suffix_is_public;

/* A single label in lower case that is a top-level domain of the public DNS, as far as that list knows. */
bool suffix_is_top_level(const char *label);

/* 2 KiB are enough for the tails of the names that one browser asks for in a while. A look-up in the list costs
 * 3,000 instructions, and a name has as many tails as labels. */
#define SUFFIX_MEMO_SLOTS 256

/* Tails that were looked up lately. They are compared by a keyed hash alone: nobody can choose a name whose hash
 * equals that of another. */
struct suffix_memo {
	struct hash_key key;
	uint64_t slot[SUFFIX_MEMO_SLOTS]; /* a hash, its lowest bit: it is a public suffix; 0: free */
};

void suffix_memo_init(struct suffix_memo *);

/*
 * The registered domain of a name in wire form, lower case: the part whose labels one owner controls ("www.example.co.uk"
 * gives "example.co.uk"). A public suffix, or the root, gives itself. The span points into the name. The memo, one
 * thread's own, may be NULL.
 */
struct span suffix_zone(struct suffix_memo *, struct span name);

#endif
