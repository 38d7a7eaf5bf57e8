#define _GNU_SOURCE
#include "tests/fault/jumping.h"

#include "tests/fault/preload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>

static int clock_fd = -1; /* what the program takes for a timer of the wall clock */

/* A byte in the library's file with ".clock" reports that the wall clock was set (TFD_TIMER_CANCEL_ON_SET). False: there is no
 * such FIFO. */
static bool
clock_fifo_open(void)
{
	const char *file = getenv(jumping_variable);
	char path[4096];

	if (file == NULL || (size_t)snprintf(path, sizeof path, "%s.clock", file) >= sizeof path)
		return false;
	clock_fd = openat(AT_FDCWD, path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return clock_fd >= 0;
}

int
timerfd_create(int clock, int flags)
{
	REAL(timerfd_create);

	if (jumping_fails(JUMPING_TIMERFD))
		return -1;
	return clock == CLOCK_REALTIME && clock_fifo_open() ? clock_fd : real(clock, flags);
}

int
timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *before)
{
	REAL(timerfd_settime);
	struct itimerspec at = *to;
	int64_t boot_s = jumping_boot_s();

	/* The kernel's boot clock has not run on. */
	if ((flags & TFD_TIMER_ABSTIME) != 0 && boot_s != 0 && (at.it_value.tv_sec | at.it_value.tv_nsec) != 0) {
		at.it_value.tv_sec -= boot_s;
		if (at.it_value.tv_sec < 0)
			at.it_value = (struct timespec){.tv_nsec = 1};
	}
	return fd == clock_fd ? 0 : real(fd, flags, &at, before);
}

bool
jumping_read(ssize_t *got, ssize_t (*real)(int, void *, size_t), int fd, void *p)
{
	if (fd != clock_fd || fd < 0)
		return false;
	if (real(fd, p, 1) == 1)
		errno = ECANCELED;
	*got = -1;
	return true;
}

int
clock_gettime(clockid_t clock, struct timespec *out)
{
	REAL(clock_gettime);
	int failed = jumping_fails(JUMPING_CLOCK) ? -1 : real(clock, out);

	if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		out->tv_sec += jumping_wall_s();
	if (failed == 0 && clock == CLOCK_BOOTTIME)
		out->tv_sec += jumping_boot_s();
	return failed;
}
