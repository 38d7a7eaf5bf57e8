/*
 * record.h - what setup changed, kept so that it can be undone: state-dir/setup/record.json.
 *
 * The folder and the record belong to root. state-dir itself is the daemon's, so a record of another owner is refused:
 * undo would write what it says into /etc, as root.
 */
#ifndef CLI_SETUP_RECORD_H
#define CLI_SETUP_RECORD_H

#include "cli/setup/plan.h"

#define RECORD_FILE_MAX (8 * 1024 * 1024)

struct change {
	enum step_kind kind;
	char path[PLAN_PATH_MAX];
	struct entry before;          /* of a file; owned */
	char after[ENTRY_DIGEST_LEN]; /* of a file */
	bool enabled, idle;           /* of a service */
};

struct record {
	struct change change[PLAN_STEPS_MAX]; /* in the order in which they were done */
	size_t n;
};

/* Adds the present state for each step of the plan. If the record already has the step, the state that was recorded
 * first is kept. On an error the record is unchanged. */
enum res record_merge(struct record *, const struct plan *);
void record_free(struct record *);

/* *why on failure (yours; NULL: no memory). */
enum res record_write(const struct record *, const char *state_dir, char **why);
/* RES_NOT_FOUND: nothing was set up. */
enum res setup_record_read(struct record *, const char *state_dir, char **why);
enum res record_remove(const char *state_dir, char **why);

#endif
