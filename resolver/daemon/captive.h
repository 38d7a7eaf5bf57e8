/*
 * captive.h - captive mode: for some minutes every worker tries each unusable upstream again and again, so that a login
 * page of the network is noticed to be gone. It ends by its time, or when an upstream works that serves more than forwards.
 */
#ifndef RESOLVER_DAEMON_CAPTIVE_H
#define RESOLVER_DAEMON_CAPTIVE_H

#include "resolver/daemon/workers.h"

struct captive {
	struct workers *workers;
	struct loop_timer end;
	_Atomic int64_t until_ms; /* boot clock; 0: off. Workers read it when an upstream works again */
};

void captive_init(struct captive *, struct workers *, struct loop *main_loop);
void captive_stop(struct captive *);
/* Main thread. until_ms: boot clock; 0: off. */
void captive_set(struct captive *, int64_t until_ms);
int64_t captive_until_ms(const struct captive *);
/* Any thread: an upstream works. Ends captive mode. */
void captive_upstream_ready(struct captive *);

#endif
