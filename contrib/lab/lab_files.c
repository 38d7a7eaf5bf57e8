#include "config.h"

#include "contrib/lab/lab_files.h"

#include "base/path.h"
#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum res
lab_path_join(char out[FILE_PATH_MAX], const char *folder, const char *name)
{
	int n = snprintf(out, FILE_PATH_MAX, "%s/%s", folder, name);

	return n > 0 && n < FILE_PATH_MAX ? RES_OK : RES_LIMIT;
}

enum res
lab_file_read(struct buf *out, const char *path)
{
	const size_t step = 65536;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum res res = RES_OK;
	ssize_t n = 1;

	if (fd < 0)
		return errno == ENOENT ? RES_NOT_FOUND : RES_IO;
	while (n > 0) {
		size_t left = out->max - out->n;
		uint8_t *room = buf_room(out, left < step ? left : step);

		if (left == 0 || room == NULL) {
			res = room == NULL ? RES_NOMEM : RES_LIMIT;
			break;
		}
		n = file_read_some(fd, room, left < step ? left : step);
		if (n < 0)
			res = RES_IO;
		else
			buf_added(out, (size_t)n);
	}
	close(fd);
	return res;
}

/* The content in a new file beside `path`, whose name goes to part. */
static enum res
part_write(char part[FILE_PATH_MAX], const char *path, struct span content, unsigned mode)
{
	int fd;
	bool done;

	if (snprintf(part, FILE_PATH_MAX, "%s.XXXXXX", path) >= FILE_PATH_MAX)
		return RES_LIMIT;
	fd = mkostemp(part, O_CLOEXEC);
	if (fd < 0)
		return RES_IO;
	done = fchmod(fd, mode) == 0 && file_write_all(fd, content);
	done = close(fd) == 0 && done;
	if (!done)
		unlink(part);
	return done ? RES_OK : RES_IO;
}

/* Is it a device, a FIFO or a socket, or /dev/stdout, whatever that is? Such a file is written to, not replaced. */
static bool
is_device(const char *path)
{
	struct stat st;

	return path_is_descriptor(path) ||
	       (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode));
}

static enum res
device_write(const char *path, struct span content)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);
	bool done = fd >= 0 && file_write_all(fd, content);

	if (fd >= 0)
		close(fd);
	return done ? RES_OK : RES_IO;
}

enum res
lab_file_write(const char *path, struct span content, unsigned mode)
{
	char part[FILE_PATH_MAX];
	enum res res;

	if (is_device(path))
		return device_write(path, content);
	res = part_write(part, path, content, mode);
	if (res == RES_OK && rename(part, path) < 0) {
		unlink(part);
		res = RES_IO;
	}
	return res;
}

enum res
lab_file_check(const char *path)
{
	char folder[FILE_PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);
	struct stat st;
	bool ok;

	if (is_device(path))
		return access(path, W_OK) == 0 ? RES_OK : RES_IO;
	if (n >= sizeof folder)
		return RES_LIMIT;
	memcpy(folder, path, n);
	folder[n] = '\0';
	ok = access(slash == NULL ? "." : n == 0 ? "/" : folder, W_OK | X_OK) == 0;
	if (ok && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		ok = false;
	}
	return ok ? RES_OK : errno == ENOENT || errno == ENOTDIR ? RES_NOT_FOUND : RES_IO;
}

enum res
lab_file_create(const char *path, struct span content, unsigned mode)
{
	char part[FILE_PATH_MAX];
	enum res res = part_write(part, path, content, mode);

	if (res != RES_OK)
		return res;
	if (link(part, path) < 0)
		res = errno == EEXIST ? RES_LIMIT : RES_IO;
	unlink(part);
	return res;
}

enum res
lab_folder_make(const char *path)
{
	char part[FILE_PATH_MAX];
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof part)
		return RES_LIMIT;
	memcpy(part, path, n + 1);
	for (size_t i = 1; i <= n; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return RES_IO;
		part[i] = path[i];
	}
	return RES_OK;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st, (void)kind, (void)walk;
	return remove(path);
}

void
lab_folder_remove(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
