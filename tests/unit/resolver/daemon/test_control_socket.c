/*
 * The control socket as root makes it for the daemon's user, while that user changes its folder at the worst moment. The
 * swaps happen inside bind() and mkdirat(), so that no race has to be won.
 */
#include "config.h"

#include "resolver/daemon/control_socket.h"
#include "base/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define USER  65533 /* the daemon's */
#define GROUP 65531 /* the administrators' */

enum swap { NO_SWAP, TO_LINK, TO_FILE, TO_FOLDER, TO_NOTHING, TO_OTHER_SOCKET };

static char top[] = "/tmp/test-control-socket-XXXXXX";
static enum swap swap_now; /* what takes the place of the socket when it has been bound */
static bool folder_swap;   /* a folder that was made is swapped for a link to one of root's */

int __real_bind(int fd, const struct sockaddr *sa, socklen_t n);
int __wrap_bind(int fd, const struct sockaddr *sa, socklen_t n);
int __real_mkdirat(int fd, const char *name, mode_t mode);
int __wrap_mkdirat(int fd, const char *name, mode_t mode);

static void
put(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
}

int
__wrap_bind(int fd, const struct sockaddr *sa, socklen_t n)
{
	int failed = __real_bind(fd, sa, n);
	int other;
	struct sockaddr_un sun = {.sun_family = AF_UNIX, .sun_path = "shared/control"};

	if (failed != 0 || swap_now == NO_SWAP)
		return failed;
	sandbox_act_as_self(); /* as root: the user could have prepared what he cannot do at this moment */
	assert_int_equal(unlink("shared/control"), 0);
	switch (swap_now) {
	case NO_SWAP:
	case TO_NOTHING:
		break;
	case TO_LINK:
		assert_int_equal(symlink("../secret", "shared/control"), 0);
		break;
	case TO_FILE: /* a second name of a file of root's */
		assert_int_equal(link("secret", "shared/control"), 0);
		break;
	case TO_FOLDER:
		assert_int_equal(mkdir("shared/control", 0700), 0);
		break;
	case TO_OTHER_SOCKET:
		other = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_int_equal(__real_bind(other, (const struct sockaddr *)&sun, sizeof sun), 0);
		(void)close(other);
		break;
	}
	sandbox_act_as(USER, USER);
	return 0;
}

int
__wrap_mkdirat(int fd, const char *name, mode_t mode)
{
	int failed = __real_mkdirat(fd, name, mode);

	if (failed == 0 && folder_swap) {
		assert_int_equal(unlinkat(fd, name, AT_REMOVEDIR), 0);
		assert_int_equal(symlinkat("../root-only", fd, name), 0);
	}
	return failed;
}

static int
stage_set(void **state)
{
	(void)state;
	if (mkdtemp(top) == NULL || chdir(top) != 0 || chmod(top, 0755) != 0)
		return -1;
	put("secret");
	if (mkdir("root-only", 0755) != 0 || mkdir("shared", 0750) != 0)
		return -1;
	return geteuid() == 0 ? lchown("shared", USER, USER) : 0;
}

static int
stage_strike(void **state)
{
	char command[64];

	(void)state;
	(void)snprintf(command, sizeof command, "/bin/rm -rf %s", top);
	return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static const struct control_owner user = {.give = true, .uid = USER, .gid = USER};

static void
is_owned_by(const char *path, uid_t uid)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	if (st.st_uid != uid)
		fail_msg("%s belongs to %u", path, (unsigned)st.st_uid);
}

static void
files_of_root_keep_their_owner(void **state)
{
	static const struct {
		const char *what;
		enum swap swap;
	} rows[] = {
	    {"nothing", NO_SWAP},
	    {"a link to a file of root", TO_LINK},
	    {"a hard link to a file of root", TO_FILE},
	    {"a folder of root", TO_FOLDER},
	    {"a socket that was removed", TO_NOTHING},
	    {"another socket", TO_OTHER_SOCKET},
	};

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct control_socket s;
		struct stat st;
		const char *why;

		swap_now = rows[i].swap;
		why = control_socket_open(&s, "shared/control", &user);
		swap_now = NO_SWAP;
		if (why != NULL)
			fail_msg("%s: %s", rows[i].what, why);
		is_owned_by("secret", 0);
		if (rows[i].swap == NO_SWAP) {
			is_owned_by("shared/control", USER);
			assert_int_equal(stat("shared/control", &st), 0);
			assert_int_equal(st.st_mode & 07777, 0660);
		}
		if (rows[i].swap == TO_FOLDER)
			is_owned_by("shared/control", 0);
		control_socket_close(&s);
		/* what was put there instead is not removed, unless it is a socket */
		assert_int_equal(lstat("shared/control", &st) != 0,
				 rows[i].swap == NO_SWAP || rows[i].swap == TO_NOTHING ||
				     rows[i].swap == TO_OTHER_SOCKET);
		if (remove("shared/control") != 0)
			assert_int_equal(errno, ENOENT);
		is_owned_by("secret", 0);
	}
}

