/* What a process can do once it is sealed: the daemon cannot send a question in clear text, the portal helper cannot connect. */
#include "base/sandbox/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/sanitized.h"

/* Each gives 0, or errno. */
static int
result(int fd)
{
	return fd >= 0 ? 0 : errno;
}

static int
try_udp(void)
{
	return result(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int
try_udp6(void)
{
	return result(socket(AF_INET6, SOCK_DGRAM, 0));
}

static int
try_raw(void)
{
	return result(socket(AF_INET, SOCK_RAW, IPPROTO_UDP));
}

static int
try_packet(void)
{
	return result(socket(AF_PACKET, SOCK_DGRAM, 0));
}

static int
try_tcp(void)
{
	return result(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP));
}

static int
try_unix_messages(void)
{
	return result(socket(AF_UNIX, SOCK_SEQPACKET, 0));
}

static int
try_write(void)
{
	return result(open("/tmp/never", O_WRONLY | O_CREAT, 0600));
}

static int
try_read(void)
{
	return result(openat(AT_FDCWD, "/dev/null", O_RDONLY));
}

static void *
thread_run(void *arg)
{
	return arg;
}

static int
try_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, thread_run, NULL) != 0 || pthread_join(thread, NULL) != 0 ? EPERM : 0;
}

static int
try_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0 ? 0 : errno;
}

/* A listener's socket, made before: bound to loopback, it reaches nobody else. */
static int loopback = -1;

static int
try_listener(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53)};

	to.sin_addr.s_addr = inet_addr("198.51.100.1");
	return sendto(loopback, "x", 1, MSG_DONTWAIT, (const struct sockaddr *)&to, sizeof to) == 1 ? 0 : errno;
}

typedef enum res (*seal_fn)(bool kill, char **why);

static const struct {
	const char *what;
	seal_fn seal;
	int (*attempt)(void);
	bool allowed;
} rows[] = {
    {"the daemon: UDP", sandbox_seal, try_udp, false},
    {"the daemon: UDP over IPv6", sandbox_seal, try_udp6, false},
    {"the daemon: raw IP", sandbox_seal, try_raw, false},
    {"the daemon: raw frames", sandbox_seal, try_packet, false},
    {"the daemon: its listener's socket, to another machine", sandbox_seal, try_listener, false},
    {"the daemon: TCP, for TLS", sandbox_seal, try_tcp, true},
    {"the daemon: the portal helper's socket", sandbox_seal, try_unix_messages, true},
    {"the daemon: writing a file", sandbox_seal, try_write, false},
    {"the portal helper: UDP", sandbox_seal_portal, try_udp, true},
    {"the portal helper: UDP over IPv6", sandbox_seal_portal, try_udp6, true},
    {"the portal helper: TCP", sandbox_seal_portal, try_tcp, false},
    {"the portal helper: raw IP", sandbox_seal_portal, try_raw, false},
    {"the portal helper: raw frames", sandbox_seal_portal, try_packet, false},
    {"the portal helper: a socket of the machine", sandbox_seal_portal, try_unix_messages, false},
    {"the portal helper: writing a file", sandbox_seal_portal, try_write, false},
    {"the portal helper: reading a file", sandbox_seal_portal, try_read, true},
    {"the watcher: TCP, to a log", sandbox_seal_watch, try_tcp, true},
    {"the watcher: UDP, for names", sandbox_seal_watch, try_udp, true},
    {"the watcher: writing a file", sandbox_seal_watch, try_write, true},
    {"the watcher: a thread", sandbox_seal_watch, try_thread, true},
    {"the watcher: a process", sandbox_seal_watch, try_process, false},
    {"the watcher: raw IP", sandbox_seal_watch, try_raw, false},
    {"the watcher: raw frames", sandbox_seal_watch, try_packet, false},
    {"the watcher: the portal helper's socket", sandbox_seal_watch, try_unix_messages, false},
};

/* Makes the attempt in a sealed child, and returns what it gave. */
static int
sealed_try(size_t i)
{
	pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0) {
		char *why = NULL;

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || rows[i].seal(false, &why) != RES_OK)
			_exit(255);
		_exit(rows[i].attempt());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
only_the_portal_helper_sends_clear_text(void **state)
{
	struct sockaddr_in own = {.sin_family = AF_INET};

	(void)state;
#ifdef SANITIZED
	skip();
#endif
	loopback = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(loopback, (const struct sockaddr *)&own, sizeof own), 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int error = sealed_try(i);

		if ((error == 0) != rows[i].allowed || error == 255)
			fail_msg("%s: %s", rows[i].what, error == 0 ? "allowed" : strerror(error));
	}
	(void)close(loopback);
}

/* ---- a filter that cannot be loaded */

/* A filter that a container or a systemd unit may have put around the process. */
enum outer { OUTER_NONE, OUTER_LOADING, OUTER_ALL };

/* Denies seccomp(2): always, or only to load a filter, so that it still reports what the kernel supports. */
static bool
outer_load(enum outer outer)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, outer == OUTER_ALL ? 4 : 0, 5),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SECCOMP_SET_MODE_FILTER, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};

	return outer == OUTER_NONE || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static const struct {
	const char *what;
	enum outer outer;
	const char *why; /* NULL: the filter is loaded */
} denied[] = {
    {"nothing is denied", OUTER_NONE, NULL},
    {"loading a filter is denied", OUTER_LOADING,
     "cannot load the filter on system calls (seccomp): Operation not permitted"},
    {"seccomp(2) is denied", OUTER_ALL, "cannot load the filter on system calls (seccomp): Operation not supported"},
};

static void
a_failure_to_seal_is_explained(void **state)
{
	static const seal_fn seals[] = {sandbox_seal, sandbox_seal_writer, sandbox_seal_connector, sandbox_seal_portal,
					sandbox_seal_watch};

	(void)state;
#ifdef SANITIZED
	skip();
#endif
	for (size_t i = 0; i < sizeof denied / sizeof *denied * (sizeof seals / sizeof *seals); i++) {
		size_t row = i / (sizeof seals / sizeof *seals), kind = i % (sizeof seals / sizeof *seals);
		pid_t child = fork();
		int status = 0;

		assert_true(child >= 0);
		if (child == 0) {
			const char *want = denied[row].why;
			char *why = NULL;

			if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !outer_load(denied[row].outer))
				_exit(2);
			if ((seals[kind](false, &why) == RES_OK) != (want == NULL))
				_exit(3);
			_exit(want == NULL || strcmp(why, want) == 0 ? 0 : 4);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			fail_msg("%s, filter %zu: %d", denied[row].what, kind, status >> 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(only_the_portal_helper_sends_clear_text),
					   cmocka_unit_test(a_failure_to_seal_is_explained)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
