/*
 * findings_act.h - inside the findings: the actions for findings that wait.
 */
#ifndef CONTRIB_WATCH_FINDINGS_ACT_H
#define CONTRIB_WATCH_FINDINGS_ACT_H

#include "contrib/watch/findings_state.h"

/* Were all configured actions taken for a finding? */
bool act_is_done(const struct watch_findings *, const struct record_entry *);
/* Withdraws a blocked finding whose key or fingerprint is known by now: the configuration may have changed. */
void act_reconsider(struct watch_findings *, const struct record_entry *);
/* Removes the block of a finding that turned out to be expected; does nothing if that is done or was not needed. */
void act_unblock(struct watch_findings *, const struct record_entry *);
/* Is there room for evidence of this finding (evidence.h)? */
bool evidence_has_room(struct watch_findings *, const struct watch_finding *);
/* As watch_findings_step and watch_findings_busy. */
void act_step(struct watch_findings *);
bool act_busy(const struct watch_findings *);

#endif
