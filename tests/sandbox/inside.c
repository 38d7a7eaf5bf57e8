/*
 * inside.c - a library to be preloaded: attempts, from inside a sealed process, what its sandbox must refuse.
 *
 * It replaces seccomp_load. By then the process has its user, its descriptors and its rules. For each attempt it forks a
 * copy, which loads the same filter and makes one system call; then the process itself is sealed and goes on.
 * The outcomes are in the file that CTSTUB_INSIDE names (functional/test_inside.py reads it). CTSTUB_INSIDE_DIR is a
 * folder that the process's user may write to. With CTSTUB_INSIDE_OPEN the copies load no filter, to show that the
 * refusals come from it. In the process that CTSTUB_INSIDE_FAILS names the filter cannot be loaded.
 *
 * The arguments make a call harmless that is let through, whoever makes it: a null pointer, a bad magic number.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <sched.h>
#include <signal.h>
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define REFUSED   3999 /* the filter's error in place of EPERM, which no kernel gives */
#define SLOTS_MAX 2000
#define PATHS_MAX 512

enum outcome { NOTHING, DONE, FAILED, KILLED }; /* in the order of OUTCOMES in test_inside.py */

struct slot {
	char process[16], attempt[40];
	_Atomic int32_t outcome, detail; /* the errno, or the signal */
};

struct report {
	_Atomic int64_t n;
	struct slot slot[SLOTS_MAX];
};

static struct report *report;
static char folder[PATHS_MAX], precious[PATHS_MAX + 16], fresh[PATHS_MAX + 16];

__attribute__((constructor)) static void
inside_start(void)
{
	const char *file = getenv("CTSTUB_INSIDE"), *dir = getenv("CTSTUB_INSIDE_DIR");
	int fd = file != NULL ? open(file, O_RDWR | O_CLOEXEC) : -1;
	void *map = fd < 0 ? MAP_FAILED
			   : mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	if (map != MAP_FAILED)
		report = map;
	(void)snprintf(folder, sizeof folder, "%s", dir != NULL ? dir : "/nonexistent");
	(void)snprintf(precious, sizeof precious, "%s/precious", folder);
	(void)snprintf(fresh, sizeof fresh, "%s/fresh", folder);
}

/* ---- attempts that are more than one call with plain arguments */

static long
try_x32(void)
{
#ifdef __x86_64__
	return syscall(0x40000000L | SYS_getpid);
#else
	errno = REFUSED;
	return -1;
#endif
}

static long
try_i386(void)
{
#ifdef __x86_64__
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L /* getpid */) : "memory", "r8", "r9", "r10", "r11");
	return result;
#else
	errno = REFUSED;
	return -1;
#endif
}

/* An existing UDP socket, such as a listener's, cannot send to another machine, as it is bound to loopback. */
static int udp_loopback = -1, udp_any = -1, memory_file = -1, message_pair[2] = {-1, -1};

static void
descriptors_make(void)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	udp_loopback = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	udp_any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	(void)!bind(udp_loopback, (const struct sockaddr *)&own, sizeof own);
	memory_file = memfd_create("program", MFD_CLOEXEC);
	(void)!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, message_pair);
}

static void
descriptors_close(void)
{
	int all[] = {udp_loopback, udp_any, memory_file, message_pair[0], message_pair[1]};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		(void)close(all[i]);
}

static long
try_foreign_datagram(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53)};

	to.sin_addr.s_addr = inet_addr("198.51.100.1");
	return sendto(udp_loopback, "x", 1, MSG_DONTWAIT, (const struct sockaddr *)&to, sizeof to);
}

static long
try_exec_memory_file(void)
{
	char *const none[] = {NULL};

	return syscall(SYS_execveat, memory_file, "", none, none, 0x1000 /* AT_EMPTY_PATH */);
}

static long
try_bind_port(void)
{
	struct sockaddr_in own = {.sin_family = AF_INET};

	return bind(udp_any, (const struct sockaddr *)&own, sizeof own);
}

static long
try_thread_of_another(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static long
try_itself(void)
{
	return syscall(SYS_tgkill, getpid(), gettid(), 0);
}

static long
try_clone3_namespace(void)
{
	uint64_t arguments[11] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD};

	return syscall(SYS_clone3, arguments, sizeof arguments);
}

static long
try_open_how(void)
{
	uint64_t how[3] = {O_RDONLY};

	return syscall(SYS_openat2, AT_FDCWD, "/dev/null", how, sizeof how);
}

static long
try_connect_unix(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "/nonexistent"};

	return connect(udp_any, (const struct sockaddr *)&to, sizeof to);
}

