/*
 * pool.h - objects of one size, kept after their use for the next one: allocation without malloc on busy paths.
 *
 * A pool hands out raw memory; the taker of an object initializes it. Not for several threads.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

struct pool {
	size_t size;
	unsigned kept, max; /* free objects: now, and at most; beyond, they go back to malloc */
	void *free;         /* each holds a pointer to the next in its first bytes */
};

/* size: of an object, at least that of a pointer. */
void pool_init(struct pool *, size_t size, unsigned max);
/* Frees what is kept; what was handed out is its owners'. Harmless for a zeroed pool. */
void pool_clear(struct pool *);

/* Yours, with undefined contents; NULL: no memory. */
void *pool_take(struct pool *);
void pool_give(struct pool *, void *object);

#endif
