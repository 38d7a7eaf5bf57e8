/*
 * judgement.h - is a certificate with a watched name or address one that we expect?
 *
 * A certificate is expected if its key, its fingerprint or a CA that is proven to have issued it (issued.h) is known. It
 * is also expected if, for each watched item in it, one of the upstreams of that item pins its key, or pins or allows
 * such a CA. For an item of no upstream only what is known counts. Nothing here reads the clock, files or the network.
 *
 * If its chain is available, the judgement also says whether it is proven that a CA trusted by the system or by an
 * upstream issued it. A certificate without that proof is reported and never blocked: it may have been made up to get a
 * good one refused.
 */
#ifndef CONTRIB_WATCH_JUDGEMENT_H
#define CONTRIB_WATCH_JUDGEMENT_H

#include "contrib/watch/finding.h"

enum finding_judged { JUDGEMENT_EXPECTED, JUDGEMENT_ROGUE, JUDGEMENT_NEEDS_CHAIN };

/* Fills kind and reason of a readable finding. evidence NULL: there is none yet; JUDGEMENT_NEEDS_CHAIN then says that the
 * chain may change the outcome, and the finding is filled in as rogue. A certificate that is expected as far as it can be
 * read, but has parts that cannot be read, becomes FINDING_UNREADABLE; JUDGEMENT_ROGUE is returned for it too. */
enum finding_judged finding_judge(struct watch_finding *, const struct watch_plan *,
				  const struct watch_evidence *evidence);

#endif
