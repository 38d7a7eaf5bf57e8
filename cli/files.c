#include "config.h"

#include "cli/files.h"

#include "base/path.h"
#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void
cannot_write(char **why, const char *path, const char *cause, int error)
{
	struct buf text = buf_max(8192);

	buf_format(&text, "cannot write %s: %s%s", path, cause, error == EACCES ? ": run with sudo" : "");
	*why = buf_take_cstr(&text);
}

typedef int (*folder_opener)(const char *path, const char **name, const char **why);

static enum res
content_replace(folder_opener open_folder, const char *file, struct span content, char **why)
{
	const char *name, *cause = NULL;
	int folder = open_folder(file, &name, &cause);
	bool ok = folder >= 0 && file_replace_at(folder, name, content, 0644);
	int error = errno;

	if (!ok)
		cannot_write(why, file, folder < 0 ? cause : strerror(error), error);
	if (folder >= 0)
		(void)close(folder);
	return ok ? RES_OK : RES_IO;
}

enum res
files_replace(const char *file, struct span content, char **why)
{
	return content_replace(path_parent_open, file, content, why);
}

enum res
files_replace_named(const char *file, struct span content, char **why)
{
	return content_replace(path_target_open, file, content, why);
}

static enum res
place_check(int folder, const char *path, const char *cause, char **why)
{
	int error = errno;

	if (folder >= 0 && faccessat(folder, ".", W_OK | X_OK, 0) == 0) {
		(void)close(folder);
		return RES_OK;
	}
	if (folder >= 0) {
		error = errno;
		cause = strerror(error);
		(void)close(folder);
	}
	cannot_write(why, path, cause, error);
	return error == ENOENT || error == ENOTDIR ? RES_NOT_FOUND : RES_IO;
}

enum res
files_target_check(const char *file, char **why)
{
	const char *name, *cause = NULL;
	int folder = path_target_open(file, &name, &cause);

	return place_check(folder, file, cause, why);
}

enum res
files_folder_check(const char *path, char **why)
{
	const char *cause = NULL;
	int folder = path_folder_open(path, &cause);

	return place_check(folder, path, cause, why);
}
