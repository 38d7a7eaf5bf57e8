#include "resolver/daemon/worker.h"

void
counter_add(struct counters *c, enum counter which, uint64_t n)
{
	/* One thread writes, so a load and a store do; a locked add would cost more than the rest of a
	 * cached answer's bookkeeping. */
	uint64_t now = atomic_load_explicit(&c->v[which], memory_order_relaxed);

	atomic_store_explicit(&c->v[which], now + n, memory_order_relaxed);
}

uint64_t
counter_get(const struct counters *c, enum counter which)
{
	return atomic_load_explicit(&c->v[which], memory_order_relaxed);
}
