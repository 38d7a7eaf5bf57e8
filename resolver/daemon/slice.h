/*
 * slice.h - how soon a thread that wakes gets a processor when others want it as well.
 *
 * Linux 6.12 and later lets a thread ask for short slices of processor time: it gets no more of it in all, and gets it
 * earlier after it has slept (sched_setattr(2), EEVDF). No privilege is needed. Older kernels, real-time policies and
 * filters of system calls that forbid it change nothing.
 */
#ifndef RESOLVER_DAEMON_SLICE_H
#define RESOLVER_DAEMON_SLICE_H

#include <stdint.h>

/* The shortest that the kernel accepts. A question takes 5 to 30 microseconds, so a worker that nobody floods is done by then. */
#define SLICE_SHORT_NS UINT64_C(100000)

/* For the calling thread and threads that it creates from now on. Returns the slice it had, to be set again; 0: nothing was
 * changed. 0 as the argument changes nothing. */
uint64_t slice_set(uint64_t ns);

#endif
