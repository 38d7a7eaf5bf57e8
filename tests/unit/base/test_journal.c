#include "base/journal.h"
#include "base/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define T "\"time\":\"2026-11-28T10:00:00.123Z\""
#define U "\"upstream\":\"one\""

static const struct {
	const char *what, *line;
	bool good;
} lines[] = {
	{"the smallest record", "{" T ",\"event\":\"known\"," U "}", true},
	{"members in any order", "{" U ",\"event\":\"refused\"," T "}", true},
	{"members of a later version", "{" T ",\"event\":\"known\"," U ",\"later\":{\"x\":[1]}}", true},
	{"no time", "{\"event\":\"known\"," U "}", false},
	{"an invalid time", "{\"time\":\"today\",\"event\":\"known\"," U "}", false},
	{"a time that is too long", "{\"time\":\"2026-11-28T10:00:00.12345678901234567890123Z\",\"event\":\"known\"," U "}", false},
	{"no event", "{" T "," U "}", false},
	{"an event that is not known", "{" T ",\"event\":\"later\"," U "}", false},
	{"no upstream", "{" T ",\"event\":\"known\"}", false},
	{"an empty upstream", "{" T ",\"event\":\"known\",\"upstream\":\"\"}", false},
	{"a negative count", "{" T ",\"event\":\"refused\"," U ",\"count\":-1}", false},
	{"an invalid date", "{" T ",\"event\":\"known\"," U ",\"not_after\":\"never\"}", false},
	{"cut short", "{" T ",\"event\":\"known\",\"upstr", false},
	{"no JSON", "garbage", false},
};

static void
each_line(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		char *copy = strdup(lines[i].line);
		struct journal_record r;

		if ((journal_line_read(&r, (uint8_t *)copy, strlen(copy)) == RES_OK) != lines[i].good) {
			print_error("%s: %s\n", lines[i].what, lines[i].line);
			failed++;
		}
		free(copy);
	}
	assert_int_equal(failed, 0);
}

/* A record in which everything is set. */
static struct journal_record
full(void)
{
	return (struct journal_record){
		.kind = JOURNAL_CHANGE, .time_ms = 1795284000123, .upstream = span_str("one"), .address = span_str("192.0.2.1:853"),
		.news = JOURNAL_LEAF | JOURNAL_ISSUER, .reason = span_str("ct-no-scts"), .count = 3, .evidence = span_str("name"),
		.subject = span_str("CN=a\"b"), .issuer = span_str("CN=\xc3\xa9"), .serial = span_str("0a"),
		.not_before_ms = 1795000000000, .not_after_ms = 1796000000000, .sha256 = span_str("11"), .spki_sha256 = span_str("22"),
		.issuer_spki_sha256 = span_str("33"), .anchor = span_str("CN=root"), .anchor_spki_sha256 = span_str("44"), .log = {span_str("log 1"), span_str("log 2")},
		.n_log = 2, .log_id = {span_str("AAA="), span_str("BBB=")}, .n_log_id = 2, .chain = {span_str("MIIB"), span_str("MIIC")}, .n_chain = 2};
}

static void
written_records_are_read_back(void **state)
{
	const struct journal_record a = full();
	struct journal_record b;
	struct buf out = buf_max(4096), again = buf_max(4096);

	(void)state;
	assert_int_equal(journal_write(&out, &a), RES_OK);
	assert_int_equal(out.p[out.n - 1], '\n');
	assert_int_equal(journal_write(&again, &a), RES_OK);
	assert_int_equal(journal_line_read(&b, out.p, out.n - 1), RES_OK);
	buf_clear(&again);
	assert_int_equal(journal_write(&again, &b), RES_OK);
	buf_clear(&out);
	assert_int_equal(journal_write(&out, &a), RES_OK);
	assert_true(span_equal(buf_span(&out), buf_span(&again)));
	assert_non_null(strstr(buf_cstr(&out), "\"new\":[\"leaf\",\"issuer\"]"));
	assert_int_equal(b.kind, JOURNAL_CHANGE);
	assert_int_equal(b.n_chain, 2);
	buf_free(&out);
	buf_free(&again);
}

