/*
 * gather.h - one question to every worker, and all their answers back in the main thread.
 *
 * What is asked for goes to each worker's loop, the answer comes back through the main loop; nobody waits in
 * between.
 */
#ifndef RESOLVER_DAEMON_GATHER_H
#define RESOLVER_DAEMON_GATHER_H

#include "resolver/daemon/worker.h"

enum { GATHER_REPORT = 1, GATHER_CACHE = 2, GATHER_FLUSH = 4 };

/* One worker's. */
struct gathered {
	enum res res; /* not RES_OK: it could not be asked or had no memory; the rest is zero */
	struct upstreams_report report;
	struct cache_stats cache;
	size_t flushed;
};

struct gather;

/*
 * Main thread. `done` is called once, from the main loop, never from inside this call; v is lent for its
 * time. `flush`: name in lower-case wire form, copied.
 */
enum res gather_start(struct gather **, struct loop *main_loop, struct daemon *, unsigned what,
		      struct span flush, void (*done)(void *ctx, const struct gathered *v, unsigned n),
		      void *ctx);
/* `done` will not be called. It goes by itself when the last worker has answered. */
void gather_cancel(struct gather *);

#endif
