#include "resolver/counters.h"

static const struct {
	const char *name;
	const char *help;
} info[COUNTER_COUNT] = {
#define COUNTER(id, name, help) [COUNTER_##id] = {name, help},
#include "resolver/counters.def"
#undef COUNTER
};

/* One thread writes, so a load and a store do; a locked add would cost more than the rest of a cached answer's
 * bookkeeping. */
static void
atomic_bump(_Atomic uint64_t *v, uint64_t n)
{
	atomic_store_explicit(v, atomic_load_explicit(v, memory_order_relaxed) + n, memory_order_relaxed);
}

void
counter_add(struct counters *c, enum counter which, uint64_t n)
{
	atomic_bump(&c->v[which], n);
}

uint64_t
counter_get(const struct counters *c, enum counter which)
{
	return atomic_load_explicit(&c->v[which], memory_order_relaxed);
}

void
counter_add_reason(struct counters *c, enum reason reason)
{
	atomic_bump(&c->by_reason[reason], 1);
}

void
counter_add_reports(struct counters *c, uint64_t reported)
{
	for (unsigned r = 0; r < REASON_COUNT; r++)
		if ((reported >> r & 1) != 0)
			atomic_bump(&c->by_report[r], 1);
}

void
counters_sum(struct counter_totals *to, const struct counters *c)
{
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		to->v[i] += counter_get(c, (enum counter)i);
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		to->by_reason[i] += atomic_load_explicit(&c->by_reason[i], memory_order_relaxed);
		to->by_report[i] += atomic_load_explicit(&c->by_report[i], memory_order_relaxed);
	}
}

const char *
counter_name(enum counter c)
{
	return info[c].name;
}

const char *
counter_help(enum counter c)
{
	return info[c].help;
}
