/*
 * control_socket.h - the control socket in the file system: made, given to the daemon's user, and taken away again.
 *
 * The folder of the socket may belong to the daemon's user, and the socket is made while the daemon is still root. So
 * nothing here goes by path: the folder is opened once, and everything is done in that descriptor. In a folder where
 * others may write the daemon acts as its user, who can give away only what the user owns. Only in a folder that root
 * alone can write to, it makes the socket as root and gives it to the user.
 */
#ifndef RESOLVER_DAEMON_CONTROL_SOCKET_H
#define RESOLVER_DAEMON_CONTROL_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

#define CONTROL_BACKLOG 16

/* The owner of the socket. */
struct control_owner {
	bool give;  /* to this user; else it stays with the process that makes it */
	bool group; /* gid is the group of option control-group: also the socket of our own gets it */
	uid_t uid;
	gid_t gid;
};

struct control_socket {
	int fd;     /* listens; -1: none */
	int folder; /* -1: none */
	char *name; /* in the folder */
	dev_t dev;  /* of the socket that is ours to remove */
	ino_t ino;
	const char *group_trouble; /* why the group of owner.group cannot use it (constant); NULL: it can */
};

/* Binds path, mode 0660, and listens. Creates the last folder of the path if it does not exist. A stale socket is
 * replaced; a live one, and any other file, stays. NULL, or what is wrong (constant, or strerror's). Close it in
 * either case. */
const char *control_socket_open(struct control_socket *, const char *path, const struct control_owner *);
/* Removes the socket if it is still ours. */
void control_socket_close(struct control_socket *);

#endif
