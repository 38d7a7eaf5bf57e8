/* The lock of a state-dir: one process has it, and others learn which. */
#include "config.h"

#include "resolver/daemon/folder_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64], lock_path[128];
static int folder;

/* Each has a file of its own open, as two processes have. */
static struct folder_lock one, two;
static pid_t holder;

static int
begin(void **state)
{
	(void)state;
	one.fd = two.fd = -1;
	holder = -1;
	strcpy(path, "/tmp/folder-lock-XXXXXX");
	if (mkdtemp(path) == NULL)
		return 1;
	(void)snprintf(lock_path, sizeof lock_path, "%s/" FOLDER_LOCK_FILE, path);
	folder = open(path, O_PATH | O_DIRECTORY);
	return folder < 0;
}

static int
end(void **state)
{
	(void)state;
	folder_lock_give(&one);
	folder_lock_give(&two);
	(void)close(folder);
	(void)unlink(lock_path);
	(void)rmdir(lock_path);
	return rmdir(path);
}

static void
a_second_process_learns_who_has_it(void **state)
{
	(void)state;
	assert_int_equal(folder_lock_take(&one, folder, 4711, &holder), RES_OK);
	assert_int_equal(folder_lock_take(&one, folder, 4711, &holder), RES_OK);
	assert_int_equal(holder, -1);
	assert_int_equal(folder_lock_take(&two, folder, 4712, &holder), RES_LIMIT);
	assert_int_equal(holder, 4711);
	assert_int_equal(two.fd, -1);
	folder_lock_give(&one);
	assert_int_equal(folder_lock_take(&two, folder, 4, &holder), RES_OK);
	assert_int_equal(folder_lock_take(&one, folder, 4711, &holder), RES_LIMIT);
	assert_int_equal(holder, 4); /* nothing is left of the longer number */
}

static void
a_file_without_a_number_names_nobody(void **state)
{
	(void)state;
	assert_int_equal(folder_lock_take(&one, folder, 4711, &holder), RES_OK);
	assert_int_equal(truncate(lock_path, 0), 0);
	assert_int_equal(folder_lock_take(&two, folder, 4712, &holder), RES_LIMIT);
	assert_int_equal(holder, 0);
}

/* What somebody removes or replaces is locked anew: the next process would get it. */
static void
a_file_that_was_removed_is_locked_anew(void **state)
{
	(void)state;
	assert_int_equal(folder_lock_take(&one, folder, 4711, &holder), RES_OK);
	assert_int_equal(unlink(lock_path), 0);
	assert_int_equal(folder_lock_take(&one, folder, 4711, &holder), RES_OK);
	assert_int_equal(folder_lock_take(&two, folder, 4712, &holder), RES_LIMIT);
}

static void
another_folder_has_another_lock(void **state)
{
	char other[96];
	int fd;

	(void)state;
	(void)snprintf(other, sizeof other, "%s/other", path);
	assert_int_equal(mkdir(other, 0700), 0);
	fd = open(other, O_PATH | O_DIRECTORY);
	assert_int_equal(folder_lock_take(&one, folder, 4711, &holder), RES_OK);
	assert_int_equal(folder_lock_take(&one, fd, 4711, &holder), RES_OK);
	assert_int_equal(folder_lock_take(&two, folder, 4712, &holder), RES_OK); /* the first one is given up */
	assert_int_equal(folder_lock_take(&two, fd, 4712, &holder), RES_LIMIT);
	(void)close(fd);
	(void)snprintf(lock_path, sizeof lock_path, "%s/" FOLDER_LOCK_FILE, other);
	assert_int_equal(unlink(lock_path), 0);
	assert_int_equal(rmdir(other), 0);
	(void)snprintf(lock_path, sizeof lock_path, "%s/" FOLDER_LOCK_FILE, path);
}

static void
what_is_no_file_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(lock_path, 0600), 0);
	assert_int_equal(folder_lock_take(&one, folder, 4711, &holder), RES_IO);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(unlink(lock_path), 0);
	assert_int_equal(symlink("/tmp/folder-lock-never", lock_path), 0);
	assert_int_equal(folder_lock_take(&one, folder, 4711, &holder), RES_IO);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(access("/tmp/folder-lock-never", F_OK), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_second_process_learns_who_has_it, begin, end),
	    cmocka_unit_test_setup_teardown(a_file_without_a_number_names_nobody, begin, end),
	    cmocka_unit_test_setup_teardown(a_file_that_was_removed_is_locked_anew, begin, end),
	    cmocka_unit_test_setup_teardown(another_folder_has_another_lock, begin, end),
	    cmocka_unit_test_setup_teardown(what_is_no_file_is_an_error, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
