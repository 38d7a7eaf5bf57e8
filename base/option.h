/* option.h - the options of a program, by getopt_long(3), with complaints in the words of the other messages. */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/bytes.h"

#include <getopt.h>

/*
 * getopt_long, but an empty value counts as none: it comes from a script whose variable is not set, and no option has a use
 * for it. ':' then, as for an option at the end of the line. The short options must begin with ':'.
 */
int option_parse(int argc, char **argv, const char *shorts, const struct option *longs);

/* Is one of the arguments after the options empty? It comes from such a script, too. */
bool option_argument_is_empty(int argc, char **argv);

/* Appends what was wrong when option_parse returned c, which is '?' or ':'. */
void option_fault(struct buf *out, int c, char **argv, const struct option *longs);

/* option_parse, without a leading ':' in shorts. '?': the complaint is on standard error, after the name in argv[0]. */
int option_get(int argc, char **argv, const char *shorts, const struct option *longs);
/* The same; the complaint is in fault as well, without the name. */
int option_get_fault(struct buf *fault, int argc, char **argv, const char *shorts,
		     const struct option *longs);

#endif
