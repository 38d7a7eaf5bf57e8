#include "config.h"

#include "resolver/daemon/evidence_folder.h"

#include "base/random.h"
#include "base/replace.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_MODE 0750
#define FILE_MODE   0640

/* One refusal in the folder, or a file that a crash left. */
struct kept {
	char name[REFUSAL_NAME_MAX]; /* without .pem and .json; whole for what was left */
	int64_t made_ns;
	uint64_t bytes;
	bool left; /* of a file that was being written */
};

struct kept_list {
	struct kept *v; /* up to REFUSAL_COUNT_MAX + 1 */
	size_t n;
	uint64_t bytes;
};

const char *
evidence_name(char *out, const char *reason, const uint8_t *sha256, struct span certs)
{
	static const struct hash_key same = {{0, 0}}; /* the same name after a restart */
	char hex[17] = "0000000000000000";

	if (sha256 != NULL)
		(void)hex_write(hex, span_of(sha256, 8));
	(void)snprintf(out, REFUSAL_NAME_MAX, "%s-%s-%016llx", reason, hex,
		       (unsigned long long)hash_keyed(&same, certs));
	return out;
}

/* The name comes from the daemon, which an attacker may have taken over: a slash would lead out of the folder. Only
 * reason codes and hex are accepted. */
static bool
name_is_plain(const char *name)
{
	return name[0] != '\0' && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* ---- what is there */

/* The file's part before .pem or .json; false: it has another end. */
static bool
stem_of(char *stem, const char *file)
{
	const char *dot = strrchr(file, '.');
	size_t n = dot == NULL ? 0 : (size_t)(dot - file);

	if (dot == NULL || n >= REFUSAL_NAME_MAX || (strcmp(dot, ".pem") != 0 && strcmp(dot, ".json") != 0))
		return false;
	memcpy(stem, file, n);
	stem[n] = '\0';
	return true;
}

static void
kept_add(struct kept_list *list, const char *file, const struct stat *st)
{
	int64_t made = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
	char stem[REFUSAL_NAME_MAX];
	bool left = !stem_of(stem, file);
	size_t i = 0;

	if (left && snprintf(stem, sizeof stem, "%s", file) >= (int)sizeof stem)
		return;
	while (i < list->n && (left || list->v[i].left || strcmp(list->v[i].name, stem) != 0))
		i++;
	if (i > REFUSAL_COUNT_MAX)
		return;
	if (i == list->n) {
		list->v[list->n++] = (struct kept){.made_ns = made, .left = left};
		memcpy(list->v[i].name, stem, sizeof stem);
	}
	if (made < list->v[i].made_ns)
		list->v[i].made_ns = made;
	list->v[i].bytes += (uint64_t)st->st_size;
	list->bytes += (uint64_t)st->st_size;
}

static enum res
kept_read(struct kept_list *list, int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	struct stat st;

	list->v = calloc(REFUSAL_COUNT_MAX + 1, sizeof *list->v);
	if (dir == NULL || list->v == NULL) {
		if (dir != NULL)
			(void)closedir(dir);
		else if (fd >= 0)
			(void)close(fd);
		return list->v == NULL ? RES_NOMEM : RES_IO;
	}
	while ((e = readdir(dir)) != NULL)
		if (fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			kept_add(list, e->d_name, &st);
	(void)closedir(dir);
	return RES_OK;
}

/* ---- making room */

static void
kept_drop(struct kept_list *list, size_t at, int folder)
{
	static const char *const ends[] = {".pem", ".json"};
	char file[REFUSAL_NAME_MAX + 8];

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		(void)snprintf(file, sizeof file, "%s%s", list->v[at].name, list->v[at].left ? "" : ends[i]);
		(void)unlinkat(folder, file, 0);
	}
	list->bytes -= list->v[at].bytes;
	list->v[at] = list->v[--list->n];
}

/* Leftovers first, then the oldest. */
static size_t
kept_oldest(const struct kept_list *list)
{
	size_t oldest = 0;

	for (size_t i = 1; i < list->n; i++)
		if (list->v[i].left != list->v[oldest].left ? list->v[i].left
							    : list->v[i].made_ns < list->v[oldest].made_ns)
			oldest = i;
	return oldest;
}

static enum res
room_make(int folder, unsigned count, uint64_t bytes)
{
	struct kept_list list = {NULL, 0, 0};
	enum res res = kept_read(&list, folder);

	while (res == RES_OK && list.n > 0 &&
	       (list.n > count || list.bytes > bytes || list.v[kept_oldest(&list)].left))
		kept_drop(&list, kept_oldest(&list), folder);
	free(list.v);
	return res;
}

/* ---- */

static int
evidence_folder_open(int state_dir)
{
	if (mkdirat(state_dir, REFUSAL_FOLDER, FOLDER_MODE) != 0 && errno != EEXIST)
		return -1;
	return openat(state_dir, REFUSAL_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool
file_put(int folder, const char *name, const char *end, struct span content)
{
	char file[REFUSAL_NAME_MAX + 8];

	(void)snprintf(file, sizeof file, "%s%s", name, end);
	return file_replace_at(folder, file, content, FILE_MODE);
}

enum res
evidence_folder_put(int state_dir, const char *name, struct span pem, struct span json, unsigned count,
		    uint64_t bytes)
{
	char file[REFUSAL_NAME_MAX + 8];
	struct stat st;
	int folder, error;
	enum res res = RES_OK;

	if (count == 0 || pem.n + json.n > bytes)
		return RES_LIMIT;
	if (!name_is_plain(name)) {
		errno = EINVAL;
		return RES_MALFORMED;
	}
	folder = evidence_folder_open(state_dir);
	if (folder < 0)
		return RES_IO;
	(void)snprintf(file, sizeof file, "%s.json", name); /* it is written last */
	if (fstatat(folder, file, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		res = room_make(folder, count - 1, bytes - pem.n - json.n);
		if (res == RES_OK && !((pem.n == 0 || file_put(folder, name, ".pem", pem)) &&
				       file_put(folder, name, ".json", json)))
			res = RES_IO;
	}
	error = errno;
	(void)close(folder);
	errno = error;
	return res;
}
