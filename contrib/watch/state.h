/*
 * state.h - how far one log was read, in a file of its own: written as a whole or not at all.
 *
 * Text: a line a field, the last one "end". The file is named after the log's id and lies in state-dir/watch.
 */
#ifndef CONTRIB_WATCH_STATE_H
#define CONTRIB_WATCH_STATE_H

#include "contrib/watch/entry.h"

#define STATE_FILE_MAX (64 * 1024) /* two ranges of 63 hashes and a head: 10 KB */

struct log_state {
	struct head head;          /* the newest that is verified; size 0 and no signature: none yet */
	struct tree_range checked; /* the entries whose root is a signed one */
	uint64_t checked_ms;       /* the timestamp of that head; 0: none */
	struct tree_range range;   /* the entries that were hashed and handed over; at least checked */
	uint64_t start;            /* the first entry that was read */
};

/* The folder state-dir/watch, made when it is not there. Gives a descriptor, or -1 and why (yours). */
int state_folder_open(const char *state_dir, char **why);
/* RES_NOT_FOUND: there is none, *why stays NULL. RES_MALFORMED, RES_IO with a sentence (yours). */
enum res state_load(struct log_state *, int folder, const struct watch_log *, char **why);
enum res state_write(int folder, const struct watch_log *, const struct log_state *, char **why);

#endif
