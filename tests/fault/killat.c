/*
 * A library that is preloaded: kills the process, as kill -9 does, before the call with the number CTSTUB_KILL_AT among
 * those that change files.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static long left = -1;

__attribute__((constructor)) static void
begin(void)
{
	const char *at = getenv("CTSTUB_KILL_AT");

	left = at == NULL ? 0 : atol(at);
}

static void
point(void)
{
	if (left > 0 && --left == 0)
		(void)kill(getpid(), SIGKILL);
}

int
fsync(int fd)
{
	point();
	return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int
fdatasync(int fd)
{
	point();
	return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}

int
renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	point();
	return ((int (*)(int, const char *, int, const char *))dlsym(RTLD_NEXT, "renameat"))(from_folder, from, to_folder,
											    to);
}

ssize_t
write(int fd, const void *bytes, size_t n)
{
	if (fd > 2)
		point();
	return ((ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write"))(fd, bytes, n);
}
