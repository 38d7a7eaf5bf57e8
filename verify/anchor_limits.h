/*
 * anchor_limits.h - limits on what a trust anchor may vouch for.
 *
 * Browsers limit some roots; the root bundles of distributions do not have these limits. This table is keyed by the SHA-256
 * of the anchor's certificate or key:
 *
 *   distrusted-since  from this time on it vouches for nothing; compared with the time of the verification
 *   sct-not-after     the leaf's earliest valid SCT must not be later
 *   not-before-max    the leaf's notBefore must not be later
 *   permit-name, permit-ip   all names and addresses of the leaf must be among these
 *
 * File: one anchor a line, `#` starts a comment,
 *   cert-sha256 HEX | spki-sha256 HEX  { source WORD | distrusted-since TIME | sct-not-after TIME | not-before-max TIME |
 *                                        permit-name SUFFIX | permit-ip PREFIX }...
 * `source` names the source of the limits after it; a value with white space stands between double quotes. An anchor has at
 * most one line by its certificate and one by its key in the compiled-in table, and as many in all files together. All
 * lines that match an anchor apply: the earliest of each date, and every set of names and addresses.
 */
#ifndef VERIFY_ANCHOR_LIMITS_H
#define VERIFY_ANCHOR_LIMITS_H

#include "base/addr.h"
#include "base/faults.h"
#include "verify/x509/cert.h"

#define ANCHOR_LIMITS_FILE_MAX    (1024 * 1024)
#define ANCHOR_LIMITS_ENTRIES_MAX 4096
#define ANCHOR_LIMITS_PERMIT_MAX  32 /* names and addresses of one anchor; a national root has nine */
/* Lines that can match one anchor: by certificate and key, compiled in and of files. */
#define ANCHOR_LIMITS_LINES_MAX 4

struct anchor_limits;

/* Names and addresses of one line. */
struct anchor_permits {
	const char *name[ANCHOR_LIMITS_PERMIT_MAX]; /* suffixes, lower case, no leading dot */
	size_t n_name;
	struct prefix ip[ANCHOR_LIMITS_PERMIT_MAX];
	size_t n_ip;
	const char *name_text; /* the sentences about a name outside, and about an address outside */
	const char *ip_text;
};

/* All limits of one anchor. Each text is a sentence for people that names the limit, its value and its source.
 * Pointers are lent from the table. */
struct anchor_limit {
	bool has_distrusted_since;
	int64_t distrusted_since_ms;
	const char *distrusted_since_text;
	bool has_sct_not_after;
	int64_t sct_not_after_ms; /* a later SCT does not count; the earliest valid one must not be later */
	const char *sct_not_after_text;
	bool has_not_before_max;
	int64_t not_before_max_ms; /* a leaf with a later notBefore is refused */
	const char *not_before_max_text;
	const struct anchor_permits *permits[ANCHOR_LIMITS_LINES_MAX];
	size_t n_permits;
};

enum res anchor_limits_new(struct anchor_limits **); /* empty */
enum res anchor_limits_add_builtin(struct anchor_limits *);
/* Adds the lines of a constraints file. name: stands for its source where a line has none; may be NULL. Errors as in
 * lines.h. */
enum res anchor_limits_add_file(struct anchor_limits *, const char *name, struct span text, struct faults *);
void anchor_limits_free(struct anchor_limits *);
size_t anchor_limits_count(const struct anchor_limits *); /* lines */
/* False: the anchor is not limited, *out is empty. The table may be NULL: no anchor is limited. */
bool anchor_limits_find(struct anchor_limit *out, const struct anchor_limits *, const struct cert *anchor);

/* The case that is compared with the limits. */
struct anchor_case {
	const struct cert *leaf;
	int64_t now_ms; /* the time of the verification, or one that has certainly passed */
	bool issued;    /* the leaf has a valid SCT */
	int64_t issued_ms;
};

#define ANCHOR_LIMIT_FAULTS_MAX (3 + 2 * ANCHOR_LIMITS_LINES_MAX)
/* Writes the text of each limit that the case violates, and returns their number. Without a valid SCT, sct-not-after
 * is not checked: the caller decides whether an SCT is needed. */
size_t anchor_limit_faults(const char *out[ANCHOR_LIMIT_FAULTS_MAX], const struct anchor_limit *,
			   const struct anchor_case *);

#endif
