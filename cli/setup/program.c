#include "config.h"

#include "cli/setup/program.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

static char *const environment[] = {(char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, (char[]){"LC_ALL=C"},
				    (char[]){"SYSTEMD_PAGER="}, NULL};

static bool
start(pid_t *pid, const char *const argv[], int output)
{
	posix_spawn_file_actions_t actions;
	bool ok;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return false;
	ok = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
	     posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) == 0 &&
	     posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO) == 0 &&
	     posix_spawn(pid, argv[0], &actions, NULL, (char *const *)argv, environment) == 0;
	(void)posix_spawn_file_actions_destroy(&actions);
	return ok;
}

/* Until it closes its output, or the time is over. */
static bool
collect(int fd, struct buf *output, int64_t until_ms)
{
	uint8_t chunk[1024];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = until_ms - clock_mono_ms();
		ssize_t n;

		if (left <= 0)
			return false;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, chunk, sizeof chunk);
		if (n == 0 || (n < 0 && errno != EINTR))
			return true;
		if (n > 0 && output != NULL)
			buf_put(output, span_of(chunk, (size_t)n));
	}
}

static int
wait_for_end(pid_t pid, bool in_time)
{
	int status = 0;

	if (!in_time)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return in_time && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
program_run(const char *const argv[], struct buf *output)
{
	int ends[2];
	pid_t pid;
	bool in_time;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	if (!start(&pid, argv, ends[1])) {
		(void)close(ends[0]);
		(void)close(ends[1]);
		return -1;
	}
	(void)close(ends[1]);
	in_time = collect(ends[0], output, clock_mono_ms() + PROGRAM_SECONDS * 1000);
	(void)close(ends[0]);
	return wait_for_end(pid, in_time);
}
