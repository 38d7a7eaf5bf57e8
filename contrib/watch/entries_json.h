/*
 * entries_json.h - the answer of get-entries (RFC 6962, 4.6), entry by entry, without a copy of the whole.
 *
 * jansson makes a tree of all strings, and so reads an answer ten times slower than a log can send it. The form that logs
 * write is read here in one pass; any other JSON goes to jansson. Both give the same result.
 */
#ifndef CONTRIB_WATCH_ENTRIES_JSON_H
#define CONTRIB_WATCH_ENTRIES_JSON_H

#include "base/bytes.h"
#include "base/res.h"

#define ENTRIES_JSON_MAX 8192 /* entries in one answer: no log gives more than 1024 */

struct entries_json {
	struct span text; /* lent until closed */
	size_t at;        /* in the text: the next entry */
	size_t n;         /* entries given so far */
	bool fast;        /* so far it has the form that logs write */
	struct buf leaf, extra;
	void *tree;      /* of jansson, when it has to read */
	const char *why; /* what is wrong, for people; constant */
};

/* The buffers are kept from answer to answer. */
void entries_json_open(struct entries_json *, struct span text);
/* The next entry; both spans are lent until the next call. extra may be NULL: it is not decoded then. RES_NOT_FOUND: the
 * answer ends. RES_MALFORMED, RES_LIMIT, RES_NOMEM: what came before stays good. */
enum res entries_json_next(struct entries_json *, struct span *leaf, struct span *extra);
void entries_json_free(struct entries_json *);

#endif
