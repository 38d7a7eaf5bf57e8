/* Files by name in folders where somebody else may write: what is opened, what is refused, and that nothing waits. */
#include "config.h"

#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define SOMEBODY 65533 /* neither root nor whoever runs this */

static char top[] = "/tmp/test-path-XXXXXX";

static int
stage_set(void **state)
{
	(void)state;
	return mkdtemp(top) != NULL && chdir(top) == 0 && chmod(top, 0755) == 0 ? 0 : -1;
}

static int
stage_strike(void **state)
{
	char command[64];

	(void)state;
	(void)snprintf(command, sizeof command, "/bin/rm -rf %s", top);
	return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static void
file(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "text", 4), 4);
	(void)close(fd);
}

static void
unix_socket(const char *name)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(sun.sun_path, name, strlen(name) + 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&sun, sizeof sun), 0);
	(void)close(fd);
}

/* ours/ is a folder of ours, theirs/ one of somebody else, sticky/ one where all may write their own, open/ one where
 * all may write everything. */
static void
stage_fill(bool root)
{
	assert_int_equal(mkdir("ours", 0755), 0);
	assert_int_equal(mkdir("ours/deep", 0755), 0);
	file("ours/file");
	file("ours/deep/file");
	assert_int_equal(symlink("file", "ours/link"), 0);
	assert_int_equal(symlink("deep", "ours/link-to-folder"), 0);
	assert_int_equal(symlink("/etc/passwd", "ours/absolute"), 0);
	assert_int_equal(symlink("loop", "ours/loop"), 0);
	assert_int_equal(symlink("nowhere", "ours/dangling"), 0);
	assert_int_equal(symlink("fifo", "ours/link-to-fifo"), 0);
	assert_int_equal(symlink("/dev/zero", "ours/link-to-device"), 0);
	assert_int_equal(mkfifo("ours/fifo", 0644), 0);
	unix_socket("ours/socket");
	assert_int_equal(mkdir("open", 0755), 0);
	assert_int_equal(chmod("open", 0777), 0);
	assert_int_equal(symlink("../ours/file", "open/link"), 0);
	file("open/file");
	assert_int_equal(mkdir("sticky", 0755), 0);
	assert_int_equal(chmod("sticky", 01777), 0);
	assert_int_equal(symlink("../ours/file", "sticky/link"), 0);
	if (!root)
		return;
	assert_int_equal(symlink("../ours/file", "sticky/their-link"), 0);
	assert_int_equal(lchown("sticky/their-link", SOMEBODY, SOMEBODY), 0);
	assert_int_equal(mkdir("theirs", 0755), 0);
	file("theirs/file");
	assert_int_equal(symlink("../ours/file", "theirs/link"), 0);
	assert_int_equal(symlink("../ours", "theirs/folder"), 0);
	assert_int_equal(lchown("theirs", SOMEBODY, SOMEBODY), 0);
	assert_int_equal(symlink("../theirs/link", "ours/link-to-their-link"), 0);
}

static const struct {
	const char *what, *path;
	const char *why; /* NULL: it is opened */
	bool root;	 /* needs files of somebody else */
} rows[] = {
    {"a file", "ours/file", NULL, false},
    {"a file by way of .. and .", "ours/deep/.././file", NULL, false},
    {"a file with many slashes", "ours//deep///file", NULL, false},
    {"an absolute name", "/etc/passwd", NULL, false},
    {"a link of ours in our folder", "ours/link", NULL, false},
    {"a link of ours to a folder on the way", "ours/link-to-folder/file", NULL, false},
    {"a link of ours to an absolute name", "ours/absolute", NULL, false},
    {"a link that leads to itself", "ours/loop", "Too many levels of symbolic links", false},
    {"a link that leads nowhere", "ours/dangling", "No such file or directory", false},
    {"a FIFO", "ours/fifo", "not a regular file", false},
    {"a link to a FIFO", "ours/link-to-fifo", "not a regular file", false},
    {"a device", "/dev/zero", "not a regular file", false},
    {"a link to a device", "ours/link-to-device", "not a regular file", false},
    {"a socket", "ours/socket", "not a regular file", false},
    {"a folder", "ours/deep", "not a regular file", false},
    {"the root folder", "/", "not a regular file", false},
    {"no name", "", "No such file or directory", false},
    {"a file that does not exist", "ours/none", "No such file or directory", false},
    {"a folder that does not exist", "none/file", "No such file or directory", false},
    {"a file in the place of a folder", "ours/file/file", "Not a directory", false},
    {"a file in a folder that all may write", "open/file", NULL, false},
    {"a link in a folder that all may write", "open/link", "a symbolic link that others could have made", false},
    {"a link of ours in a sticky folder", "sticky/link", NULL, false},
    {"a link of another user in a sticky folder", "sticky/their-link", "a symbolic link that others could have made",
     true},
    {"a file in the folder of another user", "theirs/file", NULL, true},
    {"a link of root's in the folder of another user", "theirs/link", "a symbolic link that others could have made",
     true},
    {"a folder by a link in the folder of another user", "theirs/folder/file",
     "a symbolic link that others could have made", true},
    {"a link of ours to a link in the folder of another user", "ours/link-to-their-link",
     "a symbolic link that others could have made", true},
};

