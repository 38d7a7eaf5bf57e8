/*
 * worker.h - one event loop and all it owns: listeners, cache, queries in flight, upstream connections.
 *
 * Everything that changes hangs off a worker; workers share only the immutable plan and the store of cached answers, which
 * has locks. Each runs in a thread of its own
 * with its own sockets (SO_REUSEPORT). Others reach a worker through worker_post. A worker knows nothing of the daemon.
 */
#ifndef RESOLVER_DAEMON_WORKER_H
#define RESOLVER_DAEMON_WORKER_H

#include "resolver/daemon/listener.h"
#include "resolver/daemon/querylog/query_feed.h"
#include "resolver/engine.h"

#define WORKER_DRAIN_MS 900 /* P08: SIGTERM ends the process within a second */

struct worker;

struct worker_setup {
	unsigned number;
	struct plan *plan;              /* lent; a reference is taken */
	const struct listener_fds *fds; /* the descriptors are taken */
	size_t n_fds;
	uint32_t connections_max;            /* of TCP clients */
	struct cache_store *store;           /* lent; of all workers */
	struct reader *reader;               /* lent; of all workers */
	struct clock_shifts *shifts;         /* lent; of all workers */
	struct query_channel *query_channel; /* lent; NULL: no query log */
	struct server_hooks hooks;           /* called in the worker's thread */
	void (*on_drained)(void *ctx);       /* in its thread */
	void *ctx;
};
enum res worker_new(struct worker **, const struct worker_setup *);
/* Starts the thread, which reads nothing until worker_run: the process can load a filter that allows no new threads
 * in between. RES_IO: no thread could be started, errno says why. */
enum res worker_start(struct worker *);
void worker_run(struct worker *);
/* Stops the loop, waits for the thread if it was started, and runs what was posted to it until now. */
void worker_stop(struct worker *);
void worker_free(struct worker *);

/* Any thread: fn(worker, arg) runs in the worker's thread. */
enum res worker_post(struct worker *, void (*fn)(struct worker *, void *arg), void *arg);
const struct counters *worker_counters(const struct worker *);

/* ---- in the worker's thread */

/* The reference is taken; without memory the old plan stays. */
void worker_plan_take(struct worker *, struct plan *);
/* Accepts no more questions; ends when the replies to those in flight are sent, in at most WORKER_DRAIN_MS. */
void worker_drain(struct worker *);
void worker_network_changed(struct worker *);
/* The wall clock may have been set. */
void worker_clock_set(struct worker *);
/* Sets captive mode until this time (boot ms); 0: off. */
void worker_captive_set(struct worker *, int64_t until_ms);
/* Self-test: asks itself for localhost. True: it can answer questions. */
bool worker_self_test(struct worker *);
int worker_portal_error(const struct worker *); /* portal_link.error */
enum res worker_report(struct worker *, struct upstreams_report *out);

#endif
