/*
 * anchor_limits.h - what an anchor may still vouch for.
 *
 * Browsers limit some roots and distributions lose those limits. A table keyed by the anchor's certificate SHA-256
 * (or key SHA-256): a date after which its SCTs, or its leaves' notBefore, do not count; names or addresses it may
 * vouch for. Compared with the leaf's notBefore and its earliest valid SCT, never with today.
 *
 * File: one anchor a line,
 *   cert-sha256 <hex> | spki-sha256 <hex>  [sct-not-after TIME] [not-before-max TIME] [permit-name SUFFIX]... [permit-ip PREFIX]...
 * An anchor has one line by its certificate, which goes first, or one by its key, or both.
 */
#ifndef VERIFY_ANCHOR_LIMITS_H
#define VERIFY_ANCHOR_LIMITS_H

#include "base/addr.h"
#include "base/faults.h"
#include "verify/x509/cert.h"

#define ANCHOR_LIMITS_FILE_MAX    (1024 * 1024)
#define ANCHOR_LIMITS_ENTRIES_MAX 4096
#define ANCHOR_LIMITS_PERMIT_MAX  32 /* names and addresses of one anchor */

struct anchor_limits;

struct anchor_limit {
	bool has_sct_not_after;
	int64_t sct_not_after_ms; /* a later SCT does not count; the earliest valid one must not be later */
	bool has_not_before_max;
	int64_t not_before_max_ms;                         /* a leaf with a later notBefore is refused */
	const char *permit_name[ANCHOR_LIMITS_PERMIT_MAX]; /* suffixes, lower case, no leading dot */
	size_t n_permit_name;
	struct prefix permit_ip[ANCHOR_LIMITS_PERMIT_MAX];
	size_t n_permit_ip;
};

enum res anchor_limits_new(struct anchor_limits **); /* empty */
enum res anchor_limits_add_builtin(struct anchor_limits *);
enum res anchor_limits_add_file(struct anchor_limits *, struct span text, size_t *line, char **why);
/* The same in one run: every bad line goes to faults, also the fault of the whole (line 0). RES_MALFORMED: there are some. */
enum res anchor_limits_add_lines(struct anchor_limits *, struct span text, struct faults *faults);
void anchor_limits_free(struct anchor_limits *);
size_t anchor_limits_count(const struct anchor_limits *);
/* NULL: the anchor is free. Lent. */
const struct anchor_limit *anchor_limits_find(const struct anchor_limits *, const struct cert *anchor);

#endif
