/*
 * findings.h - makes findings of entries: matches, judges, records and acts on each once, even if the process is killed
 * at any moment.
 *
 * state-dir/watch/findings.jsonl is the record, a line an event:
 *   pending   a certificate that waits for its chain before it is judged; with its bytes
 *   finding   the report; its id never appears there twice
 *   withdrawn a finding that was reported without its chain and is expected with it
 *   blocked, evidence, exec-started   what was done about the finding of this id
 * A line is on disk before the entry counts as read (watch_findings_sync) and before anybody is notified. Actions that
 * were not finished when the process ended are taken after the next start.
 */
#ifndef CONTRIB_WATCH_FINDINGS_H
#define CONTRIB_WATCH_FINDINGS_H

#include "contrib/watch/findings_limits.h"
#include "contrib/watch/launcher.h"

/* The plan, the folder state-dir/watch (a descriptor) and the launcher are lent until it is closed. *why (yours) on
 * failure; RES_LIMIT: another process works in this folder. */
enum res watch_findings_open(struct watch_findings **, const struct watch_plan *, int folder,
			     struct launcher *, char **why);
/* Sets the reader that evidence comes from, and the function that finds a log in it by id (and returns NULL if the log is
 * no longer read). A NULL reader: there is no more evidence. */
void watch_findings_attach(struct watch_findings *, struct watch_reader *, watch_log_find_fn *);
/* Continues pending work: chains, programs, and what an earlier process left undone. Call it from the loop. */
void watch_findings_step(struct watch_findings *);
/* Is a chain awaited, or does a program run? With --once the monitor ends only when this is false. An action that failed
 * and waits to be tried again does not count. */
bool watch_findings_busy(const struct watch_findings *);
/* When actions that failed are tried again, by the boot clock; INT64_MAX: none failed. */
int64_t watch_findings_again(const struct watch_findings *);
void watch_findings_close(struct watch_findings *);

const struct watch_totals *watch_findings_totals(const struct watch_findings *);
/* The newest findings that are not expected, as a JSON array, newest first. Appends. */
enum res watch_findings_latest(const struct watch_findings *, struct buf *out);

#endif