static void
only_regular_files_are_opened_and_links_of_strangers_are_not_followed(void **state)
{
	bool root = geteuid() == 0;

	(void)state;
	stage_fill(root);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *why = NULL;
		struct stat st;
		int fd;

		if (rows[i].root && !root)
			continue;
		fd = path_file_open(rows[i].path, &st, &why);
		if ((fd < 0) != (rows[i].why != NULL) || (fd < 0 && strcmp(why, rows[i].why) != 0))
			fail_msg("%s: %s", rows[i].what, fd < 0 ? why : "opened");
		if (fd >= 0) {
			assert_true(S_ISREG(st.st_mode));
			(void)close(fd);
		}
	}
}

/* An open file, as /dev/stdin leads to it: the text of such a link need not be a path. */
static void
descriptors_without_a_name_are_explained(void **state)
{
	struct {
		const char *what;
		int fd;
		const char *why;
	} open_files[] = {
	    {"a file", open("ours/file", O_RDONLY), NULL},
	    {"a pipe", -1, "not a regular file"},
	    {"a socket", socket(AF_UNIX, SOCK_STREAM, 0), "not a regular file"},
	    {"a device", open("/dev/null", O_RDONLY), "not a regular file"},
	    {"a folder", open("ours", O_RDONLY), "not a regular file"},
	    {"a file that was deleted", open("gone", O_RDWR | O_CREAT, 0600), "a file that was deleted"},
	    {"a descriptor that is not open", 999999, strerror(ENOENT)},
	};
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	open_files[1].fd = ends[0];
	assert_int_equal(unlink("gone"), 0);
	for (size_t i = 0; i < sizeof open_files / sizeof open_files[0]; i++) {
		const char *why = NULL;
		struct stat st;
		char link[64];
		int fd;

		(void)snprintf(link, sizeof link, "/dev/fd/%d", open_files[i].fd);
		fd = path_file_open(link, &st, &why);
		if ((fd < 0) != (open_files[i].why != NULL) || (fd < 0 && strcmp(why, open_files[i].why) != 0))
			fail_msg("%s: %s", open_files[i].what, fd < 0 ? why : "opened");
		(void)close(fd);
		(void)close(open_files[i].fd);
	}
	(void)close(ends[1]);
}

