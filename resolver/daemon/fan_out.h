/*
 * fan_out.h - one request to every worker, and their answers back in the main thread as a status.
 *
 * The request goes to each worker's loop, each answer comes back through the main loop; nobody waits in between.
 */
#ifndef RESOLVER_DAEMON_FAN_OUT_H
#define RESOLVER_DAEMON_FAN_OUT_H

#include "resolver/daemon/status.h"
#include "resolver/daemon/worker.h"

struct fan_out;

struct fan_out_setup {
	struct loop *loop;            /* of the main thread */
	struct worker *const *worker; /* lent until `done` was called */
	unsigned n_worker;
	/* Fills in what the workers do not know. Called in the main thread, just before `done`. */
	void (*fill)(void *fill_ctx, struct status *);
	void *fill_ctx;
	/* Called once, from the main loop, never from inside fan_out_start. The status is lent for its time. */
	void (*done)(void *done_ctx, const struct status *);
	void *done_ctx;
};

/* Main thread. RES_NOMEM: `done` will not be called. */
enum res fan_out_start(struct fan_out **, const struct fan_out_setup *);
/* `done` will not be called. The fan-out frees itself when the last worker has answered. */
void fan_out_cancel(struct fan_out *);

#endif
