/* option.h - the options of a program, by getopt_long(3), with complaints in the words of the other messages. */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/bytes.h"

#include <getopt.h>

/* Appends what was wrong when getopt_long returned c, which is '?' or ':'. The short options must begin with ':'. */
void option_fault(struct buf *out, int c, char **argv, const struct option *longs);

/* getopt_long, without a leading ':' in shorts. '?': the complaint is on standard error, after the name in argv[0]. */
int option_get(int argc, char **argv, const char *shorts, const struct option *longs);

#endif
