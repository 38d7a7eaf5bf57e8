/*
 * clock_watch.h - notices at once that the wall clock was set: by a person, by an NTP client, from a machine that started
 * in 1970 or one that woke up.
 *
 * A timer of the wall clock that would be due in decades; the kernel cancels it when the clock is set
 * (TFD_TIMER_CANCEL_ON_SET, timerfd_create(2)). A clock that is only slewed cancels nothing. It costs no wake-up.
 */
#ifndef RESOLVER_DAEMON_CLOCK_WATCH_H
#define RESOLVER_DAEMON_CLOCK_WATCH_H

#include "transport/loop.h"

struct clock_watch {
	struct loop_fd watch;
	int fd; /* -1: none */
	void (*on_set)(void *ctx);
	void *ctx;
};

/* Before system calls are restricted. RES_IO: the kernel offers none, errno says why; each question still looks at the
 * clock (engine_notice_clocks). */
enum res clock_watch_start(struct clock_watch *, struct loop *, void (*on_set)(void *ctx), void *ctx);
void clock_watch_stop(struct clock_watch *);

#endif
