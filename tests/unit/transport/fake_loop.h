/*
 * fake_loop.h - loop.h with a scripted clock: time stands still until a test moves it.
 *
 * While a fake loop exists the clocks of base/clock.h read its time too. Descriptors are real: fake_loop_turn
 * serves those that are ready. loop_run runs turns, and moves time to the next timer whenever there is nothing
 * else to do.
 */
#ifndef TESTS_UNIT_FAKE_LOOP_H
#define TESTS_UNIT_FAKE_LOOP_H

#include "transport/loop.h"

#define FAKE_LOOP_BOOT_MS INT64_C(1000000)       /* boot and mono clock at the start */
#define FAKE_LOOP_WALL_MS INT64_C(1795262400000) /* 2026-11-21T12:00:00Z */

/* One turn: ready descriptors (waits up to wait_ms of real time for one), posts, due timers, what was
 * deferred. True when anything was done. */
bool fake_loop_turn(struct loop *, int wait_ms);
/* Turns until nothing is ready, then moves time by ms, stopping at each timer on the way. */
void fake_loop_advance(struct loop *, int64_t ms);
/* The machine was suspended: boot and wall clock jump, the monotonic clock does not, timers are due at once.
 */
void fake_loop_suspend(struct loop *, int64_t ms);
/* Sets the wall clock, as an administrator or an NTP client would. */
void fake_loop_wall_step(struct loop *, int64_t ms);
/* How many timers are set and descriptors watched: a test ends with none of its own. */
unsigned fake_loop_timers(const struct loop *);
unsigned fake_loop_fds(const struct loop *);

#endif
