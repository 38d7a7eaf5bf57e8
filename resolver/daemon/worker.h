/*
 * worker.h - one event loop and all it owns: listeners, cache, queries in flight, upstream connections.
 *
 * Everything that changes hangs off a worker; workers share only the immutable plan. The daemon has N of them, each
 * in its own thread with its own sockets (SO_REUSEPORT). Others reach a worker through worker_post. The main thread
 * reads configurations and serves the control socket: no client waits for that.
 */
#ifndef RESOLVER_DAEMON_WORKER_H
#define RESOLVER_DAEMON_WORKER_H

#include "resolver/cache.h"
#include "resolver/plan.h"

enum counter {
#define COUNTER(id, name, help) COUNTER_##id,
#include "resolver/daemon/counters.def"
#undef COUNTER
	COUNTER_COUNT
};

/* Written by the owner's thread, read by any (relaxed): statistics need no message. */
struct counters {
	_Atomic uint64_t v[COUNTER_COUNT];
	_Atomic uint64_t by_reason[REASON_COUNT]; /* refusals and wire failures of upstreams, by reason */
	_Atomic uint64_t
	    by_report[REASON_COUNT]; /* verdicts that report mode alone kept from refusing, by reason */
};
void counter_add(struct counters *, enum counter, uint64_t n);
uint64_t counter_get(const struct counters *, enum counter);

struct worker;

/* Any thread: fn(worker, arg) runs in the worker's thread. */
enum res worker_post(struct worker *, void (*fn)(struct worker *, void *arg), void *arg);
struct loop *worker_loop(struct worker *);
struct counters *worker_counters(struct worker *);
struct cache *worker_cache(struct worker *); /* in its thread only */

enum health { HEALTH_UNKNOWN, HEALTH_GOOD, HEALTH_FAILING, HEALTH_REFUSED };

/* One upstream address as status shows it. Strings owned by the report. */
struct upstream_report {
	char *upstream;
	struct addr addr;
	enum tp_protocol protocol;
	enum tp_state state;
	enum health health;
	enum reason reason;  /* why not good */
	int64_t retry_in_ms; /* back-off left; 0 none */
	char *verdict_json;  /* the last verdict; NULL: none yet */
	uint64_t reported;   /* verdict_reported of it */
	struct tp_stats stats;
};
struct upstreams_report {
	struct upstream_report *v;
	size_t n;
};
/* In the worker's thread. */
enum res worker_report(struct worker *, struct upstreams_report *out);
void upstreams_report_free(struct upstreams_report *);

/* The daemon: all workers, the configuration file, reloading. Lives in resolver/daemon/daemon.c. */
struct daemon;
unsigned daemon_workers(const struct daemon *);
struct worker *daemon_worker(struct daemon *, unsigned i);
int64_t daemon_started_ms(const struct daemon *);      /* wall clock */
const struct plan *daemon_plan(const struct daemon *); /* main thread only */
/* Main thread. Reads and compiles the file again, swaps the plan in every worker; RES_MALFORMED: the old one stays
 * and *errors (yours) says why. */
enum res daemon_reload(struct daemon *, struct config_errors *errors);
const char *daemon_last_reload_error(const struct daemon *); /* NULL: the last one succeeded */
/* Main thread. `captive`: until then (boot ms; 0: off) see control.h. */
void daemon_captive_set(struct daemon *, int64_t until_ms);
int64_t daemon_captive(const struct daemon *);

#endif
