#include "resolver/daemon/querylog/query_file.h"

#include "base/path.h"
#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define QUERY_FILE_MODE 0640 /* a group that may read it is the administrator's to choose; others may never */

/* A file that others made or linked may be theirs to read. */
static bool
file_is_ours(int fd, struct stat *st, const char **why)
{
	if (fstat(fd, st) != 0) {
		*why = strerror(errno);
		return false;
	}
	if (!S_ISREG(st->st_mode))
		*why = "not a regular file";
	else if (st->st_uid != geteuid() || st->st_nlink != 1)
		*why = "a file of another user, or with another hard link";
	else
		return true;
	return false;
}

bool
query_file_open(struct query_file *f, const char **why)
{
	const char *name;
	struct stat st;
	int folder, fd;

	if (f->fd >= 0)
		return true;
	folder = path_parent_open(f->path, &name, why);
	if (folder < 0)
		return false;
	fd = openat(folder, name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		    QUERY_FILE_MODE);
	if (fd < 0)
		*why = strerror(errno);
	(void)close(folder);
	if (fd < 0)
		return false;
	if (!file_is_ours(fd, &st, why)) {
		(void)close(fd);
		return false;
	}
	f->fd = fd;
	f->n = (uint64_t)st.st_size;
	return true;
}

bool
query_file_append(struct query_file *f, struct span bytes, const char **why)
{
	if (file_write_all(f->fd, bytes)) {
		f->n += bytes.n;
		return true;
	}
	*why = strerror(errno);
	if (ftruncate(f->fd, (off_t)f->n) != 0) /* no half line stays */
		*why = strerror(errno);
	return false;
}

bool
query_file_cut(struct query_file *f, uint64_t n)
{
	if (f->n != n && ftruncate(f->fd, (off_t)n) != 0) {
		query_file_close(f);
		return false;
	}
	f->n = n;
	return true;
}

bool
query_file_is_in_place(const struct query_file *f)
{
	const char *name, *why;
	int folder = path_parent_open(f->path, &name, &why);
	struct stat there, open;
	bool same = folder >= 0 && fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		    fstat(f->fd, &open) == 0 && there.st_dev == open.st_dev && there.st_ino == open.st_ino;

	if (folder >= 0)
		(void)close(folder);
	return same;
}

bool
query_file_is_full(const struct query_file *f)
{
	return f->n >= f->max;
}

bool
query_file_rotate(struct query_file *f, const char **why)
{
	const char *name;
	struct buf older = buf_max(PATH_NAME_MAX);
	int folder = path_parent_open(f->path, &name, why);
	bool ok = false;

	query_file_close(f);
	if (folder < 0)
		return false;
	buf_format(&older, "%s.1", name);
	ok = buf_cstr(&older) != NULL && renameat(folder, name, folder, buf_cstr(&older)) == 0;
	if (!ok)
		*why = strerror(errno);
	(void)close(folder);
	buf_free(&older);
	return ok;
}

void
query_file_close(struct query_file *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = -1;
}
