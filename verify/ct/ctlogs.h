/*
 * ctlogs.h - a list of CT logs: their names, operators and states.
 *
 * A list is immutable once loaded and may be shared by threads. Three sources: v3 JSON, Mozilla's source header,
 * and the table compiled in. log_id is always the SHA-256 of the key (RFC 6962, 3.2), checked at loading.
 * The test logs that only a debug build sees are left out of the header.
 * The ids of the two mimic logs, whose private keys are published, are denied even when a list has them.
 */
#ifndef VERIFY_CT_CTLOGS_H
#define VERIFY_CT_CTLOGS_H

#include "base/bytes.h"
#include "base/faults.h"
#include "base/res.h"

#define CTLOGS_FILE_MAX      (8 * 1024 * 1024) /* the largest public list is 150 KB */
#define CTLOGS_MAX           4096              /* logs in one list; the largest public list has 250 */
#define CTLOGS_OPERATORS_MAX 512
#define CTLOGS_NESTING_MAX   32 /* depth of the JSON */
#define CTLOG_PREVIOUS_MAX   8  /* former operators of one log */

enum ctlog_state {
	CTLOG_PENDING,
	CTLOG_QUALIFIED,
	CTLOG_USABLE,
	CTLOG_READONLY,
	CTLOG_RETIRED,
	CTLOG_REJECTED
};
enum ctlog_key_kind { CTLOG_ECDSA_P256, CTLOG_RSA };

struct ctlog_operator_term {
	const char *name;
	int64_t end_ms; /* it was the operator before this time */
};

struct ctlog {
	uint8_t id[32];
	const char *description;   /* never NULL; the id in base64 when the list has none */
	const char *operator_name; /* today's */
	struct ctlog_operator_term previous[CTLOG_PREVIOUS_MAX]; /* by rising end_ms */
	size_t n_previous;
	struct span key; /* DER SubjectPublicKeyInfo */
	enum ctlog_key_kind key_kind;
	bool tiled;        /* static-ct: its SCTs must carry a leaf_index */
	bool never_counts; /* log_type other than prod */
	enum ctlog_state state;
	int64_t state_ms;          /* since when; 0 when the list does not say */
	int64_t interval_start_ms; /* of the certificate's notAfter: [start, end) */
	int64_t interval_end_ms;   /* both 0: no interval given */
	uint32_t mmd_s;            /* 0: the list does not say; see ctlog_mmd_ms */
	/* Where the log is read: the url of RFC 6962, the monitoring_url of static-ct. https, ends in "/". NULL: the
	 * list gives none, or none that can be asked. */
	const char *url;
	const char *submission_url; /* of static-ct: its checkpoints bear this name; NULL: not known */
};

struct ctlogs;

/* *why, on failure, gets a sentence for people with the place in the file (yours to free; may be NULL for no
 * memory). A log that cannot be used is left out (ctlogs_left_out): its SCTs then count for nothing, which can only refuse
 * more. A list without any usable log, or of another shape, is refused. */
enum res ctlogs_from_json(struct ctlogs **out, struct span json, char **why);
enum res ctlogs_from_mozilla_header(struct ctlogs **out, struct span text, char **why);
enum res ctlogs_compiled_in(struct ctlogs **out); /* the project's own, with the retired logs */
/* Adds the compiled-in logs that had ended before the list, each retired at its time, so that old certificates can
 * be verified. The other functions do not count, list, compare or write them. */
enum res ctlogs_add_retired(struct ctlogs *);
/* Tells the two formats apart by their first bytes. */
enum res ctlogs_from_any(struct ctlogs **out, struct span file, char **why);
void ctlogs_free(struct ctlogs *);
/* The logs that were left out, with lines where the format has them. Lent. */
const struct faults *ctlogs_left_out(const struct ctlogs *);

/* The v3 JSON of a list, sorted and stable: reading it again gives the same list. Yours. NULL: no memory. */
char *ctlogs_json(const struct ctlogs *);

/* log_list_timestamp; 0, which is always old, when the list gives none */
int64_t ctlogs_date_ms(const struct ctlogs *);
const char *ctlogs_source(const struct ctlogs *); /* "compiled in", the list's version text, lent */
size_t ctlogs_count(const struct ctlogs *);
const struct ctlog *ctlogs_at(const struct ctlogs *, size_t i); /* sorted by id */
/* NULL: not in the list. Lent. */
const struct ctlog *ctlogs_find(const struct ctlogs *, const uint8_t id[32]);
/* In the list, or among the retired logs that were added to it; the list itself takes precedence. */
const struct ctlog *ctlogs_find_ever(const struct ctlogs *, const uint8_t id[32]);
/* Must the log never be trusted (its private key is public)? */
bool ctlog_is_denied(const uint8_t id[32]);
/* Who operated the log at that time. Lent. */
const char *ctlog_operator_at(const struct ctlog *, int64_t ms);
/* The maximum merge delay; where a list gives none, what all logs of its kind have promised. */
uint64_t ctlog_mmd_ms(const struct ctlog *);
const char *ctlog_state_text(enum ctlog_state);

/* A copy of `fresh`. A log without a temporal interval or URLs in `fresh` gets those that it has in `known`. */
enum res ctlogs_keep_known(struct ctlogs **out, const struct ctlogs *fresh, const struct ctlogs *known);

/* How a list differs from the one before it. */
struct ctlogs_change {
	size_t added, removed, changed; /* logs */
	size_t before;                  /* logs in the old list */
	size_t new_operators;
	bool older;      /* its date is before the old list's */
	bool large_loss; /* more than a third of the logs are gone */
	char *text;      /* a line a difference, "+ name", "- name", "~ name: what"; yours to free */
};
enum res ctlogs_compare(struct ctlogs_change *out, const struct ctlogs *before, const struct ctlogs *after);

#endif
