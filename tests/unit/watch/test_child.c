/* Programs that are run for a finding: their input, their environment and their limits. */
#include "config.h"

#include "contrib/watch/child.h"

#include "base/signals.h"
#include "config/load.h"
#include "contrib/watch/record.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW         INT64_C(1000)
#define PATIENCE_MS 60000

static const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};

/* ---- the end of a program */

static void
take_status(void *ctx, const struct child *child, int status)
{
	(void)child;
	*(int *)ctx = status;
}

/* As of waitpid(2); -1: it was killed. */
static int
end_of(struct children *c, int64_t now_ms)
{
	int status = -2;

	for (int i = 0; i < PATIENCE_MS && children_busy(c); i++) {
		children_reap(c, take_status, &status, now_ms);
		if (children_busy(c))
			(void)usleep(1000);
	}
	assert_false(children_busy(c));
	return status;
}

/* A program of one line in a folder of its own. */
struct program {
	char folder[64], path[96], out[96];
};

static void
program_make(struct program *p, const char *line)
{
	FILE *f;

	(void)snprintf(p->folder, sizeof p->folder, "/tmp/test-child.XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	(void)snprintf(p->path, sizeof p->path, "%s/program", p->folder);
	(void)snprintf(p->out, sizeof p->out, "%s/out", p->folder);
	f = fopen(p->path, "w");
	assert_non_null(f);
	assert_true(fprintf(f, "#!/bin/sh\n%s >%s\n", line, p->out) > 0);
	assert_int_equal(fchmod(fileno(f), 0700), 0);
	assert_int_equal(fclose(f), 0);
}

static void
program_remove(const struct program *p)
{
	(void)unlink(p->out);
	(void)unlink(p->path);
	assert_int_equal(rmdir(p->folder), 0);
}

static void
output_read(const struct program *p, char out[256])
{
	FILE *f = fopen(p->out, "r");
	size_t n = f != NULL ? fread(out, 1, 255, f) : 0;

	out[n] = '\0';
	if (f != NULL)
		(void)fclose(f);
}

/* ---- tests */

static void
a_program_has_the_limits_of_the_header(void **state)
{
	static const struct {
		const char *what, *line, *wanted;
		bool in_valgrind; /* also when valgrind runs the test */
	} rows[] = {
	    {"no more than 64 MiB in a file, in blocks of 512 bytes", "ulimit -f", "131072\n", true},
	    {"no more than 256 descriptors", "ulimit -n", "256\n", false},
	    {"30 seconds of the processor", "ulimit -t", "30\n", true},
	    {"1 GiB of address space, in KiB", "ulimit -v", "1048576\n", true},
	    {"no core file", "ulimit -c", "0\n", true},
	    {"the line on its standard input", "cat", "a finding\n", true},
	    {"none of SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ and SIGRTMIN+1 ignored",
	     "echo $((0x$(sed -n 's/SigIgn:.//p' /proc/self/status) & 0x401001a00))", "0\n", false},
	    {"no descriptors beyond the first three", "ls /proc/self/fd | head -n 3 | tr '\\n' ' '; ls /proc/self/fd | wc -l", "4\n", true},
	};

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN); /* as the watcher does */
	(void)signal(SIGXFSZ, SIG_IGN);
	signals_ignore_unused();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int input = memfd_create("input", MFD_CLOEXEC), kept = memfd_create("not for the program", 0);
		struct children children = {0};
		struct program p;
		char out[256];

		assert_true(input >= 0 && kept >= 0 && write(input, "a finding\n", 10) == 10 && lseek(input, 0, SEEK_SET) == 0);
		program_make(&p, rows[i].line);
		assert_int_equal(child_start(&children, p.path, input, environment, NULL, NULL, NOW), RES_OK);
		(void)close(input);
		(void)close(kept);
		assert_int_equal(end_of(&children, NOW), 0);
		output_read(&p, out);
		/* valgrind imitates RLIMIT_NOFILE without setting it, so a program that it starts keeps the old one */
		if (strcmp(out, rows[i].wanted) != 0 && (rows[i].in_valgrind || getenv("UNDER_VALGRIND") == NULL))
			fail_msg("%s: %s", rows[i].what, out);
		program_remove(&p);
	}
}

static enum res
note_append(void *note)
{
	return record_note_append(note);
}

