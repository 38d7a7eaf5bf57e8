/*
 * repeats.h - what happens again and again is recorded once an hour, with a count, and all of it only so often.
 *
 * A peer that shows a refused certificate does so at every connection, and one that wants to fill the journal shows another
 * one each time. Pure; time is a parameter.
 */
#ifndef RESOLVER_DAEMON_REPEATS_H
#define RESOLVER_DAEMON_REPEATS_H

#include "base/bytes.h"
#include "base/random.h"

#define REPEATS_MAX       256 /* different ones that are remembered: two hours of as many as may be recorded */
#define REPEATS_PERIOD_MS (3600 * INT64_C(1000))
/* Different ones an hour; four addresses that flap every two minutes stay below it. */
#define REPEATS_NEW_MAX 120

struct repeats {
	struct hash_key key;
	struct repeat {
		uint64_t what;
		int64_t recorded_ms; /* wall clock */
		int64_t count;       /* since then */
	} v[REPEATS_MAX];
	size_t n;
	int64_t hour_ms;   /* when the present hour began */
	unsigned recorded; /* in it */
};

void repeats_begin(struct repeats *);
/* The event happens. If it is to be recorded now, returns how often it has happened since it was last recorded, this
 * time included; else 0. */
int64_t repeats_count(struct repeats *, struct span what, int64_t now_ms);
/* The event was recorded at that time, by an earlier process. */
void repeats_restore(struct repeats *, struct span what, int64_t recorded_ms);

#endif
