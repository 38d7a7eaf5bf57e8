/* test_window_record.c - the record of the update window: what is left of a day's window, and what counts as no record. */
#include "config/window_record.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW ((int64_t)1795867200000)
#define MIN ((int64_t)60000)
#define DAY (24 * 60 * MIN)

static const struct {
	const char *what;
	int64_t began, left;
	bool open;
} rows[] = {
    {"none so far", 0, 10 * MIN, false},
    {"it begins now", NOW, 10 * MIN, true},
    {"a minute ago", NOW - MIN, 9 * MIN, true},
    {"a millisecond is left", NOW - 10 * MIN + 1, 1, true},
    {"ten minutes ago", NOW - 10 * MIN, 0, false},
    {"a day ago, but for a millisecond", NOW - DAY + 1, 0, false},
    {"a day ago", NOW - DAY, 10 * MIN, false},
    {"a year ago", NOW - 365 * DAY, 10 * MIN, false},
    {"in the future: the clock was wrong then", NOW + 1, 10 * MIN, false},
    {"three years ahead", NOW + 1095 * DAY, 10 * MIN, false},
    {"before 1970", -1, 10 * MIN, false},
};

static void
a_day_has_one_window(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct window_record r = {.began_ms = rows[i].began};

		if (window_record_left_ms(&r, NOW) != rows[i].left || window_record_is_open(&r, NOW) != rows[i].open)
			fail_msg("%s: %lld left, open %d", rows[i].what, (long long)window_record_left_ms(&r, NOW),
				 window_record_is_open(&r, NOW));
	}
}

static void
file_write(const char *folder, const char *content)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/" WINDOW_RECORD_FILE, folder);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(content, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static const struct {
	const char *what, *content;
	struct window_record want;
} files[] = {
    {"as it is written", "began 2026-11-28T12:00:00Z\nwindows 3\nnames 12\n", {NOW, 3, 12}},
    {"an empty file", "", {0, 0, 0}},
    {"no record", "{\"began\":1}\n\n\n", {0, 0, 0}},
    {"invalid numbers", "began soon\nwindows -1\nnames 1x\n", {0, 0, 0}},
    {"a line that is not known", "colour red\nnames 2\n", {0, 0, 2}},
    {"a last line without its end", "names 2\nwindows 4", {0, 4, 2}},
};

static void
records_are_read(void **state)
{
	char folder[] = "/tmp/window-XXXXXX", inner[64], path[128];
	struct window_record r;

	(void)state;
	assert_non_null(mkdtemp(folder));
	window_record_read(&r, folder);
	assert_int_equal(r.began_ms, 0);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		file_write(folder, files[i].content);
		window_record_read(&r, folder);
		if (memcmp(&r, &files[i].want, sizeof r) != 0)
			fail_msg("%s: %lld %lld %lld", files[i].what, (long long)r.began_ms, (long long)r.windows,
				 (long long)r.names);
	}
	(void)snprintf(inner, sizeof inner, "%s/ct-logs", folder);
	assert_int_equal(mkdir(inner, 0700), 0);
	file_write(inner, files[0].content);
	window_record_latest(&r, folder);
	assert_int_equal(r.windows, 4 + 3); /* of both folders */
	assert_int_equal(r.names, 2 + 12);
	assert_int_equal(r.began_ms, NOW); /* that of the last one */
	(void)snprintf(path, sizeof path, "%s/" WINDOW_RECORD_FILE, inner);
	assert_int_equal(chmod(path, 0666), 0);
	window_record_latest(&r, folder);
	assert_int_equal(r.windows, 4); /* others can write the second file, so it does not count */
	(void)unlink(path);
	(void)rmdir(inner);
	(void)snprintf(path, sizeof path, "%s/" WINDOW_RECORD_FILE, folder);
	(void)unlink(path);
	(void)rmdir(folder);
}

static void
what_is_written_is_read(void **state)
{
	const struct window_record r = {NOW, 3, 12};
	struct buf text = buf_max(512);

	(void)state;
	window_record_write(&text, &r);
	assert_string_equal(buf_cstr(&text), files[0].content);
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_day_has_one_window),
	    cmocka_unit_test(records_are_read),
	    cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
