/*
 * fuzz_feed.c - disallow feeds and their signatures: a feed that is read has a valid header, and is written and read again the same.
 */
#include "contrib/watch/feed.h"
#include "verify/minisign.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const struct minisign_key key = {{1}, {2}};

static void
feed_round(struct span text)
{
	struct buf out = buf_max(FEED_FILE_MAX);
	struct feed feed = {.sequence = 0}, again;
	char *why = NULL;

	if (feed_read(&feed, text, &why) != RES_OK) {
		check(why != NULL);
		free(why);
		return;
	}
	check(why == NULL && feed.sequence >= 1 && feed.sequence <= FEED_SEQUENCE_MAX);
	if (feed_write(&out, &feed, text, &why) == RES_OK) {
		check(feed_read(&again, buf_span(&out), &why) == RES_OK);
		check(again.sequence == feed.sequence && again.entries == feed.entries);
	}
	free(why);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct minisign_key read;
	struct span comment;
	char *why = NULL;

	feed_round(span_of(data, n));
	check(minisign_verify(&key, span_str("file"), span_of(data, n), &comment, &why) != RES_OK);
	free(why);
	why = NULL;
	check((minisign_key_read(&read, span_of(data, n), &why) == RES_OK) == (why == NULL));
	free(why);
	return 0;
}
