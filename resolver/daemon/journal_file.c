#include "config.h"

#include "resolver/daemon/journal_file.h"

#include "base/path.h"
#include "base/random.h"
#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0640
/* Records that may be carried over; those of JOURNAL_KNOWN_MAX have 1 KiB at least. */
#define CHOICES_MAX 4096
#define OPEN_FLAGS  (O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* ---- what is carried over into a new file */

struct choice {
	uint64_t address, what; /* hashes: of upstream and address, and of the certificate too */
	bool older;             /* it is in the older file */
	size_t record;          /* its number in its file */
	size_t n;               /* bytes of its line */
	bool taken;
};

struct carry {
	struct hash_key key;
	struct choice *v; /* CHOICES_MAX; of each certificate the latest record */
	size_t n;
	bool older;      /* the older file is read */
	size_t record;   /* the number of the one that is read */
	struct buf *out; /* in the second reading */
};

static bool
is_accepted(const struct journal_record *r)
{
	return r->kind != JOURNAL_REFUSED;
}

static struct choice
choice_of(const struct carry *c, const struct journal_record *r)
{
	struct buf b = buf_max(4096), line = buf_max(JOURNAL_LINE_MAX + 1);
	struct choice one = {.older = c->older, .record = c->record};

	buf_put(&b, span_slice(r->upstream, 0, 1024));
	buf_u8(&b, 0);
	buf_put(&b, span_slice(r->address, 0, 256));
	one.address = hash_keyed(&c->key, buf_span(&b));
	buf_u8(&b, 0);
	buf_put(&b, span_slice(r->sha256, 0, 256));
	buf_put(&b, span_slice(r->issuer_spki_sha256, 0, 256));
	one.what = hash_keyed(&c->key, buf_span(&b));
	if (journal_write(&line, r) == RES_OK)
		one.n = line.n;
	buf_free(&b);
	buf_free(&line);
	return one;
}

/* A later record of the same certificate replaces an earlier one, and the oldest makes room. */
static void
choice_on_record(void *ctx, const struct journal_record *r)
{
	struct carry *c = ctx;
	struct choice one;
	size_t at = 0;

	c->record++;
	if (!is_accepted(r))
		return;
	one = choice_of(c, r);
	while (at < c->n && c->v[at].what != one.what)
		at++;
	if (at == c->n && c->n == CHOICES_MAX)
		at = 0;
	if (at < c->n) {
		for (; at + 1 < c->n; at++)
			c->v[at] = c->v[at + 1];
		c->n--;
	}
	if (one.n > 0)
		c->v[c->n++] = one;
}

/* Is it the latest record of its address? */
static bool
is_latest(const struct carry *c, size_t at)
{
	for (size_t i = at + 1; i < c->n; i++)
		if (c->v[i].address == c->v[at].address)
			return false;
	return true;
}

/* The latest record of each address first, then what there is room for, the newest before older ones. */
static void
choices_take(struct carry *c, size_t max)
{
	size_t n = 0;

	for (int latest = 1; latest >= 0; latest--)
		for (size_t i = c->n; i-- > 0;)
			if (!c->v[i].taken && (latest == 0 || is_latest(c, i)) && n + c->v[i].n <= max) {
				c->v[i].taken = true;
				n += c->v[i].n;
			}
}

static void
carry_on_record(void *ctx, const struct journal_record *r)
{
	struct carry *c = ctx;
	struct journal_record known = *r;

	c->record++;
	known.kind = JOURNAL_KNOWN;
	known.news = 0;
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].taken && c->v[i].older == c->older && c->v[i].record == c->record)
			(void)journal_write(c->out, &known);
}

static enum res
carry_read(struct carry *c, int fd, bool older, journal_record_fn on_record)
{
	struct journal_counts counts = {0};

	c->older = older;
	c->record = 0;
	return lseek(fd, 0, SEEK_SET) == 0 ? journal_file_read(fd, &counts, on_record, c) : RES_IO;
}

/* What the two files know of the upstreams, as lines. older -1: there is none. One that cannot be read must not keep the other
 * from being rotated. */
