#include "resolver/daemon/portal_reach.h"

#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* errno, or 0: there is a socket. */
static int
socket_look(const char *path)
{
	const char *name, *why;
	struct stat st;
	int folder = path_parent_open(path, &name, &why), error;

	if (folder < 0)
		return errno;
	error = fstatat(folder, name, &st, 0) != 0 ? errno : S_ISSOCK(st.st_mode) ? 0 : ENOTSOCK;
	(void)close(folder);
	return error;
}

const char *
portal_reach_trouble(const struct settings *s, int error)
{
	int look;

	if (!s->portal_enable)
		return NULL;
	look = socket_look(s->portal_socket);
	if (look == 0)
		look = error; /* nobody listens behind the socket */
	return look == 0 ? NULL : strerror(look);
}
