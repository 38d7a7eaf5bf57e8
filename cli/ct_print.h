/*
 * ct_print.h - a list of CT logs for people, or as JSON.
 */
#ifndef CLI_CT_PRINT_H
#define CLI_CT_PRINT_H

#include "cli/cli.h"
#include "verify/ct/ctlogs.h"

/* Prints the logs by operator and name, then one line about the list; `from` says where it is from. */
enum exit_code ct_list_print(const struct ctlogs *, const char *from, bool json);

#endif
