/*
 * filter.h - names to refuse, as filter lists give them.
 */
#ifndef RESOLVER_FILTER_H
#define RESOLVER_FILTER_H

#include "base/dns/message.h"
#include "base/faults.h"
#include "config/snapshot.h"

#define FILTER_FILE_MAX  (256 * 1024 * 1024)
#define FILTER_NAMES_MAX 10000000

struct filter;
/*
 * Each line of a list is one name, or an address and names (a hosts file), or "||name^" (the form of ad blockers). '#'
 * starts a comment, and so does '!' at the start of a line. A name blocks itself and all names below it,
 * "*.example.com" only the names below; names in other scripts are converted to A-labels. Lists are collected by
 * others, so an item that cannot be used is left out, with a warning that has its file and line. A list is an error if
 * no name in it can be used and some item has the form of no known list at all (an HTML page, a list of addresses).
 * Single labels of hosts lines ("localhost") are skipped. Without list files *out is NULL. If settings->serve_without
 * is set, a file that cannot be used is a warning.
 */
enum res filter_compile(struct filter **, const struct settings *, struct config_errors *,
			struct config_errors *warnings);
void filter_free(struct filter *);
size_t filter_count(const struct filter *);
/* The name, or one above it, is listed. NULL filter: false. */
bool filter_has(const struct filter *, struct span name);

/* The parts of filter_compile: create a filter, read the text of one list into it, finish. RES_MALFORMED: nothing in
 * the text has the form of a list. RES_LIMIT: more than FILTER_NAMES_MAX names. RES_NOMEM. */
enum res filter_new(struct filter **);
enum res filter_read(struct filter *, struct span text, struct faults *left_out);
void filter_seal(struct filter *);

#endif
