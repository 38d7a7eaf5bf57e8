/*
 * workers.h - all workers of the daemon, as the main thread handles them: created, started, informed and ended
 * together.
 */
#ifndef RESOLVER_DAEMON_WORKERS_H
#define RESOLVER_DAEMON_WORKERS_H

#include "resolver/clock_shift.h"
#include "resolver/daemon/worker.h"

#include <sys/queue.h>

struct handover;

struct workers {
	struct loop *loop;          /* of the main thread */
	struct cache_store *store;  /* they find each other's answers there */
	struct reader *reader;      /* reads large files for them, in the main thread */
	struct clock_shifts shifts; /* that one of them has reported */
	struct worker **v;
	unsigned n;
	unsigned n_drained;
	struct addrs listen; /* the addresses of the sockets, each once; a reload does not change them */
	LIST_HEAD(, handover) handovers; /* plans that some worker may still use */
	struct cache_entries left;       /* answers of earlier configurations, freed bit by bit */
	struct loop_timer tidy;
};

struct workers_setup {
	struct loop *main_loop;
	struct plan *plan;                   /* lent; each worker takes a reference */
	const struct listener_fds *given;    /* sockets from the service manager (lent) */
	size_t n_given;                      /* 0: the workers bind their own */
	struct query_channel *query_channel; /* lent; NULL: no query log */
	struct server_hooks hooks;           /* called in the workers' threads */
};
/* *why (yours) on failure; workers_free in either case. */
enum res workers_new(struct workers *, const struct workers_setup *, char **why);
/* The threads read nothing until workers_run. *why (yours) on failure. */
enum res workers_start(struct workers *, char **why);
void workers_run(struct workers *);
/* The main loop stops when all workers have drained, or when one cannot be reached. */
void workers_drain(struct workers *);
void workers_stop(struct workers *); /* waits for their threads */
void workers_free(struct workers *);

/* fn(worker, arg) runs in each worker's thread. RES_NOMEM: some of them will not run it. */
enum res workers_post(struct workers *, void (*fn)(struct worker *, void *arg), void *arg);
/* A reload: each worker takes a reference, and the store is emptied. The previous plan (taken) is freed in the main
 * thread when the last worker has the new one: it may be large, and no question must wait for that. */
void workers_plan_set(struct workers *, struct plan *, struct plan *before);

#endif
