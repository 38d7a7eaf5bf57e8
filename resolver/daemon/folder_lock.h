/*
 * folder_lock.h - one daemon at a time writes to a state-dir.
 *
 * The lock is held on an open file in that folder (flock), so it ends with its process, however that ends; the file stays, with
 * the number of the process that held it last. Programs that only read need no lock.
 */
#ifndef RESOLVER_DAEMON_FOLDER_LOCK_H
#define RESOLVER_DAEMON_FOLDER_LOCK_H

#include "base/res.h"

#include <sys/types.h>

#define FOLDER_LOCK_FILE "journal.lock"

struct folder_lock {
	int fd; /* -1: no lock is held */
	dev_t dev;
	ino_t ino; /* of the folder */
};

/* Takes the lock of this folder (a descriptor), if it is not held already, and gives up that of another one. self: the process
 * that others are told. RES_OK: it is held, or there can be none: the file system has no locks, or no file can be made.
 * RES_LIMIT: another process has it, *holder is its number, 0 when it is not known. RES_IO: errno says why. */
enum res folder_lock_take(struct folder_lock *, int folder, pid_t self, pid_t *holder);
void folder_lock_give(struct folder_lock *);

#endif
