/*
 * findings_report.h - inside the findings: a finding on disk, counted, and in the log.
 */
#ifndef CONTRIB_WATCH_FINDINGS_REPORT_H
#define CONTRIB_WATCH_FINDINGS_REPORT_H

#include "contrib/watch/findings_state.h"

/* Records the finding and logs it. RES_IO, RES_NOMEM: it was neither recorded nor logged. */
enum res finding_report(struct watch_findings *, struct watch_finding *);
/* Adds to the latest findings of the status a finding that an earlier process reported. */
void finding_latest_add(struct watch_findings *, const struct watch_finding *);

#endif
