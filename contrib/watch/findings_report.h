/*
 * findings_tell.h - inside the findings: a finding on disk, counted, and in the log.
 */
#ifndef CONTRIB_WATCH_FINDINGS_TELL_H
#define CONTRIB_WATCH_FINDINGS_TELL_H

#include "contrib/watch/findings_state.h"

/* Records and tells. RES_IO, RES_NOMEM: it was not recorded and nobody was told. */
enum res finding_report(struct watch_findings *, struct watch_finding *);
/* One that an earlier process reported. */
void finding_tell_again(struct watch_findings *, const struct watch_finding *);

#endif
