/*
 * verdict.h - the result of verifying a certificate: every finding, and the result as JSON.
 *
 * A verdict starts refused. Its outcome is accepted only when every stage that the policy asks for has run and
 * none objected. The reasons of the transport are in the same list, so that log, metric, EDE text, JSON and manual
 * have one code for each, but verification never uses them.
 */
#ifndef VERIFY_VERDICT_H
#define VERIFY_VERDICT_H

#include "base/bytes.h"
#include "base/res.h"

enum reason {
	REASON_NONE = 0,
#define REASON(id, code, stage, sentence) REASON_##id,
#include "verify/reasons.def"
#undef REASON
	REASON_COUNT
};

const char *reason_code(enum reason);     /* "ct-no-scts"; "none" for REASON_NONE. Constant. */
const char *reason_stage(enum reason);    /* "ct" */
const char *reason_sentence(enum reason); /* for people */
/* REASON_NONE when the code is not known. */
enum reason reason_read(const char *code);
/* Is it a reason of verification (a verdict), not of the transport (a network failure)? REASON_OUT_OF_MEMORY may be either:
 * an event of the transport tells (tp_event). */
bool reason_is_verdict(enum reason);

enum sct_status {
#define SCT_STATUS(id, code, sentence) SCT_STATUS_##id,
#include "verify/ct/sct_status.def"
#undef SCT_STATUS
	SCT_STATUS_COUNT
};

const char *sct_status_code(enum sct_status);
const char *sct_status_sentence(enum sct_status);

enum outcome { OUTCOME_REFUSED = 0, OUTCOME_ACCEPTED };

#define VERDICT_NUMBER_NONE INT64_MIN

struct finding {
	enum reason reason;
	/* false: only reported, because its rule is in report mode, or the log list is old and when-stale is not refuse */
	bool enforced;
	int64_t have; /* VERDICT_NUMBER_NONE: does not apply */
	int64_t want;
	char *text; /* for people, one line, no control characters; owned */
	/* it would refuse in no mode of its rule: an old list of logs, unless when-stale is refuse */
	bool advice;
};

/* One certificate as the verdict shows it. Strings owned. */
struct verdict_cert {
	char *subject; /* RFC 4514 */
	char *issuer;
	char *serial; /* lower-case hex of the INTEGER's content, without the sign octet (00) */
	int64_t not_before_ms;
	int64_t not_after_ms;
	uint8_t sha256[32];
	uint8_t spki_sha256[32];
};

struct verdict_sct {
	char *log;           /* description, or NULL when not known; owned */
	char *operator_name; /* or NULL */
	uint8_t log_id[32];  /* zero when malformed before it */
	int64_t timestamp_ms;
	enum sct_status status;
	bool counts;
};

struct verdict {
	enum outcome outcome;
	struct finding *findings; /* in the order of reasons.def */
	size_t n_findings;
	struct verdict_cert *chain; /* the verified path, leaf to anchor; without one, what was presented */
	size_t n_chain;
	bool chain_verified;
	struct verdict_sct *scts; /* every SCT in the leaf, in its order */
	size_t n_scts;
	char *expected_ip;   /* as text, or NULL */
	char *expected_name; /* or NULL */
	int64_t log_list_ms; /* date of the list; VERDICT_NUMBER_NONE without one */
	int64_t at_ms;
	int64_t valid_until_ms; /* the earliest notAfter of the path; VERDICT_NUMBER_NONE without one */
	/* From then on the reported findings refuse, so judge again; 0: no such time. */
	int64_t report_until_ms;
	bool out_of_memory; /* something could not be stored; the outcome is refused */
	char **warnings;    /* for people and logs, nothing that refuses: "pin met by the leaf only" */
	size_t n_warnings;
};

/* A zeroed verdict is valid: refused, without a reason. */
void verdict_clear(struct verdict *); /* frees what it holds; it may be used again */
bool verdict_accepted(const struct verdict *);
/* The first enforced reason; REASON_NONE when accepted. */
enum reason verdict_reason(const struct verdict *);
/* The finding that goes with it, lent; NULL when accepted. */
const struct finding *verdict_finding(const struct verdict *);
bool verdict_has(const struct verdict *, enum reason);
/* Would this refuse if its rule were not in report mode? */
bool finding_reported(const struct finding *);
/* The reasons for which finding_reported holds, reason r as the bit 1 << r. */
uint64_t verdict_reported(const struct verdict *);
/* Deep copy. RES_NOMEM: out is cleared. */
enum res verdict_copy(struct verdict *out, const struct verdict *);

/* The verdict object of ctstub(1), one line, no newline at the end. Yours to free. NULL: no memory. */
char *verdict_json(const struct verdict *);
/* For people: several lines. Yours to free. NULL: no memory. */
char *verdict_text(const struct verdict *);

#endif
