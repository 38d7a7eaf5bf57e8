/*
 * findings_again.h - inside the findings: actions that fail for a reason that may pass, and are tried again a minute later,
 * all at the same time.
 */
#ifndef CONTRIB_WATCH_FINDINGS_AGAIN_H
#define CONTRIB_WATCH_FINDINGS_AGAIN_H

#include "contrib/watch/findings_state.h"

/* This action for a finding failed. True: the log does not have it yet. */
bool findings_again_failed(struct waiting *, enum record_mark);
/* So did something that is not for one finding. */
void findings_again_later(struct watch_findings *);
/* When it is time, nothing counts as failed any more. */
void findings_again_step(struct watch_findings *);
/* As watch_findings_again. */
int64_t findings_again_ms(const struct watch_findings *);

#endif