/* ---- the table: one system call each */

#define PAGE	 4096
#define P(x)	 (long)(uintptr_t)(x)
#define ANON	 (MAP_PRIVATE | MAP_ANONYMOUS)
#define AT_FOLDER AT_FDCWD

static const char *const no_words[] = {NULL};
static const struct rlimit limit_of_files = {64, 64};

struct attempt {
	const char *name;
	long call;
	long argument[6];
	long (*function)(void); /* instead of a call */
};

#include "tests/sandbox/attempts.h"

/* ---- */

static void
attempt_make(const struct attempt *a, struct slot *s)
{
	const long *v = a->argument;
	long result;

	errno = 0;
	result = a->function != NULL ? a->function() : syscall(a->call, v[0], v[1], v[2], v[3], v[4], v[5]);
	atomic_store(&s->detail, result == -1 ? errno : 0);
	atomic_store(&s->outcome, result == -1 ? FAILED : DONE);
}

static void
attempt_fork(const struct attempt *a, scmp_filter_ctx filter, int (*load)(scmp_filter_ctx))
{
	int64_t at = atomic_fetch_add(&report->n, 1);
	struct slot *s = &report->slot[at < SLOTS_MAX ? at : SLOTS_MAX - 1];
	int status = 0;
	pid_t self = getpid(), child;

	(void)prctl(PR_GET_NAME, s->process, 0, 0, 0);
	(void)snprintf(s->attempt, sizeof s->attempt, "%s", a->name);
	child = fork();
	if (child == 0) {
		if (getenv("CTSTUB_INSIDE_OPEN") == NULL && load(filter) != 0)
			_exit(1);
		attempt_make(a, s);
		if (getppid() == self) /* a call that forks goes on twice */
			_exit(0);
		_exit(1);
	}
	if (child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status)) {
		atomic_store(&s->detail, WTERMSIG(status));
		atomic_store(&s->outcome, KILLED);
	}
}

/* True when this is the process that the variable names. */
static bool
is_named_by(const char *variable)
{
	const char *who = getenv(variable);
	char name[16];

	(void)prctl(PR_GET_NAME, name, 0, 0, 0);
	return who != NULL && strcmp(name, who) == 0;
}

/* The process that CTSTUB_INSIDE_HELD names writes "held" to its standard error, and waits until the named pipe
 * CTSTUB_INSIDE_HOLD is opened for writing. */
static void
hold(void)
{
	const char *path = getenv("CTSTUB_INSIDE_HOLD");
	int fd;

	if (path == NULL || !is_named_by("CTSTUB_INSIDE_HELD"))
		return;
	(void)dprintf(STDERR_FILENO, "held\n");
	do
		fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	if (fd >= 0)
		close(fd);
}

int
seccomp_load(scmp_filter_ctx filter)
{
	int (*load)(scmp_filter_ctx) = (int (*)(scmp_filter_ctx))(uintptr_t)dlsym(RTLD_NEXT, "seccomp_load");
	struct sigaction before, defaults = {.sa_handler = SIG_DFL};

	hold();
	if (is_named_by("CTSTUB_INSIDE_FAILS"))
		return -ECANCELED;
	if (report == NULL)
		return load(filter);
	(void)sigaction(SIGCHLD, &defaults, &before);
	descriptors_make();
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
		attempt_fork(&attempts[i], filter, load);
	descriptors_close();
	(void)sigaction(SIGCHLD, &before, NULL);
	return load(filter);
}

/* A refusal by the filter gets an error of its own, so that it cannot be taken for one by the kernel. */
scmp_filter_ctx
seccomp_init(uint32_t action)
{
	scmp_filter_ctx (*init)(uint32_t) = (scmp_filter_ctx(*)(uint32_t))(uintptr_t)dlsym(RTLD_NEXT, "seccomp_init");

	return init(action == SCMP_ACT_ERRNO(EPERM) ? SCMP_ACT_ERRNO(REFUSED) : action);
}

/* With CTSTUB_INSIDE_ALONE only the thread that loads a filter gets it. */
int
seccomp_attr_set(scmp_filter_ctx filter, enum scmp_filter_attr attribute, uint32_t value)
{
	int (*set)(scmp_filter_ctx, enum scmp_filter_attr, uint32_t) =
	    (int (*)(scmp_filter_ctx, enum scmp_filter_attr, uint32_t))(uintptr_t)dlsym(RTLD_NEXT, "seccomp_attr_set");

	if (attribute == SCMP_FLTATR_CTL_TSYNC && getenv("CTSTUB_INSIDE_ALONE") != NULL)
		value = 0;
	return set(filter, attribute, value);
}
