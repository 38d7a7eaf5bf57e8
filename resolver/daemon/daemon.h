/*
 * daemon.h - the process: what starts it, reloads it and ends it.
 *
 * The main thread reads configurations and serves the control socket, which may take it a second: no client waits for
 * it, for the workers (worker.h) answer the questions in threads of their own.
 */
#ifndef RESOLVER_DAEMON_DAEMON_H
#define RESOLVER_DAEMON_DAEMON_H

enum { EXIT_CONFIG = 2, EXIT_TROUBLE = 3 }; /* usage or configuration; memory, sockets, privileges */

struct daemon_options {
	const char *file; /* NULL: the compiled-in defaults */
	int verbose;      /* -v: so many levels more log */
};
/* Runs until SIGTERM or SIGINT; gives the exit code. */
int daemon_run(const struct daemon_options *);

#endif
