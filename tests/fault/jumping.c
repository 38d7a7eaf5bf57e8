#define _GNU_SOURCE
#include "tests/fault/jumping.h"

#include "tests/fault/preload.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>

#define TIMERS_MAX 64    /* descriptors below it can be timers of the boot clock; the daemon has a few */
#define LOOK_EVERY_MS 20 /* a timer that became due in a sleep fires at most so late */

static int clock_fd = -1; /* what the program uses as a timer of the wall clock */

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

/* The kernel's boot clock does not jump with ours: a timer is set to the time that is left after the jumps so far, and set again
 * after each further jump. */
static struct timer {
	struct itimerspec at; /* as the program set it; zero: not set, or not for a time of this clock */
	int flags;
	int64_t boot_s; /* the sum of jumps for which it is set */
} timers[TIMERS_MAX];
static pthread_mutex_t timers_lock = PTHREAD_MUTEX_INITIALIZER;

static bool
is_set(const struct itimerspec *at)
{
	return (at->it_value.tv_sec | at->it_value.tv_nsec) != 0;
}

static int
timer_set(int fd, const struct timer *t, struct itimerspec *before)
{
	static int (*real)(int, int, const struct itimerspec *, struct itimerspec *);
	struct itimerspec at = t->at;

	if (real == NULL)
		real = (__typeof__(real))dlsym(RTLD_NEXT, "timerfd_settime");
	if ((t->flags & TFD_TIMER_ABSTIME) != 0 && t->boot_s != 0 && is_set(&at)) {
		at.it_value.tv_sec -= t->boot_s;
		if (at.it_value.tv_sec < 0)
			at.it_value = (struct timespec){.tv_nsec = 1};
	}
	return real(fd, t->flags, &at, before);
}

/* After a sleep each timer is due earlier by its length. One that has fired meanwhile fires once more, needlessly. */
static void
timers_look(void)
{
	int64_t boot_s = jumping_boot_s();

	pthread_mutex_lock(&timers_lock);
	for (int fd = 0; fd < TIMERS_MAX; fd++) {
		struct timer *t = &timers[fd];

		if (t->boot_s == boot_s || !is_set(&t->at))
			continue;
		t->boot_s = boot_s;
		(void)timer_set(fd, t, NULL);
	}
	pthread_mutex_unlock(&timers_lock);
}

int
timerfd_create(int clock, int flags)
{
	REAL(timerfd_create);
	int fd;

	if (jumping_fails(JUMPING_TIMERFD))
		return -1;
	if (clock == CLOCK_REALTIME && clock_fifo_open())
		return clock_fd;
	fd = real(clock, flags);
	if (fd >= 0 && fd < TIMERS_MAX) {
		pthread_mutex_lock(&timers_lock);
		timers[fd] = (struct timer){0};
		pthread_mutex_unlock(&timers_lock);
	}
	return fd;
}

int
timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *before)
{
	struct timer t = {.at = *to, .flags = flags, .boot_s = jumping_boot_s()};
	int result;

	if (fd == clock_fd)
		return 0;
	pthread_mutex_lock(&timers_lock);
	result = timer_set(fd, &t, before);
	if (result == 0 && fd < TIMERS_MAX)
		timers[fd] = (flags & TFD_TIMER_ABSTIME) != 0 ? t : (struct timer){0};
	pthread_mutex_unlock(&timers_lock);
	return result;
}

int
jumping_wait(jumping_waits *real, int fd, struct epoll_event *events, int max, int timeout)
{
	int n;

	do {
		int piece = timeout < 0 || timeout > LOOK_EVERY_MS ? LOOK_EVERY_MS : timeout;

		timers_look();
		n = real(fd, events, max, piece);
		if (timeout > 0)
			timeout -= piece;
	} while (n == 0 && timeout != 0);
	return n;
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
