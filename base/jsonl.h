/*
 * jsonl.h - one line of a JSON Lines file: a flat object (RFC 8259) whose values are strings, whole numbers, booleans, null
 * and lists of strings.
 *
 * For files that this program writes and reads back, and that others may have damaged. Nothing is allocated: a line is read
 * and its strings are unescaped in place. Values of other kinds (a later version may write them) are skipped.
 */
#ifndef BASE_JSONL_H
#define BASE_JSONL_H

#include "base/bytes.h"

/* Strings of a list: a chain has at most 16 certificates, a leaf fewer SCTs than this. */
#define JSONL_ITEMS_MAX 32
#define JSONL_DEPTH_MAX 8 /* of values that are passed over; ours are flat */

enum jsonl_kind { JSONL_STRING, JSONL_NUMBER, JSONL_LIST, JSONL_OTHER };

struct jsonl_member {
	struct span key;
	enum jsonl_kind kind;
	struct span text; /* of a string: UTF-8 without a NUL */
	int64_t number;
	struct span item[JSONL_ITEMS_MAX]; /* of a list */
	size_t n_item;
};

/* A reader over one line without its end. The bytes are changed; every span points into them. */
struct jsonl {
	uint8_t *p, *end;
	bool began, bad, done;
};

struct jsonl jsonl_over(uint8_t *line, size_t n);
/* False: there are no more members, or the line is malformed. */
bool jsonl_next(struct jsonl *, struct jsonl_member *);
/* The whole line was read, and nothing was wrong. */
bool jsonl_done(const struct jsonl *);

/* Writing: a member with its comma, into an object that begins with jsonl_begin and ends with jsonl_end. A byte that
 * is not UTF-8 becomes the character U+00NN with its number. */
void jsonl_begin(struct buf *);
void jsonl_end(struct buf *); /* with the end of the line */
void jsonl_put_text(struct buf *, const char *key, struct span value);
void jsonl_put_number(struct buf *, const char *key, int64_t value);
void jsonl_put_list(struct buf *, const char *key, const struct span *item, size_t n);

#endif
