/*
 * shim.c - a library to be preloaded: makes a call of the program fail, makes calls short or interrupted, and sets clocks wrong.
 *
 * The faults are in a mapped file (CTSTUB_FAULT names it), so a test can change them at any moment
 * (functional/test_faults.py). Allocations fail only for callers in the main program's own text, as
 * GnuTLS 3.7.9 crashes in places when its own fail.
 */
#define _GNU_SOURCE
#include "tests/fault/jumping.h"

#include "tests/fault/preload.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* In the order of CALLS in harness/faults.py. */
enum call { ALLOC, SOCKET, CONNECT, ACCEPT, SEND, RECV, RECVMMSG, SENDMMSG, OPEN, READ, WRITE, EPOLL_WAIT, GETRANDOM,
	TIMERFD, OPENAT, FOPEN, FOLDER, STAT, PREAD, SYNC, RENAME, UNLINK, MAKE, CHANGE, SENDTO, SENDMSG, RECVMSG, POLL, FORK,
	PAIR, DUP, FCNTL, EPOLL_CTL, EPOLL_CREATE, EVENTFD, MMAP, CLOCK, THREAD, READLINK, SETSOCKOPT, MEMFD, FREAD, FWRITE,
	CALLS };
enum mode { MODE_NONE, MODE_SHORT, MODE_EINTR, MODE_FORBIDDEN,
	MODE_DISK /* no write to a file and no new name in a folder succeeds; `error` is the errno */ };

struct orders {
	_Atomic int32_t call;   /* which call fails; */
	_Atomic int32_t error;  /* with this errno, */
	_Atomic int64_t left;   /* after so many more of them (1: the next one); 0: none */
	_Atomic int64_t times;  /* so many in a row */
	_Atomic int64_t hits;   /* failed so far */
	_Atomic int64_t wall_s; /* the wall clock is wrong by so much */
	_Atomic int64_t boot_s; /* the boot clock has run on for so long, as in a sleep */
	_Atomic int64_t mode;
	_Atomic int64_t thread; /* calls of this thread alone are counted and fail; 0: of each one */
	_Atomic int64_t count[CALLS];
};

static struct orders none, *orders = &none;
static uintptr_t text_from, text_to;

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

/* In a program with AddressSanitizer the next allocator is the sanitizer's, which finds leaks. */
static void *(*next_malloc)(size_t) = __libc_malloc;
static void *(*next_calloc)(size_t, size_t) = __libc_calloc;
static void *(*next_realloc)(void *, size_t) = __libc_realloc;

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

