/*
 * sandbox.h - what the process gives up once its sockets are bound: privileges, then system calls.
 */
#ifndef RESOLVER_DAEMON_SANDBOX_H
#define RESOLVER_DAEMON_SANDBOX_H

#include "base/res.h"

#include <stdbool.h>
#include <sys/types.h>

/* Becomes this user when started as root ("": stays who it is) and keeps no capability; sets no_new_privs.
 * Before any thread is started. *why (yours) on failure. */
enum res sandbox_drop(const char *user, char **why);
/* The ids of a user. RES_NOT_FOUND. */
enum res sandbox_user(const char *user, uid_t *uid, gid_t *gid);
/* Files and sockets are made, opened and removed with the rights of this user, by this thread alone, until
 * sandbox_act_as_self: root does in a folder of somebody else's what its owner could do himself. Root only. */
void sandbox_act_as(uid_t uid, gid_t gid);
void sandbox_act_as_self(void);
/* A filter on system calls, for all threads: nothing is executed, traced, or listened on from here on; files
 * are read only. kill: a call that is not allowed ends the process (tests); else it fails with EPERM. */
enum res sandbox_seal(bool kill, char **why);

#endif