static void
existing_files_at_the_name_stay(void **state)
{
	static const char *const makes[] = {"file", "link", "fifo", "folder", "dangling link", "link to a socket"};

	(void)state;
	for (size_t i = 0; i < sizeof makes / sizeof *makes; i++) {
		struct control_socket s;
		struct stat before, after;
		const char *why;

		switch (i) {
		case 0: put("shared/control"); break;
		case 1: assert_int_equal(symlink("../secret", "shared/control"), 0); break;
		case 2: assert_int_equal(mkfifo("shared/control", 0600), 0); break;
		case 3: assert_int_equal(mkdir("shared/control", 0700), 0); break;
		case 4: assert_int_equal(symlink("none", "shared/control"), 0); break;
		case 5: assert_int_equal(symlink("/dev/log", "shared/control"), 0); break;
		}
		assert_int_equal(lstat("shared/control", &before), 0);
		why = control_socket_open(&s, "shared/control", &(struct control_owner){.give = false});
		if (why == NULL || strcmp(why, "another file is in its place") != 0)
			fail_msg("%s: %s", makes[i], why);
		control_socket_close(&s);
		assert_int_equal(lstat("shared/control", &after), 0);
		assert_int_equal(before.st_ino, after.st_ino);
		assert_int_equal(remove("shared/control"), 0);
	}
}

static void
in_a_folder_of_root_the_socket_is_given_to_the_user(void **state)
{
	struct control_socket s;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_null(control_socket_open(&s, "root-only/control", &user));
	is_owned_by("root-only/control", USER);
	is_owned_by("root-only", 0);
	control_socket_close(&s);
	assert_int_equal(access("root-only/control", F_OK), -1);
}

static void
where_the_user_cannot_write_there_is_no_socket(void **state)
{
	struct control_socket s;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir("stranger", 0755), 0);
	assert_int_equal(chown("stranger", 65532, 65532), 0);
	assert_string_equal(control_socket_open(&s, "stranger/control", &user), "Permission denied");
	control_socket_close(&s);
	assert_int_equal(access("stranger/control", F_OK), -1);
	assert_int_equal(geteuid(), 0); /* and root acts as root again */
	put("root-only/file");
	is_owned_by("root-only/file", 0);
}

static void
a_new_folder_is_given_to_the_user_but_not_one_swapped_in(void **state)
{
	struct control_socket s;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_null(control_socket_open(&s, "root-only/made/control", &user));
	is_owned_by("root-only/made", USER);
	is_owned_by("root-only/made/control", USER);
	control_socket_close(&s);
	assert_null(control_socket_open(&s, "shared/made/control", &user));
	is_owned_by("shared/made", USER);
	control_socket_close(&s);
	folder_swap = true;
	assert_non_null(control_socket_open(&s, "shared/swapped/control", &user));
	folder_swap = false;
	control_socket_close(&s);
	is_owned_by("root-only", 0);
	assert_int_equal(access("root-only/control", F_OK), -1);
}

static void
the_group_gets_the_socket_or_a_reason_is_given(void **state)
{
	static const struct {
		const char *what, *path;
		bool give;
		mode_t folder;
		const char *trouble;
	} rows[] = {
	    {"root gives it in a folder of root", "root-only/control", true, 0755, NULL},
	    {"root makes it as the user in the user's folder", "shared/control", true, 0751, NULL},
	    {"root keeps it", "root-only/control", false, 0755, NULL},
	    {"a folder that the group cannot enter", "root-only/control", true, 0750, "it cannot enter the folder"},
	    {"a folder of the user that the group cannot enter", "shared/control", true, 0750, "it cannot enter the folder"},
	};

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct control_owner owner = {.give = rows[i].give, .group = true, .uid = USER, .gid = GROUP};
		const char *folder = rows[i].path[0] == 'r' ? "root-only" : "shared";
		struct control_socket s;
		struct stat st;

		assert_int_equal(chmod(folder, rows[i].folder), 0);
		assert_null(control_socket_open(&s, rows[i].path, &owner));
		assert_int_equal(stat(rows[i].path, &st), 0);
		if (st.st_gid != GROUP || (st.st_mode & 07777) != 0660 || st.st_uid != (rows[i].give ? USER : 0))
			fail_msg("%s: %u:%u %o", rows[i].what, st.st_uid, st.st_gid, st.st_mode);
		if (rows[i].trouble == NULL ? s.group_trouble != NULL : s.group_trouble == NULL || strstr(s.group_trouble, rows[i].trouble) == NULL)
			fail_msg("%s: %s", rows[i].what, s.group_trouble);
		control_socket_close(&s);
		assert_int_equal(chmod(folder, folder[0] == 'r' ? 0755 : 0750), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_group_gets_the_socket_or_a_reason_is_given),
	    cmocka_unit_test(files_of_root_keep_their_owner),
	    cmocka_unit_test(existing_files_at_the_name_stay),
	    cmocka_unit_test(in_a_folder_of_root_the_socket_is_given_to_the_user),
	    cmocka_unit_test(where_the_user_cannot_write_there_is_no_socket),
	    cmocka_unit_test(a_new_folder_is_given_to_the_user_but_not_one_swapped_in),
	};

	return cmocka_run_group_tests(tests, stage_set, stage_strike);
}
