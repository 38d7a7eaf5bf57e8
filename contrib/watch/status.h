/*
 * status.h - how far the monitor is, in two files of state-dir/watch: status.json for `ctstub status`, and metrics.prom
 * in Prometheus' text form, for the text-file collector of its node exporter.
 *
 * Each is replaced as a whole. status.json:
 *   {"at", "pid", "started", "poll_ms", "block", "items", "entries", "entries_per_second",
 *    "logs": [{"log", "log_id", "kind", "position", "verified", "tree_size", "head", "lag_entries", "lag_s", "trouble"}],
 *    "left_out": [names], "findings": {"expected", "rogue", "unreadable", "log-misbehaved"}, "again", "failed",
 *    "not_blocked", "unrecorded", "latest": [findings]}
 */
#ifndef CONTRIB_WATCH_STATUS_H
#define CONTRIB_WATCH_STATUS_H

#include "contrib/watch/findings.h"
#include "contrib/watch/reader.h"

#define STATUS_FILE     "status.json"
#define METRICS_FILE    "metrics.prom"
#define STATUS_FILE_MAX (8 * 1024 * 1024) /* 4096 logs at 500 bytes, and ten findings */
#define STATUS_EVERY_MS 5000              /* while it works; at its start and end as well */

/* What is kept from one status to the next. Zeroed, with started_ms, at the start. */
struct watch_status {
	int64_t started_ms; /* wall clock */
	int64_t last_ms;    /* boot clock; 0: not written yet */
	uint64_t last_entries;
	double rate;       /* entries a second since the last time */
	uint64_t findings; /* in the last status */
};

/* Writes both into the folder state-dir/watch; reader NULL: without logs. False: errno says why. */
bool watch_status_write(struct watch_status *, int folder, const struct watch_plan *,
			const struct watch_findings *, const struct watch_reader *);
/* For the loop: is it time, or is there a new finding? */
bool watch_status_is_due(const struct watch_status *, const struct watch_findings *);

#endif
