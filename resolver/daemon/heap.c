#include "config.h"

#include "resolver/daemon/heap.h"

#include <malloc.h>

/* Half of malloc's default; setting it switches off malloc's own adjustment. */
#define MAPPED_FROM (64 * 1024)

/*
 * No bins of small blocks that are free but not joined to their neighbours. The cache frees very many at once, and a worker
 * that wanted a large block next had to join them all: 9 ms for 700,000.
 */
#define FAST_MAX          0

#define TABLE_MAPPED_FROM (16 * 1024)
#define TOP_PAD           (128 * 1024) /* malloc's default */

void
heap_begin(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
	(void)mallopt(M_MXFAST, FAST_MAX);
}

/* malloc clears what it takes from memory that it keeps, and leaves fresh pages of the kernel as they are. */
void
heap_tables_begin(void)
{
	heap_trim();
	(void)mallopt(M_TOP_PAD, 0);
	(void)mallopt(M_MMAP_THRESHOLD, TABLE_MAPPED_FROM);
}

void
heap_tables_end(void)
{
	(void)mallopt(M_TOP_PAD, TOP_PAD);
	heap_begin();
}

void
heap_trim(void)
{
	(void)malloc_trim(0);
}

static void
heap_watch_on_look(void *ctx)
{
	struct heap_watch *w = ctx;

	if (w->is_high(w->ctx))
		loop_timer_set(&w->timer, HEAP_LOOK_MS);
	else
		heap_trim();
}

void
heap_watch_init(struct heap_watch *w, struct loop *loop, bool (*is_high)(void *ctx), void *ctx)
{
	w->is_high = is_high;
	w->ctx = ctx;
	loop_timer_init(&w->timer, loop, heap_watch_on_look, w);
}

void
heap_watch_busy(struct heap_watch *w)
{
	if (!loop_timer_is_set(&w->timer))
		loop_timer_set(&w->timer, HEAP_LOOK_MS);
}

void
heap_watch_stop(struct heap_watch *w)
{
	loop_timer_stop(&w->timer);
}
