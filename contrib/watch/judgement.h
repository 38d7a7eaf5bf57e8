/*
 * judgement.h - is a certificate that bears what we watch one that we expect?
 *
 * It is when its key or fingerprint is known, when its key is pinned, or when a CA that is proven to have issued it (issued.h)
 * is known, pinned or allowed: for each item that it bears, by one of the upstreams of that item. A watched item of no
 * upstream has only what is known. Pure, but for the memory of the judge.
 *
 * Where its chain is at hand, the judgement also says whether it is proven that a CA that is trusted somewhere here issued
 * it. What is not proven is reported and never blocked: it may have been made up to get a good certificate refused.
 */
#ifndef CONTRIB_WATCH_JUDGEMENT_H
#define CONTRIB_WATCH_JUDGEMENT_H

#include "contrib/watch/finding.h"

enum finding_judged { JUDGEMENT_EXPECTED, JUDGEMENT_ROGUE, JUDGEMENT_NEEDS_CHAIN };

/* Fills kind and reason of a readable finding. evidence NULL: there is none yet; then JUDGEMENT_NEEDS_CHAIN says that it may
 * change the outcome, and the finding is filled as rogue. What is expected as far as it can be read, and cannot be read
 * whole, is unreadable; with JUDGEMENT_ROGUE as well. */
enum finding_judged finding_judge(struct watch_finding *, const struct watch_plan *,
				  const struct watch_evidence *evidence);

#endif
