/*
 * json.h - the JSON parser, with bounds.
 *
 * Size, depth and number of values are checked before the parser sees a byte, so that no file can make it recurse deeply or
 * allocate much. A byte order mark at the start is skipped (RFC 8259, 8.1). Duplicate keys, bytes after the end and bad UTF-8 are errors.
 */
#ifndef VERIFY_JSON_H
#define VERIFY_JSON_H

#include "base/bytes.h"
#include "base/res.h"

#include <jansson.h>

struct json_bounds {
	size_t bytes;
	size_t depth;
	size_t values; /* members of objects and arrays */
};

/* *out is yours (json_decref) on RES_OK; *why as in why.h. */
enum res json_read(json_t **out, struct span text, const struct json_bounds *, char **why);
/* The string's bytes, without a copy; false when it is not a string. Lent. */
bool json_text(struct span *out, const json_t *value);

#endif
