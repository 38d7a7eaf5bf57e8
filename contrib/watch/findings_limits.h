/*
 * findings_limits.h - limits and counters of the findings.
 */
#ifndef CONTRIB_WATCH_FINDINGS_LIMITS_H
#define CONTRIB_WATCH_FINDINGS_LIMITS_H

#include "contrib/watch/finding.h"

/*
 * Limits of one record. A log that floods us with made-up entries fills only its own share; findings of other logs are
 * still recorded. Rogue findings have places of their own. Beyond the limits, findings are only logged and counted, with
 * an alarm of its own (record-full).
 */
#define FINDINGS_MAX           20000 /* that are not rogue: years of renewals */
#define FINDINGS_LOG_MAX       2500  /* of these in one log: it takes eight lying logs to fill all */
#define FINDINGS_ROGUE_MAX     40000
#define FINDINGS_ROGUE_LOG_MAX 5000
/* Of lines with certificates; lines about actions come on top. */
#define FINDINGS_BYTES_MAX     ((off_t)256 * 1024 * 1024)
#define FINDINGS_LOG_BYTES_MAX ((off_t)32 * 1024 * 1024) /* of one log: 5000 certificates of 6 KiB */
#define FINDINGS_CHAIN_WAIT_MS 30000                     /* then it is reported as rogue without its chain */
/* Then we report that it is not blocked, because its chain is missing. */
#define FINDINGS_BLOCK_WAIT_MS 600000
/* Findings about one log in one run: lying at every poll does not fill the disk. */
#define FINDINGS_MISBEHAVED_MAX 64
/* Until actions that failed are tried again: a full disk stays full for a while. */
#define FINDINGS_AGAIN_MS   60000
#define FINDINGS_STEP_MS    1000 /* call watch_findings_step this often while something waits */
#define FINDINGS_LATEST_MAX 10

/* Totals so far, including those of earlier runs. */
struct watch_totals {
	uint64_t finding[FINDING_KINDS];
	uint64_t again;       /* certificates seen again: in another log, or after their precertificate */
	uint64_t failed;      /* programs that failed or took too long */
	uint64_t unrecorded;  /* findings that the record had no place for: logged only */
	uint64_t not_blocked; /* rogue certificates that are not blocked, because no signature proves them */
};
/* How a log is found in the reader by its id. */
typedef const struct watch_log *watch_log_find_fn(const struct watch_reader *, const uint8_t id[32]);

#endif