static void
allocator_find(void)
{
	static bool found;

	if (found)
		return;
	found = true;
	if (dlsym(RTLD_DEFAULT, "__asan_init") == NULL)
		return;
	next_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
	next_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
	next_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
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

/* True when this call must fail; sets errno. */
static bool
fails(enum call call)
{
	int64_t left, thread = atomic_load(&orders->thread);

	if (thread != 0 && thread != gettid())
		return false;
	atomic_fetch_add(&orders->count[call], 1);
	if (atomic_load(&orders->call) != (int32_t)call || atomic_load(&orders->left) == 0)
		return false;
	left = atomic_fetch_sub(&orders->left, 1);
	if (left > 1)
		return false;
	/* After a failure the call right after it fails too, while `times` lasts. */
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

/* Every second call of each kind. */
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

/* ---- memory */

static bool
alloc_fails(const void *caller)
{
	allocator_find();
	return is_ours(caller) && fails(ALLOC);
}

void *
malloc(size_t n)
{
	return alloc_fails(__builtin_return_address(0)) ? NULL : next_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return alloc_fails(__builtin_return_address(0)) ? NULL : next_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return alloc_fails(__builtin_return_address(0)) ? NULL : next_realloc(p, n);
}

void *
reallocarray(void *p, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return alloc_fails(__builtin_return_address(0)) ? NULL : next_realloc(p, all);
}

static char *
text_copy(const void *caller, const char *s, size_t n)
{
	char *copy = alloc_fails(caller) ? NULL : next_malloc(n + 1);

	if (copy == NULL)
		return NULL;
	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *
strdup(const char *s)
{
	return text_copy(__builtin_return_address(0), s, strlen(s));
}

char *
strndup(const char *s, size_t n)
{
	return text_copy(__builtin_return_address(0), s, strnlen(s, n));
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
	/* a harmless call that the program never makes itself */
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

/* A file system that accepts no change; existing files can be read. */
static bool
disk_fails(void)
{
	if (atomic_load(&orders->mode) != MODE_DISK)
		return false;
	atomic_fetch_add(&orders->hits, 1);
	errno = atomic_load(&orders->error);
	return true;
}

static mode_t
kind_of(int fd)
{
	struct stat st = {.st_mode = 0};
	int error = errno;

	(void)syscall(SYS_fstat, fd, &st);
	errno = error;
	return st.st_mode & S_IFMT;
}

static bool
file_fails(int fd)
{
	return atomic_load(&orders->mode) == MODE_DISK && kind_of(fd) == S_IFREG && disk_fails();
}

/* A read-only file system refuses to open; a full one or one over its quota refuses to make a file. */
static bool
opening_fails(int flags)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;

	if ((flags & O_CREAT) == 0 && !(writes && atomic_load(&orders->error) == EROFS))
		return false;
	return disk_fails();
}

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
	return fails(OPEN) || opening_fails(flags) ? -1 : real(path, flags, mode);
}

int
openat(int folder, const char *path, int flags, ...)
{
	static int (*real)(int, const char *, int, ...);
	mode_t mode = 0;

	if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
		va_list more;

		va_start(more, flags);
		mode = va_arg(more, mode_t);
		va_end(more);
	}
	if (real == NULL)
		real = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, "openat");
	return fails(OPENAT) || opening_fails(flags) ? -1 : real(folder, path, flags, mode);
}

/* open() with _FORTIFY_SOURCE. */
extern int __open_2(const char *, int);
int
__open_2(const char *path, int flags)
{
	return open(path, flags);
}

extern int __openat_2(int, const char *, int);
int
__openat_2(int folder, const char *path, int flags)
{
	return openat(folder, path, flags);
}

ssize_t
read(int fd, void *p, size_t n)
{
	REAL(read);
	ssize_t got;

	if (jumping_read(&got, real, fd, p))
		return got;
	/* eventfd and timerfd give eight bytes or nothing. */
	return fails(READ) || (is_ours(__builtin_return_address(0)) && interrupted(READ)) ? -1 : real(fd, p, cut(n, 8));
}

ssize_t
write(int fd, const void *p, size_t n)
{
	REAL(write);
	/* libevent's handler of signals writes one byte that nothing can interrupt, and does not repeat it. An eventfd, which
	 * has no file type, accepts every write. */
	bool ours = is_ours(__builtin_return_address(0)) && kind_of(fd) != 0;

	if ((ours && fails(WRITE)) || file_fails(fd) || (ours && interrupted(WRITE)))
		return -1;
	/* a line of the log is one write, and a pipe takes it whole */
	return real(fd, p, fd == STDERR_FILENO ? n : cut(n, 8));
}

/* read() and recv() with _FORTIFY_SOURCE. */
extern ssize_t __read_chk(int, void *, size_t, size_t), __recv_chk(int, void *, size_t, size_t, int),
    __pread_chk(int, void *, size_t, off_t, size_t);

ssize_t
__read_chk(int fd, void *p, size_t n, size_t room)
{
	(void)room;
	return read(fd, p, n);
}

ssize_t
__recv_chk(int fd, void *p, size_t n, size_t room, int flags)
{
	(void)room;
	return recv(fd, p, n, flags);
}

ssize_t
pread(int fd, void *p, size_t n, off_t at)
{
	REAL(pread);
	return fails(PREAD) || interrupted(PREAD) ? -1 : real(fd, p, cut(n, 8), at);
}

