/*
 * changes.h - what one configuration changes in another, option by option, for the person who reloads it.
 *
 * Values are compared as settings_print would write them. Bounded: a reload of another file may change everything.
 */
#ifndef CONFIG_CHANGES_H
#define CONFIG_CHANGES_H

#include "config/settings.h"

#define CHANGES_MAX      200 /* as many as a person would read; then "more" */
#define CHANGE_VALUE_MAX 400 /* bytes of a value that are shown; an option may hold 4,096 strings */
#define CHANGE_ITEMS_MAX 8   /* items of a list that came or went, by name; the others are counted */

struct change {
	char *where;        /* "", "cache", `upstream "one"` */
	const char *option; /* lent: "size"; "" when the whole section came or went */
	char *before;       /* as in a file, cut; NULL: it was not there */
	char *after;        /* NULL: it is not there any more */
	char *text;         /* a line for people: `cache: size: "16MiB" -> "8MiB"` */
	bool needs_restart; /* the running daemon keeps the old value */
};

/* Zeroed is empty. */
struct changes {
	struct change v[CHANGES_MAX];
	size_t n;
	bool more;  /* than CHANGES_MAX */
	bool nomem; /* some are missing */
};

/* Adds a number that is not an option, such as the number of names on all block lists, if it differs. what:
 * constant. */
void changes_add_number(struct changes *, const char *what, size_t before, size_t after);
void changes_free(struct changes *);

/* ---- since the start */

#define START_OPTIONS 7

/* The options that take effect at the start only, as settings_print would write them then. Zeroed is empty. */
struct start_values {
	char *text[START_OPTIONS];
};

/* Adds the differences, in the order of the option table; upstreams and forwards after that, by title. started: what
 * the daemon runs with, or NULL: as before. */
void changes_find(struct changes *, const struct settings *before, const struct settings *after,
		  const struct start_values *started);

enum res changes_start_take(struct start_values *, const struct settings *);
/* Adds those whose value is another one now, after any number of reloads: the running daemon keeps the old one. */
void changes_start_compare(struct changes *, const struct start_values *, const struct settings *now);
void changes_start_free(struct start_values *);

/* Do both upstreams judge a certificate alike? Only what concerns the connection may differ. */
bool upstream_rules_equal(const struct upstream_settings *, const struct upstream_settings *);

#endif
