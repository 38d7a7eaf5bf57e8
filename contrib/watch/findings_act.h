/*
 * findings_act.h - inside the findings: what is done about those that wait.
 */
#ifndef CONTRIB_WATCH_FINDINGS_ACT_H
#define CONTRIB_WATCH_FINDINGS_ACT_H

#include "contrib/watch/findings_state.h"

/* Everything that is configured was done about a finding. */
bool act_is_done(const struct watch_findings *, const struct record_entry *);
/* A blocked finding whose key or fingerprint is known now is withdrawn: the configuration may be another than before. */
void act_reconsider(struct watch_findings *, const struct record_entry *);
/* Takes back the block of a finding that turned out to be expected; nothing where that is done, or was not needed. */
void act_unblock(struct watch_findings *, const struct record_entry *);
/* Is evidence of this finding kept (evidence.h)? */
bool evidence_has_room(struct watch_findings *, const struct watch_finding *);
/* As watch_findings_step and watch_findings_busy. */
void act_step(struct watch_findings *);
bool act_busy(const struct watch_findings *);

#endif
