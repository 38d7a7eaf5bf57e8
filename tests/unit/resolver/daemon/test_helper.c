#include "resolver/daemon/helper.h"
#include "base/clock.h"
#include "base/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/sanitized.h"

static int inherited;
static pid_t parent;

static void
count(void *ctx, struct span message)
{
	assert_int_equal(message.n, 1);
	++*(unsigned *)ctx;
}

static bool
end_until(int socket_, int64_t until_ms, unsigned *taken)
{
	const struct helper_ending ending = {.socket = socket_, .until_ms = until_ms, .on_message = count, .ctx = taken};

	*taken = 0;
	return helper_end(&ending);
}

static void
finish(int socket_)
{
	unsigned taken;

	assert_true(end_until(socket_, clock_mono_ms() + 20000, &taken));
	assert_int_equal(taken, 0);
}

/* Answers by the first byte of each message. */
static void
answer(int socket_, void *ctx)
{
	static uint8_t room[HELPER_MESSAGE_MAX];
	ssize_t n;

	(void)ctx;
	while ((n = helper_receive(socket_, room)) >= 0) {
		if (room[0] == 'd')
			return;
		if (room[0] == 'f')
			room[0] = lseek(inherited, 0, SEEK_CUR) == -1 && errno == EBADF ? 'c' : 'o';
		if (room[0] == 's')
			room[0] = socket(AF_INET, SOCK_DGRAM, 0) < 0 && errno == EPERM ? 'p' : 'a';
		if (room[0] == 'k')
			room[0] = syscall(SYS_tgkill, parent, parent, 0) != 0 && errno == EPERM ? 'p' : 'a';
		if (room[0] == 'g')
			room[0] = fcntl(socket_, F_SETOWN, parent) != 0 && errno == EPERM ? 'p' : 'a';
		if (room[0] == 'o')
			room[0] = syscall(SYS_tgkill, getpid(), getpid(), 0) == 0 ? 'a' : 'p';
		if (room[0] == 't')
			(void)raise(SIGTERM);
		(void)helper_send(socket_, span_of(room, (size_t)n));
	}
}

static int
start(void)
{
	const struct helper_setup setup = {.name = "test", .user = "", .seal = sandbox_seal_writer, .run = answer};
	char *why = NULL;
	int s = helper_start(&setup, &why);

	assert_null(why);
	assert_true(s >= 0);
	return s;
}

/* 0 without an answer, -1 when the helper is gone. */
static ssize_t
wait_answer(int s, uint8_t *room)
{
	struct pollfd p = {.fd = s, .events = POLLIN};

	assert_int_equal(poll(&p, 1, 20000), 1);
	return helper_receive(s, room);
}

static char
ask(int s, char what)
{
	static uint8_t room[HELPER_MESSAGE_MAX];

	assert_true(helper_send(s, span_of(&what, 1)));
	assert_int_equal(wait_answer(s, room), 1);
	return (char)room[0];
}

static void
it_answers_and_keeps_nothing_open(void **state)
{
	int s;

	(void)state;
	inherited = fcntl(2, F_DUPFD, 100);
	s = start();
	assert_int_equal(ask(s, 'x'), 'x');
	assert_int_equal(ask(s, 'f'), 'c');
	assert_int_equal(ask(s, 't'), 't');
	finish(s);
	close(inherited);
}

/* ---- a helper whose filter is not loaded */

static enum res
seal_fails(bool kill, char **why)
{
	(void)kill;
	*why = strdup("no filter");
	return RES_IO;
}

static enum res
seal_starves(bool kill, char **why)
{
	(void)kill;
	(void)why;
	return RES_NOMEM;
}

static enum res
seal_dies(bool kill, char **why)
{
	(void)kill;
	(void)why;
	_exit(0);
}

static enum res
seal_passes(bool kill, char **why)
{
	(void)kill;
	(void)why;
	return RES_OK;
}

static void
run_and_report(int socket_, void *ctx)
{
	*(volatile bool *)ctx = true;
	answer(socket_, NULL);
}

