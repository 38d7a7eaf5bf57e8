/*
 * footprint.h - the memory that only the start needed.
 */
#ifndef RESOLVER_DAEMON_FOOTPRINT_H
#define RESOLVER_DAEMON_FOOTPRINT_H

#include "transport/loop.h"

/*
 * Large tables keep to mappings of their own, page by page as they are used. Left to itself malloc moves them into the
 * heap, and clears them there, as soon as one large file was read and freed. Before anything is read.
 */
void footprint_begin(void);

/*
 * Gives back what linking, reading and compiling left behind: free heap, and the pages of programs and libraries
 * that were touched once (symbol tables, parsers). Whatever is needed after all comes back from the page cache at
 * its next use. Before the first question, and once more when the first handshakes, after a start or a reload, are
 * over.
 */
void footprint_trim(void);

/*
 * Memory that clients made a worker hold. While a watch is busy it looks every FOOTPRINT_LOOK_MS whether much is held
 * still; when not, the free heap goes back to the system. In the worker's thread.
 */
#define FOOTPRINT_LOOK_MS 2000 /* a flood that comes and goes is one */

struct footprint_watch {
	struct loop_timer timer;
	bool (*is_high)(void *ctx);
	void *ctx;
};
void footprint_watch_init(struct footprint_watch *, struct loop *, bool (*is_high)(void *ctx), void *ctx);
void footprint_watch_busy(struct footprint_watch *); /* cheap when it is already */
void footprint_watch_stop(struct footprint_watch *);

#endif
