/*
 * lab_help.h - how each verb of ctstub-lab is called, in one table: for --help, and for a call that is wrong.
 */
#ifndef CONTRIB_LAB_LAB_HELP_H
#define CONTRIB_LAB_LAB_HELP_H

#include <stdbool.h>

/* The synopsis on standard error; gives LAB_USAGE. */
int lab_help_wrong(const char *verb);
/* The synopsis and every option, on standard output. False: no such verb. */
bool lab_help_print(const char *verb);

#endif
