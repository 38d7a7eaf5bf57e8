#include "cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
write_all(int fd, struct span content)
{
	while (content.n > 0) {
		ssize_t n = write(fd, content.p, content.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		content = span_slice(content, (size_t)n, content.n);
	}
	return fsync(fd) == 0;
}

/* The folder's own entry must reach the disk as well. */
static bool
folder_sync(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *folder = slash == NULL   ? strdup(".")
		       : slash == file ? strdup("/")
				       : strndup(file, (size_t)(slash - file));
	int fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		(void)close(fd);
	free(folder);
	return ok;
}

enum res
file_replace(const char *file, struct span content, char **why)
{
	struct buf name = buf_max(4096), text = buf_max(8192);
	char *temporary;
	enum res res = RES_IO;
	int fd = -1;

	buf_format(&name, "%s.XXXXXX", file);
	temporary = buf_take_cstr(&name);
	if (temporary == NULL)
		return RES_NOMEM;
	fd = mkstemp(temporary);
	if (fd >= 0 && write_all(fd, content) && fchmod(fd, 0644) == 0 && rename(temporary, file) == 0 &&
	    folder_sync(file)) {
		res = RES_OK;
	} else {
		buf_format(&text, "cannot write %s: %s", file, strerror(errno));
		*why = buf_take_cstr(&text);
		if (fd >= 0)
			(void)unlink(temporary);
	}
	if (fd >= 0)
		(void)close(fd);
	free(temporary);
	return res;
}
