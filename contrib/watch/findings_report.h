/*
 * findings_report.h - inside the findings: a finding on disk, counted, and in the log.
 */
#ifndef CONTRIB_WATCH_FINDINGS_REPORT_H
#define CONTRIB_WATCH_FINDINGS_REPORT_H

#include "base/log_field.h"
#include "contrib/watch/findings_state.h"

/* Records the finding and logs it. RES_IO, RES_NOMEM: it was neither recorded nor logged. */
enum res finding_report(struct watch_findings *, struct watch_finding *);
/* Logs that a finding of this log cannot be recorded; which: another key that tells which one. RES_IO: errno says why. */
void finding_unrecorded_log(const struct watch_findings *, const char *log, struct log_field which, enum res);
/* Logs that evidence cannot be written (error: errno; name: its folder, or the record of it) or can be written again (0).
 * One line each, not one a finding: a full disk refuses all evidence. */
void finding_evidence_log(struct watch_findings *, const struct watch_finding *, const char *name, int error);
/* Adds to the latest findings of the status a finding that an earlier process reported. */
void finding_latest_add(struct watch_findings *, const struct watch_finding *);

#endif
