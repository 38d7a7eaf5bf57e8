/*
 * status_print.h - the answer of the daemon to `status`, on one screen for people.
 */
#ifndef CLI_STATUS_PRINT_H
#define CLI_STATUS_PRINT_H

#include <jansson.h>

#define STATUS_ADDRESSES_MAX 6 /* of each kind that are shown; `ctstub upstreams` has all */
#define STATUS_WARNINGS_MAX  5 /* `--json` has all */

void status_print(const json_t *answer);

#endif
