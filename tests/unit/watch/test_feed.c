#include "contrib/watch/feed.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ENTRY "serial 01 issuer CN=x\n"
#define HEAD  "# ctstub-feed 1\n# sequence 17\n# date 2026-11-28T08:00:00Z\n"

static void
a_feed_has_its_header_and_good_entries(void **state)
{
	static const struct {
		const char *what, *text;
		size_t entries;
		bool good;
	} rows[] = {
	    {"two entries", HEAD ENTRY "spki-sha256 0000000000000000000000000000000000000000000000000000000000000001\n", 2, true},
	    {"no entry", HEAD, 0, true},
	    {"comments between", HEAD "# why\n" ENTRY, 1, true},
	    {"nothing", "", 0, false},
	    {"entries alone", ENTRY, 0, false},
	    {"another version", "# ctstub-feed 2\n# sequence 17\n# date 2026-11-28T08:00:00Z\n", 0, false},
	    {"more after the version", "# ctstub-feed 12\n# sequence 17\n# date 2026-11-28T08:00:00Z\n", 0, false},
	    {"sequence 0", "# ctstub-feed 1\n# sequence 0\n# date 2026-11-28T08:00:00Z\n", 0, false},
	    {"a negative sequence", "# ctstub-feed 1\n# sequence -1\n# date 2026-11-28T08:00:00Z\n", 0, false},
	    {"a sequence that is not a number", "# ctstub-feed 1\n# sequence 1x\n# date 2026-11-28T08:00:00Z\n", 0, false},
	    {"a sequence beyond the limit", "# ctstub-feed 1\n# sequence 9223372036854775807\n# date 2026-11-28T08:00:00Z\n", 0, false},
	    {"no date", "# ctstub-feed 1\n# sequence 17\n" ENTRY, 0, false},
	    {"an invalid date", "# ctstub-feed 1\n# sequence 17\n# date yesterday\n", 0, false},
	    {"a line before the header", "#\n" HEAD, 0, false},
	    {"a bad entry", HEAD ENTRY "serial zz issuer CN=x\n", 0, false},
	    {"a control character", HEAD "serial 01 issuer CN=\x01\n", 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct feed feed = {.sequence = 0};
		char *why = NULL;
		bool good = feed_read(&feed, span_str(rows[i].text), &why) == RES_OK;

		if (good != rows[i].good || good == (why != NULL))
			fail_msg("%s: %s", rows[i].what, why != NULL ? why : "taken");
		if (good)
			assert_true(feed.sequence == 17 && feed.entries == rows[i].entries && feed.date_ms == 1795852800000);
		free(why);
	}
}

static void
what_is_written_is_read(void **state)
{
	struct feed feed = {.sequence = 18, .date_ms = 1795852800000}, again;
	struct buf out = buf_max(FEED_FILE_MAX), twice = buf_max(FEED_FILE_MAX);
	char *why = NULL;

	(void)state;
	assert_int_equal(feed_write(&out, &feed, span_str(ENTRY "# no line break at the end"), &why), RES_OK);
	assert_int_equal(feed_read(&again, buf_span(&out), &why), RES_OK);
	assert_int_equal(again.sequence, 18);
	assert_int_equal(again.entries, 1);
	feed.sequence = 19; /* a feed becomes the next one: its header is replaced */
	assert_int_equal(feed_write(&twice, &feed, buf_span(&out), &why), RES_OK);
	assert_int_equal(twice.n, out.n);
	assert_int_equal(feed_read(&again, buf_span(&twice), &why), RES_OK);
	assert_int_equal(again.sequence, 19);
	buf_clear(&twice);
	assert_int_equal(feed_write(&twice, &feed, span_str("serial\n"), &why), RES_MALFORMED);
	free(why);
	buf_free(&out);
	buf_free(&twice);
}

#define DAY (24 * 3600 * 1000LL)

static void
an_edition_replaces_only_an_earlier_one(void **state)
{
	static const struct {
		const char *what;
		uint64_t known; /* 0: none */
		int64_t known_day;
		uint64_t fresh;
		int64_t fresh_day; /* today is 100 */
		enum feed_step step;
	} rows[] = {
	    {"the first one", 0, 0, 5, 100, FEED_NEWER},
	    {"the next one", 5, 99, 6, 100, FEED_NEWER},
	    {"one that skips some", 5, 99, 60, 100, FEED_NEWER},
	    {"the same one", 5, 99, 5, 99, FEED_SAME},
	    {"an earlier one", 6, 99, 5, 98, FEED_ROLL_BACK},
	    {"an earlier one with a newer date", 6, 99, 5, 100, FEED_ROLL_BACK},
	    {"the same number with another date", 5, 99, 5, 100, FEED_FORKED},
	    {"a later one with an earlier date", 5, 99, 6, 98, FEED_ROLL_BACK},
	    {"the first one, thirty days old", 0, 0, 5, 70, FEED_NEWER},
	    {"the first one, thirty-one days old", 0, 0, 5, 69, FEED_TOO_OLD},
	    {"the next one, thirty-one days old", 5, 60, 6, 69, FEED_TOO_OLD},
	    {"the same one, held for thirty-one days", 5, 69, 5, 69, FEED_TOO_OLD},
	    {"one of tomorrow", 5, 99, 6, 101, FEED_NEWER},
	    {"one of the day after", 5, 99, 6, 102, FEED_IN_THE_FUTURE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct feed known = {rows[i].known, rows[i].known_day * DAY, 0}, fresh = {rows[i].fresh, rows[i].fresh_day * DAY, 0};
		char a[64] = "", b[64];

		if (rows[i].known != 0)
			(void)snprintf(a, sizeof a, "%llu %lld", (unsigned long long)known.sequence, (long long)known.date_ms);
		(void)snprintf(b, sizeof b, "%llu %lld", (unsigned long long)fresh.sequence, (long long)fresh.date_ms);
		if (feed_compare(span_str(a), &known, span_str(b), &fresh, 100 * DAY, 30 * DAY) != rows[i].step)
			fail_msg("%s", rows[i].what);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_feed_has_its_header_and_good_entries),
	    cmocka_unit_test(what_is_written_is_read),
	    cmocka_unit_test(an_edition_replaces_only_an_earlier_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
