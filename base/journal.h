/*
 * journal.h - what the upstreams have presented: records of the journal in state-dir, one JSON object per line.
 *
 * The daemon's helper appends to journal.jsonl; when the file has reached its size it becomes journal.jsonl.1, in place of the
 * one before, and the new file begins with what is known of each upstream ("known"), so that what was shown long ago stays
 * known. Others only read. A line that a crash cut short, or that somebody damaged, is counted and skipped.
 *
 * What a record means:
 *   first-acceptance  an address of an upstream showed an acceptable certificate for the first time
 *   change            an upstream showed an acceptable certificate, and something of it for the first time: see journal_news
 *   accepted          an address is accepted again after a refusal
 *   refused           a certificate was refused; count: how often since the record before of that chain and reason
 *   known             a certificate that was shown before this file began
 */
#ifndef BASE_JOURNAL_H
#define BASE_JOURNAL_H

#include "base/bytes.h"
#include "base/res.h"

#define JOURNAL_FILE  "journal.jsonl"
#define JOURNAL_OLDER "journal.jsonl.1"

/* A record with the certificates of a leaf and its issuer has 4 to 10 KiB. The largest chains that are verified have
 * 64 KiB, or 86 KiB in base64. A record that would be longer is written without its certificates. */
#define JOURNAL_LINE_MAX (128 * 1024)
/* Of one file: the maximum of option `size` in section journal, so a reader always reaches the end of the file. If
 * something else made the file larger, only its last part is read. */
#define JOURNAL_FILE_MAX (64 * 1024 * 1024)
/* SCTs of one certificate, and certificates of one chain; chains that are verified have fewer. */
#define JOURNAL_SCTS_MAX  16
#define JOURNAL_CHAIN_MAX 16

enum journal_kind { JOURNAL_FIRST, JOURNAL_CHANGE, JOURNAL_ACCEPTED, JOURNAL_REFUSED, JOURNAL_KNOWN };

/* What was new: a certificate of the server, its key, the key of its issuer, the key of the trust anchor, the set of logs that
 * its SCTs are of. */
enum journal_news {
	JOURNAL_LEAF = 1,
	JOURNAL_KEY = 2,
	JOURNAL_ISSUER = 4,
	JOURNAL_CA = 8,
	JOURNAL_SCTS = 16
};

/* Spans are lent: by the caller when writing, by the reader until its callback returns. Empty: not known. All text
 * is UTF-8. */
struct journal_record {
	enum journal_kind kind;
	int64_t time_ms;
	struct span upstream; /* its title in the configuration */
	struct span address;  /* with port, as addr_text writes it */
	unsigned news;        /* enum journal_news */
	struct span reason;   /* its code, of a refusal */
	int64_t count;        /* of a refusal; 1 or more */
	struct span evidence; /* name without suffix of the files in state-dir/evidence, of a refusal */
	/* the server's certificate, and the one that issued it */
	struct span subject, issuer;          /* RFC 4514 */
	struct span serial;                   /* hex */
	int64_t not_before_ms, not_after_ms;  /* 0: not known */
	struct span sha256, spki_sha256;      /* lower-case hex, of the server's certificate and its key */
	struct span issuer_spki_sha256;       /* of the issuer's key; empty: no path was found */
	struct span anchor;                   /* subject of the trust anchor */
	struct span anchor_spki_sha256;       /* of its key */
	struct span log[JOURNAL_SCTS_MAX];    /* names of the logs of its SCTs that count */
	struct span log_id[JOURNAL_SCTS_MAX]; /* and their ids, base64 */
	size_t n_log, n_log_id;
	/* The certificates as presented, base64 of DER, server's first. */
	struct span chain[JOURNAL_CHAIN_MAX];
	size_t n_chain;
};

const char *journal_kind_text(enum journal_kind);
/* Appends the names of what was new, as "leaf,key". */
void journal_news_put(struct buf *, unsigned news);

/* Appends the line; if it is too long, without the certificates. RES_LIMIT: there is no room for it; out is
 * unchanged. */
enum res journal_write(struct buf *out, const struct journal_record *);
/* Reads a line without its end, in place. RES_MALFORMED: it is not a record of a known kind with time and upstream. */
enum res journal_line_read(struct journal_record *, uint8_t *line, size_t n);

struct journal_counts {
	uint64_t records;
	uint64_t broken; /* lines that are no record, too long, or cut short */
	bool older_lost; /* a file was larger than JOURNAL_FILE_MAX: its beginning was not read */
};

typedef void (*journal_record_fn)(void *ctx, const struct journal_record *);

/* The records of an open file, from its beginning; *counts is added to. RES_IO with errno. */
enum res journal_file_read(int fd, struct journal_counts *counts, journal_record_fn, void *ctx);
/* The records of a file's text, which is read in place and not kept: what was in it is undefined afterwards. */
void journal_text_read(uint8_t *text, size_t n, journal_record_fn, void *ctx);
/* The records of both files in this folder (a descriptor), the older file first; a file that is not there has none.
 * RES_IO: one cannot be read, errno says why, *why too (constant or strerror's); the other one was read. */
enum res journal_read(int state_dir, struct journal_counts *counts, const char **why, journal_record_fn,
		      void *ctx);

#endif
