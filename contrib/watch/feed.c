#include "contrib/watch/feed.h"

#include "base/text.h"
#include "verify/disallow.h"
#include "verify/why.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC    "# ctstub-feed 1"
#define SEQUENCE "# sequence "
#define DATE     "# date "

/* What follows `key` in the next line, as a C string. False: another line. */
static bool
value_take(struct span *text, const char *key, char *out, size_t max)
{
	struct span line, begin = span_str(key);

	if (!text_line_take(text, &line) || line.n < begin.n ||
	    !span_equal(span_slice(line, 0, begin.n), begin) || line.n - begin.n >= max ||
	    !text_is_plain(line))
		return false;
	memcpy(out, line.p + begin.n, line.n - begin.n);
	out[line.n - begin.n] = '\0';
	return true;
}

/* *text loses the header. */
static bool
header_take(struct feed *feed, struct span *text)
{
	char magic[2], sequence[32], date[TIME_TEXT_MAX];
	struct span rest = *text;
	int64_t n;

	if (!value_take(&rest, MAGIC, magic, sizeof magic) || *magic != '\0' ||
	    !value_take(&rest, SEQUENCE, sequence, sizeof sequence) ||
	    !value_take(&rest, DATE, date, sizeof date) || number_read(&n, sequence) != RES_OK || n < 1 ||
	    (uint64_t)n > FEED_SEQUENCE_MAX || time_read(&feed->date_ms, date) != RES_OK)
		return false;
	feed->sequence = (uint64_t)n;
	*text = rest;
	return true;
}

static enum res
entries_count(size_t *n, struct span text, char **why)
{
	struct cert_match_builder *b = NULL;
	struct faults faults = {.n = 0};
	enum res res = cert_match_builder_new(&b);

	if (res == RES_OK)
		res = disallow_add_file(b, text, &faults);
	if (res == RES_OK)
		*n = cert_match_builder_count(b);
	else if (faults_lines(&faults) > 0)
		*why = faults_text(&faults, 0, "feed");
	faults_clear(&faults);
	cert_match_builder_free(b);
	return res;
}

enum res
feed_read(struct feed *out, struct span file, char **why)
{
	struct feed feed = {.entries = 0};
	struct span rest = file;
	enum res res;

	*why = NULL;
	if (file.n > FEED_FILE_MAX)
		return why_say(why, RES_LIMIT, "the feed is larger than %d bytes", FEED_FILE_MAX);
	if (!header_take(&feed, &rest))
		return why_say(why, RES_MALFORMED,
			       "the feed does not begin with \"" MAGIC "\", \"" SEQUENCE "N\" and \"" DATE
			       "RFC3339\"");
	res = entries_count(&feed.entries, file, why);
	if (res == RES_OK)
		*out = feed;
	return res;
}

enum res
feed_write(struct buf *out, const struct feed *feed, struct span text, char **why)
{
	char date[TIME_TEXT_MAX];
	struct feed before;
	size_t n;
	enum res res;

	*why = NULL;
	text = text_without_bom(text);
	(void)header_take(&before, &text);
	res = entries_count(&n, text, why);
	if (res != RES_OK)
		return res;
	buf_format(out, MAGIC "\n" SEQUENCE "%llu\n" DATE "%s\n", (unsigned long long)feed->sequence,
		   time_text(feed->date_ms, date));
	buf_put(out, text);
	if (text.n > 0 && text.p[text.n - 1] != '\n')
		buf_text(out, "\n");
	if (buf_res(out) == RES_NOMEM)
		return RES_NOMEM;
	return buf_ok(out) && out->n <= FEED_FILE_MAX
		   ? RES_OK
		   : why_say(why, RES_LIMIT, "the feed is larger than %d bytes", FEED_FILE_MAX);
}

enum feed_step
feed_compare(struct span known, const struct feed *known_feed, struct span fresh,
	     const struct feed *fresh_feed, int64_t now_ms, int64_t max_age_ms)
{
	if (known.n > 0 && span_equal(known, fresh))
		return fresh_feed->date_ms < now_ms - max_age_ms ? FEED_TOO_OLD : FEED_SAME;
	if (known.n > 0 && fresh_feed->sequence < known_feed->sequence)
		return FEED_ROLL_BACK;
	if (known.n > 0 && fresh_feed->sequence == known_feed->sequence)
		return FEED_FORKED;
	if (known.n > 0 && fresh_feed->date_ms < known_feed->date_ms)
		return FEED_ROLL_BACK;
	if (fresh_feed->date_ms > now_ms + FEED_FUTURE_MS)
		return FEED_IN_THE_FUTURE;
	return fresh_feed->date_ms < now_ms - max_age_ms ? FEED_TOO_OLD : FEED_NEWER;
}
