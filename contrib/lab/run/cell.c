#include "config.h"

#include "contrib/lab/run/cell.h"
#include "contrib/lab/lab_files.h"
#include "contrib/lab/run/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CELL_FAILED 125 /* exit code of a cell that could not be set up */

static const char resolv_conf[] = "nameserver 192.0.2.53\noptions timeout:1 attempts:1\n";

static bool
put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* Maps an ordinary user to root inside: enough for a network namespace. */
static bool
become_root_inside(uid_t uid, gid_t gid)
{
	char map[64];

	if (!put_text("/proc/self/setgroups", "deny"))
		return false;
	snprintf(map, sizeof map, "0 %u 1", uid);
	if (!put_text("/proc/self/uid_map", map))
		return false;
	snprintf(map, sizeof map, "0 %u 1", gid);
	return put_text("/proc/self/gid_map", map);
}

/* Replaces /etc/resolv.conf in the cell, whether it is a file or a link into /run. */
static bool
resolv_conf_cover(const char *target)
{
	if (!put_text("/run/lab-resolv.conf", resolv_conf))
		return false;
	if (target[0] == '\0')
		return true; /* there is none, so nothing reads it */
	if (strncmp(target, "/run/", 5) == 0) {
		char folder[FILE_PATH_MAX];
		const char *slash = strrchr(target, '/');

		snprintf(folder, sizeof folder, "%.*s", (int)(slash - target), target);
		return lab_folder_make(folder) == RES_OK && put_text(target, resolv_conf);
	}
	return mount("/run/lab-resolv.conf", target, NULL, MS_BIND, NULL) == 0;
}

static bool
mounts_settle(void)
{
	char target[PATH_MAX] = "";

	if (realpath("/etc/resolv.conf", target) == NULL)
		target[0] = '\0';
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") == 0 &&
	       mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0 &&
	       resolv_conf_cover(target);
}

/* The first process of the cell: sets it up, then calls inside. */
static int
cell_inside(const struct addr *own, size_t n_own, int (*inside)(void *ctx), void *ctx)
{
	if (!mounts_settle() || netlink_loopback_set_up(own, n_own) != RES_OK) {
		fprintf(stderr, "ctstub-lab: cannot set up the namespaces: %s\n", strerror(errno));
		return CELL_FAILED;
	}
	return inside(ctx);
}

static volatile sig_atomic_t first_process; /* the first process of the cell, by its number outside */

static void
parent_on_term(int signal_number)
{
	(void)signal_number;
	(void)kill(first_process, SIGKILL);
}

/* Becomes the first process of the cell. The pipe's other end belongs to the parent. It may have died
 * before PR_SET_PDEATHSIG, and getppid cannot tell in here. */
static int
cell_enter(const int alive[2], const struct addr *own, size_t n_own, int (*inside)(void *ctx), void *ctx)
{
	struct pollfd parent = {.fd = alive[0], .events = POLLIN};

	close(alive[1]);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || poll(&parent, 1, 0) != 0)
		return CELL_FAILED;
	close(alive[0]);
	return cell_inside(own, n_own, inside, ctx);
}

/* The process between the caller and the cell: only a child of the one that called unshare becomes
 * process 1. */
static int
cell_parent(const struct addr *own, size_t n_own, int (*inside)(void *ctx), void *ctx)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int flags = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC, status, alive[2];
	const struct sigaction term = {.sa_handler = parent_on_term};
	sigset_t set, before;
	pid_t pid;

	/* A new user namespace resets the parent-death signal, so it is set again. */
	if (unshare(uid == 0 ? flags : flags | CLONE_NEWUSER) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    (uid != 0 && !become_root_inside(uid, gid))) {
		fprintf(stderr, "ctstub-lab: no namespaces for this user: %s\n", strerror(errno));
		return CELL_FAILED;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (pipe2(alive, O_CLOEXEC) < 0 || sigprocmask(SIG_BLOCK, &set, &before) < 0)
		return CELL_FAILED;
	pid = fork();
	if (pid < 0)
		return CELL_FAILED;
	if (pid == 0) {
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
		_exit(cell_enter(alive, own, n_own, inside, ctx));
	}
	first_process = pid;
	(void)sigaction(SIGTERM, &term, NULL);
	(void)signal(SIGINT,
		     SIG_IGN); /* the terminal sends it to every process of the group; the caller decides */
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return CELL_FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : CELL_FAILED;
}

enum res
cell_start(pid_t *out, const struct addr *own, size_t n_own, int (*inside)(void *ctx), void *ctx)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return RES_IO;
	if (pid == 0) {
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(CELL_FAILED);
		_exit(cell_parent(own, n_own, inside, ctx));
	}
	*out = pid;
	return RES_OK;
}

void
cell_end(pid_t pid)
{
	(void)kill(pid, SIGTERM);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int
inside_nothing(void *ctx)
{
	(void)ctx;
	return 0;
}

enum res
cell_try(void)
{
	const struct addr nobody = {.family = ADDR_V4};
	int status = 0;
	pid_t pid;

	if (cell_start(&pid, &nobody, 0, inside_nothing, NULL) != RES_OK) {
		perror("ctstub-lab: fork");
		return RES_IO;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return RES_IO;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? RES_OK : RES_UNSUPPORTED;
}
