/*
 * pace.h - how fast one log is asked: requests a second, concurrent requests, entries in a request, and the wait after a
 * failure.
 *
 * Arithmetic only: the caller passes the time, and nothing here knows log lists or the network. A log sets its own speed:
 * 429 halves the rate and the number of concurrent requests, every answer raises them a little. A log without limits is
 * asked as fast as it answers.
 */
#ifndef CONTRIB_WATCH_PACE_H
#define CONTRIB_WATCH_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Concurrent requests to one log: hides the latency of a far log, and is no burden. */
#define PACE_PARALLEL_MAX       8
#define PACE_BATCH_FIRST        256  /* entries asked for at first; most logs give 32 to 1024 */
#define PACE_BATCH_MAX          2048 /* no log gives more, and their bytes must fit into the budget */
#define PACE_BACKOFF_MS         1000 /* after the first failure; doubles */
#define PACE_BACKOFF_MAX_MS     ((int64_t)10 * 60 * 1000) /* a log that was away for a day is back within this */
#define PACE_RETRY_AFTER_MAX_MS ((int64_t)24 * 3600 * 1000) /* a longer wait than a day is not load control */

struct pace {
	unsigned parallel;     /* concurrent requests */
	unsigned successes;    /* since parallel was changed */
	double gap_ms;         /* between the starts of two requests; 0: none */
	double next_ms;        /* when the next may start */
	int64_t not_before_ms; /* after failures, and as Retry-After says */
	unsigned failures;     /* in a row */
	uint64_t batch;        /* entries asked for in one request */
	bool batch_known;      /* the log cut a request to this */
};

void pace_open(struct pace *);
/* May a request start now, when so many are under way? Otherwise *at_ms, unless it is NULL, is when to ask again; INT64_MAX
 * when one of those has to end first. */
bool pace_may_start(const struct pace *, int64_t now_ms, unsigned under_way, int64_t *at_ms);
void pace_started(struct pace *, int64_t now_ms);

void pace_succeeded(struct pace *);
/* Nothing came, or nothing that can be used. `jitter` is a random number. */
void pace_failed(struct pace *, int64_t now_ms, uint32_t jitter);
/* 429, or 503 with Retry-After. retry_after_ms 0: the log did not say. */
void pace_slowed(struct pace *, int64_t now_ms, int64_t retry_after_ms, uint32_t jitter);

/* The log gave `given` of `asked` entries in that many bytes; an answer may have byte_limit bytes. */
void pace_batch_learn(struct pace *, uint64_t asked, uint64_t given, size_t bytes, size_t byte_limit);
/* An answer was larger than allowed. */
void pace_batch_shrink(struct pace *);

#endif
