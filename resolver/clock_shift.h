/*
 * clock_shift.h - by how much two clocks differ, as all workers last saw it: a sleep, or a wall clock that was set, is
 * reported once, by the worker that notices it first.
 */
#ifndef RESOLVER_CLOCK_SHIFT_H
#define RESOLVER_CLOCK_SHIFT_H

#include <stdbool.h>
#include <stdint.h>

/* Any thread may use it. */
struct clock_shifts {
	_Atomic int64_t asleep_ms; /* boot clock - monotonic clock */
	_Atomic int64_t ahead_ms;  /* wall clock - boot clock */
};

/* As of now. */
void clock_shifts_init(struct clock_shifts *);
/* The caller sees a difference that has changed by at least least_ms since it last looked. True: nobody has reported that
 * yet; the caller does. */
bool clock_shift_take(_Atomic int64_t *of_all, int64_t now_ms, int64_t least_ms);
/* It sees a smaller change: clocks drift. */
void clock_shift_follow(_Atomic int64_t *of_all, int64_t now_ms, int64_t least_ms);

#endif
