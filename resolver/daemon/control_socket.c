#include "config.h"

#include "resolver/daemon/control_socket.h"

#include "base/path.h"
#include "base/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- the folder */

/* True: act as the owner in this folder, because others may write to it. */
static bool
folder_is_shared(int folder, const struct control_owner *owner)
{
	struct stat st;

	return owner->give && (fstat(folder, &st) != 0 || !path_folder_is_safe(&st));
}

static void
act_as(bool owner_acts, const struct control_owner *owner)
{
	if (owner_acts)
		sandbox_act_as(owner->uid, owner->gid);
}

static void
act_as_self(bool owner_acted)
{
	if (owner_acted)
		sandbox_act_as_self();
}

/* Gives a folder that was just made, where nobody else could have replaced it, to the owner. */
static bool
folder_give(int parent, const char *name, const struct control_owner *owner)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool ok = fd >= 0 && fchown(fd, owner->uid, owner->gid) == 0;

	if (fd >= 0)
		(void)close(fd);
	return ok;
}

static void
folder_make(const char *folder, const struct control_owner *owner)
{
	const char *name, *why;
	int parent = path_parent_open(folder, &name, &why);
	bool shared, made;

	if (parent < 0)
		return;
	shared = folder_is_shared(parent, owner);
	act_as(shared, owner);
	made = mkdirat(parent, name, 0755) == 0;
	act_as_self(shared);
	if (made && owner->give && !shared)
		(void)folder_give(parent, name, owner);
	(void)close(parent);
}

/* Opens the folder of the socket; it is made unless systemd or tmpfiles made it. */
static const char *
folder_open(struct control_socket *s, const char *path, const struct control_owner *owner)
{
	const char *name, *why = NULL;
	char *folder;

	s->folder = path_parent_open(path, &name, &why);
	if (s->folder < 0 && errno == ENOENT && name > path + 1) {
		folder = strndup(path, (size_t)(name - path) - 1);
		if (folder != NULL)
			folder_make(folder, owner);
		free(folder);
		s->folder = path_parent_open(path, &name, &why);
	}
	if (s->folder < 0)
		return why;
	s->name = strdup(name);
	return s->name != NULL ? NULL : strerror(ENOMEM);
}

/* ---- the socket */

/* A path through the descriptor: bind and connect take no folder descriptor. */
static bool
address_of(struct sockaddr_un *sun, int fd, const char *name)
{
	int n;

	sun->sun_family = AF_UNIX;
	n = snprintf(sun->sun_path, sizeof sun->sun_path, "/proc/self/fd/%d%s%s", fd, name != NULL ? "/" : "",
		     name != NULL ? name : "");
	return n > 0 && (size_t)n < sizeof sun->sun_path;
}

/* 0: a daemon answers at this socket (opened with O_PATH); else errno. */
static int
socket_ask(int place)
{
	struct sockaddr_un sun;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error;

	if (fd < 0)
		return errno;
	error = address_of(&sun, place, NULL) && connect(fd, (const struct sockaddr *)&sun, sizeof sun) == 0
		    ? 0
		    : errno;
	(void)close(fd);
	return error;
}

/* Checks the name: returns why it cannot be used, or NULL. A live socket and other files stay. */
static const char *
name_clear(const struct control_socket *s)
{
	int place = openat(s->folder, s->name, O_PATH | O_NOFOLLOW | O_CLOEXEC), error;
	struct stat st;

	if (place < 0)
		return errno == ENOENT ? NULL : strerror(errno);
	error = fstat(place, &st) != 0 ? errno : S_ISSOCK(st.st_mode) ? socket_ask(place) : ENOTSOCK;
	(void)close(place);
	switch (error) {
	case ECONNREFUSED:
		return NULL;
	case 0:
	case EAGAIN: /* its backlog is full, so it is alive */
		return "another daemon answers on it";
	case ENOTSOCK:
		return "another file is in its place";
	}
	return strerror(error);
}

/* Binds the socket in place of a stale one, with mode 0660 from the start. Returns 0 or errno. */
static int
socket_bind(const struct control_socket *s)
{
	struct sockaddr_un sun;
	struct stat st;
	mode_t mask;
	int error;

	if (!address_of(&sun, s->folder, s->name))
		return ENAMETOOLONG;
	if (fstatat(s->folder, s->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(st.st_mode))
		(void)unlinkat(s->folder, s->name, 0);
	mask = umask(0117);
	error = bind(s->fd, (const struct sockaddr *)&sun, sizeof sun) == 0 ? 0 : errno;
	(void)umask(mask);
	return error;
}

static const char not_given[] =
    "the socket cannot be given to it: the daemon must be started as root, or be in that group";

/* By the descriptor of what was seen to be a socket: others may be able to put another file there. */
static bool
group_give(const struct control_socket *s, gid_t gid)
{
	int fd = openat(s->folder, s->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	bool ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) &&
		  fchownat(fd, "", (uid_t)-1, gid, AT_EMPTY_PATH) == 0;

	if (fd >= 0)
		(void)close(fd);
	return ok;
}

/* Checks that the group of option control-group got the socket, and can enter its folder. Constant, or NULL. */
static const char *
group_trouble(const struct control_socket *s, const struct stat *st, gid_t gid)
{
	struct stat folder;

	if (st->st_gid != gid)
		return not_given;
	if (fstat(s->folder, &folder) != 0 ||
	    ((folder.st_mode & S_IXOTH) == 0 && ((folder.st_mode & S_IXGRP) == 0 || folder.st_gid != gid)))
		return "it cannot enter the folder of the socket: mode 0751 was expected there";
	return NULL;
}

/* Listens, and records the socket's identity. In a folder that only root can write to, gives it to its owner. */
static int
socket_settle(struct control_socket *s, bool give, const struct control_owner *owner)
{
	struct stat st;

	if (listen(s->fd, CONTROL_BACKLOG) != 0 ||
	    (give && fchownat(s->folder, s->name, owner->uid, owner->gid, AT_SYMLINK_NOFOLLOW) != 0))
		return errno;
	if (owner->group && !owner->give && !group_give(s, owner->gid))
		s->group_trouble = not_given;
	if (fstatat(s->folder, s->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(st.st_mode)) {
		s->dev = st.st_dev;
		s->ino = st.st_ino;
		if (owner->group && s->group_trouble == NULL)
			s->group_trouble = group_trouble(s, &st, owner->gid);
	}
	return 0;
}

const char *
control_socket_open(struct control_socket *s, const char *path, const struct control_owner *owner)
{
	const char *why;
	bool shared;
	int error;

	*s = (struct control_socket){.fd = -1, .folder = -1};
	if (strlen(path) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
		return "the path is too long for a socket"; /* for those who connect */
	why = folder_open(s, path, owner);
	if (why == NULL)
		why = name_clear(s);
	if (why != NULL)
		return why;
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return strerror(errno);
	shared = folder_is_shared(s->folder, owner);
	act_as(shared, owner);
	error = socket_bind(s);
	act_as_self(shared);
	if (error == 0)
		error = socket_settle(s, owner->give && !shared, owner);
	return error == 0 ? NULL : strerror(error);
}

void
control_socket_close(struct control_socket *s)
{
	struct stat st;

	if (s->fd >= 0)
		(void)close(s->fd);
	/* A successor may have bound its own socket there. */
	if (s->ino != 0 && fstatat(s->folder, s->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_dev == s->dev && st.st_ino == s->ino)
		(void)unlinkat(s->folder, s->name, 0);
	if (s->folder >= 0)
		(void)close(s->folder);
	free(s->name);
	*s = (struct control_socket){.fd = -1, .folder = -1};
}