static void
without_its_filter_it_never_runs(void **state)
{
	static const struct {
		const char *what;
		enum res (*seal)(bool kill, char **why);
		const char *why; /* NULL: it runs */
	} rows[] = {
		{"its filter cannot be loaded", seal_fails, "no filter"},
		{"its filter cannot be loaded, and there is no memory to say why", seal_starves, "out of memory"},
		{"it ends before its filter is loaded", seal_dies, "it ended at once"},
		{"it gets a filter", seal_passes, NULL},
	};
	bool *ran = mmap(NULL, sizeof *ran, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(ran, MAP_FAILED);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct helper_setup setup = {
			.name = "test", .user = "", .seal = rows[i].seal, .run = run_and_report, .ctx = ran};
		char *why = NULL;
		int s;

		*ran = false;
		s = helper_start(&setup, &why);
		if ((s >= 0) != (rows[i].why == NULL) || (why == NULL) != (rows[i].why == NULL) ||
		    (why != NULL && strcmp(why, rows[i].why) != 0))
			fail_msg("%s: %d %s", rows[i].what, s, why != NULL ? why : "-");
		if (s >= 0) {
			assert_int_equal(ask(s, 'x'), 'x');
			finish(s);
		}
		assert_int_equal(*ran, rows[i].why == NULL);
		free(why);
	}
	(void)munmap(ran, sizeof *ran);
}

static void
it_cannot_make_a_socket(void **state)
{
	int s = start();

	(void)state;
#ifdef SANITIZED
	assert_int_equal(ask(s, 's'), 'a');
#else
	assert_int_equal(ask(s, 's'), 'p');
#endif
	finish(s);
}

/* The daemon runs as the same user, so the kernel would let it. */
static void
it_can_signal_only_itself(void **state)
{
	int s;

	(void)state;
	parent = getpid();
	s = start();
#ifndef SANITIZED
	assert_int_equal(ask(s, 'k'), 'p');
	assert_int_equal(ask(s, 'g'), 'p');
#endif
	assert_int_equal(ask(s, 'o'), 'a');
	finish(s);
}

static void
memory_is_closed_to_others_of_the_same_user(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	(void)signal(SIGCHLD, SIG_DFL); /* helper_start ignores it */
	pid = fork();
	if (pid == 0) {
		char *why = NULL;

		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		_exit(sandbox_drop("", &why) == RES_OK ? prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) : 9);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
#ifdef SANITIZED
	assert_int_equal(WEXITSTATUS(status), 1);
#else
	assert_int_equal(WEXITSTATUS(status), 0);
#endif
}

static void
messages_keep_their_boundaries(void **state)
{
	static uint8_t room[HELPER_MESSAGE_MAX], large[HELPER_MESSAGE_MAX + 1];
	int s = start();

	(void)state;
	memset(large, 'x', sizeof large);
	assert_true(helper_send(s, span_of(large, HELPER_MESSAGE_MAX / 2)));
	assert_int_equal(wait_answer(s, room), HELPER_MESSAGE_MAX / 2);
	assert_false(helper_send(s, span_of(large, sizeof large)));
	assert_false(helper_send(s, span_of(large, 0)));
	assert_int_equal(helper_receive(s, room), 0);
	assert_true(helper_send(s, span_of(large, 1)));
	assert_int_equal(wait_answer(s, room), 1);
	finish(s);
}

static void
a_dead_helper_is_noticed_and_never_waited_for(void **state)
{
	static uint8_t room[HELPER_MESSAGE_MAX];
	int s = start();

	(void)state;
	assert_true(helper_send(s, span_str("d")));
	assert_int_equal(wait_answer(s, room), -1);
	assert_false(helper_send(s, span_str("x")));
	finish(s);
}

static void
a_helper_that_does_not_read_blocks_nobody(void **state)
{
	static uint8_t large[HELPER_MESSAGE_MAX / 2];
	int pair[2], sent = 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	while (helper_send(pair[0], span_of(large, sizeof large)) && sent < 1000)
		sent++;
	assert_in_range(sent, 1, 999);
	close(pair[1]);
	finish(pair[0]);
}

static void
a_helper_that_sends_without_end_does_not_block_the_loop(void **state)
{
	static uint8_t room[HELPER_MESSAGE_MAX];
	unsigned taken = 0, sent = 0;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	while (sent < 2 * HELPER_TURN_MAX && helper_send(pair[1], span_str("x")))
		sent++;
	assert_in_range(sent, HELPER_TURN_MAX + 1, 2 * HELPER_TURN_MAX);
	assert_true(helper_drain(pair[0], room, count, &taken));
	assert_int_equal(taken, HELPER_TURN_MAX);
	while (taken < sent)
		assert_true(helper_drain(pair[0], room, count, &taken));
	assert_true(helper_drain(pair[0], room, count, &taken));
	assert_int_equal(taken, sent);
	close(pair[1]);
	assert_false(helper_drain(pair[0], room, count, &taken));
	close(pair[0]);
}

