/* The launcher under a compromised monitor: it answers, but does only what its configuration names. */
#include "contrib/watch/launcher.c" /* the requests are defined in this file only */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#define FILES_MAX 64 /* descriptors of the launcher */
#define ROUNDS    100

struct scene {
	char folder[64], config[96];
	struct launcher *launcher;
};

static int
scene_begin(void **state)
{
	static struct scene s;
	struct rlimit few = {FILES_MAX, FILES_MAX}, before;
	FILE *f;

	s = (struct scene){.folder = "/tmp/test-launcher.XXXXXX"};
	assert_non_null(mkdtemp(s.folder));
	(void)snprintf(s.config, sizeof s.config, "%s/ctstub.conf", s.folder);
	f = fopen(s.config, "w");
	assert_non_null(f);
	assert_true(fprintf(f, "control-socket = \"%s/none\"\nwatch { exec = \"/bin/true\" }\n", s.folder) > 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(launcher_start(&s.launcher, s.config), RES_OK);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	*state = &s;
	return 0;
}

static int
scene_end(void **state)
{
	struct scene *s = *state;

	launcher_stop(s->launcher);
	(void)unlink(s->config);
	(void)rmdir(s->folder);
	return 0;
}

static void
on_end(void *ctx, bool reload, int status)
{
	(void)reload;
	*(int *)ctx = status;
}

/* It still runs the program of the configuration. */
static void
assert_runs(struct launcher *l)
{
	struct record_note note = {.n = 5, .line = "note\n"};
	int status = -2;

	note.file = memfd_create("record", MFD_CLOEXEC);
	note.lock = memfd_create("lock", MFD_CLOEXEC);
	assert_int_equal(launcher_run(l, FINDING_ROGUE, span_str("a finding\n"), &note), RES_OK);
	for (int i = 0; i < 60000 && launcher_is_busy(l); i++) {
		launcher_reap(l, on_end, &status);
		if (launcher_is_busy(l))
			(void)usleep(1000);
	}
	assert_int_equal(status, 0);
	assert_int_equal(lseek(note.file, 0, SEEK_END), 5);
	(void)close(note.file);
	(void)close(note.lock);
}

static void
descriptors_that_it_did_not_ask_for_do_not_fill_it(void **state)
{
	struct scene *s = *state;

	assert_int_equal(launcher_configure(s->launcher), RES_OK);
	for (size_t n = 0; n <= 8; n++) {
		struct request request = {.verb = REAP, .now_ms = 1000};
		union {
			struct cmsghdr head;
			char bytes[CMSG_SPACE(8 * sizeof(int))];
		} room = {.bytes = {0}};
		int fds[8];

		for (size_t i = 0; i < 8; i++)
			fds[i] = STDERR_FILENO;
		for (int round = 0; round < ROUNDS; round++) {
			struct iovec v = {.iov_base = &request, .iov_len = sizeof request};
			struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
			struct reply reply;
			int none[FDS_MAX];

			if (n > 0) {
				m.msg_control = room.bytes;
				m.msg_controllen = CMSG_SPACE(n * sizeof(int));
				room.head = (struct cmsghdr){
				    .cmsg_len = CMSG_LEN(n * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
				memcpy(CMSG_DATA(&room.head), fds, n * sizeof(int));
			}
			assert_int_equal(sendmsg(s->launcher->socket, &m, MSG_NOSIGNAL), (int)sizeof request);
			assert_int_equal(parcel_receive(s->launcher->socket, &reply, sizeof reply, none), (int)sizeof reply);
		}
		assert_runs(s->launcher);
	}
}

static void
requests_that_no_monitor_makes_are_refused(void **state)
{
	static const struct {
		const char *what;
		struct request request;
	} rows[] = {
	    {"an invalid verb", {.verb = (enum verb)77}},
	    {"a negative verb", {.verb = (enum verb)-1}},
	    {"an invalid kind", {.verb = RUN, .kind = (enum finding_kind)FINDING_KINDS}},
	    {"a negative kind", {.verb = RUN, .kind = (enum finding_kind)-1}},
	    {"a note longer than its limit", {.verb = RUN, .note = {.n = RECORD_NOTE_MAX + 1}}},
	    {"a note of all memory", {.verb = RUN, .note = {.n = SIZE_MAX}}},
	    {"a program without input and record", {.verb = RUN, .note = {.n = 1}}},
	};
	struct scene *s = *state;

	assert_int_equal(launcher_configure(s->launcher), RES_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct request request = rows[i].request;
		struct reply reply;

		if (ask(s->launcher, &request, NULL, 0, &reply) == RES_OK || s->launcher->gone)
			fail_msg("%s", rows[i].what);
		assert_runs(s->launcher);
	}
}

static void
nothing_runs_before_the_configuration_was_read(void **state)
{
	struct scene *s = *state;
	struct record_note note = {.file = -1, .lock = -1};

	note.file = note.lock = memfd_create("record", MFD_CLOEXEC);
	assert_int_equal(launcher_run(s->launcher, FINDING_ROGUE, span_str("x"), &note), RES_IO);
	assert_int_equal(lseek(note.file, 0, SEEK_END), 0);
	(void)close(note.file);
	assert_int_equal(launcher_configure(s->launcher), RES_OK);
	assert_runs(s->launcher);
}

static void
a_message_of_another_size_ends_it(void **state)
{
	struct scene *s = *state;
	struct reply reply;
	int none[FDS_MAX];

	assert_int_equal(send(s->launcher->socket, "?", 1, MSG_NOSIGNAL), 1);
	assert_true(parcel_receive(s->launcher->socket, &reply, sizeof reply, none) <= 0);
	assert_int_equal(launcher_configure(s->launcher), RES_IO);
	assert_true(launcher_is_gone(s->launcher));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scene_begin, scene_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(descriptors_that_it_did_not_ask_for_do_not_fill_it),
	    TEST(requests_that_no_monitor_makes_are_refused),
	    TEST(nothing_runs_before_the_configuration_was_read),
	    TEST(a_message_of_another_size_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
