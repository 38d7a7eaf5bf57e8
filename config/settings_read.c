/* The files: the main one, and conf.d beside it. */
#include "config.h"

#include "config/settings.h"

#include "base/path.h"
#include "config/file.h"
#include "config/reader.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_FILE SYSCONFDIR "/ctstub/ctstub.conf"

/* A link that leads nowhere: what it should lead to may be stricter than what would apply without it. */
static bool
is_dangling(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && access(path, F_OK) != 0;
}

/* Keeps the name as long as the settings live: places point to it. NULL: no memory. */
static const char *
file_name_keep(struct settings *s, const char *file)
{
	char **list = realloc(s->file, (s->n_file + 1) * sizeof *list);

	if (list == NULL)
		return NULL;
	s->file = list;
	list[s->n_file] = strdup(file);
	return list[s->n_file] == NULL ? NULL : list[s->n_file++];
}

static void
file_add(struct reader *r, const char *file)
{
	const char *kept = file_name_keep(r->s, file);
	struct buf text = buf_max(0);
	char *why = NULL;
	enum res res;

	if (kept == NULL) {
		r->nomem = true;
		return;
	}
	res = config_file_read(&text, file, CONFIG_FILE_MAX, &why);
	if (res == RES_OK) {
		(void)reader_text(r, kept, buf_span(&text));
	} else {
		config_errors_add(r->errors, (struct place){0}, "%s", why != NULL ? why : res_text(res));
		r->bad = true;
	}
	free(why);
	buf_free(&text);
}

/* "dir/ctstub.conf" gives "dir/conf.d". Yours; NULL: no memory. */
static char *
drop_in_folder(const char *file)
{
	const char *slash = strrchr(file, '/');
	struct buf b = buf_max(strlen(file) + 16);

	if (slash != NULL)
		buf_put(&b, span_of(file, (size_t)(slash - file) + 1));
	buf_text(&b, "conf.d");
	return buf_take_cstr(&b);
}

static int
is_drop_in(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 5, ".conf") == 0;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* bytes: the same order in every locale */
}

/* True, too, for a folder that cannot be read. */
static bool
has_drop_ins(const char *folder)
{
	struct dirent **entry = NULL;
	const char *cause;
	int fd = path_folder_open(folder, &cause), n;

	if (fd < 0)
		return errno != ENOENT || is_dangling(folder);
	n = scandirat(fd, ".", &entry, is_drop_in, by_name);
	(void)close(fd);
	for (int i = 0; i < n; i++)
		free(entry[i]);
	free(entry);
	return n != 0;
}

bool
settings_file_is_expected(const char *file)
{
	char *folder = drop_in_folder(file);
	bool expected = folder == NULL || access(file, F_OK) == 0 || errno != ENOENT || is_dangling(file) ||
			has_drop_ins(folder);

	free(folder);
	return expected;
}

const char *
settings_default_file(void)
{
	return settings_file_is_expected(DEFAULT_FILE) ? DEFAULT_FILE : NULL;
}

/* Each file is judged by itself (file.h), but anyone who can write the folder could remove one that makes the rules
 * stricter. */
static void
drop_in_folder_check(struct reader *r, const char *folder, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && path_folder_is_safe(&st))
		return;
	config_errors_add(
	    r->errors, (struct place){0},
	    "%s can be written by others or belongs to another user, a folder that only root or "
	    "the reading user can write was expected",
	    folder);
	r->bad = true;
}

static void
drop_ins_add(struct reader *r, const char *main_file)
{
	char *folder = drop_in_folder(main_file);
	struct dirent **entry = NULL;
	const char *cause;
	int fd, n;

	if (folder == NULL) {
		r->nomem = true;
		return;
	}
	fd = path_folder_open(folder, &cause);
	if (fd >= 0)
		drop_in_folder_check(r, folder, fd);
	n = fd < 0 ? -1 : scandirat(fd, ".", &entry, is_drop_in, by_name);
	if ((n < 0 && (errno != ENOENT || is_dangling(folder))) || n > CONFIG_FILES_MAX) {
		if (n < 0)
			config_errors_add(r->errors, (struct place){0}, "cannot read %s: %s", folder,
					  fd < 0 ? cause : strerror(errno));
		else
			config_errors_add(r->errors, (struct place){0},
					  "%s holds %d files, at most %d were expected", folder, n,
					  CONFIG_FILES_MAX);
		r->bad = true;
	}
	for (int i = 0; i < n; i++) {
		struct buf path = buf_max(strlen(folder) + sizeof entry[i]->d_name + 2);

		buf_format(&path, "%s/%s", folder, entry[i]->d_name);
		if (n > CONFIG_FILES_MAX) /* reported above */
			;
		else if (buf_cstr(&path) == NULL)
			r->nomem = true;
		else
			file_add(r, buf_cstr(&path));
		buf_free(&path);
		free(entry[i]);
	}
	if (fd >= 0)
		(void)close(fd);
	free(entry);
	free(folder);
}

enum res
settings_read_on(struct settings **out, const char *file, struct config_errors *errors)
{
	struct reader r;
	enum res res = reader_start(&r, errors);

	if (res == RES_OK && file != NULL) {
		file_add(&r, file);
		drop_ins_add(&r, file);
	}
	if (res == RES_OK)
		res = reader_finish(&r, out);
	if (res == RES_NOMEM)
		config_errors_add(errors, (struct place){0}, "%s", res_text(res));
	return res;
}

enum res
settings_read(struct settings **out, const char *file, struct config_errors *errors)
{
	struct settings *s = NULL;
	enum res res = settings_read_on(&s, file, errors);

	if (res == RES_OK)
		*out = s;
	else
		settings_free(s);
	return res;
}
