/* The record of findings: what is cut off its end when it is read, and when its entries move. */
#include "contrib/watch/record.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ID(c)	"{\"event\":\"finding\",\"kind\":\"rogue\",\"id\":\"" c c c c c c c c c c c c c c c c "\"}\n"
#define LINES	ID("11") ID("22") ID("33")

static const struct record_limits limits = {100, 100, 100, 100, 1 << 20, 1 << 20};
static int lines_left, fails_with; /* lines that are read, then this error; 0: none */

/* In place of the C library's. */
ssize_t
getline(char **line, size_t *cap, FILE *file)
{
	if (fails_with != 0 && lines_left-- == 0) {
		errno = fails_with;
		return -1;
	}
	return getdelim(line, cap, '\n', file);
}

static void *entries_before;
static size_t entries_size;
static unsigned moves;

/* In place of the C library's: the memory moves each time. */
void *
reallocarray(void *p, size_t n, size_t size)
{
	void *fresh = malloc(n * size);

	assert_non_null(fresh);
	if (p != NULL) {
		assert_ptr_equal(p, entries_before);
		memcpy(fresh, p, entries_size);
		free(p);
	}
	entries_before = fresh;
	entries_size = n * size;
	moves++;
	return fresh;
}

static void
only_a_line_that_was_cut_short_is_cut_off(void **state)
{
	static const struct {
		const char *what, *text;
		int lines, error;
		enum res res;
		size_t entries, bytes_left;
	} rows[] = {
	    {"whole lines", LINES, 0, 0, RES_OK, 3, sizeof LINES - 1},
	    {"a line that a crash cut short", LINES "{\"event\":\"fin", 0, 0, RES_OK, 3, sizeof LINES - 1},
	    {"a disk that fails after the first line", LINES, 1, EIO, RES_IO, 0, sizeof LINES - 1},
	    {"no memory for a line", LINES, 2, ENOMEM, RES_IO, 0, sizeof LINES - 1},
	    {"a disk that fails, and a line that was cut short", LINES "{\"ev", 0, EIO, RES_IO, 0, sizeof LINES + 3},
	};
	char folder[] = "/tmp/test-record.XXXXXX", command[64];
	int dir;

	(void)state;
	assert_non_null(mkdtemp(folder));
	dir = open(folder, O_RDONLY | O_DIRECTORY);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int fd = openat(dir, RECORD_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		size_t n = strlen(rows[i].text);
		struct record *record = NULL;
		char *why = NULL;
		struct stat st;

		assert_int_equal(write(fd, rows[i].text, n), (ssize_t)n);
		lines_left = rows[i].lines;
		entries_before = NULL;
		fails_with = rows[i].error;
		if (record_open(&record, dir, &limits, &why) != rows[i].res ||
		    (record != NULL ? record_count(record) : 0) != rows[i].entries || fstat(fd, &st) != 0 ||
		    (size_t)st.st_size != rows[i].bytes_left ||
		    (why != NULL) != (rows[i].res != RES_OK))
			fail_msg("%s", rows[i].what);
		fails_with = 0;
		record_close(record);
		free(why);
		(void)close(fd);
	}
	(void)close(dir);
	(void)snprintf(command, sizeof command, "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

#define FINDING "{\"kind\":\"expected\",\"id\":\"00000000000000000000000000000000\",\"log\":{\"id\":" \
		"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"name\":\"a\"},\"spki_sha256\":" \
		"\"0000000000000000000000000000000000000000000000000000000000000000\",\"matched\":[],\"der\":\"MAA=\"}"

/* Whoever goes through the entries may record more about each of them. */
static void
only_a_new_finding_moves_the_entries(void **state)
{
	static const struct record_limits many = {1000, 1000, 1000, 1000, 1 << 24, 1 << 24};
	char folder[] = "/tmp/test-record.XXXXXX", command[64], *why = NULL;
	struct watch_finding *f = NULL;
	struct record *record = NULL;
	const struct record_entry *first;
	int dir;

	(void)state;
	assert_non_null(mkdtemp(folder));
	dir = open(folder, O_RDONLY | O_DIRECTORY);
	entries_before = NULL;
	assert_int_equal(record_open(&record, dir, &many, &why), RES_OK);
	assert_int_equal(finding_read(&f, span_str(FINDING)), RES_OK);
	for (unsigned i = 0; i < 600; i++) { /* more than a table has room for at first */
		memcpy(f->id, &i, sizeof i);
		assert_int_equal(record_finding(record, f, RECORD_REPORTED, false), RES_OK);
		first = record_at(record, 0);
		moves = 0;
		assert_int_equal(record_finding(record, f, RECORD_WITHDRAWN, false), RES_OK);
		if (moves != 0 || record_at(record, 0) != first || record_count(record) != i + 1)
			fail_msg("%u findings", i + 1);
	}
	finding_free(f);
	record_close(record);
	(void)close(dir);
	(void)snprintf(command, sizeof command, "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_a_line_that_was_cut_short_is_cut_off),
	    cmocka_unit_test(only_a_new_finding_moves_the_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