/* The record may have 256 MiB of certificates, but a program may write only 64 MiB: the launcher writes the note. */
static void
a_note_is_written_to_a_record_of_any_size(void **state)
{
	static const off_t sizes[] = {0, CHILD_FILE_MAX - 1, CHILD_FILE_MAX, (off_t)4 * CHILD_FILE_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		int file = memfd_create("record", MFD_CLOEXEC), input = open("/dev/null", O_RDONLY | O_CLOEXEC);
		struct record_note note = {.file = file, .lock = -1, .n = 6, .line = "a note"};
		struct children children = {0};
		struct stat st;

		assert_true(file >= 0 && input >= 0 && ftruncate(file, sizes[i]) == 0 && lseek(file, 0, SEEK_END) == sizes[i]);
		assert_int_equal(child_start(&children, "/bin/true", input, environment, note_append, &note, NOW), RES_OK);
		if (end_of(&children, NOW) != 0)
			fail_msg("a record of %lld bytes: the program did not run", (long long)sizes[i]);
		assert_int_equal(fstat(file, &st), 0);
		assert_int_equal(st.st_size, sizes[i] + 6);
		(void)close(file);
		(void)close(input);
	}
}

static void
a_program_whose_time_is_over_is_killed(void **state)
{
	static const struct {
		const char *what;
		int64_t started, now;
		bool killed;
	} rows[] = {
	    {"a millisecond before", NOW, NOW + CHILD_MS - 1, false},
	    {"at its end", NOW, NOW + CHILD_MS, true},
	    {"a clock without a later time", INT64_MAX - 1, INT64_MAX, true},
	    {"a clock at its start", INT64_MIN, INT64_MIN + CHILD_MS, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int input = open("/dev/null", O_RDONLY | O_CLOEXEC), status = -2;
		struct children children = {0};
		struct program p;

		program_make(&p, "exec sleep 600");
		assert_int_equal(child_start(&children, p.path, input, environment, NULL, NULL, rows[i].started), RES_OK);
		children_reap(&children, take_status, &status, rows[i].now);
		if ((status == -1) != rows[i].killed || children_busy(&children) == rows[i].killed)
			fail_msg("%s: status %d", rows[i].what, status);
		if (!rows[i].killed)
			assert_int_equal(end_of(&children, INT64_MAX), -1);
		(void)close(input);
		program_remove(&p);
	}
}

static enum res
refuse(void *ctx)
{
	(void)ctx;
	return RES_IO;
}

static void
what_cannot_start_is_an_error(void **state)
{
	static const struct {
		const char *what, *program;
		enum res (*before)(void *);
	} rows[] = {
	    {"no such program", "/nonexistent/program", NULL},
	    {"a folder", "/tmp", NULL},
	    {"a note that could not be written", "/bin/true", refuse},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
		struct children children = {0};

		if (child_start(&children, rows[i].program, input, environment, rows[i].before, NULL, NOW) != RES_IO)
			fail_msg("%s", rows[i].what);
		assert_false(children_busy(&children));
		(void)close(input);
	}
}

static void
if_the_daemon_accepts_no_reload_a_file_requests_it(void **state)
{
	enum daemon { NO_SOCKET, NOBODY_LISTENS, BACKLOG_IS_FULL };
	static const char *const rows[] = {[NO_SOCKET] = "there is no socket", [NOBODY_LISTENS] = "no daemon listens",
					   [BACKLOG_IS_FULL] = "it hangs, and its backlog is full"};
	char folder[] = "/tmp/test-child.XXXXXX", file[96];
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int dir;

	(void)state;
	assert_non_null(mkdtemp(folder));
	dir = open(folder, O_RDONLY | O_DIRECTORY);
	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s/control", folder);
	(void)snprintf(file, sizeof file, "%s/" WATCH_RELOAD_FILE, folder);
	for (int row = 0; row < (int)(sizeof rows / sizeof rows[0]); row++) {
		int waits[8], n = 0, listener = socket(AF_UNIX, SOCK_STREAM, 0), status;
		struct children children = {0};

		assert_true(row == NO_SOCKET || bind(listener, (const struct sockaddr *)&sun, sizeof sun) == 0);
		assert_true(row != BACKLOG_IS_FULL || listen(listener, 0) == 0);
		while (row == BACKLOG_IS_FULL && n < 8) {
			waits[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
			if (connect(waits[n++], (const struct sockaddr *)&sun, sizeof sun) != 0)
				break;
		}
		assert_int_equal(child_reload(&children, sun.sun_path, dir, NOW), RES_OK);
		status = end_of(&children, NOW);
		if (!WIFEXITED(status) || WEXITSTATUS(status) == 0 || unlink(file) != 0)
			fail_msg("%s: status %d", rows[row], status);
		while (n > 0)
			(void)close(waits[--n]);
		(void)close(listener);
		(void)unlink(sun.sun_path);
	}
	(void)close(dir);
	assert_int_equal(rmdir(folder), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_program_has_the_limits_of_the_header),
	    cmocka_unit_test(a_note_is_written_to_a_record_of_any_size),
	    cmocka_unit_test(a_program_whose_time_is_over_is_killed),
	    cmocka_unit_test(what_cannot_start_is_an_error),
	    cmocka_unit_test(if_the_daemon_accepts_no_reload_a_file_requests_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
