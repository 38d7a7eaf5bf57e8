/*
 * lab_client.h - the DNS client under test, driven through an adapter.
 *
 * An adapter is a small executable (contrib/lab/adapters) with these verbs:
 *   describe   prints "key: value" lines: name, version, kind (daemon or command), protocols, identity, names (yes),
 *              reasons (yes), reload (yes)
 *   start      becomes the client, in the foreground, listening on $LAB_LISTEN port $LAB_PORT
 *   ask NAME   asks for NAME's A record and prints the addresses (kind: command)
 *   reload     tells the running client ($LAB_CLIENT_PID) that its policy in $LAB_CONF has changed; optional
 *   config     prints the configuration that start uses
 * contrib/lab/adapters/README.md says what is in the environment.
 */
#ifndef CONTRIB_LAB_RUN_LAB_CLIENT_H
#define CONTRIB_LAB_RUN_LAB_CLIENT_H

#include "base/res.h"
#include "contrib/lab/lab_files.h"

#include <sys/types.h>

#define CLIENT_TEXT_MAX 256

enum client_kind { CLIENT_DAEMON, CLIENT_COMMAND };

struct lab_client_about {
	char path[FILE_PATH_MAX];
	char name[CLIENT_TEXT_MAX];
	char version[CLIENT_TEXT_MAX];
	char identity[CLIENT_TEXT_MAX]; /* what it identifies its resolver by */
	enum client_kind kind;
	bool dot, doh;
	bool reasons; /* its SERVFAIL carries ctstub's reason code */
	bool names;   /* can require a name beside the address */
	bool reload;
};

/* Runs the adapter's `describe`. RES_NOT_FOUND: no such adapter (names are looked up in `folder`);
 * RES_UNSUPPORTED: the client is not installed; RES_MALFORMED. */
enum res lab_client_describe(struct lab_client_about *, const char *adapter, const char *folder);

/* Runs one verb. Its output is appended to out (NULL: to our standard error). argument may be NULL. */
enum res lab_client_run(const struct lab_client_about *, const char *verb, const char *argument,
			struct buf *out, int *exit_code);
/* Starts a verb and returns; its output goes to *out_fd (when not NULL) or to the file. */
enum res lab_client_spawn(pid_t *pid, const struct lab_client_about *, const char *verb, const char *argument,
			  int *out_fd, const char *file);

#endif
