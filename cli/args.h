/*
 * args.h - the command line of a verb, read by its option tables.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "cli/cli.h"

struct args_rules {
	/* Takes one option; value is NULL for one that has none. False: it complained. */
	bool (*take)(void *request, int id, const char *value);
	void *request;
	int least, most; /* arguments that are no option */
};

/*
 * Reads the options of the verb (its tables are in verbs.c); complains. argv[0] is skipped. -h and --help print the
 * help. Returns the index of the first argument that is not an option; 0: the verb ends with *code.
 */
int args_read(const struct args_rules *, const char *verb, int argc, char **argv, enum exit_code *code);

#endif
