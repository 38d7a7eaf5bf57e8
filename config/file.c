#include "config/file.h"

#include "base/path.h"
#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_CHUNK    (256 * 1024)
#define WHY_MAX       8704    /* a path and a sentence */
#define PROC_FILE_MAX 4096    /* a map of ids has at most 340 lines, and all but odd ones have three */
#define OVERFLOW_UID  "65534" /* where the kernel does not say */

__attribute__((format(printf, 2, 3))) static enum res
refuse(char **why, const char *format, ...)
{
	char text[WHY_MAX];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	*why = strdup(text);
	return RES_IO;
}

/* Does a line of uid_map (user_namespaces(7)) include this user? */
static bool
map_has(const char *map, unsigned long uid)
{
	unsigned long inside, outside, n;
	int used;

	for (; sscanf(map, "%lu %lu %lu%n", &inside, &outside, &n, &used) == 3; map += used)
		if (uid >= inside && uid - inside < n)
			return true;
	return false;
}

/* A small file of /proc into text, which is empty when it cannot be read. */
static void
proc_read(char text[PROC_FILE_MAX], const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : file_read_some(fd, text, PROC_FILE_MAX - 1);

	text[n < 0 ? 0 : n] = '\0';
	if (fd >= 0)
		(void)close(fd);
}

/*
 * In a user namespace every owner that it does not map looks like the overflow user. Such a file belongs to a user
 * outside, whom no process inside can become, so only its mode says who may write it. Where the overflow user is mapped
 * itself, the file may be its own: that is another user.
 */
static bool
owner_is_unmapped(uid_t uid)
{
	char map[PROC_FILE_MAX], overflow[PROC_FILE_MAX];

	proc_read(map, "/proc/self/uid_map");
	proc_read(overflow, "/proc/sys/kernel/overflowuid");
	return map[0] != '\0' && strtoul(overflow[0] != '\0' ? overflow : OVERFLOW_UID, NULL, 10) == uid &&
	       !map_has(map, uid);
}

/*
 * Can this file be trusted? Anyone who can write it decides whom we trust. The open file is checked, so that swapping a
 * link meanwhile changes nothing. A group may have write access only if it is the owner's own (umask 002).
 */
static enum res
owner_check(const char *file, const struct stat *st, char **why)
{
	uid_t me = geteuid();

	if (st->st_uid != 0 && st->st_uid != me && !owner_is_unmapped(st->st_uid))
		return refuse(why,
			      "%s belongs to another user (uid %u), root or the reading user was expected",
			      file, (unsigned)st->st_uid);
	if ((st->st_mode & S_IWOTH) != 0 ||
	    ((st->st_mode & S_IWGRP) != 0 && (me == 0 || st->st_uid != me || st->st_gid != getegid())))
		return refuse(
		    why,
		    "%s can be written by others (mode %04o), a file that only its owner can write was "
		    "expected",
		    file, (unsigned)(st->st_mode & 07777));
	return RES_OK;
}

/* The size that the file seems to have, and one byte to notice its end: most files are small, and a large buffer is slow
 * to make. */
static size_t
room_wanted(const struct buf *b, int fd)
{
	size_t left = b->max - b->n, want = READ_CHUNK;
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_size >= 0 && (uint64_t)st.st_size >= b->n &&
	    (uint64_t)st.st_size - b->n < READ_CHUNK)
		want = (size_t)st.st_size - b->n + 1;
	return want < left ? want : left;
}

/* b can hold one byte more than is allowed: that byte shows that there is more. */
static enum res
read_all(struct buf *b, int fd, const char *file, char **why)
{
	for (;;) {
		size_t room = room_wanted(b, fd);
		uint8_t *to = buf_room(b, room);
		ssize_t n;

		if (to == NULL)
			return RES_NOMEM;
		if (room == 0)
			return refuse(why, "%s is larger than %zu bytes", file, b->max - 1);
		n = file_read_some(fd, to, room);
		if (n == 0)
			return RES_OK;
		if (n < 0)
			return refuse(why, "cannot read %s: %s", file, strerror(errno));
		buf_added(b, (size_t)n);
	}
}

static enum res
file_take(struct buf *out, int fd, const char *file, size_t max, char **why)
{
	struct buf b = buf_max(max + 1);
	enum res res = read_all(&b, fd, file, why);

	if (res == RES_OK) {
		buf_free(out);
		*out = b;
	} else {
		buf_free(&b);
	}
	return res;
}

enum res
config_file_read(struct buf *out, const char *file, size_t max, char **why)
{
	const char *cause;
	enum res res;
	struct stat st;
	int fd = path_file_open(file, &st, &cause);

	*why = NULL;
	if (fd < 0)
		return refuse(why, "cannot read %s: %s", file, cause);
	res = (uintmax_t)st.st_size > max ? refuse(why, "%s is larger than %zu bytes", file, max)
					  : owner_check(file, &st, why);
	if (res == RES_OK)
		res = file_take(out, fd, file, max, why);
	(void)close(fd);
	return res;
}

enum res
config_file_read_any(struct buf *out, const char *file, size_t max, char **why)
{
	int fd = strcmp(file, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
					: open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum res res = RES_OK;
	struct stat st;

	*why = NULL;
	if (fd < 0 || fstat(fd, &st) != 0)
		res = refuse(why, "cannot read %s: %s", file, strerror(errno));
	else if (S_ISREG(st.st_mode) && (uintmax_t)st.st_size > max)
		res = refuse(why, "%s is larger than %zu bytes", file, max);
	if (res == RES_OK)
		res = file_take(out, fd, file, max, why);
	if (fd >= 0)
		(void)close(fd);
	return res;
}

/* State must be written by the folder's owner, or by root for that owner, and by nobody else. A file of root's must have
 * one link only: with a second name elsewhere it may not be what root wrote here. */
static bool
is_state(const struct stat *folder, const struct stat *st)
{
	bool by_root = st->st_uid == 0 && (st->st_nlink == 1 || folder->st_uid == 0);

	return (by_root || st->st_uid == geteuid() || st->st_uid == folder->st_uid) &&
	       ((st->st_mode | folder->st_mode) & S_IWOTH) == 0;
}

enum res
config_state_read(struct buf *out, const char *folder, const char *name, size_t max, char **why)
{
	char file[WHY_MAX / 2];
	const char *cause = NULL;
	struct stat dir, st;
	int in = path_folder_open(folder, &cause), fd = -1, error = errno;
	enum res res = RES_OK;

	*why = NULL;
	(void)snprintf(file, sizeof file, "%s/%s", folder, name);
	if (in >= 0) {
		fd = path_file_open_at(in, name, &st, &cause);
		error = errno;
	}
	if (fd < 0)
		res = error == ENOENT ? RES_NOT_FOUND : refuse(why, "cannot read %s: %s", file, cause);
	else if ((uintmax_t)st.st_size > max)
		res = refuse(why, "%s is larger than %zu bytes", file, max);
	else if (fstat(in, &dir) != 0 || !is_state(&dir, &st))
		res = refuse(why, "%s: can be written by others, or belongs to another user than its folder",
			     file);
	if (res == RES_OK)
		res = file_take(out, fd, file, max, why);
	if (fd >= 0)
		(void)close(fd);
	if (in >= 0)
		(void)close(in);
	return res;
}
