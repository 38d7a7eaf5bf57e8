/*
 * jumps.c - a library that is preloaded: clocks jump as in a sleep or when somebody sets them, and the program leaks on request.
 *
 * CTSTUB_JUMPS names a file that is mapped (struct jumps); harness/jumps.py writes it while the program runs. Unlike shim.c it
 * replaces no allocation, so it goes with every sanitizer.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct jumps {
	_Atomic int64_t slept_s;  /* the boot clock and the wall clock ran on for so long, the monotonic one did not */
	_Atomic int64_t set_s;    /* the wall clock was set by so much */
	_Atomic int64_t leak;     /* bytes lost with every connect() */
	_Atomic int64_t leak_fds; /* descriptors lost with every connect() */
};

static struct jumps none, *jumps = &none;
static int clock_fd = -1; /* what the program takes for a timer of the wall clock */

#define REAL(name)                                                   \
	static __typeof__(name) *real;                               \
	if (real == NULL)                                            \
		real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void
begin(void)
{
	const char *file = getenv("CTSTUB_JUMPS");
	int fd = file != NULL ? open(file, O_RDWR | O_CLOEXEC) : -1;
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *jumps, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0)
		(void)close(fd);
	if (map != MAP_FAILED)
		jumps = map;
}

int
clock_gettime(clockid_t clock, struct timespec *out)
{
	REAL(clock_gettime);
	int failed = real(clock, out);

	if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		out->tv_sec += atomic_load(&jumps->slept_s) + atomic_load(&jumps->set_s);
	if (failed == 0 && clock == CLOCK_BOOTTIME)
		out->tv_sec += atomic_load(&jumps->slept_s);
	return failed;
}

time_t
time(time_t *out)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

int
gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	*out = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
	return 0;
}

/* ---- timers: the kernel's clocks did not jump */

/* A byte in CTSTUB_JUMPS.clock reports that the wall clock was set (TFD_TIMER_CANCEL_ON_SET). */
static bool
clock_fifo_open(void)
{
	const char *file = getenv("CTSTUB_JUMPS");
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
	return clock == CLOCK_REALTIME && clock_fifo_open() ? clock_fd : real(clock, flags);
}

int
timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *before)
{
	REAL(timerfd_settime);
	struct itimerspec at = *to;
	int64_t slept_s = atomic_load(&jumps->slept_s);

	if ((flags & TFD_TIMER_ABSTIME) != 0 && slept_s != 0 && (at.it_value.tv_sec | at.it_value.tv_nsec) != 0) {
		at.it_value.tv_sec -= slept_s;
		if (at.it_value.tv_sec < 0)
			at.it_value = (struct timespec){.tv_nsec = 1};
	}
	return fd == clock_fd ? 0 : real(fd, flags, &at, before);
}

ssize_t
read(int fd, void *p, size_t n)
{
	REAL(read);
	ssize_t got;

	if (fd != clock_fd || fd < 0)
		return real(fd, p, n);
	got = real(fd, p, 1);
	if (got == 1)
		errno = ECANCELED;
	return -1;
}

/* ---- leaks, to show that they are found */

int
connect(int fd, const struct sockaddr *to, socklen_t n)
{
	REAL(connect);
	size_t lost = (size_t)atomic_load(&jumps->leak);
	void *volatile p = lost > 0 ? malloc(lost) : NULL;

	if (p != NULL)
		memset(p, 1, lost);
	for (int64_t i = atomic_load(&jumps->leak_fds); i > 0; i--)
		(void)socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP); /* as the filter lets it */
	return real(fd, to, n);
}
