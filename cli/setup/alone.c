#include "config.h"

#include "cli/setup/alone.h"

#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/file.h>
#include <unistd.h>

/* Of root, in a folder of root: nobody else can hold it. */
#define LOCK_FILE "/run/ctstub-setup.lock"

static volatile sig_atomic_t stopped;

static void
alone_on_stop(int number)
{
	(void)number;
	stopped = 1;
}

static void
signals_set(void (*ends)(int))
{
	struct sigaction stop = {.sa_handler = ends};

	(void)sigaction(SIGINT, &stop, NULL);
	(void)sigaction(SIGTERM, &stop, NULL);
	stop.sa_handler = SIG_IGN;
	(void)sigaction(SIGHUP, &stop, NULL);
}

/* -1: there is no lock file. It is kept open until the process ends. */
static int
lock_open(void)
{
	const char *name, *why;
	int folder = path_parent_open(LOCK_FILE, &name, &why), fd;

	if (folder < 0)
		return -1;
	fd = openat(folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	(void)close(folder);
	return fd;
}

bool
alone_begin(void)
{
	int fd = lock_open();

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
		(void)close(fd);
		return false;
	}
	signals_set(alone_on_stop);
	return true;
}

bool
alone_stopped(void)
{
	return stopped != 0;
}

void
alone_finish(void)
{
	signals_set(SIG_IGN);
}