static enum res
known_collect(int older, int fd, struct buf *out)
{
	struct carry c = {.key = hash_key_random(), .v = malloc(CHOICES_MAX * sizeof *c.v), .out = out};
	enum res res = RES_NOMEM;

	if (c.v == NULL)
		return res;
	if (older >= 0)
		(void)carry_read(&c, older, true, choice_on_record);
	res = carry_read(&c, fd, false, choice_on_record);
	if (res == RES_OK) {
		choices_take(&c, out->max);
		if (older >= 0)
			(void)carry_read(&c, older, true, carry_on_record);
		res = carry_read(&c, fd, false, carry_on_record);
	}
	free(c.v);
	return res;
}

/* ---- the file */

/* The file becomes the older one, and a new file takes its place. If that fails, on a full disk or by a crash between the two,
 * the next file begins without what was known: so the older one is asked as well the next time. */
static bool
rotate(int state_dir, int fd, uint64_t max)
{
	uint64_t half = max / 2;
	struct buf known = buf_max(half < JOURNAL_KNOWN_MAX ? (size_t)half : JOURNAL_KNOWN_MAX);
	struct stat st;
	const char *why;
	int older = path_file_open_at(state_dir, JOURNAL_OLDER, &st, &why);
	bool ok = known_collect(older, fd, &known) == RES_OK &&
		  renameat(state_dir, JOURNAL_FILE, state_dir, JOURNAL_OLDER) == 0 &&
		  file_replace_at(state_dir, JOURNAL_FILE, buf_span(&known), FILE_MODE);
	int error = errno;

	if (older >= 0)
		(void)close(older);
	buf_free(&known);
	errno = error;
	return ok;
}

/* The size without a line that was cut short; one that is longer than any line is left, with an end. */
static off_t
whole_size(int fd, off_t size)
{
	uint8_t last[4096];
	off_t at = size;

	while (at > 0 && size - at < JOURNAL_LINE_MAX) {
		off_t from = at > (off_t)sizeof last ? at - (off_t)sizeof last : 0;
		ssize_t n = file_read_at(fd, last, (size_t)(at - from), from);

		if (n >= 0 && n != at - from)
			errno = EIO; /* another program made it shorter */
		if (n != at - from)
			return -1;
		for (ssize_t i = n; i > 0; i--)
			if (last[i - 1] == '\n')
				return from + i;
		at = from;
	}
	return at == 0 ? 0 : size;
}

/* Its descriptor and size, ready for a whole line; or -1. */
static int
file_ready(int state_dir, off_t *size)
{
	int fd = openat(state_dir, JOURNAL_FILE, OPEN_FLAGS | O_CREAT, FILE_MODE), error;
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		errno = EINVAL;
	else if (fstat(fd, &st) == 0 && (*size = whole_size(fd, st.st_size)) >= 0 &&
		 (*size == st.st_size || ftruncate(fd, *size) == 0)) {
		/* Whatever the umask: the group's programs read it, such as the update of the list of CT logs. */
		if (st.st_size == 0)
			(void)!fchmod(fd, FILE_MODE);
		return fd;
	}
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

/* The whole line or nothing of it: a full disk takes a part. */
static bool
line_write(int fd, off_t size, struct span line)
{
	int error;

	if (lseek(fd, size, SEEK_SET) == size && file_write_all(fd, line) && fdatasync(fd) == 0)
		return true;
	error = errno;
	(void)!ftruncate(fd, size);
	errno = error;
	return false;
}

enum res
journal_file_append(int state_dir, struct span line, uint64_t max)
{
	off_t size = 0;
	int fd = file_ready(state_dir, &size), error;
	bool ok = fd >= 0;

	if (ok && size > 0 && (uint64_t)size + line.n > max) {
		ok = rotate(state_dir, fd, max);
		error = errno;
		(void)close(fd);
		errno = error;
		fd = ok ? file_ready(state_dir, &size) : -1;
		ok = fd >= 0;
	}
	ok = ok && line_write(fd, size, line);
	error = errno;
	if (fd >= 0)
		(void)close(fd);
	errno = error;
	return ok ? RES_OK : RES_IO;
}
