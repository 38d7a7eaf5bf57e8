/*
 * commands.h - what ctstub-watch does beside watching: `known`, `sign`, `pull`.
 *
 * Each gets its own argument vector, its name first, and returns an exit code: 0 done, 1 refused, 2 usage or
 * configuration, 3 trouble. Complaints go to standard error.
 */
#ifndef CONTRIB_WATCH_COMMANDS_H
#define CONTRIB_WATCH_COMMANDS_H

#include <stdbool.h>

enum watch_exit { WATCH_DONE = 0, WATCH_REFUSED = 1, WATCH_USAGE = 2, WATCH_TROUBLE = 3 };

extern const char known_usage[], sign_usage[],
    pull_usage[]; /* lines for --help, each ends with a line break */

enum watch_exit cmd_known(int argc, char **argv);
enum watch_exit cmd_sign(int argc, char **argv);
enum watch_exit cmd_pull(int argc, char **argv);

/* "ctstub-watch VERB: ...". Returns the code. */
enum watch_exit watch_complain(enum watch_exit, const char *verb, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct config_errors;
/* Every error of the configuration, each with the verb. Returns WATCH_USAGE. */
enum watch_exit watch_complain_config(const char *verb, const struct config_errors *);
bool watch_is_dash(const char *name); /* "-", standard input or output; may be NULL */
/* Of the files that a command reads, n are standard input. A second one would be empty, a list without entries. False:
 * complains. */
bool watch_stdin_once(const char *verb, int n);
/* Says how the verb is used: on standard output with WATCH_DONE, else on standard error. Returns the code. */
enum watch_exit watch_usage(enum watch_exit, const char *usage);
/* The file that is read when none is named. NULL: the compiled-in defaults. */
const char *watch_config_file(const char *named);

#endif