ssize_t
__pread_chk(int fd, void *p, size_t n, off_t at, size_t room)
{
	(void)room;
	return pread(fd, p, n, at);
}

/* Calls whose only fault is to fail: result on failure, kind for the count, name, parameters, arguments. */
#define FAILING(type, failed, call, name, parameters, arguments) \
	type name parameters                                     \
	{                                                        \
		REAL(name);                                      \
		return fails(call) ? failed : real arguments;    \
	}
/* ... and which a full disk refuses as well. */
#define WRITING(call, name, parameters, arguments)                            \
	int name parameters                                                   \
	{                                                                     \
		REAL(name);                                                   \
		return fails(call) || disk_fails() ? -1 : real arguments;     \
	}
#define INTERRUPTED(type, call, name, parameters, arguments)                      \
	type name parameters                                                      \
	{                                                                         \
		REAL(name);                                                       \
		return fails(call) || interrupted(call) ? -1 : real arguments;    \
	}

FAILING(FILE *, NULL, FOPEN, fopen, (const char *path, const char *mode), (path, mode))
FAILING(FILE *, NULL, FOPEN, fdopen, (int fd, const char *mode), (fd, mode))
FAILING(DIR *, NULL, FOLDER, opendir, (const char *path), (path))
FAILING(DIR *, NULL, FOLDER, fdopendir, (int fd), (fd))
FAILING(int, -1, STAT, fstat, (int fd, struct stat *st), (fd, st))
FAILING(int, -1, STAT, stat, (const char *path, struct stat *st), (path, st))
FAILING(int, -1, STAT, lstat, (const char *path, struct stat *st), (path, st))
FAILING(int, -1, STAT, fstatat, (int folder, const char *path, struct stat *st, int flags), (folder, path, st, flags))
FAILING(int, -1, STAT, access, (const char *path, int mode), (path, mode))
FAILING(ssize_t, -1, READLINK, readlink, (const char *path, char *p, size_t n), (path, p, n))
FAILING(ssize_t, -1, READLINK, readlinkat, (int folder, const char *path, char *p, size_t n), (folder, path, p, n))
WRITING(SYNC, fsync, (int fd), (fd))
WRITING(SYNC, fdatasync, (int fd), (fd))
WRITING(RENAME, rename, (const char *from, const char *to), (from, to))
WRITING(RENAME, renameat, (int from, const char *a, int to, const char *b), (from, a, to, b))
FAILING(int, -1, UNLINK, unlink, (const char *path), (path))
FAILING(int, -1, UNLINK, unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
WRITING(MAKE, mkdir, (const char *path, mode_t mode), (path, mode))
WRITING(MAKE, mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode))
WRITING(MAKE, link, (const char *from, const char *to), (from, to))
WRITING(MAKE, symlinkat, (const char *text, int folder, const char *path), (text, folder, path))
FAILING(int, -1, CHANGE, fchmod, (int fd, mode_t mode), (fd, mode))
FAILING(int, -1, CHANGE, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
FAILING(int, -1, CHANGE, ftruncate, (int fd, off_t n), (fd, n))
INTERRUPTED(ssize_t, SENDTO, sendto,
	    (int fd, const void *p, size_t n, int flags, const struct sockaddr *to, socklen_t to_n), (fd, p, n, flags, to, to_n))
INTERRUPTED(ssize_t, SENDMSG, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
INTERRUPTED(ssize_t, RECVMSG, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))

/* libcurl polls again and again until it has waited long enough. */
int
poll(struct pollfd *v, nfds_t n, int timeout)
{
	REAL(poll);
	bool ours = is_ours(__builtin_return_address(0));

	return fails(POLL) || (ours && interrupted(POLL)) ? -1 : real(v, n, timeout);
}

extern int __poll_chk(struct pollfd *, nfds_t, int, size_t);
int
__poll_chk(struct pollfd *v, nfds_t n, int timeout, size_t room)
{
	(void)room;
	return poll(v, n, timeout);
}

INTERRUPTED(int, ACCEPT, accept, (int fd, struct sockaddr *from, socklen_t *n), (fd, from, n))
INTERRUPTED(pid_t, FORK, waitpid, (pid_t pid, int *status, int options), (pid, status, options))
FAILING(pid_t, -1, FORK, fork, (void), ())
FAILING(int, -1, PAIR, socketpair, (int domain, int type, int protocol, int pair[2]), (domain, type, protocol, pair))
FAILING(int, -1, PAIR, pipe2, (int pair[2], int flags), (pair, flags))
FAILING(int, -1, DUP, dup, (int fd), (fd))
FAILING(int, -1, DUP, dup2, (int from, int to), (from, to))
FAILING(int, -1, EPOLL_CTL, epoll_ctl, (int loop, int op, int fd, struct epoll_event *e), (loop, op, fd, e))
FAILING(int, -1, EPOLL_CREATE, epoll_create1, (int flags), (flags))
FAILING(int, -1, EVENTFD, eventfd, (unsigned n, int flags), (n, flags))
FAILING(void *, MAP_FAILED, MMAP, mmap, (void *at, size_t n, int prot, int flags, int fd, off_t from), (at, n, prot, flags, fd, from))
FAILING(int, EAGAIN, THREAD, pthread_create,
	(pthread_t * id, const pthread_attr_t *a, void *(*run)(void *), void *arg), (id, a, run, arg))
FAILING(int, -1, SETSOCKOPT, setsockopt, (int fd, int level, int name, const void *p, socklen_t n), (fd, level, name, p, n))
FAILING(int, -1, MEMFD, memfd_create, (const char *name, unsigned flags), (name, flags))

size_t
fread(void *p, size_t size, size_t n, FILE *f)
{
	REAL(fread);
	return fails(FREAD) ? 0 : real(p, size, n, f);
}

/* The stream gets no error flag, so that only the result shows the failure. */
size_t
fwrite(const void *p, size_t size, size_t n, FILE *f)
{
	REAL(fwrite);
	return fails(FWRITE) || file_fails(fileno(f)) ? 0 : real(p, size, n, f);
}

int
fflush(FILE *f)
{
	REAL(fflush);
	return fails(FWRITE) ? EOF : real(f);
}

int
fcntl(int fd, int command, ...)
{
	static int (*real)(int, int, ...);
	va_list more;
	long argument;

	va_start(more, command);
	argument = va_arg(more, long);
	va_end(more);
	if (real == NULL)
		real = (int (*)(int, int, ...))dlsym(RTLD_NEXT, "fcntl");
	/* libcurl and libevent rely on it for descriptors of their own, where it cannot fail */
	return is_ours(__builtin_return_address(0)) && fails(FCNTL) ? -1 : real(fd, command, argument);
}

int
epoll_wait(int fd, struct epoll_event *v, int n, int timeout)
{
	REAL(epoll_wait);

	if (fails(EPOLL_WAIT) || interrupted(EPOLL_WAIT))
		return -1;
	return jumping_wait(real, fd, v, (int)cut((size_t)n, 1), timeout);
}

ssize_t
getrandom(void *p, size_t n, unsigned flags)
{
	REAL(getrandom);
	return fails(GETRANDOM) ? -1 : real(p, n, flags);
}

/* ---- clocks */

const char jumping_variable[] = "CTSTUB_FAULT";

int64_t
jumping_wall_s(void)
{
	return atomic_load(&orders->wall_s);
}

int64_t
jumping_boot_s(void)
{
	return atomic_load(&orders->boot_s);
}

bool
jumping_fails(enum jumping_call call)
{
	return fails(call == JUMPING_CLOCK ? CLOCK : TIMERFD);
}

/* A daemon without its filter on system calls, to compare it with one that has it (CTSTUB_UNSEALED). */
int seccomp_load(void *filter);

int
seccomp_load(void *filter)
{
	int (*load)(void *) = (int (*)(void *))dlsym(RTLD_NEXT, "seccomp_load");

	return getenv("CTSTUB_UNSEALED") != NULL ? 0 : load(filter);
}
