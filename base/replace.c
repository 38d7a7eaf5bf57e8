#include "config.h"

#include "base/replace.h"

#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t
file_read_some(int fd, void *to, size_t n)
{
	ssize_t got;

	do {
		got = read(fd, to, n);
	} while (got < 0 && errno == EINTR);
	return got;
}

bool
file_message_send(int socket, struct span message, int flags)
{
	ssize_t n;

	do {
		n = send(socket, message.p, message.n, flags | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)message.n;
}

ssize_t
file_read_at(int fd, void *to, size_t n, off_t from)
{
	size_t all = 0;
	ssize_t got = 1;

	while (all < n && got != 0) {
		got = pread(fd, (uint8_t *)to + all, n - all, from + (off_t)all);
		if (got < 0 && errno != EINTR)
			return -1;
		all += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)all;
}

bool
file_write_all(int fd, struct span content)
{
	while (content.n > 0) {
		ssize_t n = write(fd, content.p, content.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		content = span_slice(content, (size_t)n, content.n);
	}
	return true;
}

/* A new file in that folder, under a name that cannot be guessed. Gives its descriptor, or -1. */
static int
file_new(int folder, const char *name, char temporary[NAME_MAX + 1])
{
	int n = snprintf(temporary, NAME_MAX + 1, "%s.%08x%08x", name, random_u32(), random_u32());

	if (n > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* The folder's own entry must reach the disk as well. */
static bool
folder_sync(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		(void)close(fd);
	return ok;
}

static bool
file_put(int folder, const char *name, struct span content, mode_t mode, bool sync)
{
	char temporary[NAME_MAX + 1];
	int fd = file_new(folder, name, temporary), error;
	bool ok, renamed = false;

	if (fd < 0)
		return false;
	ok = file_write_all(fd, content) && (!sync || fsync(fd) == 0) && fchmod(fd, mode) == 0;
	renamed = ok && renameat(folder, temporary, folder, name) == 0;
	ok = renamed && (!sync || folder_sync(folder));
	error = errno;
	if (!renamed)
		(void)unlinkat(folder, temporary, 0);
	(void)close(fd);
	errno = error;
	return ok;
}

bool
file_replace_at(int folder, const char *name, struct span content, mode_t mode)
{
	return file_put(folder, name, content, mode, true);
}

bool
file_show_at(int folder, const char *name, struct span content, mode_t mode)
{
	return file_put(folder, name, content, mode, false);
}
