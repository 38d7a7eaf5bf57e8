/*
 * daemon_signals.h - what signals do to the daemon: SIGHUP reloads, SIGTERM and SIGINT end it, SIGUSR1 and SIGUSR2 make a
 * line of the log. No other signal that somebody may send to daemons out of habit ends it.
 */
#ifndef RESOLVER_DAEMON_DAEMON_SIGNALS_H
#define RESOLVER_DAEMON_DAEMON_SIGNALS_H

#include "transport/loop.h"

/*
 * At the start: holds back a reload signal that arrives before the daemon answers, so that it does not end the process.
 * Call daemon_signals_release if the daemon will not get as far as daemon_signals_take.
 */
void daemon_signals_hold(void);
void daemon_signals_release(void);

/* Before threads and helpers are started. RES_NOMEM. */
enum res daemon_signals_take(struct loop *loop, void (*on_hangup)(void *ctx), void (*on_end)(void *ctx),
			     void *ctx);

#endif
