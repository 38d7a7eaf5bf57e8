/*
 * verify.h - verifies the certificates of an upstream ("the judge" in other comments).
 *
 * Bytes, policy and time go in; a verdict comes out. It is pure: no socket, file, clock, log, or global that changes.
 * Several threads may call it with the same policy. Apart from the verdict it changes only the cache of signatures that the
 * caller may pass in (sigcache.h), and that cache changes no verdict. `ctstub verify`, the daemon's handshakes, ctstub-watch
 * and the fuzzers all enter here: what the tool reports offline is what the daemon does online.
 *
 * The stages. Each is one file, judge_STAGE.c. If import finds no readable leaf, only modes runs after it; otherwise each stage
 * runs regardless of what the stage before it found:
 *
 *   import       bytes to certificates, bounded (cert.h, der.h)
 *   path         who may have issued what (issuers.h, trust.h) and who did (proofs.h: each signature is checked here, once,
 *                or is known to hold: sigcache.h);
 *                the paths that this proves (path.h); what RFC 5280 asks of them (path_validate.h, nameconstraints.h,
 *                policies.h); what the policy asks of them: the anchor's limits (anchor_limits.h), pins and allowed issuers
 *                (path_policy.h, cert_match.h); without a path, the chain that comes closest to one (lead.h)
 *   presented    usage of the leaf (usage.h); without a path, the dates, keys and signatures of all that was sent
 *                (strength.h)
 *   identity     the address and the name, in subject alternative names only (identity.h)
 *   disallow     does an entry name any of it (disallow.h, cert_match.h, name.h)
 *   ct           read the SCTs (sct.h), check them against the list of logs (sctcheck.h, ctlogs.h), count them (ctpolicy.h)
 *   revocation   the stapled OCSP response and the CRLs (revocation.h)
 *   modes        which rules only report, and until when
 *
 * The verdict (verdict.h) then holds every finding with its reason (reasons.def). It is accepted when all stages ran and no
 * finding refuses.
 *
 * In the daemon, transport/conn_judge.c collects the input inside the handshake, before any query is written.
 */
#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H

#include "verify/policy.h"
#include "verify/verdict.h"

/* Fills *v, which must be zeroed or cleared before. Always sets an outcome. If neither an address nor a name is expected, the
 * outcome is refused, with ip-mismatch. */
void vfy_check(struct verdict *v, const struct vfy_policy *, const struct vfy_input *);

#endif
