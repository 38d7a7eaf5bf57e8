#include "config.h"

#include "resolver/daemon/folder_lock.h"

#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE  0640
#define OPEN_FLAGS (O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define NUMBER_MAX 16 /* bytes of a process's number and a line end */

/* A folder or a file that was replaced or removed meanwhile can be locked by another process. */
static bool
is_held(const struct folder_lock *lock, const struct stat *folder)
{
	struct stat st;

	return lock->fd >= 0 && lock->dev == folder->st_dev && lock->ino == folder->st_ino &&
	       fstat(lock->fd, &st) == 0 && st.st_nlink > 0;
}

static pid_t
holder_read(int fd)
{
	char text[NUMBER_MAX + 1] = "";
	ssize_t n = file_read_at(fd, (uint8_t *)text, NUMBER_MAX, 0);

	return n > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

/* A full disk has no room for it: then others are told no number. */
static void
holder_write(int fd, pid_t self)
{
	char text[NUMBER_MAX];
	int n = snprintf(text, sizeof text, "%ld\n", (long)self);

	if (ftruncate(fd, 0) == 0)
		(void)file_write_all(fd, span_of(text, (size_t)n));
}

/* Where no file can be made, the journal may be there already, and be written. */
static bool
is_without_room(int error)
{
	return error == EACCES || error == EROFS || error == ENOSPC || error == EDQUOT;
}

static enum res
file_open(int folder, int *fd)
{
	struct stat st;

	*fd = openat(folder, FOLDER_LOCK_FILE, OPEN_FLAGS, FILE_MODE);
	if (*fd < 0)
		return RES_IO;
	if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode))
		return RES_OK;
	(void)close(*fd);
	errno = EINVAL;
	return RES_IO;
}

enum res
folder_lock_take(struct folder_lock *lock, int folder, pid_t self, pid_t *holder)
{
	struct stat at;
	enum res res;
	int fd;

	if (fstat(folder, &at) != 0)
		return RES_IO;
	if (is_held(lock, &at))
		return RES_OK;
	folder_lock_give(lock);
	if ((res = file_open(folder, &fd)) != RES_OK)
		return is_without_room(errno) ? RES_OK : res;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		bool taken = errno == EWOULDBLOCK;

		if (taken)
			*holder = holder_read(fd);
		(void)close(fd);
		return taken ? RES_LIMIT : RES_OK;
	}
	holder_write(fd, self);
	*lock = (struct folder_lock){.fd = fd, .dev = at.st_dev, .ino = at.st_ino};
	return RES_OK;
}

void
folder_lock_give(struct folder_lock *lock)
{
	if (lock->fd >= 0)
		(void)close(lock->fd);
	lock->fd = -1;
}
