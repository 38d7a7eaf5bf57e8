#include "base/text.h"
#include "resolver/daemon/journal_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static int dir = -1;

static int
begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/journal-file-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	dir = open(folder, O_RDONLY | O_DIRECTORY);
	return dir < 0;
}

static int
end(void **state)
{
	(void)state;
	(void)unlinkat(dir, JOURNAL_FILE, 0);
	(void)unlinkat(dir, JOURNAL_OLDER, 0);
	(void)close(dir);
	return rmdir(folder);
}

static void
file_put(const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static const char *
file_text(const char *name)
{
	static char text[1 << 20];
	int fd = openat(dir, name, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

	text[n < 0 ? 0 : n] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

static void
a_line_that_was_cut_short_is_removed(void **state)
{
	const struct {
		const char *before, *after;
	} rows[] = {
		{"", "new\n"}, {"one\n", "one\nnew\n"}, {"one\ntw", "one\nnew\n"}, {"tw", "new\n"}, {"one\n\n", "one\n\nnew\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		file_put(JOURNAL_FILE, rows[i].before);
		assert_int_equal(journal_file_append(dir, span_str("new\n"), 65536), RES_OK);
		assert_string_equal(file_text(JOURNAL_FILE), rows[i].after);
	}
}

static void
a_long_unfinished_line_is_kept_or_removed_whole(void **state)
{
	static char text[3 * JOURNAL_LINE_MAX];
	struct stat st;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[0] = '\n';
	file_put(JOURNAL_FILE, text);
	assert_int_equal(journal_file_append(dir, span_str("new\n"), 64 << 20), RES_OK);
	assert_int_equal(fstatat(dir, JOURNAL_FILE, &st, 0), 0);
	assert_int_equal(st.st_size, sizeof text - 1 + 4);
	text[sizeof text - JOURNAL_LINE_MAX] = '\n';
	file_put(JOURNAL_FILE, text);
	assert_int_equal(journal_file_append(dir, span_str("new\n"), 64 << 20), RES_OK);
	assert_int_equal(fstatat(dir, JOURNAL_FILE, &st, 0), 0);
	assert_int_equal(st.st_size, sizeof text - JOURNAL_LINE_MAX + 1 + 4);
}

static const char *
line_of(enum journal_kind kind, const char *upstream, const char *address, int leaf, size_t padding)
{
	static char line[65536];
	struct journal_record r = {.kind = kind, .time_ms = 1795284000000 + leaf, .upstream = span_str(upstream), .address = span_str(address), .news = JOURNAL_LEAF};
	struct buf b = buf_max(sizeof line - 1);
	char hex[65], *subject = calloc(1, padding + 1);

	snprintf(hex, sizeof hex, "%064x", (unsigned)leaf);
	memset(subject, 's', padding);
	r.sha256 = span_str(hex);
	r.subject = span_str(subject);
	assert_int_equal(journal_write(&b, &r), RES_OK);
	memcpy(line, b.p, b.n);
	line[b.n] = '\0';
	buf_free(&b);
	free(subject);
	return line;
}

static void
append(enum journal_kind kind, const char *upstream, const char *address, int leaf, size_t padding)
{
	assert_int_equal(journal_file_append(dir, span_str(line_of(kind, upstream, address, leaf, padding)), 65536), RES_OK);
}

struct seen {
	size_t n, known, refused;
	bool first, second;
	int latest;
};

static void
look(void *ctx, const struct journal_record *r)
{
	struct seen *s = ctx;

	s->n++;
	s->known += r->kind == JOURNAL_KNOWN;
	s->refused += r->kind == JOURNAL_REFUSED;
	s->first |= span_equal(r->upstream, span_str("first"));
	s->second |= span_equal(r->address, span_str("second"));
}

static struct seen
look_at(const char *name)
{
	struct journal_counts counts = {0};
	struct seen s = {0};
	int fd = openat(dir, name, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(journal_file_read(fd, &counts, look, &s), RES_OK);
	assert_int_equal(counts.broken, 0);
	close(fd);
	return s;
}

/* The first upstream was seen once, at the very beginning; the second one changes again and again, with refusals between. */
static void
what_is_known_survives_any_number_of_rotations(void **state)
{
	struct stat st;
	struct seen now, older;

	(void)state;
	append(JOURNAL_FIRST, "first", "1", 1, 3000); /* too large for what the others leave of a new file */
	for (int i = 2; i < 500; i++) {
		append(JOURNAL_CHANGE, "other", i % 2 ? "1" : "second", i, 1000);
		append(JOURNAL_REFUSED, "other", "1", i, 500);
		assert_int_equal(fstatat(dir, JOURNAL_FILE, &st, 0), 0);
		assert_true(st.st_size <= 65536);
	}
	now = look_at(JOURNAL_FILE);
	older = look_at(JOURNAL_OLDER);
	assert_true(now.first && now.second && older.first && older.second);
	assert_in_range(now.known, 2, 65536 / 2 / 1000);
	assert_true(older.refused > 0);
	assert_int_equal(fstatat(dir, JOURNAL_OLDER, &st, 0), 0);
	assert_true(st.st_size <= 65536);
}

/* A crash, or a full disk, after the file was renamed to the older one and before there was a new one. */
static void
what_is_known_survives_a_rotation_that_was_cut_short(void **state)
{
	static const struct {
		const char *what;
		bool older_is_readable, known;
	} rows[] = {
		{"the older file has it", true, true}, {"the older file is a FIFO", false, false},
	};

	(void)state;
	for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
		struct seen now;

		append(JOURNAL_FIRST, "first", "1", 1, 1000);
		append(JOURNAL_CHANGE, "other", "second", 2, 1000);
		assert_int_equal(renameat(dir, JOURNAL_FILE, dir, JOURNAL_OLDER), 0);
		if (!rows[row].older_is_readable) {
			assert_int_equal(unlinkat(dir, JOURNAL_OLDER, 0), 0);
			assert_int_equal(mkfifoat(dir, JOURNAL_OLDER, 0600), 0);
		}
		for (int i = 3; i < 150; i++)
			append(JOURNAL_CHANGE, "other", "1", i, 1000);
		now = look_at(JOURNAL_FILE);
		if (now.first != rows[row].known || now.second != rows[row].known || look_at(JOURNAL_OLDER).n == 0)
			fail_msg("%s: first %d, second %d", rows[row].what, now.first, now.second);
		assert_int_equal(unlinkat(dir, JOURNAL_FILE, 0), 0);
		assert_int_equal(unlinkat(dir, JOURNAL_OLDER, 0), 0);
	}
}

static void
a_certificate_is_carried_over_once(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++)
		append(JOURNAL_CHANGE, "other", "1", 7, 1000);
	assert_int_equal(look_at(JOURNAL_FILE).known, 1);
}

static void
nothing_is_written_through_a_link_or_into_a_fifo(void **state)
{
	(void)state;
	assert_int_equal(symlinkat("elsewhere", dir, JOURNAL_FILE), 0);
	assert_int_equal(journal_file_append(dir, span_str("new\n"), 65536), RES_IO);
	assert_int_equal(faccessat(dir, "elsewhere", F_OK, 0), -1);
	assert_int_equal(unlinkat(dir, JOURNAL_FILE, 0), 0);
	assert_int_equal(mkfifoat(dir, JOURNAL_FILE, 0600), 0);
	assert_int_equal(journal_file_append(dir, span_str("new\n"), 65536), RES_IO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_that_was_cut_short_is_removed, begin, end),
		cmocka_unit_test_setup_teardown(a_long_unfinished_line_is_kept_or_removed_whole, begin, end),
		cmocka_unit_test_setup_teardown(what_is_known_survives_any_number_of_rotations, begin, end),
		cmocka_unit_test_setup_teardown(what_is_known_survives_a_rotation_that_was_cut_short, begin, end),
		cmocka_unit_test_setup_teardown(a_certificate_is_carried_over_once, begin, end),
		cmocka_unit_test_setup_teardown(nothing_is_written_through_a_link_or_into_a_fifo, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
