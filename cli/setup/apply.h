/*
 * apply.h - a plan is carried out, and what a record says is undone. Both report each step on standard error.
 */
#ifndef CLI_SETUP_APPLY_H
#define CLI_SETUP_APPLY_H

#include "cli/setup/record.h"

/* Carries out every step in order. False: a step failed; the steps before it stay done, for undo. */
bool apply_plan(const struct plan *);
/* Restores the previous state. A file that has changed since is left as it is, and stays in the record. Returns the
 * number of changes that could not be undone. */
size_t apply_undo(struct record *);
/* The number of changes that are no longer as setup left them; each is reported. */
size_t apply_drift(const struct record *);

#endif
