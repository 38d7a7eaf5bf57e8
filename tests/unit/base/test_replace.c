/* A file is replaced as a whole or not at all, and nothing is left behind. */
#include "config.h"

#include "base/replace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char top[] = "/tmp/test_replace.XXXXXX";
static int folder;

static int
folder_set(void **state)
{
	(void)state;
	return mkdtemp(top) != NULL && (folder = open(top, O_PATH | O_DIRECTORY)) >= 0 ? 0 : -1;
}

static int
folder_strike(void **state)
{
	(void)state;
	(void)unlinkat(folder, "file", 0);
	(void)unlinkat(folder, "taken", AT_REMOVEDIR);
	(void)close(folder);
	return rmdir(top);
}

/* How many names are in the folder. */
static int
names(void)
{
	DIR *dir = opendir(top);
	int n = 0;

	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n - 2;
}

static void
holds(const char *text, mode_t mode)
{
	char have[64];
	struct stat st;
	int fd = openat(folder, "file", O_RDONLY);
	ssize_t n = read(fd, have, sizeof have);

	assert_int_equal(fstat(fd, &st), 0);
	(void)close(fd);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(have, text, strlen(text));
	assert_int_equal(st.st_mode & 07777, mode);
	assert_int_equal(names(), 1);
}

static void
replaced(const char *text, mode_t mode)
{
	assert_true(file_replace_at(folder, "file", span_str(text), mode));
	holds(text, mode);
}

static void
a_file_is_made_and_replaced(void **state)
{
	(void)state;
	replaced("one", 0644);
	replaced("", 0600);
	replaced("three", 0640);
}

static void
what_cannot_be_replaced_stays(void **state)
{
	char longest[NAME_MAX + 2] = {0};

	(void)state;
	replaced("one", 0644);
	memset(longest, 'a', NAME_MAX - 10);
	errno = 0;
	assert_false(file_replace_at(folder, longest, span_str("two"), 0644));
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(mkdirat(folder, "taken", 0700), 0);
	assert_false(file_replace_at(folder, "taken", span_str("two"), 0644));
	assert_int_equal(errno, EISDIR);
	assert_int_equal(unlinkat(folder, "taken", AT_REMOVEDIR), 0);
	holds("one", 0644);
	assert_false(file_replace_at(-1, "file", span_str("two"), 0644));
	holds("one", 0644);
}

/* Also in a program that was started with its standard input closed, where a file may get descriptor 0. */
static void
no_descriptor_stays_open(void **state)
{
	int input = dup(STDIN_FILENO), next = dup(STDERR_FILENO);

	(void)state;
	(void)close(next);
	(void)close(STDIN_FILENO);
	replaced("one", 0644);
	assert_int_equal(dup(STDERR_FILENO), STDIN_FILENO);
	replaced("two", 0644);
	assert_int_equal(dup(STDERR_FILENO), next);
	(void)close(next);
	(void)close(STDIN_FILENO);
	if (input >= 0) {
		(void)dup2(input, STDIN_FILENO);
		(void)close(input);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_made_and_replaced),
		cmocka_unit_test(what_cannot_be_replaced_stays),
		cmocka_unit_test(no_descriptor_stays_open),
	};

	return cmocka_run_group_tests(tests, folder_set, folder_strike);
}
