/*
 * findings.h - from entries to findings: matched, judged, recorded, acted on; each once, whatever is killed when.
 *
 * state-dir/watch/findings.jsonl is the record, a line an event:
 *   pending   a certificate that waits for its chain before it is judged; with its bytes
 *   finding   the report; its id never stands there twice
 *   withdrawn a finding that was reported without its chain and is expected with it
 *   blocked, evidence, exec-started   what was done about the finding of this id
 * A line is on disk before the entry counts as read (watch_findings_sync) and before anybody is told. What was not done
 * about a finding when the process ended is done after the next start.
 */
#ifndef CONTRIB_WATCH_FINDINGS_H
#define CONTRIB_WATCH_FINDINGS_H

#include "contrib/watch/findings_limits.h"
#include "contrib/watch/launcher.h"

/* Lends the plan, the folder state-dir/watch (a descriptor) and the launcher until it is closed. *why (yours) on failure;
 * RES_LIMIT: another process works in this folder. */
enum res watch_findings_open(struct watch_findings **, const struct watch_plan *, int folder,
			     struct launcher *, char **why);
/* Where evidence comes from, and how a log is found there by its id (NULL: it is not read any more). A NULL reader: nowhere
 * any more. */
void watch_findings_attach(struct watch_findings *, struct watch_reader *, watch_log_find_fn *);
/* Goes on with what waits: chains, programs, what an earlier process left undone. Call it from the loop. */
void watch_findings_step(struct watch_findings *);
/* Something waits for a chain, or a program runs: --once goes on. */
bool watch_findings_busy(const struct watch_findings *);
void watch_findings_close(struct watch_findings *);

const struct watch_totals *watch_findings_totals(const struct watch_findings *);
/* The newest findings that are not expected, as a JSON array, newest first. Appends. */
enum res watch_findings_latest(const struct watch_findings *, struct buf *out);

#endif
