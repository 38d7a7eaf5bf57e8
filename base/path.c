#include "config.h"

#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

static const char not_regular[] = "not a regular file";
static const char not_folder[] = "not a folder";
static const char deleted[] = "a file that was deleted";
static const char foreign_link[] = "a symbolic link that others could have made";

/* Where resolving has come to: a folder, and what is left of the name. */
struct walk {
	int folder;
	struct stat at; /* the folder */
	unsigned links;
	bool look_for_proc,
	    through_proc; /* did a link of procfs lead on? Only looked for where that is asked */
	char left[PATH_NAME_MAX];
	const char *why;
};

static int
fail(const char **why, const char *text, int error)
{
	*why = text != NULL ? text : strerror(error);
	errno = error;
	return -1;
}

/* ---- who could have made this? */

/* Under this id the kernel shows owners who are not mapped in a user namespace, unless another user is mapped to it. */
#define OVERFLOW_ID 65534

static bool
overflow_id_is_mapped(void)
{
	FILE *map = fopen("/proc/self/uid_map", "re");
	unsigned long first, count;
	bool mapped = map == NULL;

	while (!mapped && fscanf(map, "%lu %*u %lu", &first, &count) == 2)
		mapped = first <= OVERFLOW_ID && OVERFLOW_ID - first < count;
	if (map != NULL)
		(void)fclose(map);
	return mapped;
}

bool
path_owner_is_unmapped(uid_t uid)
{
	return uid == OVERFLOW_ID && !overflow_id_is_mapped();
}

static bool
owner_is_ours(uid_t uid)
{
	return uid == 0 || uid == geteuid() || path_owner_is_unmapped(uid);
}

/* A group may write where it is its owner's own (umask 002). */
static bool
others_write(const struct stat *st)
{
	uid_t me = geteuid();

	return (st->st_mode & S_IWOTH) != 0 ||
	       ((st->st_mode & S_IWGRP) != 0 && (me == 0 || st->st_uid != me || st->st_gid != getegid()));
}

bool
path_folder_is_safe(const struct stat *folder)
{
	return owner_is_ours(folder->st_uid) && (!others_write(folder) || (folder->st_mode & S_ISVTX) != 0);
}

/* ---- resolving */

static int
walk_enter(struct walk *w, int folder)
{
	if (folder < 0)
		return -1;
	if (w->folder >= 0)
		(void)close(w->folder);
	w->folder = folder;
	return fstat(folder, &w->at);
}

