/*
 * jumps.c - a preloaded library: clocks jump, as in a sleep or when they are set, and the program leaks on request.
 *
 * CTSTUB_JUMPS names a file that is mapped (struct jumps); harness/jumps.py writes it while the program runs. Unlike shim.c it
 * replaces no allocation, so it goes with every sanitizer.
 */
#define _GNU_SOURCE
#include "tests/fault/jumping.h"

#include "tests/fault/preload.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct jumps {
	_Atomic int64_t slept_s;  /* the boot clock and the wall clock ran on for so long, the monotonic one did not */
	_Atomic int64_t set_s;    /* the wall clock was set by so much */
	_Atomic int64_t leak;     /* bytes lost with every connect() */
	_Atomic int64_t leak_fds; /* descriptors lost with every connect() */
};

static struct jumps none, *jumps = &none;

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

/* ---- clocks */

const char jumping_variable[] = "CTSTUB_JUMPS";

int64_t
jumping_wall_s(void)
{
	return atomic_load(&jumps->slept_s) + atomic_load(&jumps->set_s);
}

int64_t
jumping_boot_s(void)
{
	return atomic_load(&jumps->slept_s);
}

bool
jumping_fails(enum jumping_call call)
{
	(void)call;
	return false;
}

ssize_t
read(int fd, void *p, size_t n)
{
	REAL(read);
	ssize_t got;

	return jumping_read(&got, real, fd, p) ? got : real(fd, p, n);
}

int
epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
	REAL(epoll_wait);

	return jumping_wait(real, fd, events, max, timeout);
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
		(void)socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP); /* a socket that the filter allows */
	return real(fd, to, n);
}
