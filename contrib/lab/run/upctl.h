/*
 * upctl.h - the control socket of a lab that is up: one line in, one line out.
 *
 * It lies in a folder that only its owner may enter: /tmp/ctstub-lab-UID.
 */
#ifndef CONTRIB_LAB_RUN_UPCTL_H
#define CONTRIB_LAB_RUN_UPCTL_H

#include "contrib/lab/lab_files.h"

#include <event2/event.h>

#define UPCTL_LINE_MAX 512
/* The variable with the owner's user id, for a cell, where every process is root. */
#define UPCTL_OWNER "CTSTUB_LAB_OWNER"

/* The folder, made when it is missing. RES_IO: errno says why; EPERM: it is not ours alone. */
enum res upctl_folder(char out[FILE_PATH_MAX]);

struct upctl;

/* Called with one line; writes the answer's line into reply. */
typedef void (*upctl_fn)(void *ctx, const char *line, char reply[UPCTL_LINE_MAX]);

/* RES_LIMIT: a lab is up already. Yours: upctl_close. */
enum res upctl_listen(struct upctl **, struct event_base *, upctl_fn, void *ctx);
void upctl_close(struct upctl *);

/* Asks the lab that is up. RES_NOT_FOUND: none is. */
enum res upctl_ask(const char *line, char reply[UPCTL_LINE_MAX]);

#endif
