#include "config.h"

#include "cli/files.h"

#include "base/path.h"
#include "base/replace.h"

#include <errno.h>
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
check_result(int error, const char *path, const char *cause, char **why)
{
	if (error == 0)
		return RES_OK;
	cannot_write(why, path, cause, error);
	return error == ENOENT || error == ENOTDIR ? RES_NOT_FOUND : RES_IO;
}

enum res
files_target_check(const char *file, char **why)
{
	const char *cause = NULL;
	int error = path_target_check(file, &cause);

	return check_result(error, file, cause, why);
}

enum res
files_folder_check(const char *path, char **why)
{
	const char *cause = NULL;
	int error = path_folder_check(path, &cause);

	return check_result(error, path, cause, why);
}
