/*
 * feed.h - a disallow file that an organisation hands to its machines: entries after a header that gives the edition.
 *
 *   # ctstub-feed 1
 *   # sequence 17
 *   # date 2026-11-28T08:00:00Z
 *   ... entries, see disallow.h
 *
 * It is signed as a whole (minisign.h). The sequence stops an attacker from serving an earlier edition again; the date
 * stops one from holding back later editions for ever.
 */
#ifndef CONTRIB_WATCH_FEED_H
#define CONTRIB_WATCH_FEED_H

#include "base/bytes.h"
#include "base/res.h"

#define FEED_FILE_MAX     (8 * 1024 * 1024) /* 25,000 entries with comments */
#define FEED_SEQUENCE_MAX ((uint64_t)1 << 53)
#define FEED_FUTURE_MS    (24 * 3600 * 1000LL) /* of a date: clocks are wrong by hours, not by days */

struct feed {
	uint64_t sequence; /* from 1 */
	int64_t date_ms;
	size_t entries;
};

/* Reads the header, and every entry. RES_MALFORMED, with a sentence in *why (yours). */
enum res feed_read(struct feed *, struct span file, char **why);
/* Appends the header and the entries of `text`, without the header that it may have. RES_MALFORMED as above; RES_LIMIT:
 * too large. */
enum res feed_write(struct buf *out, const struct feed *, struct span text, char **why);

enum feed_step {
	FEED_NEWER,
	FEED_SAME,      /* byte for byte */
	FEED_ROLL_BACK, /* an earlier edition than the known one */
	FEED_FORKED,    /* the same sequence with other content: two editions were signed */
	FEED_TOO_OLD,
	FEED_IN_THE_FUTURE,
};
/* May `fresh` replace `known` (empty: there is none)? Both were read with feed_read. */
enum feed_step feed_compare(struct span known, const struct feed *known_feed, struct span fresh,
			    const struct feed *fresh_feed, int64_t now_ms, int64_t max_age_ms);

#endif
