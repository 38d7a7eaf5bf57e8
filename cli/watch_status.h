/*
 * watch_status.h - what ctstub-watch(8) found, for `ctstub status`: read from its status.json in state-dir, by the tool.
 * The daemon does not know of it.
 */
#ifndef CLI_WATCH_STATUS_H
#define CLI_WATCH_STATUS_H

#include "cli/control.h"

#define WATCH_STATUS_OLD_S 600 /* ctstub-watch writes every few seconds; after so long it is not running */

/* Adds "watch" to the answer: the object in the file, with "age_s"; null if there is no file or it cannot be read. */
void watch_status_add(const struct control_args *, json_t *answer);
/* The folder of the ctstub-watch that belongs to this daemon. Yours; NULL: there is none, or it is not known. */
char *watch_folder(const struct control_args *);
/* Appends the lines about ctstub_watch_ metrics that ctstub-watch wrote for Prometheus, if any. */
void watch_metrics_put(struct buf *, const char *folder);
/* Prints it for people; nothing if it is null. */
void watch_status_print(const json_t *watch);

#endif
