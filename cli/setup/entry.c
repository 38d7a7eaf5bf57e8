#include "config.h"

#include "cli/setup/entry.h"

#include "base/path.h"
#include "base/random.h"
#include "base/replace.h"
#include "base/text.h"
#include "cli/setup/xattrs.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
entry_free(struct entry *e)
{
	buf_free(&e->bytes);
	buf_free(&e->xattrs);
}

/* ---- reading */

static enum res
file_fill(struct entry *e, int fd)
{
	uint8_t chunk[4096];
	ssize_t n;

	while ((n = file_read_some(fd, chunk, sizeof chunk)) != 0) {
		if (n < 0)
			return RES_IO;
		buf_put(&e->bytes, span_of(chunk, (size_t)n));
		if (!buf_ok(&e->bytes))
			return RES_LIMIT;
	}
	return RES_OK;
}

static enum res
file_read(struct entry *e, int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	enum res res = RES_IO;

	if (fd < 0)
		return RES_IO;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		e->mode = st.st_mode & 07777;
		e->uid = st.st_uid;
		e->gid = st.st_gid;
		e->mtime = st.st_mtim;
		res = file_fill(e, fd);
		if (res == RES_OK)
			res = xattrs_get(&e->xattrs, fd);
	}
	(void)close(fd);
	return res;
}

static enum res
link_read(struct entry *e, int folder, const char *name, const struct stat *st)
{
	char target[ENTRY_TARGET_MAX];
	ssize_t n = readlinkat(folder, name, target, sizeof target);

	if (n < 0)
		return RES_IO;
	if ((size_t)n == sizeof target)
		return RES_LIMIT;
	e->uid = st->st_uid;
	e->gid = st->st_gid;
	e->mtime = st->st_mtim;
	buf_put(&e->bytes, span_of(target, (size_t)n));
	return buf_ok(&e->bytes) ? RES_OK : RES_NOMEM;
}

static enum res
read_in(struct entry *e, int folder, const char *name)
{
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? RES_OK : RES_IO;
	if (S_ISREG(st.st_mode)) {
		e->kind = ENTRY_FILE;
		return file_read(e, folder, name);
	}
	if (S_ISLNK(st.st_mode)) {
		e->kind = ENTRY_LINK;
		return link_read(e, folder, name, &st);
	}
	return RES_UNSUPPORTED;
}

enum res
entry_read(struct entry *e, const char *path)
{
	const char *name, *why;
	int folder = path_parent_open(path, &name, &why);
	enum res res;

	*e = (struct entry){
	    .kind = ENTRY_ABSENT, .bytes = buf_max(ENTRY_FILE_MAX), .xattrs = buf_max(ENTRY_XATTRS_MAX)};
	if (folder < 0)
		return errno == ENOENT || errno == ENOTDIR ? RES_OK : RES_IO;
	res = read_in(e, folder, name);
	(void)close(folder);
	return res;
}

/* ---- comparing */

bool
entry_equal(const struct entry *a, const struct entry *b)
{
	return a->kind == b->kind &&
	       (a->kind == ENTRY_ABSENT ||
		(span_equal(buf_span(&a->bytes), buf_span(&b->bytes)) && a->uid == b->uid &&
		 a->gid == b->gid && (a->kind == ENTRY_LINK || a->mode == b->mode)));
}

enum res
entry_digest(char digest[ENTRY_DIGEST_LEN], const struct entry *e)
{
	struct buf text = buf_max(ENTRY_FILE_MAX + 128);
	uint8_t hash[32];
	bool ok;

	buf_format(&text, "%d %o %u %u\n", (int)e->kind, e->kind == ENTRY_FILE ? (unsigned)e->mode : 0U,
		   (unsigned)e->uid, (unsigned)e->gid);
	buf_put(&text, buf_span(&e->bytes));
	ok = buf_ok(&text) && gnutls_hash_fast(GNUTLS_DIG_SHA256, text.p, text.n, hash) == 0;
	buf_free(&text);
	if (!ok)
		return RES_NOMEM;
	(void)hex_write(digest, span_of(hash, sizeof hash));
	return RES_OK;
}

/* ---- writing */

static bool
file_finish(int fd, const struct entry *e)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, e->mtime};

	if (!file_write_all(fd, buf_span(&e->bytes)) || fchown(fd, e->uid, e->gid) != 0 ||
	    fchmod(fd, e->mode) != 0)
		return false;
	xattrs_put(fd, buf_span(&e->xattrs));
	if (e->mtime.tv_sec != 0 && futimens(fd, times) != 0)
		return false;
	return fsync(fd) == 0;
}

static bool
file_make(int folder, const char *name, const struct entry *e)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0)
		return false;
	ok = file_finish(fd, e);
	return close(fd) == 0 && ok;
}

static bool
link_make(int folder, const char *name, const struct entry *e)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, e->mtime};
	char target[ENTRY_TARGET_MAX + 1];

	if (e->bytes.n > ENTRY_TARGET_MAX) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(target, e->bytes.p, e->bytes.n);
	target[e->bytes.n] = '\0';
	return symlinkat(target, folder, name) == 0 &&
	       fchownat(folder, name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (e->mtime.tv_sec == 0 || utimensat(folder, name, times, AT_SYMLINK_NOFOLLOW) == 0);
}

/* Over a mount point no other file can be renamed. */
static bool
write_in_place(int folder, const char *name, const struct entry *e)
{
	int fd = openat(folder, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	/* Cut at the end: on a full disk the file must not be left empty. */
	ok = file_finish(fd, e) && ftruncate(fd, (off_t)e->bytes.n) == 0;
	return close(fd) == 0 && ok;
}

static bool
replace_in(int folder, const char *name, const struct entry *e)
{
	char temporary[NAME_MAX + 1];
	int error;

	if (e->kind == ENTRY_ABSENT)
		return unlinkat(folder, name, 0) == 0 || errno == ENOENT;
	if (snprintf(temporary, sizeof temporary, ".%s.%08x", name, random_u32()) > NAME_MAX) {
		errno = ENAMETOOLONG;
		return false;
	}
	if ((e->kind == ENTRY_FILE ? file_make : link_make)(folder, temporary, e) &&
	    renameat(folder, temporary, folder, name) == 0)
		return true;
	error = errno;
	(void)unlinkat(folder, temporary, 0);
	errno = error;
	return error == EBUSY && e->kind == ENTRY_FILE && write_in_place(folder, name, e);
}

enum res
entry_write(const char *path, const struct entry *e)
{
	const char *name, *why;
	int folder = path_parent_open(path, &name, &why), error;
	bool ok;

	if (folder < 0)
		return e->kind == ENTRY_ABSENT && errno == ENOENT ? RES_OK : RES_IO;
	ok = replace_in(folder, name, e);
	error = errno;
	(void)close(folder);
	errno = error;
	return ok ? RES_OK : RES_IO;
}
