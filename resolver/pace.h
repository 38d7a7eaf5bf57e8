/*
 * pace.h - a rate limit: at most one in an interval, with a small burst.
 *
 * Knows no clock: time is a parameter.
 */
#ifndef RESOLVER_PACE_H
#define RESOLVER_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed before its first use. */
struct pace {
	int64_t spent_until_ms;
};

/* One more may go now: on average one each interval, at most `burst` at once. */
bool pace_has(const struct pace *, int64_t now_ms, int64_t interval_ms, unsigned burst);
/* The same, and counts it. */
bool pace_take(struct pace *, int64_t now_ms, int64_t interval_ms, unsigned burst);

#endif
