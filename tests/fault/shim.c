/*
 * shim.c - a library to be preloaded: makes one call of the program fail, calls short or interrupted, clocks wrong.
 *
 * What is to happen stands in a file that is mapped (CTSTUB_FAULT names it), so a test can say it at any moment
 * (functional/test_faults.py). Allocations fail only for callers in the main program's own text:
 * GnuTLS 3.7.9 itself crashes in places when its own fail.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* In the order of CALLS in test_faults.py. */
enum call { ALLOC, SOCKET, CONNECT, ACCEPT, SEND, RECV, RECVMMSG, SENDMMSG, OPEN, READ, WRITE, EPOLL_WAIT, GETRANDOM,
	TIMERFD, CALLS };
enum mode { MODE_NONE, MODE_SHORT, MODE_EINTR, MODE_FORBIDDEN };

struct orders {
	_Atomic int32_t call;   /* which call fails; */
	_Atomic int32_t error;  /* with this errno, */
	_Atomic int64_t left;   /* after so many more of them (1: the next one); 0: none */
	_Atomic int64_t times;  /* so many in a row */
	_Atomic int64_t hits;   /* failed so far */
	_Atomic int64_t wall_s; /* the wall clock is wrong by so much */
	_Atomic int64_t boot_s; /* the boot clock has run on for so long, as in a sleep */
	_Atomic int64_t mode;
	_Atomic int64_t count[CALLS];
};

static struct orders none, *orders = &none;
static uintptr_t text_from, text_to;
static int clock_fd = -1; /* what the program takes for a timer of the wall clock */

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static int
program_find(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && (p->p_flags & PF_X) != 0) {
			text_from = info->dlpi_addr + p->p_vaddr;
			text_to = text_from + p->p_memsz;
		}
	}
	return 1; /* the first one is the program */
}

__attribute__((constructor)) static void
shim_start(void)
{
	const char *file = getenv("CTSTUB_FAULT");
	int fd = file != NULL ? open(file, O_RDWR | O_CLOEXEC) : -1;
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	dl_iterate_phdr(program_find, NULL);
	if (fd >= 0)
		close(fd);
	if (map != MAP_FAILED)
		orders = map;
}

/* Is it this one that fails? Sets errno. */
static bool
fails(enum call call)
{
	int64_t left;

	atomic_fetch_add(&orders->count[call], 1);
	if (atomic_load(&orders->call) != (int32_t)call || atomic_load(&orders->left) == 0)
		return false;
	left = atomic_fetch_sub(&orders->left, 1);
	if (left > 1)
		return false;
	/* The next one is the last one's neighbour, as long as there are to be more. */
	atomic_store(&orders->left, atomic_fetch_sub(&orders->times, 1) > 1 ? 1 : 0);
	atomic_fetch_add(&orders->hits, 1);
	errno = atomic_load(&orders->error);
	return true;
}

static bool
is_ours(const void *caller)
{
	uintptr_t at = (uintptr_t)caller;

	return at >= text_from && at < text_to;
}

/* Every second one of each kind. */
static bool
interrupted(enum call call)
{
	if (atomic_load(&orders->mode) != MODE_EINTR || (atomic_load(&orders->count[call]) & 1) == 0)
		return false;
	atomic_fetch_add(&orders->hits, 1);
	errno = EINTR;
	return true;
}

static size_t
cut(size_t n, size_t to)
{
	if (atomic_load(&orders->mode) != MODE_SHORT || n <= to)
		return n;
	atomic_fetch_add(&orders->hits, 1);
	return to;
}

#define REAL(name)                                                   \
	static __typeof__(name) *real;                               \
	if (real == NULL)                                            \
		real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

/* ---- memory */

static bool
alloc_fails(const void *caller)
{
	return is_ours(caller) && fails(ALLOC);
}

void *
malloc(size_t n)
{
	return alloc_fails(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return alloc_fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return alloc_fails(__builtin_return_address(0)) ? NULL : __libc_realloc(p, n);
}

void *
reallocarray(void *p, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return alloc_fails(__builtin_return_address(0)) ? NULL : __libc_realloc(p, all);
}

char *
strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = alloc_fails(__builtin_return_address(0)) ? NULL : __libc_malloc(n);

	return copy != NULL ? memcpy(copy, s, n) : NULL;
}

/* ---- sockets */

int
socket(int domain, int type, int protocol)
{
	REAL(socket);
	return fails(SOCKET) ? -1 : real(domain, type, protocol);
}

int
connect(int fd, const struct sockaddr *to, socklen_t n)
{
	REAL(connect);
	return fails(CONNECT) ? -1 : real(fd, to, n);
}

int
accept4(int fd, struct sockaddr *from, socklen_t *n, int flags)
{
	REAL(accept4);
	return fails(ACCEPT) || interrupted(ACCEPT) ? -1 : real(fd, from, n, flags);
}

