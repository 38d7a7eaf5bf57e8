/*
 * filter.h - names to refuse (lists), and private addresses in answers for public names (rebinding).
 */
#ifndef RESOLVER_FILTER_H
#define RESOLVER_FILTER_H

#include "resolver/plan.h"

#define FILTER_FILE_MAX  (256 * 1024 * 1024)
#define FILTER_NAMES_MAX 10000000

struct filter;
/*
 * A list is one name a line, or an address and names (a hosts file); '#' starts a comment. A name stands for
 * itself and all below it, "*.example.com" for all below alone. A line that is neither is an error with its
 * file and line. Single labels of hosts lines ("localhost") are passed over. Without list files *out is NULL.
 */
enum res filter_compile(struct filter **, const struct settings *, struct config_errors *);
void filter_free(struct filter *);
size_t filter_count(const struct filter *);
/* The name, or one above it, is listed. NULL filter: false. */
bool filter_has(const struct filter *, struct span name);

/* What filter_compile is made of: a filter, and one list's text read into it. *res stays as it was, or gets
 * worse. */
enum res filter_new(struct filter **);
void filter_read(struct filter *, struct span text, struct place, struct config_errors *, enum res *res);

struct rebinding;
/* With protection off *out is NULL, which refuses nothing; a wrong name in the list is an error all the same. */
enum res rebinding_compile(struct rebinding **, const struct settings *, struct config_errors *);
void rebinding_free(struct rebinding *);
/* The answer holds a private address (A, AAAA, and HTTPS/SVCB hints) for a name that is not excepted. */
bool rebinding_refuses(const struct rebinding *, struct span name, const struct msg_answer *);

#endif
