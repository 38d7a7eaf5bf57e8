/*
 * heap.h - free heap goes back to the system: what the start left, and what clients made a worker hold for a while.
 */
#ifndef RESOLVER_DAEMON_HEAP_H
#define RESOLVER_DAEMON_HEAP_H

#include "transport/loop.h"

/*
 * Large tables stay in mappings of their own, page by page as they are used. By default malloc moves them into the heap,
 * and clears them there, as soon as one large file was read and freed. Called before anything is read.
 */
void heap_begin(void);
/* Around what makes the tables of the workers, most of which stay empty: also tables of four pages get a mapping. The heap would
 * clear them where the configuration was read, and so bring all their pages into memory. One thread. */
void heap_tables_begin(void);
void heap_tables_end(void);
/* After reading and compiling a configuration. */
void heap_trim(void);

/*
 * Memory that clients made a worker hold. A busy watch looks every HEAP_LOOK_MS whether much is still held; when it is
 * not, the free heap goes back to the system. In the worker's thread.
 */
#define HEAP_LOOK_MS 2000 /* a flood that comes and goes counts as one */

struct heap_watch {
	struct loop_timer timer;
	bool (*is_high)(void *ctx);
	void *ctx;
};
void heap_watch_init(struct heap_watch *, struct loop *, bool (*is_high)(void *ctx), void *ctx);
void heap_watch_busy(struct heap_watch *); /* cheap when it is already */
void heap_watch_stop(struct heap_watch *);

#endif
