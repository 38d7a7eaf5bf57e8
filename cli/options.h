/*
 * options.h - the options of a verb as a table: getopt and the help are made from the same rows.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <getopt.h>

#define OPTIONS_MAX        40 /* rows of a verb, the shared ones included */
#define OPTIONS_SHORTS_MAX (2 * OPTIONS_MAX + 2)

struct cli_option {
	const char *name; /* without hyphens; NULL ends the table */
	int id;           /* what getopt_long gives: a letter, or beyond 255 */
	const char *arg;  /* what the help calls its value; NULL: takes none */
	const char *help; /* one sentence, may have several lines */
};

/* The rows of both tables, either of which may be NULL, for getopt_long; shorts begins with a colon. */
void options_for_getopt(struct option longs[OPTIONS_MAX + 1], char shorts[OPTIONS_SHORTS_MAX],
			const struct cli_option *own, const struct cli_option *shared);
/* Prints one paragraph per option on standard output. NULL: nothing. */
void options_print(const struct cli_option *table);

#endif
