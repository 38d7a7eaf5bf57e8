/*
 * findings_limits.h - what bounds the findings, and what is counted of them.
 */
#ifndef CONTRIB_WATCH_FINDINGS_LIMITS_H
#define CONTRIB_WATCH_FINDINGS_LIMITS_H

#include "contrib/watch/finding.h"

/*
 * What one record takes. A log that floods us with entries that it made up fills its own share, and the others' findings
 * are recorded all the same. Rogue ones have places of their own, which nothing else takes. Beyond them findings are only
 * logged and counted, which is an alarm of its own (record-full).
 */
#define FINDINGS_MAX           20000 /* that are not rogue: years of renewals */
#define FINDINGS_LOG_MAX       2500  /* of these in one log: eight logs that lie fill it */
#define FINDINGS_ROGUE_MAX     40000
#define FINDINGS_ROGUE_LOG_MAX 5000
#define FINDINGS_BYTES_MAX                                                                                   \
	((off_t)256 * 1024 * 1024) /* of the record with certificates; what is done comes on top */
#define FINDINGS_LOG_BYTES_MAX ((off_t)32 * 1024 * 1024) /* of one log: 5000 certificates of 6 KiB */
#define FINDINGS_CHAIN_WAIT_MS 30000                     /* then it is reported as rogue without its chain */
#define FINDINGS_BLOCK_WAIT_MS                                                                               \
	600000 /* then somebody is told that it is not blocked, for want of its chain */
#define FINDINGS_MISBEHAVED_MAX                                                                              \
	64 /* findings about one log in one run; a log that lies at every poll fills no disk */
#define FINDINGS_STEP_MS    1000 /* watch_findings_step wants to be called so often while something waits */
#define FINDINGS_LATEST_MAX 10

/* What there is so far, the record of earlier runs included. */
struct watch_totals {
	uint64_t finding[FINDING_KINDS];
	uint64_t again;       /* certificates met again: in another log, or after their precertificate */
	uint64_t failed;      /* programs that failed or took too long */
	uint64_t unrecorded;  /* findings that the record had no place for: logged only */
	uint64_t not_blocked; /* rogue certificates that are not blocked, because no signature proves them */
};
/* How a log is found in the reader by its id. */
typedef const struct watch_log *watch_log_find_fn(const struct watch_reader *, const uint8_t id[32]);

#endif
