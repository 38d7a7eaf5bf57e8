/*
 * apply.h - a plan is carried out, and what a record says is undone. Both report each step on standard error.
 */
#ifndef CLI_SETUP_APPLY_H
#define CLI_SETUP_APPLY_H

#include "cli/setup/record.h"

/* Every step in order. False: a step failed; what was done before it stays, for undo. */
bool apply_plan(const struct plan *);
/* Puts back what was there. A file that changed since is left as it is, and stays in the record. Gives the number of
 * changes that could not be undone. */
size_t apply_undo(struct record *);
/* The changes that no longer are as setup left them; each is reported. */
size_t apply_drift(const struct record *);

#endif