ssize_t
send(int fd, const void *p, size_t n, int flags)
{
	REAL(send);
	/* a call that nothing in the program makes, and that anybody may make */
	if (atomic_load(&orders->mode) == MODE_FORBIDDEN && syscall(SYS_sync) < 0)
		atomic_fetch_add(&orders->hits, 1);
	return fails(SEND) || interrupted(SEND) ? -1 : real(fd, p, cut(n, 3), flags);
}

ssize_t
recv(int fd, void *p, size_t n, int flags)
{
	REAL(recv);
	return fails(RECV) || interrupted(RECV) ? -1 : real(fd, p, cut(n, 2), flags);
}

int
recvmmsg(int fd, struct mmsghdr *v, unsigned n, int flags, struct timespec *timeout)
{
	REAL(recvmmsg);
	return fails(RECVMMSG) || interrupted(RECVMMSG) ? -1 : real(fd, v, (unsigned)cut(n, 1), flags, timeout);
}

int
sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags)
{
	REAL(sendmmsg);
	return fails(SENDMMSG) || interrupted(SENDMMSG) ? -1 : real(fd, v, (unsigned)cut(n, 1), flags);
}

/* ---- files, the loop, the rest */

int
open(const char *path, int flags, ...)
{
	static int (*real)(const char *, int, ...);
	mode_t mode = 0;

	if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
		va_list more;

		va_start(more, flags);
		mode = va_arg(more, mode_t);
		va_end(more);
	}
	if (real == NULL)
		real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
	return fails(OPEN) ? -1 : real(path, flags, mode);
}

/* What open becomes with _FORTIFY_SOURCE. */
extern int __open_2(const char *, int);
int
__open_2(const char *path, int flags)
{
	return open(path, flags);
}

ssize_t
read(int fd, void *p, size_t n)
{
	REAL(read);
	ssize_t got;

	if (fd == clock_fd) {
		got = real(fd, p, 1);
		if (got == 1)
			errno = ECANCELED;
		return -1;
	}
	/* What counts events (eventfd, timerfd) gives eight bytes or nothing. */
	return fails(READ) || (is_ours(__builtin_return_address(0)) && interrupted(READ)) ? -1 : real(fd, p, cut(n, 8));
}

ssize_t
write(int fd, const void *p, size_t n)
{
	REAL(write);
	/* A line of the log is one write, and a pipe takes it whole. libevent's handler of signals writes one byte that
	 * nothing can interrupt, and does not repeat it. */
	if (fails(WRITE) || (is_ours(__builtin_return_address(0)) && interrupted(WRITE)))
		return -1;
	return real(fd, p, fd == STDERR_FILENO ? n : cut(n, 8));
}

int
epoll_wait(int fd, struct epoll_event *v, int n, int timeout)
{
	REAL(epoll_wait);
	return fails(EPOLL_WAIT) || interrupted(EPOLL_WAIT) ? -1 : real(fd, v, (int)cut((size_t)n, 1), timeout);
}

ssize_t
getrandom(void *p, size_t n, unsigned flags)
{
	REAL(getrandom);
	return fails(GETRANDOM) ? -1 : real(p, n, flags);
}

/* A byte in CTSTUB_FAULT.clock reports that the wall clock was set (TFD_TIMER_CANCEL_ON_SET). False: there is no such FIFO. */
static bool
clock_fifo_open(void)
{
	const char *file = getenv("CTSTUB_FAULT");
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
	if (fails(TIMERFD))
		return -1;
	if (clock == CLOCK_REALTIME && clock_fifo_open())
		return clock_fd;
	return real(clock, flags);
}

int
timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *before)
{
	REAL(timerfd_settime);
	struct itimerspec at = *to;
	int64_t boot_s = atomic_load(&orders->boot_s);

	/* The kernel's boot clock has not run on. */
	if ((flags & TFD_TIMER_ABSTIME) != 0 && boot_s != 0 && (at.it_value.tv_sec | at.it_value.tv_nsec) != 0) {
		at.it_value.tv_sec -= boot_s;
		if (at.it_value.tv_sec < 0)
			at.it_value = (struct timespec){.tv_nsec = 1};
	}
	return fd == clock_fd ? 0 : real(fd, flags, &at, before);
}

/* ---- clocks */

int
clock_gettime(clockid_t clock, struct timespec *out)
{
	REAL(clock_gettime);
	int failed = real(clock, out);

	if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		out->tv_sec += atomic_load(&orders->wall_s);
	if (failed == 0 && clock == CLOCK_BOOTTIME)
		out->tv_sec += atomic_load(&orders->boot_s);
	return failed;
}

time_t
time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

int
gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return 0;
}

/* A daemon without its filter on system calls, to compare it with one that has it (CTSTUB_UNSEALED). */
int seccomp_load(void *filter);

int
seccomp_load(void *filter)
{
	int (*load)(void *) = (int (*)(void *))dlsym(RTLD_NEXT, "seccomp_load");

	return getenv("CTSTUB_UNSEALED") != NULL ? 0 : load(filter);
}
