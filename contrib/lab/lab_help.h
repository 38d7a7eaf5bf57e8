/*
 * lab_help.h - the usage of each verb of ctstub-lab in one table, for --help and for usage errors.
 */
#ifndef CONTRIB_LAB_LAB_HELP_H
#define CONTRIB_LAB_LAB_HELP_H

#include <stdbool.h>

/* The synopsis on standard error; returns LAB_USAGE. */
int lab_help_wrong(const char *verb);
/* The synopsis and every option, on standard output. False: no such verb. */
bool lab_help_print(const char *verb);

#endif
