/*
 * A preloaded library: the clocks stand still until a test moves them, or run faster than real ones.
 *
 * CTSTUB_CLOCK names a file with five numbers (struct clock_orders); the test changes `advance` while the program runs.
 * Several processes with one file have the same time. Waits are not changed: after them a program reads the clock.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS 1000000000

/* All in nanoseconds, except the scale. */
struct clock_orders {
	int64_t wall;    /* the wall clock at the start */
	int64_t boot;    /* the boot clock and the monotonic one */
	int64_t real;    /* the real monotonic clock at the start */
	int64_t scale;   /* so many times as fast as the real clock; 0: still */
	int64_t advance; /* added to both */
};

static volatile const struct clock_orders *orders;
static int (*next_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("CTSTUB_CLOCK");
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *orders, PROT_READ, MAP_SHARED, fd, 0);

	*(void **)&next_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
	if (map != MAP_FAILED)
		orders = map;
	if (fd >= 0)
		(void)close(fd);
}

static int64_t
passed_ns(void)
{
	struct timespec real;

	(void)next_clock_gettime(CLOCK_MONOTONIC, &real);
	return orders->advance + ((int64_t)real.tv_sec * SECOND_NS + real.tv_nsec - orders->real) * orders->scale;
}

int
clock_gettime(clockid_t id, struct timespec *out)
{
	int64_t ns;

	if (next_clock_gettime == NULL)
		begin();
	if (orders == NULL)
		return next_clock_gettime(id, out);
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		ns = orders->wall + passed_ns();
		break;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_BOOTTIME:
		ns = orders->boot + passed_ns();
		break;
	default:
		return next_clock_gettime(id, out);
	}
	*out = (struct timespec){.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS};
	return 0;
}