static void
a_long_record_goes_without_its_certificates(void **state)
{
	static char large[JOURNAL_LINE_MAX];
	struct journal_record a = full(), b;
	struct buf out = buf_max(2 * JOURNAL_LINE_MAX);

	(void)state;
	memset(large, 'A', sizeof large);
	a.chain[1] = span_of(large, sizeof large);
	assert_int_equal(journal_write(&out, &a), RES_OK);
	assert_int_equal(journal_line_read(&b, out.p, out.n - 1), RES_OK);
	assert_int_equal(b.n_chain, 0);
	assert_int_equal(b.n_log, 2);
	buf_clear(&out);
	a.subject = a.chain[1];
	assert_int_equal(journal_write(&out, &a), RES_LIMIT);
	assert_int_equal(out.n, 0);
	assert_true(buf_ok(&out));
	buf_free(&out);
}

static void
no_room_leaves_the_buffer_as_it_was(void **state)
{
	const struct journal_record a = full();
	struct buf out = buf_max(100);

	(void)state;
	buf_text(&out, "before");
	assert_int_equal(journal_write(&out, &a), RES_LIMIT);
	assert_true(buf_ok(&out));
	assert_int_equal(out.n, 6);
	buf_free(&out);
}

/* ---- files */

static char folder[64];

static int
folder_make(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/journal-XXXXXX");
	return mkdtemp(folder) == NULL;
}

static int
folder_remove(void **state)
{
	static const char *const names[] = {JOURNAL_FILE, JOURNAL_OLDER};
	char path[128];

	(void)state;
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	return rmdir(folder);
}

static void
file_write(const char *name, const char *text, size_t n)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	fclose(f);
}

static void
keep(void *ctx, const struct journal_record *r)
{
	struct buf *seen = ctx;

	buf_put(seen, r->upstream);
	buf_u8(seen, ' ');
}

static const char *
read_both(struct buf *seen, struct journal_counts *counts, enum res want)
{
	const char *why;
	int fd = open(folder, O_RDONLY | O_DIRECTORY);

	buf_clear(seen);
	assert_int_equal(journal_read(fd, counts, &why, keep, seen), want);
	assert_int_equal(why != NULL, want == RES_IO);
	close(fd);
	return seen->n == 0 ? "" : buf_cstr(seen);
}

#define LINE(name) "{" T ",\"event\":\"known\",\"upstream\":\"" name "\"}\n"

static void
files(void **state)
{
	struct buf seen = buf_max(1 << 20);
	struct journal_counts counts;
	char path[128];

	(void)state;
	assert_string_equal(read_both(&seen, &counts, RES_OK), "");
	file_write(JOURNAL_FILE, LINE("c") LINE("d"), strlen(LINE("c") LINE("d")));
	assert_string_equal(read_both(&seen, &counts, RES_OK), "c d ");
	file_write(JOURNAL_OLDER, LINE("a") "\nbroken\n" LINE("b") "{" T, strlen(LINE("a") "\nbroken\n" LINE("b") "{" T));
	assert_string_equal(read_both(&seen, &counts, RES_OK), "a b c d ");
	assert_int_equal(counts.records, 4);
	assert_int_equal(counts.broken, 2);
	assert_false(counts.older_lost);
	/* a link is not followed, and the other file is read */
	snprintf(path, sizeof path, "%s/" JOURNAL_FILE, folder);
	unlink(path);
	assert_int_equal(symlink(JOURNAL_OLDER, path), 0);
	assert_string_equal(read_both(&seen, &counts, RES_IO), "a b ");
	/* a FIFO is not waited for */
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_string_equal(read_both(&seen, &counts, RES_IO), "a b ");
	/* one file with both names, as when it is rotated between the two reads, is read once */
	unlink(path);
	snprintf(path, sizeof path, "%s/" JOURNAL_OLDER, folder);
	{
		char other[128];

		snprintf(other, sizeof other, "%s/" JOURNAL_FILE, folder);
		assert_int_equal(link(path, other), 0);
	}
	assert_string_equal(read_both(&seen, &counts, RES_OK), "a b ");
	buf_free(&seen);
}

