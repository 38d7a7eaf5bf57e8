/*
 * alone.h - one setup of a machine at a time, and none that ends halfway.
 *
 * Setup restarts network managers, so the terminal or the SSH session that it runs in may go away: a hang-up does not end it.
 * An interrupt or SIGTERM makes it undo what it did.
 */
#ifndef CLI_SETUP_ALONE_H
#define CLI_SETUP_ALONE_H

#include <stdbool.h>

/* False: another setup is running. The lock ends with the process. If no lock file can be created, there is no lock,
 * because undo must work on a broken machine. Signals are handled as described above from now on. */
bool alone_begin(void);
/* Removes the lock file, if it is ours; the last step. */
void alone_end(void);
/* Was the process asked to end? */
bool alone_stopped(void);
/* From now on no signal interrupts this process at all: it undoes changes. */
void alone_finish(void);

#endif
