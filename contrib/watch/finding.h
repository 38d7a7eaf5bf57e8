/*
 * finding.h - one finding: a logged certificate with a watched name or address, or a log that misbehaved.
 *
 * A finding owns copies of everything in it. Its id is the hash of the certificate's content without the SCTs, so a
 * precertificate, its certificate and their copies in several logs are one finding. Its JSON is one line, written and
 * read here.
 */
#ifndef CONTRIB_WATCH_FINDING_H
#define CONTRIB_WATCH_FINDING_H

#include "contrib/watch/entry.h"
#include "contrib/watch/plan.h"

#define FINDING_ID_SIZE  16            /* the first bytes of a SHA-256; no two certificates share them */
#define FINDING_ITEMS    8             /* items that are shown */
#define FINDING_LINE_MAX (1024 * 1024) /* of its JSON; a certificate of 256 KiB in base64 fits */

enum finding_kind {
	FINDING_EXPECTED,
	FINDING_ROGUE,
	FINDING_UNREADABLE,
	FINDING_LOG_MISBEHAVED,
	FINDING_KINDS
};
const char *finding_kind_text(enum finding_kind);      /* "log-misbehaved" */
enum finding_kind finding_kind_read(const char *text); /* NULL or an unknown text: FINDING_UNREADABLE */

struct watch_finding {
	uint8_t id[FINDING_ID_SIZE];
	enum finding_kind kind;
	char *because;    /* a sentence: why it is of this kind */
	int64_t found_ms; /* when we saw it */
	uint8_t log_id[32];
	char *log; /* description */
	uint64_t index;
	int64_t logged_ms; /* by the log */
	bool precertificate;
	char *item[FINDING_ITEMS];     /* as configured */
	char *upstream[FINDING_ITEMS]; /* titles, or NULL */
	size_t n_item;
	char *where, *shown; /* the identifier that matched first */
	struct buf der;      /* the certificate or TBSCertificate */
	uint8_t issuer_key_hash[32];
	uint8_t spki_sha256[32];
	char *subject, *issuer, *serial; /* for people; serial in hex */
	int64_t not_before_ms, not_after_ms;
	char *problem; /* of log-misbehaved: the word of its kind; else NULL */
	bool proven;   /* a CA that some client trusts issued it: its signature and path were verified */
	const char *unproven;           /* why not, once its chain was looked at; a constant */
	bool has_signer;                /* its chain has the certificate that signed it, */
	uint8_t signer_spki_sha256[32]; /* with this key */
};

/* A finding of this entry and match, without a kind. NULL: no memory. */
struct watch_finding *finding_new(const struct watch_plan *, const struct watch_entry *,
				  const struct watch_match *, int64_t now_ms);
struct watch_finding *finding_of_log(const struct watch_misbehaviour *, int64_t now_ms);
void finding_free(struct watch_finding *);
bool finding_because(struct watch_finding *, enum finding_kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The bytes that an entry's id is a hash of: its TBSCertificate, or the whole entry if that cannot be read. */
struct span finding_bytes(const struct watch_entry *, const struct watch_match *);
/* The id of a TBSCertificate. */
enum res finding_id(uint8_t id[FINDING_ID_SIZE], struct span tbs);
const char *finding_id_text(const struct watch_finding *, char out[2 * FINDING_ID_SIZE + 1]);

/* {"event": ..., ...} on one line, without the line break. with_der: it also has what finding_read needs. */
enum res finding_write(struct buf *out, const struct watch_finding *, const char *event, bool with_der);
/* One that was written with_der. RES_MALFORMED. */
enum res finding_read(struct watch_finding **out, struct span line);

#endif
