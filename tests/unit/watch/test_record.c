/* The record of findings: what is cut off its end when it is read, and what is not. */
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_a_line_that_was_cut_short_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
