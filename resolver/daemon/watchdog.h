/*
 * watchdog.h - signs of life for the service manager: one is given when every worker has run, and answered a question of
 * its own, since the last one.
 */
#ifndef RESOLVER_DAEMON_WATCHDOG_H
#define RESOLVER_DAEMON_WATCHDOG_H

#include "resolver/daemon/workers.h"

struct watchdog {
	struct workers *workers;
	struct loop_timer timer;
	int64_t interval_ms;
	_Atomic unsigned alive; /* workers that passed their self-test since the last sign of life */
};

void watchdog_init(struct watchdog *, struct workers *, struct loop *main_loop);
/* Does nothing if no service manager expects watchdog messages. */
void watchdog_start(struct watchdog *);
void watchdog_stop(struct watchdog *);

#endif
