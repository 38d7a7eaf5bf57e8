/*
 * evidence.h - what proves a finding to others: files in state-dir/watch/evidence/ID.
 *
 *   finding.json      the finding as it was reported
 *   leaf.bin          MerkleTreeLeaf: what the log hashed (RFC 6962, 3.4)
 *   certificate.der   the certificate or precertificate as submitted; tbs.der where only the entry is at hand
 *   chain.pem         its issuers, as the log gave them
 *   proof.json        log, index, signed tree head, path from the leaf to its root
 * and of a log that misbehaved both heads (first.json, second.json) and its answer (answer.bin).
 */
#ifndef CONTRIB_WATCH_EVIDENCE_H
#define CONTRIB_WATCH_EVIDENCE_H

#include "contrib/watch/finding.h"

#define EVIDENCE_FOLDER "evidence"
/*
 * A log can put megabytes of anything beside its entries, and anyone who floods a log causes findings. So evidence is
 * kept for this many findings of a log, in files of at most this size: a log that lies takes 500 MiB at most, an honest
 * one 20 KiB for each finding.
 */
#define EVIDENCE_LOG_MAX  500
#define EVIDENCE_FILE_MAX ((size_t)256 * 1024) /* as large as certificates are read */

/* Each replaces what is there for that finding; folder is state-dir/watch. evidence NULL: the finding and its bytes
 * alone. False: errno says why. */
bool evidence_write(int folder, const struct watch_finding *, const struct watch_evidence *evidence);
bool evidence_write_log(int folder, const struct watch_finding *, const struct watch_misbehaviour *);

#endif
