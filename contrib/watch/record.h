/*
 * record.h - findings.jsonl: lines that are only ever appended, and what they say about each finding.
 *
 * One process at a time, by a lock beside it. A last line that was cut short by a crash is removed. A program between
 * fork and exec holds the lock too, so that the next process reads only after it has written.
 */
#ifndef CONTRIB_WATCH_RECORD_H
#define CONTRIB_WATCH_RECORD_H

#include "contrib/watch/finding.h"

#define RECORD_FILE     "findings.jsonl"
#define RECORD_MAX      (512 * 1024 * 1024) /* bytes; a larger one is not ours */
#define RECORD_NOTE_MAX 512                 /* a line without a certificate; all of its text is ours */
#define RECORD_LOCK_MS  10000               /* wait for a child of an earlier process to release the lock */

/* What was done about a finding. */
enum record_mark {
	RECORD_PENDING = 1,
	RECORD_REPORTED = 2,
	RECORD_BLOCKED = 4,
	RECORD_EVIDENCE = 8,
	RECORD_EXEC = 16,
	RECORD_WITHDRAWN = 32,
	RECORD_NOT_BLOCKED = 64, /* not proven; until another log has the certificate */
	RECORD_AGAIN = 128,      /* another log has it; with its bytes there */
	RECORD_UNBLOCKED = 256
};

/* Logs that are asked about one certificate: if one of them lies, another is needed; public certificates are in two to
 * five. */
#define RECORD_SOURCES_MAX 8

struct record_entry {
	uint8_t id[FINDING_ID_SIZE];
	unsigned marks;
	enum finding_kind kind;
	uint8_t spki_sha256[32];
	uint64_t serial_hash; /* of its serial and issuer, as text; 0: not known */
	off_t line;           /* where its newest line with the certificate begins; -1: none */
	size_t n_line;
	uint32_t source[RECORD_SOURCES_MAX]; /* the logs that it was seen in; the first bytes of their ids */
	size_t n_source;
};

/* Limits of a record; the first one that is reached counts. */
struct record_limits {
	size_t max, log_max;             /* findings that are not rogue, in all and of one log */
	size_t rogue_max, rogue_log_max; /* rogue ones, and those that wait for their chain */
	off_t bytes_max, log_bytes_max;  /* lines with certificates */
};
#define RECORD_LOGS_MAX 512 /* logs that are counted apart; the rest share one place */

struct record;

/* The limits are lent. *why (yours) on failure; RES_LIMIT: another process has the lock. */
enum res record_open(struct record **, int folder, const struct record_limits *, char **why);
void record_close(struct record *);
size_t record_count(const struct record *);
size_t record_count_of(struct record *, const uint8_t log_id[32], bool rogue); /* of one log */
/* Entries are lent, until record_finding records a finding that is new. */
struct record_entry *record_at(const struct record *, size_t i); /* in the order of their first lines */
struct record_entry *record_find(const struct record *, const uint8_t id[FINDING_ID_SIZE]);
/* Appends the line of a finding, on disk when it returns, and notes the mark. RES_LIMIT: no more of its kind, or of its log,
 * are taken. */
enum res record_finding(struct record *, const struct watch_finding *, enum record_mark, bool with_der);
/* Appends that something was done, or why it was not (a constant; NULL: nothing to say). */
enum res record_done(struct record *, const uint8_t id[FINDING_ID_SIZE], enum record_mark, const char *why);
/* Notes that it was seen in this log. False: it was before, or in too many other logs. */
bool record_source_add(struct record_entry *, const uint8_t log_id[32]);
/* Appends a line in one write to a file of that size, which grows. What a full disk left of the line is removed again.
 * RES_IO. */
enum res record_line_write(int fd, off_t *size, struct span line);
/* record_done by another process, which holds the lock too while it appends: the line, and the descriptors of the file
 * and the lock to pass to it (lent). Call record_note_ended afterwards. */
struct record_note {
	int file, lock;
	size_t n;
	char line[RECORD_NOTE_MAX];
};
void record_note_make(const struct record *, struct record_note *, const uint8_t id[FINDING_ID_SIZE],
		      enum record_mark, const char *why);
enum res record_note_append(const struct record_note *);
/* If it was not done after all, and that process has ended, what it may have appended is removed. */
void record_note_ended(struct record *, const uint8_t id[FINDING_ID_SIZE], enum record_mark, bool done);
/* The finding of an entry as it was written with its certificate. */
enum res record_load(struct record *, const struct record_entry *, struct watch_finding **);
/* Is this the key of a finding that was expected? */
bool record_expects_key(const struct record *, const uint8_t spki_sha256[32]);
/* Are these the serial and issuer of a finding that was expected? */
bool record_expects_serial(const struct record *, const struct watch_finding *);

#endif
