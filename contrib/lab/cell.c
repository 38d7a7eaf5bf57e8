#include "config.h"

#include "contrib/lab/cell.h"
#include "contrib/lab/files.h"
#include "contrib/lab/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CELL_FAILED 125 /* exit code of a cell that could not be furnished */

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

/* An ordinary user is root inside, and nobody else: enough for a network of one's own. */
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

/* /etc/resolv.conf as the cell wants it, whether it is a file or a link into /run. */
static bool
resolv_conf_cover(const char *target)
{
	if (!put_text("/run/lab-resolv.conf", resolv_conf))
		return false;
	if (target[0] == '\0')
		return true; /* there is none: nobody reads it */
	if (strncmp(target, "/run/", 5) == 0) {
		char folder[FILE_PATH_MAX];
		const char *slash = strrchr(target, '/');

		snprintf(folder, sizeof folder, "%.*s", (int)(slash - target), target);
		return folder_make(folder) == RES_OK && put_text(target, resolv_conf);
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

/* The first process of the cell: furnishes it, then does what was asked. */
static int
cell_inside(const struct addr *own, size_t n_own, int (*inside)(void *ctx), void *ctx)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || !mounts_settle() ||
	    loopback_furnish(own, n_own) != RES_OK) {
		fprintf(stderr, "ctstub-lab: the namespaces could not be furnished: %s\n", strerror(errno));
		return CELL_FAILED;
	}
	return inside(ctx);
}

/* Stands between us and the cell: only a child of one that called unshare is process 1 in there. */
static int
cell_porter(const struct addr *own, size_t n_own, int (*inside)(void *ctx), void *ctx)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int flags = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC, status;
	pid_t pid;

	/* A new user namespace makes the kernel forget the signal, so it is asked for again. */
	if (unshare(uid == 0 ? flags : flags | CLONE_NEWUSER) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    (uid != 0 && !become_root_inside(uid, gid))) {
		fprintf(stderr, "ctstub-lab: no namespaces for this user: %s\n", strerror(errno));
		return CELL_FAILED;
	}
	pid = fork();
	if (pid < 0)
		return CELL_FAILED;
	if (pid == 0)
		_exit(cell_inside(own, n_own, inside, ctx));
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
		_exit(cell_porter(own, n_own, inside, ctx));
	}
	*out = pid;
	return RES_OK;
}
