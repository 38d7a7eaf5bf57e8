#include "resolver/daemon/notify.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- a scripted clock, and a poll that reads the manager's socket or lets time pass */

int64_t __wrap_clock_mono_ms(void);
int __wrap_poll(struct pollfd *, nfds_t, int timeout);

static int64_t now_ms;
static int manager = -1; /* the other end; it does not block */
static bool manager_reads;
static unsigned waits;

int64_t
__wrap_clock_mono_ms(void)
{
	return now_ms;
}

int
__wrap_poll(struct pollfd *p, nfds_t n, int timeout)
{
	char byte;

	assert_int_equal(n, 1);
	assert_int_equal(p->events, POLLOUT);
	assert_true(timeout > 0 && timeout <= NOTIFY_WAIT_MS);
	waits++;
	if (!manager_reads) {
		now_ms += timeout;
		return 0;
	}
	assert_true(recv(manager, &byte, 1, 0) > 0);
	return 1;
}

/* ---- sockets that were handed in */

static void
variable_set(const char *name, const char *value)
{
	assert_int_equal(value != NULL ? setenv(name, value, 1) : unsetenv(name), 0);
}

static void
handed_descriptors_are_counted(void **state)
{
	static const struct {
		const char *sentence, *pid, *fds; /* "self": this process */
		enum res res;
		size_t n;
	} rows[] = {
	    {"no variable at all", NULL, NULL, RES_OK, 0},
	    {"two, for this process", "self", "2", RES_OK, 2},
	    {"none, for this process", "self", "0", RES_OK, 0},
	    {"two for another process", "1", "2", RES_OK, 0},
	    {"two, without a process", NULL, "2", RES_OK, 0},
	    {"a process that is not a number", "self ", "2", RES_OK, 0},
	    {"only a process", "self", NULL, RES_OK, 0},
	    {"an empty number", "self", "", RES_MALFORMED, 0},
	    {"a negative number", "self", "-1", RES_MALFORMED, 0},
	    {"a number with a tail", "self", "2x", RES_MALFORMED, 0},
	    {"as many as are accepted", "self", "1024", RES_OK, 1024},
	    {"more than are accepted", "self", "1025", RES_LIMIT, 0},
	    {"more than an integer holds", "self", "99999999999999999999", RES_MALFORMED, 0},
	    {"a malformed number for another process", "1", "x", RES_OK, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char pid[32];
		size_t n = 7;

		(void)snprintf(pid, sizeof pid, "%ld%s", (long)getpid(),
			       rows[i].pid != NULL && strcmp(rows[i].pid, "self ") == 0 ? " " : "");
		variable_set("LISTEN_PID", rows[i].pid != NULL && strncmp(rows[i].pid, "self", 4) == 0 ? pid : rows[i].pid);
		variable_set("LISTEN_FDS", rows[i].fds);
		variable_set("LISTEN_FDNAMES", "a:b");
		if (notify_handed(&n) != rows[i].res || n != rows[i].n)
			fail_msg("%s: %zu", rows[i].sentence, n);
		if (getenv("LISTEN_PID") != NULL || getenv("LISTEN_FDS") != NULL || getenv("LISTEN_FDNAMES") != NULL)
			fail_msg("%s: a variable is left", rows[i].sentence);
	}
}

/* No child of the daemon inherits them. */
static void
handed_descriptors_close_on_exec(void **state)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char pid[32];
	size_t n;

	(void)state;
	assert_true(null >= 0);
	for (int fd = HANDED_FIRST; fd < HANDED_FIRST + 3; fd++)
		if (fd != null)
			assert_int_equal(dup2(null, fd), fd);
	for (int fd = HANDED_FIRST; fd < HANDED_FIRST + 3; fd++)
		assert_int_equal(fcntl(fd, F_SETFD, 0), 0);
	(void)snprintf(pid, sizeof pid, "%ld", (long)getpid());
	variable_set("LISTEN_PID", pid);
	variable_set("LISTEN_FDS", "2");
	assert_int_equal(notify_handed(&n), RES_OK);
	assert_int_equal(n, 2);
	assert_int_equal(fcntl(HANDED_FIRST, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(HANDED_FIRST + 1, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(HANDED_FIRST + 2, F_GETFD), 0);
	for (int fd = HANDED_FIRST; fd < HANDED_FIRST + 3; fd++)
		(void)close(fd);
}

static void
the_watchdog_has_an_interval(void **state)
{
	static const struct {
		const char *sentence, *us, *pid;
		uint64_t want;
	} rows[] = {
	    {"none is wanted", NULL, NULL, 0},
	    {"of anybody", "30000000", NULL, 30000000},
	    {"of this process", "30000000", "self", 30000000},
	    {"of another process", "30000000", "1", 0},
	    {"of no process", "30000000", "", 0},
	    {"zero", "0", NULL, 0},
	    {"less than zero", "-5", NULL, 0},
	    {"text", "30s", NULL, 0},
	    {"empty", "", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char pid[32];

		(void)snprintf(pid, sizeof pid, "%ld", (long)getpid());
		variable_set("WATCHDOG_USEC", rows[i].us);
		variable_set("WATCHDOG_PID", rows[i].pid != NULL && strcmp(rows[i].pid, "self") == 0 ? pid : rows[i].pid);
		if (notify_watchdog_us() != rows[i].want)
			fail_msg("%s", rows[i].sentence);
	}
}

/* ---- messages to the manager */

#define SIXTEEN "0123456789abcdef"
#define NINETY_SIX SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN

static void
addresses_are_paths_and_abstract_names(void **state)
{
	static const struct {
		const char *sentence, *text;
		bool ok;
		size_t length; /* of sun_path in the address */
	} rows[] = {
	    {"a path, with its NUL", "/run/systemd/notify", true, 20},
	    {"an abstract name, without one", "@notify", true, 7},
	    {"the longest path", "/" NINETY_SIX "0123456789", true, 108},
	    {"a path that is too long", "/" NINETY_SIX "0123456789a", false, 0},
	    {"the longest abstract name", "@" NINETY_SIX "0123456789a", true, 108},
	    {"an abstract name that is too long", "@" NINETY_SIX "0123456789ab", false, 0},
	    {"a relative path", "run/notify", false, 0},
	    {"a vsock address", "vsock:2:1234", false, 0},
	    {"only the root", "/", false, 0},
	    {"an abstract name without a character", "@", false, 0},
	    {"nothing", "", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sockaddr_un to;
		socklen_t n;

		if (notify_address(&to, &n, rows[i].text) != rows[i].ok)
			fail_msg("%s", rows[i].sentence);
		if (!rows[i].ok)
			continue;
		if (n != offsetof(struct sockaddr_un, sun_path) + rows[i].length || to.sun_family != AF_UNIX)
			fail_msg("%s: length %u", rows[i].sentence, (unsigned)n);
		if (to.sun_path[0] != (rows[i].text[0] == '@' ? '\0' : '/') || memcmp(to.sun_path + 1, rows[i].text + 1, strlen(rows[i].text) - 1) != 0)
			fail_msg("%s: another path", rows[i].sentence);
	}
}

/* A manager at a path in the test's folder, or at an abstract name. text: the value of NOTIFY_SOCKET. */
static void
manager_open(char text[64], const char *prefix)
{
	struct sockaddr_un at;
	socklen_t n;

	(void)snprintf(text, 64, "%sctstub-notify-%ld", prefix, (long)getpid());
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(manager >= 0);
	assert_true(notify_address(&at, &n, text));
	assert_int_equal(bind(manager, (const struct sockaddr *)&at, n), 0);
	variable_set("NOTIFY_SOCKET", text);
	manager_reads = false;
	now_ms = waits = 0;
}

static void
manager_close(const char *text)
{
	(void)close(manager);
	if (text[0] == '/')
		(void)unlink(text);
	variable_set("NOTIFY_SOCKET", NULL);
}

static const char *const managers[] = {"/tmp/", "@"};

static void
the_manager_gets_one_datagram(void **state)
{
	static const char want[] = "READY=1\nSTATUS=answering";
	char text[64], got[256];

	(void)state;
	for (size_t i = 0; i < sizeof managers / sizeof *managers; i++) {
		manager_open(text, managers[i]);
		assert_true(notify_send(span_str(want)));
		assert_int_equal(recv(manager, got, sizeof got, 0), sizeof want - 1);
		assert_memory_equal(got, want, sizeof want - 1);
		assert_true(recv(manager, got, sizeof got, 0) < 0);
		manager_close(text);
	}
	assert_int_equal(waits, 0);
}

/* Fills the manager's queue. */
static void
manager_fill(void)
{
	unsigned n = 0;

	while (notify_send(span_str("WATCHDOG=1")))
		assert_true(n++ < 100000);
	now_ms = waits = 0;
}

static void
a_slow_manager_is_waited_for(void **state)
{
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof managers / sizeof *managers; i++) {
		manager_open(text, managers[i]);
		manager_fill();
		manager_reads = true;
		assert_true(notify_send(span_str("READY=1")));
		assert_int_equal(waits, 1);
		manager_close(text);
	}
}

static void
a_manager_that_never_reads_is_given_up(void **state)
{
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof managers / sizeof *managers; i++) {
		manager_open(text, managers[i]);
		manager_fill();
		assert_false(notify_send(span_str("READY=1")));
		assert_int_equal(now_ms, NOTIFY_WAIT_MS);
		manager_close(text);
	}
}

static void
without_a_manager_nothing_is_sent(void **state)
{
	static const char *const rows[] = {NULL, "", "relative", "/nowhere/at/all", "@ctstub-nobody-listens", "vsock:2:1234"};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		variable_set("NOTIFY_SOCKET", rows[i]);
		assert_false(notify_send(span_str("READY=1")));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(handed_descriptors_close_on_exec),
	    cmocka_unit_test(handed_descriptors_are_counted),
	    cmocka_unit_test(the_watchdog_has_an_interval),
	    cmocka_unit_test(addresses_are_paths_and_abstract_names),
	    cmocka_unit_test(the_manager_gets_one_datagram),
	    cmocka_unit_test(a_slow_manager_is_waited_for),
	    cmocka_unit_test(a_manager_that_never_reads_is_given_up),
	    cmocka_unit_test(without_a_manager_nothing_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
