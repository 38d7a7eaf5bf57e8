#include "config.h"

#include "cli/setup/alone.h"

#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of root, in a folder of root: nobody else can hold it. */
#define LOCK_FILE  "/run/ctstub-setup.lock"
#define LOCK_TRIES 4 /* so many others may end at just that moment */

static volatile sig_atomic_t stopped;
static int lock = -1; /* held until the process ends */

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

static void
lock_close(void)
{
	if (lock >= 0)
		(void)close(lock);
	lock = -1;
}

/* The process before may have removed the file after it was opened here: then another process can lock a new one. */
static bool
lock_is_gone(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

bool
alone_begin(void)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		lock = lock_open();
		if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
			break;
		if (lock < 0 || !lock_is_gone(lock)) {
			signals_set(alone_on_stop);
			return true;
		}
		lock_close();
	}
	lock_close();
	return false;
}

void
alone_end(void)
{
	const char *name, *why;
	int folder = lock < 0 ? -1 : path_parent_open(LOCK_FILE, &name, &why);

	if (folder >= 0) {
		(void)unlinkat(folder, name, 0);
		(void)close(folder);
	}
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