static void
reports_of_a_helper_that_ends_are_taken(void **state)
{
	static const struct {
		const char *what;
		unsigned sent;
		bool ends; /* after that */
	} rows[] = {
		{"it ends without a report", 0, true},
		{"it ends after its last report", 1, true},
		{"it ends after more reports than the loop takes in a turn", HELPER_TURN_MAX + 10, true},
		{"it stands still", 0, false},
		{"it reports and then stands still", 3, false},
		{"it sends more than the loop takes in a turn and stands still", HELPER_TURN_MAX + 10, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned taken;
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
		for (unsigned k = 0; k < rows[i].sent; k++)
			assert_true(helper_send(pair[1], span_str("x")));
		if (rows[i].ends)
			close(pair[1]);
		if (end_until(pair[0], clock_mono_ms(), &taken) != rows[i].ends || taken != rows[i].sent)
			fail_msg("%s: %u of %u taken", rows[i].what, taken, rows[i].sent);
		if (!rows[i].ends)
			close(pair[1]);
	}
}

static void
helper_reads(int socket_, unsigned reports)
{
	static uint8_t room[HELPER_MESSAGE_MAX];

	for (unsigned i = 0; i < reports; i++)
		(void)helper_send(socket_, span_str("x"));
	while (helper_receive(socket_, room) >= 0)
		;
}

static void
the_end_waits_for_room(void **state)
{
	static const struct {
		const char *what;
		enum { READS, STANDS, GONE } does;
		unsigned reports; /* before that */
		size_t size;
		bool sent;
	} rows[] = {
		{"it reads", READS, 0, 1000, true},
		{"it reads after it has reported", READS, 1, 1000, true},
		{"it sends more reports than its socket holds, and reads after that", READS, 2000, 1000, true},
		{"it reads, but the message is too large", READS, 0, HELPER_MESSAGE_MAX + 1, false},
		{"it reads, but the message is empty", READS, 0, 0, false},
		{"it stands still", STANDS, 0, 1000, false},
		{"it reports and stands still", STANDS, 5, 1000, false},
		{"it is gone", GONE, 0, 1000, false},
		{"it is gone after it has reported", GONE, 5, 1000, false},
	};
	static uint8_t large[HELPER_MESSAGE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned taken = 0;
		struct helper_ending ending = {.on_message = count, .ctx = &taken, .until_ms = clock_mono_ms() + 60000};
		int pair[2];
		pid_t pid = 0;
		bool sent;

		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
		assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
		while (helper_send(pair[0], span_of(large, 1000)))
			;
		if (rows[i].does == READS && (pid = fork()) == 0) {
			close(pair[0]);
			helper_reads(pair[1], rows[i].reports);
			_exit(0);
		}
		for (unsigned k = 0; k < rows[i].reports && rows[i].does != READS; k++)
			assert_true(helper_send(pair[1], span_str("x")));
		if (rows[i].does != STANDS)
			close(pair[1]);
		ending.socket = pair[0];
		if (rows[i].does == STANDS)
			ending.until_ms = clock_mono_ms();
		sent = helper_ending_send(&ending, span_of(large, rows[i].size));
		if (sent != rows[i].sent)
			fail_msg("%s: %d", rows[i].what, sent);
		if (helper_end(&ending) != (rows[i].does != STANDS) ||
		    (rows[i].does != GONE && taken != rows[i].reports))
			fail_msg("%s: %u reports of %u", rows[i].what, taken, rows[i].reports);
		if (rows[i].does == STANDS)
			close(pair[1]);
		if (pid > 0)
			(void)waitpid(pid, NULL, 0);
	}
}

static void
a_helper_that_sends_without_end_does_not_delay_the_end(void **state)
{
	unsigned taken;
	int pair[2];
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		while (helper_send(pair[1], span_str("x")))
			;
		_exit(0);
	}
	close(pair[1]);
	assert_false(end_until(pair[0], clock_mono_ms() + 60000, &taken));
	assert_in_range(taken, 1000, 10000);
	(void)waitpid(pid, NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_answers_and_keeps_nothing_open),
		cmocka_unit_test(without_its_filter_it_never_runs),
		cmocka_unit_test(it_cannot_make_a_socket),
		cmocka_unit_test(it_can_signal_only_itself),
		cmocka_unit_test(memory_is_closed_to_others_of_the_same_user),
		cmocka_unit_test(messages_keep_their_boundaries),
		cmocka_unit_test(a_dead_helper_is_noticed_and_never_waited_for),
		cmocka_unit_test(a_helper_that_does_not_read_blocks_nobody),
		cmocka_unit_test(a_helper_that_sends_without_end_does_not_block_the_loop),
		cmocka_unit_test(reports_of_a_helper_that_ends_are_taken),
		cmocka_unit_test(the_end_waits_for_room),
		cmocka_unit_test(a_helper_that_sends_without_end_does_not_delay_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
