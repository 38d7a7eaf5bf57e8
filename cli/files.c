#include "config.h"

#include "cli/files.h"

#include "base/path.h"
#include "base/replace.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

typedef int (*folder_opener)(const char *path, const char **name, const char **why);

static enum res
content_replace(folder_opener open_folder, const char *file, struct span content, char **why)
{
	struct buf text = buf_max(8192);
	const char *name, *cause = NULL;
	int folder = open_folder(file, &name, &cause);
	bool ok = folder >= 0 && file_replace_at(folder, name, content, 0644);

	if (!ok) {
		int error = errno;

		buf_format(&text, "cannot write %s: %s%s", file, folder < 0 ? cause : strerror(error),
			   error == EACCES ? ": run with sudo" : "");
		*why = buf_take_cstr(&text);
	}
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
