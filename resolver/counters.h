/*
 * counters.h - what each worker counts: questions, replies, and problems of upstreams by reason.
 *
 * One worker writes its counters; any thread may read them. counters.def lists them with their metric names.
 */
#ifndef RESOLVER_COUNTERS_H
#define RESOLVER_COUNTERS_H

#include "verify/verdict.h"

#include <stdatomic.h>
#include <stdint.h>

enum counter {
#define COUNTER(id, name, help) COUNTER_##id,
#include "resolver/counters.def"
#undef COUNTER
	COUNTER_COUNT
};

/* Written by the owner's thread, read by any (relaxed). */
struct counters {
	_Atomic uint64_t v[COUNTER_COUNT];
	_Atomic uint64_t by_reason[REASON_COUNT]; /* refusals and wire failures of upstreams */
	_Atomic uint64_t by_report[REASON_COUNT]; /* verdicts that only report mode kept from refusing */
};

/* The counters of several workers, added up. */
struct counter_totals {
	uint64_t v[COUNTER_COUNT];
	uint64_t by_reason[REASON_COUNT], by_report[REASON_COUNT];
};

void counter_add(struct counters *, enum counter, uint64_t n);
uint64_t counter_get(const struct counters *, enum counter);
void counter_add_reason(struct counters *, enum reason);
/* reported: the reasons of one verdict, a bit each (verdict_reported). */
void counter_add_reports(struct counters *, uint64_t reported);
void counters_sum(struct counter_totals *, const struct counters *);

const char *counter_name(enum counter); /* of counters.def */
const char *counter_help(enum counter);

#endif