static void
names_that_are_too_long_are_refused(void **state)
{
	static char name[2 * PATH_NAME_MAX];
	const char *why;
	struct stat st;

	(void)state;
	memset(name, 'x', 300);
	assert_int_equal(path_file_open(name, &st, &why), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	memset(name, '/', sizeof name - 1);
	assert_int_equal(path_file_open(name, &st, &why), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(path_parent_open(name, &(const char *){NULL}, &why), -1);
}

/* By its name in a folder that is open already no link is followed, whoever can write there. */
static void
in_a_folder_that_was_opened_no_link_is_followed(void **state)
{
	static const char *const folders[] = {"ours", "open", "sticky"};
	const char *why = NULL;
	struct stat st;
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		int folder = open(folders[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		assert_true(folder >= 0);
		why = NULL;
		if (path_file_open_at(folder, "link", &st, &why) != -1 || strcmp(why, "not a regular file") != 0)
			fail_msg("a link in %s: %s", folders[i], why == NULL ? "opened" : why);
		(void)close(folder);
	}
	fd = path_folder_open("ours", &why);
	assert_true(fd >= 0);
	assert_int_equal(path_file_open_at(fd, "fifo", &st, &why), -1);
	(void)close(fd);
	assert_int_equal(path_folder_open("ours/file", &why), -1);
	assert_string_equal(why, "not a folder");
}

/* The descriptor stays that of the folder which was opened, also when another folder takes its name. */
static void
a_folder_that_is_swapped_stays_the_one_that_was_opened(void **state)
{
	const char *name, *why;
	struct stat st;
	int folder, fd;

	(void)state;
	assert_int_equal(mkdir("a", 0755), 0);
	assert_int_equal(mkdir("b", 0755), 0);
	file("a/in-a");
	folder = path_parent_open("a/in-a", &name, &why);
	assert_true(folder >= 0);
	assert_string_equal(name, "in-a");
	assert_int_equal(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE), 0);
	fd = path_file_open_at(folder, name, &st, &why);
	assert_true(fd >= 0);
	(void)close(fd);
	(void)close(folder);
	assert_int_equal(path_parent_open("a/", &name, &why), -1);
	assert_int_equal(path_parent_open("a/..", &name, &why), -1);
}

/* Only a file is replaced: a device that is replaced would be missing for the whole machine. */
static void
only_a_file_is_replaced(void **state)
{
	static const struct {
		const char *what, *path;
		bool ok;
	} targets[] = {
	    {"a file", "ours/file", true},
	    {"a link to a file", "ours/link", true},
	    {"nothing yet", "ours/not-there", true},
	    {"a link to nothing", "to-nothing", true},
	    {"a FIFO", "ours/fifo", false},
	    {"a folder", "ours", false},
	    {"a device", "/dev/null", false},
	    {"a link to a device", "to-device", false},
	    {"a link like /dev/stdout, which leads to a file", "to-output", false},
	    {"a link like /dev/stdout of a process without one", "to-closed", false},
	};

	char link[64];
	int output;

	(void)state;
	assert_int_equal(symlink("not-there-either", "to-nothing"), 0);
	assert_int_equal(symlink("/dev/null", "to-device"), 0);
	assert_true((output = open("ours/file", O_RDWR)) >= 0);
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", output);
	assert_int_equal(symlink(link, "to-output"), 0);
	assert_int_equal(symlink("/proc/self/fd/999999", "to-closed"), 0);
	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		const char *name, *why = NULL;
		int folder = path_target_open(targets[i].path, &name, &why);

		if ((folder >= 0) != targets[i].ok || (folder < 0 && strcmp(why, "not a regular file") != 0))
			fail_msg("%s: %s", targets[i].what, folder < 0 ? why : "opened");
		if (folder >= 0)
			(void)close(folder);
	}
	(void)close(output);
}

/* The check before any work, and why it fails. */
static void
places_for_output_are_checked(void **state)
{
	static const struct {
		const char *path;
		int as_file, as_folder;
	} places[] = {
	    {"ours/file", 0, ENOTDIR}, {"ours/not-there", 0, ENOENT}, {"ours", EISDIR, 0},
	    {"nowhere/file", ENOENT, ENOENT}, {"ours/file/x", ENOTDIR, ENOTDIR}, {"/dev/null", EINVAL, ENOTDIR},
	};
	const char *why = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		if (path_target_check(places[i].path, &why) != places[i].as_file)
			fail_msg("%s as a file: %s", places[i].path, why);
		if (path_folder_check(places[i].path, &why) != places[i].as_folder)
			fail_msg("%s as a folder: %s", places[i].path, why);
	}
	assert_int_equal(mkdir("closed", 0555), 0);
	if (geteuid() == 0) /* who may write everywhere */
		return;
	assert_int_equal(path_target_check("closed/file", &why), EACCES);
	assert_string_equal(why, strerror(EACCES));
	assert_int_equal(path_folder_check("closed", &why), EACCES);
}

