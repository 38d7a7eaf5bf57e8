/*
 * ctlogs_build.h - the inside of a log list, for its readers (ctlogs_*.c) only.
 */
#ifndef VERIFY_CT_CTLOGS_BUILD_H
#define VERIFY_CT_CTLOGS_BUILD_H

#include "verify/ct/ctlogs.h"

#define CTLOG_KEY_MAX      4096 /* DER bytes of a key; RSA-8192 needs 1060 */
#define CTLOG_RSA_BITS_MIN 2048 /* RFC 6962, 2.1.4 */
#define CTLOG_RSA_BITS_MAX 8192 /* so that one signature check stays cheap */
#define CTLOG_NAME_MAX     200  /* bytes of a log's or an operator's name */
#define CTLOG_URL_MAX      256  /* bytes of a log's URL; the longest public one has 60 */

struct ctlogs {
	struct ctlog *log; /* sorted by id once finished */
	size_t n;
	size_t cap;
	char **owned; /* strings and keys that the logs point at */
	size_t n_owned;
	size_t cap_owned;
	int64_t date_ms;
	const char *source;
	struct ctlogs *retired; /* NULL, or logs that ended before this list was made */
	struct faults left_out;
};

enum res ctlogs_new(struct ctlogs **);
/* A copy that lives as long as the list, with a NUL after it. NULL: no memory. */
const char *ctlogs_keep(struct ctlogs *, struct span text);
/* The same for a name, kept once. */
const char *ctlogs_keep_operator(struct ctlogs *, struct span name);
/* Checks a log and adds it. log->key is lent, and id and key_kind are computed from it. The other strings must be
 * kept already; a NULL description becomes the id. RES_LIMIT, RES_MALFORMED with a sentence without place. */
enum res ctlogs_add(struct ctlogs *, const struct ctlog *, char **why);
/* Removes the log that was added last. */
void ctlogs_drop_last(struct ctlogs *);
/* If the result for an item is RES_MALFORMED, records the item as left out, takes *why and sets it to NULL. Returns
 * other results unchanged: they are for the list as a whole. */
enum res ctlogs_leave_out(struct ctlogs *, size_t line, enum res, char **why);
/* Sorts the logs. Leaves out logs with the same key, because it is unknown which one is meant. Refuses an empty
 * list. */
enum res ctlogs_finish(struct ctlogs *, char **why);
/* A name for people: not empty, UTF-8 without control characters, no space at either end, not too long. */
bool ctlogs_name_ok(struct span name);
/* Keeps the URL of a log, with "/" at its end. *out is NULL if it is not an https URL of a host and a path: ctstub
 * cannot read such a log, but its SCTs still count. RES_NOMEM. */
enum res ctlogs_keep_url(const char **out, struct ctlogs *, struct span url);

#endif
