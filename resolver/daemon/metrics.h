/*
 * metrics.h - what was counted, as Prometheus text (exposition format 0.0.4).
 *
 * Rendering only: bytes out, nothing here asks anybody.
 */
#ifndef RESOLVER_DAEMON_METRICS_H
#define RESOLVER_DAEMON_METRICS_H

#include "resolver/daemon/gather.h"

struct metrics {
	const char *version;
	int64_t uptime_ms;
	uint64_t generation;
	uint64_t
	    list_warnings; /* items of lists left out, and lists that cannot be read, as `status` shows them */
	int64_t ct_list_age_ms; /* negative: no list */
	bool ct_list_stale;
	bool reload_failed;
	bool captive;
	uint64_t counter[COUNTER_COUNT];
	uint64_t reason[REASON_COUNT];
	uint64_t report[REASON_COUNT];
	const struct gathered *worker;
	unsigned n_worker;
};

/* The counters of all workers, added up. */
void metrics_sum(struct metrics *, struct daemon *);
struct cache_stats metrics_cache(const struct metrics *);
const char *counter_name(enum counter); /* of counters.def */
void metrics_write(struct buf *out, const struct metrics *);

#endif