static void
an_unreadable_file_and_a_missing_one_differ(void **state)
{
	(void)state;
	assert_true(path_file_is_readable("ours/file"));
	assert_false(path_file_is_readable("ours/not-there"));
	assert_int_equal(errno, ENOENT);
	assert_false(path_file_is_readable("ours"));
	assert_int_equal(errno, EISDIR);
}

static atomic_bool swapping;

static void *
swap(void *name)
{
	while (atomic_load(&swapping))
		(void)renameat2(AT_FDCWD, "swap", AT_FDCWD, name, RENAME_EXCHANGE);
	return NULL;
}

/* Somebody swaps the file for something else, and back, without end: what is opened is a regular file each time. */
static void
a_swap_under_way_changes_nothing(void **state)
{
	static const char *const others[] = {"fifo", "link-to-etc"};

	(void)state;
	assert_int_equal(mkfifo("fifo", 0644), 0);
	assert_int_equal(symlink("/etc/passwd", "link-to-etc"), 0);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		const char *why;
		int folder = path_folder_open(".", &why);
		unsigned opened = 0, n;
		pthread_t thread;

		(void)remove("swap"); /* the row before may have ended with its other one under this name */
		file("swap");
		atomic_store(&swapping, true);
		assert_int_equal(pthread_create(&thread, NULL, swap, (void *)(uintptr_t)others[i]), 0);
		/* until both have been met; at most so often */
		for (n = 0; n < 20000 || (n < 5000000 && (opened == 0 || opened == n)); n++) {
			struct stat st;
			int fd = path_file_open_at(folder, "swap", &st, &why);

			if (fd < 0)
				continue;
			assert_int_equal(fstat(fd, &st), 0);
			assert_true(S_ISREG(st.st_mode) && st.st_size == 4);
			(void)close(fd);
			opened++;
		}
		atomic_store(&swapping, false);
		pthread_join(thread, NULL);
		(void)close(folder);
		if (opened == 0 || opened == n)
			fail_msg("%s: opened %u of %u times", others[i], opened, n);
	}
}

/* Is the id mapped into this user namespace? The map is read as text, not as path.c reads it. */
static bool
uid_is_mapped(unsigned long uid)
{
	FILE *map = fopen("/proc/self/uid_map", "re");
	char line[256];
	bool mapped = false;

	assert_non_null(map);
	while (fgets(line, sizeof line, map) != NULL) {
		char *rest;
		unsigned long first = strtoul(line, &rest, 10), count;

		(void)strtoul(rest, &rest, 10);
		count = strtoul(rest, NULL, 10);
		mapped |= uid >= first && uid - first < count;
	}
	(void)fclose(map);
	return mapped;
}

/* Only the kernel's id for unmapped owners (65534) can be one, and only where no user has it; asking leaves no file open. */
static void
only_the_overflow_id_is_unmapped_and_asking_keeps_nothing_open(void **state)
{
	int before = dup(STDERR_FILENO), after;

	(void)state;
	(void)close(before);
	for (uid_t uid = 65530; uid < 65536; uid++)
		assert_int_equal(path_owner_is_unmapped(uid), uid == 65534 && !uid_is_mapped(uid));
	assert_false(path_owner_is_unmapped(0));
	after = dup(STDERR_FILENO);
	(void)close(after);
	assert_int_equal(after, before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_regular_files_are_opened_and_links_of_strangers_are_not_followed),
	    cmocka_unit_test(descriptors_without_a_name_are_explained),
	    cmocka_unit_test(names_that_are_too_long_are_refused),
	    cmocka_unit_test(in_a_folder_that_was_opened_no_link_is_followed),
	    cmocka_unit_test(a_folder_that_is_swapped_stays_the_one_that_was_opened),
	    cmocka_unit_test(only_a_file_is_replaced),
	    cmocka_unit_test(places_for_output_are_checked),
	    cmocka_unit_test(an_unreadable_file_and_a_missing_one_differ),
	    cmocka_unit_test(a_swap_under_way_changes_nothing),
	    cmocka_unit_test(only_the_overflow_id_is_unmapped_and_asking_keeps_nothing_open),
	};

	return cmocka_run_group_tests(tests, stage_set, stage_strike);
}