static void
long_lines_are_skipped(void **state)
{
	static char text[3 * JOURNAL_LINE_MAX];
	struct buf seen = buf_max(1 << 20);
	struct journal_counts counts;
	const size_t sizes[] = {JOURNAL_LINE_MAX - 1, JOURNAL_LINE_MAX, JOURNAL_LINE_MAX + 1, 2 * JOURNAL_LINE_MAX, 2 * JOURNAL_LINE_MAX + 7};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t n = 0;

		n += (size_t)sprintf(text, "%s", LINE("a"));
		memset(text + n, 'x', sizes[i]);
		n += sizes[i];
		n += (size_t)sprintf(text + n, "\n%s", LINE("b"));
		file_write(JOURNAL_FILE, text, n);
		assert_string_equal(read_both(&seen, &counts, RES_OK), "a b ");
		assert_int_equal(counts.broken, 1);
	}
	buf_free(&seen);
}

static void
only_the_end_of_a_large_file_is_read(void **state)
{
	struct buf seen = buf_max(1 << 20);
	struct journal_counts counts;
	char path[128];
	int fd;

	(void)state;
	file_write(JOURNAL_FILE, LINE("a"), strlen(LINE("a")));
	snprintf(path, sizeof path, "%s/" JOURNAL_FILE, folder);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "\n" LINE("b"), strlen(LINE("b")) + 1, JOURNAL_FILE_MAX), strlen(LINE("b")) + 1);
	close(fd);
	assert_string_equal(read_both(&seen, &counts, RES_OK), "b ");
	assert_true(counts.older_lost);
	assert_int_equal(counts.broken, 0);
	buf_free(&seen);
}

/* After the text comes a page that cannot be read. */
static void
a_text_is_read_to_its_end_and_no_further(void **state)
{
	static const struct {
		const char *what, *text, *seen;
	} rows[] = {
		{"no bytes", "", ""},
		{"a record", LINE("a"), "a "},
		{"two records", LINE("a") LINE("b"), "a b "},
		{"a line that is no record", LINE("a") "broken\n" LINE("b"), "a b "},
		{"an empty line", LINE("a") "\n" LINE("b") "\n", "a b "},
		{"a last line without its end", LINE("a") "{" T ",\"event\":\"known\"," U "}", "a "},
		{"a last line that is cut", LINE("a") LINE("b") "{" T ",\"ev", "a b "},
		{"only a line without its end", "{" T ",\"event\":\"known\"," U "}", ""},
	};
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct buf seen = buf_max(1 << 20);

	(void)state;
	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t n = strlen(rows[i].text);

		print_message("%s\n", rows[i].what);
		memcpy(pages + page - n, rows[i].text, n);
		buf_clear(&seen);
		journal_text_read(pages + page - n, n, keep, &seen);
		assert_string_equal(seen.n == 0 ? "" : buf_cstr(&seen), rows[i].seen);
	}
	assert_int_equal(munmap(pages, 2 * page), 0);
	buf_free(&seen);
}

static void
a_long_line_of_a_text_is_no_record(void **state)
{
	static const char head[] = "{" T ",\"event\":\"known\",\"upstream\":\"", tail[] = "\"}\n";
	static const struct {
		size_t line; /* without its end */
		bool good;
	} rows[] = {{JOURNAL_LINE_MAX - 1, true}, {JOURNAL_LINE_MAX, false}, {JOURNAL_LINE_MAX + 1, false}, {3 * JOURNAL_LINE_MAX, false}};
	struct buf text = buf_max(4 * JOURNAL_LINE_MAX), seen = buf_max(1 << 20);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		buf_clear(&text);
		buf_clear(&seen);
		buf_text(&text, head);
		for (size_t n = rows[i].line + 1 - strlen(head) - strlen(tail); n > 0; n--)
			buf_u8(&text, 'x');
		buf_text(&text, tail);
		assert_int_equal(text.n, rows[i].line + 1);
		buf_text(&text, LINE("b"));
		assert_true(buf_ok(&text));
		journal_text_read(text.p, text.n, keep, &seen);
		assert_int_equal(seen.n > 2, rows[i].good);
		assert_memory_equal(seen.p + seen.n - 2, "b ", 2);
	}
	buf_free(&text);
	buf_free(&seen);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line),
		cmocka_unit_test(written_records_are_read_back),
		cmocka_unit_test(a_long_record_goes_without_its_certificates),
		cmocka_unit_test(no_room_leaves_the_buffer_as_it_was),
		cmocka_unit_test(a_text_is_read_to_its_end_and_no_further),
		cmocka_unit_test(a_long_line_of_a_text_is_no_record),
		cmocka_unit_test_setup_teardown(files, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(long_lines_are_skipped, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(only_the_end_of_a_large_file_is_read, folder_make, folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
