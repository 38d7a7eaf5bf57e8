/*
 * lab_complain.h - why a verb of ctstub-lab failed: on standard error and, with --json, as one object at its end.
 *
 * main.c calls lab_json_expect before a verb, and lab_json_failure after it. What a process of a cell complains about is
 * only on standard error.
 */
#ifndef CONTRIB_LAB_LAB_COMPLAIN_H
#define CONTRIB_LAB_LAB_COMPLAIN_H

#include <getopt.h>
#include <stdbool.h>

#include <jansson.h>

#define LAB_WHY_MAX 4352 /* a path and a sentence */

/* Do the arguments of this verb ask for JSON? Looked at before they are read, because reading them may fail. */
bool lab_json_wanted(int argc, char **argv);

/* "ctstub-lab: SENTENCE" on standard error. */
void lab_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with the reason in errno. */
void lab_complain_errno(const char *what);

/* option_get of base/option.h, whose complaint is kept as well. */
int lab_option_get(int argc, char **argv, const char *shorts, const struct option *longs);

/* Prints a report of a verb and takes it; flags are those of json_dumps. False: out of memory. */
bool lab_json_print(json_t *report, size_t flags);

/* Prints {"error": ..., "errors": [...]} unless the verb has printed a report. */
void lab_json_failure(const char *verb, int code);

#endif
