/*
 * A preloaded library: kills the process, as kill -9 does, before the n-th call that changes files, where CTSTUB_KILL_AT
 * is n.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define HELD_MAX (1 << 20)

static long left = -1;
static const char *hold;
static char held[HELD_MAX];
static size_t n_held;
static int held_fd = -1;

__attribute__((constructor)) static void
begin(void)
{
	const char *at = getenv("CTSTUB_KILL_AT");

	left = at == NULL ? 0 : atol(at);
	hold = getenv("CTSTUB_HOLD");
}

static int
is_held(int fd)
{
	char path[64], name[4096];
	ssize_t n;

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	n = hold == NULL ? -1 : readlinkat(AT_FDCWD, path, name, sizeof name - 1);
	if (n < (ssize_t)(hold == NULL ? 0 : strlen(hold)))
		return 0;
	name[n] = '\0';
	return strcmp(name + n - strlen(hold), hold) == 0;
}

static ssize_t
write_now(int fd, const void *bytes, size_t n)
{
	return ((ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write"))(fd, bytes, n);
}

/* The descriptor itself may be closed by then. */
__attribute__((destructor)) static void
end(void)
{
	if (held_fd >= 0)
		(void)!write_now(held_fd, held, n_held);
}

static void
point(void)
{
	if (left > 0 && --left == 0)
		(void)raise(SIGKILL); /* not kill(2), which the filter of system calls refuses */
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
	if (fd <= 2 || !is_held(fd) || n > HELD_MAX - n_held)
		return write_now(fd, bytes, n);
	if (held_fd < 0)
		held_fd = dup(fd);
	memcpy(held + n_held, bytes, n);
	n_held += n;
	return (ssize_t)n;
}
