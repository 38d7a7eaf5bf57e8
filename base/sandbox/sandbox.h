/*
 * sandbox.h - gives up privileges, then system calls, permanently. Each program that restricts itself has a filter here.
 */
#ifndef BASE_SANDBOX_SANDBOX_H
#define BASE_SANDBOX_SANDBOX_H

#include "base/res.h"

#include <stdbool.h>
#include <sys/types.h>

/* Becomes this user when started as root, and keeps no capability ("": root stays root, with its capabilities); sets
 * no_new_privs. Other processes of that user can neither read nor write its memory, and it leaves no core file. Before any
 * thread is started. *why (yours) on failure. */
enum res sandbox_drop(const char *user, char **why);
/* The ids of a user. RES_NOT_FOUND. */
enum res sandbox_user(const char *user, uid_t *uid, gid_t *gid);
enum res sandbox_group(const char *group, gid_t *gid);
/* Files and sockets are made, opened and removed with the rights of this user, by this thread alone, until
 * sandbox_act_as_self: in a folder of another user, root then does only what that user could do. Root only. */
void sandbox_act_as(uid_t uid, gid_t gid);
void sandbox_act_as_self(void);
/* The daemon's filter on system calls, for all threads. From now on the process cannot execute or trace programs,
 * send signals, or listen, and it can only read files. kill: a call that is not allowed ends the process (tests);
 * else it fails with EPERM. */
enum res sandbox_seal(bool kill, char **why);
/* The filter of a helper of the daemon that writes files: it can neither make sockets nor execute anything. */
enum res sandbox_seal_writer(bool kill, char **why);
/* The filter of a helper of the daemon that writes to a Unix socket: it can neither open files nor execute anything. */
enum res sandbox_seal_connector(bool kill, char **why);
/* The filter of ctstub-portal: datagrams, connections of the daemon, and files to read. */
enum res sandbox_seal_portal(bool kill, char **why);
/* The filter of ctstub-watch: files of any kind, connections to the servers of logs, and threads that look up their names. */
enum res sandbox_seal_watch(bool kill, char **why);
/* The environment asks for filters that kill (CTSTUB_SECCOMP=kill): stricter, for tests (P13). */
bool sandbox_kills(void);

#endif
