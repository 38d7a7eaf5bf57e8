/*
 * daemon.h - the process: its workers, its configuration file, and what starts, reloads and ends it.
 *
 * worker.h is what the rooms beside it may know of workers; this is what the daemon itself needs.
 */
#ifndef RESOLVER_DAEMON_DAEMON_H
#define RESOLVER_DAEMON_DAEMON_H

#include "resolver/daemon/listener.h"
#include "resolver/daemon/worker.h"

#define DAEMON_DRAIN_MS 900 /* P08: SIGTERM ends the process within a second */

enum { EXIT_CONFIG = 2, EXIT_TROUBLE = 3 }; /* usage or configuration; memory, sockets, privileges */

struct daemon_options {
	const char *file; /* NULL: the compiled-in defaults */
	int verbose;      /* -v: so many levels more log */
};
/* Runs until SIGTERM or SIGINT; gives the exit code. */
int daemon_run(const struct daemon_options *);

struct worker_setup {
	unsigned number;
	struct plan *plan;              /* lent; a reference is taken */
	const struct listener_fds *fds; /* the descriptors are taken */
	size_t n_fds;
	uint32_t connections_max;
	struct engine_hooks hooks;     /* called in the worker's thread */
	void (*on_drained)(void *ctx); /* in its thread */
	void *ctx;
};
enum res worker_new(struct worker **, const struct worker_setup *);
enum res worker_start(struct worker *);
/* After worker_drain: waits for the thread. */
void worker_join(struct worker *);
void worker_free(struct worker *);

/* In the worker's thread (worker_post). */
/* The reference is taken; without memory the old plan stays. */
void worker_plan_take(struct worker *, struct plan *);
/* Takes no more questions; ends when those at hand are answered, or soon. */
void worker_drain(struct worker *);
void worker_network_changed(struct worker *);
void worker_captive(struct worker *, int64_t until_ms);
/* Asks itself for localhost: true when the trip of a question works. */
bool worker_self_test(struct worker *);

#endif
