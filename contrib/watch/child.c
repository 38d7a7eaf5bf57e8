#include "config.h"

#include "contrib/watch/child.h"

#include "base/replace.h"
#include "base/signals.h"
#include "config/load.h"

#include <linux/close_range.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define RELOAD_ANSWER_MAX 65536
/* exit codes of the child that asks for a reload */
enum { RELOAD_DONE = 0, RELOAD_REFUSED = 1, RELOAD_NOBODY = 2 };

bool
children_full(const struct children *c)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (c->of[i].pid == 0)
			return false;
	return true;
}

bool
children_busy(const struct children *c)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (c->of[i].pid != 0)
			return true;
	return false;
}

static struct child *
place_of(struct children *c)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (c->of[i].pid == 0)
			return &c->of[i];
	return NULL;
}

/* ---- in the child */

static void
limit(int what, rlim_t n)
{
	const struct rlimit l = {n, n};

	(void)setrlimit((__rlimit_resource_t)what, &l);
}

static bool
descriptors_set(int input)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	return null >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0;
}

static _Noreturn void
program_become(int error_to, const char *program, int input, const char *const environment[],
	       enum res (*before)(void *), void *ctx)
{
	/* what this process or its parent ignores, a program would ignore too */
	static const int defaults[] = {SIGPIPE, SIGXFSZ, SIGTERM, SIGINT, SIGHUP, SIGQUIT};
	char *const arguments[] = {(char *)(uintptr_t)program, NULL};
	sigset_t none;
	int error;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
		(void)signal(defaults[i], SIG_DFL);
	signals_default_unused();
	(void)setsid();
	limit(RLIMIT_CPU, CHILD_CPU_S);
	limit(RLIMIT_AS, CHILD_MEMORY_MAX);
	limit(RLIMIT_CORE, 0);
	if (descriptors_set(input) && (before == NULL || before(ctx) == RES_OK)) {
		/* after the note: the record may be larger than a file of the program */
		limit(RLIMIT_FSIZE, CHILD_FILE_MAX);
		limit(RLIMIT_NOFILE, CHILD_FILES_MAX);
		/* whatever a library opened without saying so; the pipe closes with the rest when the program runs */
		(void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
		(void)execve(program, arguments, (char *const *)(uintptr_t)environment);
	}
	error = errno;
	(void)!write(error_to, &error, sizeof error);
	_exit(127);
}

/* ---- in the parent */

/* When its time is over. The monitor gives the time, and may have been taken over. */
static int64_t
child_until(int64_t now_ms, int64_t ms)
{
	return now_ms < INT64_MAX - ms ? now_ms + ms : INT64_MAX;
}

/* Waits until the child has become the program, which closes the pipe. 0, or the errno that it gives. */
static int
child_wait(int error_from)
{
	int error = 0;
	ssize_t n;

	do {
		n = read(error_from, &error, sizeof error);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof error ? (error != 0 ? error : EIO) : 0;
}

enum res
child_start(struct children *c, const char *program, int input, const char *const environment[],
	    enum res (*before)(void *ctx), void *ctx, int64_t now_ms)
{
	struct child *place = place_of(c);
	int pipes[2] = {-1, -1}, error = 0;
	pid_t pid = -1;

	if (place == NULL)
		return RES_LIMIT;
	if (pipe2(pipes, O_CLOEXEC) == 0)
		pid = fork();
	if (pid == 0)
		program_become(pipes[1], program, input, environment, before, ctx);
	error = errno;
	if (pipes[1] >= 0)
		(void)close(pipes[1]);
	if (pid > 0)
		error = child_wait(pipes[0]);
	if (pipes[0] >= 0)
		(void)close(pipes[0]);
	if (pid > 0 && error != 0)
		(void)waitpid(pid, NULL, 0);
	errno = error;
	if (pid < 0 || error != 0)
		return RES_IO;
	*place = (struct child){.pid = pid, .until_ms = child_until(now_ms, CHILD_MS)};
	return RES_OK;
}

/* ---- reload */

static bool
answer_wait(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	int n;

	do {
		n = poll(&p, 1, RELOAD_MS);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

/* A daemon that hangs must be noticed before the time of this process is over: it does not wait to be accepted. */
static int
reload_ask(const char *path)
{
	static const char request[] = "{\"verb\":\"reload\"}\n";
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	char answer[RELOAD_ANSWER_MAX + 1] = "";
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	size_t n = 0;
	ssize_t got = 1;

	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&sun, sizeof sun) != 0 ||
	    send(fd, request, sizeof request - 1, MSG_NOSIGNAL) != (ssize_t)sizeof request - 1)
		return RELOAD_NOBODY;
	while (got > 0 && n < RELOAD_ANSWER_MAX && memchr(answer, '\n', n) == NULL && answer_wait(fd)) {
		got = file_read_some(fd, answer + n, RELOAD_ANSWER_MAX - n);
		n += got > 0 ? (size_t)got : 0;
	}
	answer[n] = '\0';
	return strstr(answer, "\"ok\":true") != NULL || strstr(answer, "\"ok\": true") != NULL
		   ? RELOAD_DONE
		   : RELOAD_REFUSED;
}

static int
reload_ask_or_want(const char *control_socket, int folder)
{
	int code = reload_ask(control_socket), fd = -1;

	if (code != RELOAD_DONE)
		fd = openat(folder, WATCH_RELOAD_FILE, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd >= 0)
		(void)close(fd);
	return code;
}

enum res
child_reload(struct children *c, const char *control_socket, int folder, int64_t now_ms)
{
	struct child *place = place_of(c);
	pid_t pid;

	if (place == NULL)
		return RES_LIMIT;
	pid = fork();
	if (pid == 0) {
		(void)signal(SIGTERM, SIG_DFL); /* the launcher ignores it */
		_exit(reload_ask_or_want(control_socket, folder));
	}
	if (pid < 0)
		return RES_IO;
	*place = (struct child){.pid = pid, .reload = true, .until_ms = child_until(now_ms, 2 * RELOAD_MS)};
	return RES_OK;
}

void
children_reap(struct children *c, void (*ended)(void *ctx, const struct child *, int status), void *ctx,
	      int64_t now_ms)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *child = &c->of[i], gone;
		int status = -1;
		pid_t pid = child->pid == 0 ? 0 : waitpid(child->pid, &status, WNOHANG);

		if (child->pid == 0 || (pid == 0 && now_ms < child->until_ms))
			continue;
		if (pid == 0) {
			(void)kill(child->reload ? child->pid : -child->pid, SIGKILL);
			(void)waitpid(child->pid, NULL, 0);
			status = -1;
		}
		gone = *child;
		*child = (struct child){.pid = 0};
		ended(ctx, &gone, status);
	}
}
