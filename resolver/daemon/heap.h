/*
 * heap.h - free heap goes back to the system: what the start left, and what clients made a worker hold for a while.
 */
#ifndef RESOLVER_DAEMON_HEAP_H
#define RESOLVER_DAEMON_HEAP_H

#include "transport/loop.h"

/*
 * Keeps large tables in their own mappings, of which only the pages in use are in memory. By default malloc would put
 * them into the heap, and clear them there, after one large file was read and freed. Called before anything is read.
 */
void heap_begin(void);
/* Called before and after the tables of the workers are created: in between, tables of four pages get their own
 * mapping too. Most of them stay empty. In the heap, malloc would clear them in memory that was used while reading
 * the configuration, and so bring all their pages into memory. One thread only. */
void heap_tables_begin(void);
void heap_tables_end(void);
/* After reading and compiling a configuration. */
void heap_trim(void);

/*
 * Watches memory that clients made a worker hold. While busy, it checks every HEAP_LOOK_MS whether much is still held;
 * if not, it returns the free heap to the system. In the worker's thread.
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