static int
path_walk_begin(struct walk *w, const char *from)
{
	return walk_enter(w, open(from, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/* Takes the next name off what is left ("." when there is none). *last: nothing but slashes follows it. */
static int
path_walk_name(struct walk *w, char name[NAME_MAX + 1], bool *last)
{
	const char *p = w->left + strspn(w->left, "/");
	size_t n = strcspn(p, "/"), more = strspn(p + n, "/");

	if (n > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, n == 0 ? "." : p, n == 0 ? 1 : n);
	name[n == 0 ? 1 : n] = '\0';
	*last = p[n + more] == '\0';
	memmove(w->left, p + n, strlen(p + n) + 1);
	return 0;
}

static bool
is_in_proc(int folder)
{
	struct statfs fs;

	return fstatfs(folder, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* Puts what a link says before what is left. */
static int
walk_link(struct walk *w, const char *name, const struct stat *link)
{
	char target[PATH_NAME_MAX];
	size_t left = strlen(w->left);
	ssize_t n;

	w->through_proc |= w->look_for_proc && is_in_proc(w->folder);
	if (!path_folder_is_safe(&w->at) || !owner_is_ours(link->st_uid)) {
		w->why = foreign_link;
		errno = ELOOP;
		return -1;
	}
	n = readlinkat(w->folder, name, target, sizeof target);
	if (n < 0)
		return -1;
	if (++w->links > PATH_LINKS_MAX || (size_t)n + left + 1 > sizeof w->left) {
		errno = ELOOP;
		return -1;
	}
	memmove(w->left + n, w->left, left + 1);
	memcpy(w->left, target, (size_t)n);
	return w->left[0] == '/' ? path_walk_begin(w, "/") : 0;
}

/* Resolves up to the last name, which is in w->folder and is not a link. */
static int
walk_to_end(struct walk *w, char name[NAME_MAX + 1], struct stat *at)
{
	bool last;

	for (;;) {
		if (path_walk_name(w, name, &last) != 0 ||
		    fstatat(w->folder, name, at, AT_SYMLINK_NOFOLLOW) != 0)
			return -1;
		if (S_ISLNK(at->st_mode)) {
			if (walk_link(w, name, at) != 0)
				return -1;
		} else if (last) {
			return 0;
		} else if (walk_enter(w, openat(w->folder, name,
						O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) != 0) {
			return -1;
		}
	}
}

static int
walk(struct walk *w, const char *path, char name[NAME_MAX + 1], struct stat *at)
{
	size_t n = strlen(path);

	w->folder = -1;
	w->links = 0;
	w->through_proc = false;
	w->why = NULL;
	if (n == 0 || n >= sizeof w->left) {
		errno = n == 0 ? ENOENT : ENAMETOOLONG;
		return -1;
	}
	memcpy(w->left, path, n + 1);
	return path_walk_begin(w, path[0] == '/' ? "/" : ".") == 0 ? walk_to_end(w, name, at) : -1;
}

static void
walk_end(struct walk *w)
{
	int error = errno;

	if (w->folder >= 0)
		(void)close(w->folder);
	errno = error;
}

/* ---- doors */

int
path_folder_open(const char *path, const char **why)
{
	struct walk w = {.look_for_proc = false};
	char name[NAME_MAX + 1];
	struct stat at;
	int fd = walk(&w, path, name, &at);

	if (fd == 0)
		fd = openat(w.folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		fd = fail(why, w.why != NULL ? w.why : errno == ENOTDIR ? not_folder : NULL, errno);
	walk_end(&w);
	return fd;
}

int
path_parent_open(const char *path, const char **name, const char **why)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_NAME_MAX];
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);

	if (n >= sizeof folder)
		return fail(why, NULL, ENAMETOOLONG);
	*name = slash == NULL ? path : slash + 1;
	if (**name == '\0' || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)
		return fail(why, NULL, EISDIR);
	if (slash == NULL)
		return path_folder_open(".", why);
	memcpy(folder, path, n);
	folder[n] = '\0';
	return path_folder_open(n == 0 ? "/" : folder, why);
}

bool
path_is_descriptor(const char *path)
{
	struct walk w = {.look_for_proc = true};
	char name[NAME_MAX + 1];
	struct stat at;

	(void)walk(&w, path, name, &at);
	walk_end(&w);
	return w.through_proc;
}

int
path_target_open(const char *path, const char **name, const char **why)
{
	int folder =
	    path_is_descriptor(path) ? fail(why, not_regular, EINVAL) : path_parent_open(path, name, why);
	struct stat st;

	if (folder < 0 || fstatat(folder, *name, &st, 0) != 0 || S_ISREG(st.st_mode))
		return folder;
	(void)close(folder);
	return fail(why, not_regular, S_ISDIR(st.st_mode) ? EISDIR : EINVAL);
}

/* Closes the folder, if it was opened. */
static int
folder_check(int folder, const char **why)
{
	int error = folder < 0 || faccessat(folder, ".", W_OK | X_OK, 0) != 0 ? errno : 0;

	if (folder < 0)
		return error;
	(void)close(folder);
	if (error != 0)
		(void)fail(why, NULL, error);
	return error;
}

int
path_target_check(const char *path, const char **why)
{
	const char *name;

	return folder_check(path_target_open(path, &name, why), why);
}

int
path_folder_check(const char *path, const char **why)
{
	return folder_check(path_folder_open(path, why), why);
}

int
path_file_open_at(int folder, const char *name, struct stat *st, const char **why)
{
	int fd, error;

	if (fstatat(folder, name, st, AT_SYMLINK_NOFOLLOW) != 0)
		return fail(why, NULL, errno);
	if (!S_ISREG(st->st_mode))
		return fail(why, not_regular, S_ISDIR(st->st_mode) ? EISDIR : EINVAL);
	fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return fail(why, NULL, errno);
	error = fstat(fd, st) != 0 ? errno : S_ISREG(st->st_mode) ? 0 : EINVAL;
	if (error == 0)
		return fd;
	(void)close(fd);
	return fail(why, error == EINVAL ? not_regular : NULL, error);
}

/* What /dev/stdin leads to need not have a name: a pipe, a socket, a file that was deleted. Only the message depends on
 * this look. */
static int
nameless_explain(const char *path, const char **why)
{
	struct stat st;

	if (fstatat(AT_FDCWD, path, &st, 0) != 0)
		return fail(why, NULL, ENOENT);
	return fail(why, S_ISREG(st.st_mode) ? deleted : not_regular, EINVAL);
}

int
path_file_open(const char *path, struct stat *st, const char **why)
{
	struct walk w = {.look_for_proc = false};
	char name[NAME_MAX + 1];
	int fd = walk(&w, path, name, st);

	if (fd == 0)
		fd = path_file_open_at(w.folder, name, st, why);
	else if (w.why == NULL && errno == ENOENT)
		fd = nameless_explain(path, why);
	else
		fd = fail(why, w.why, errno);
	walk_end(&w);
	return fd;
}

bool
path_file_is_readable(const char *path)
{
	const char *why;
	struct stat st;
	int fd = path_file_open(path, &st, &why);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}
