#include "transport/wheel.h"

#include <stddef.h>
#include <string.h>

#define PLACE_BITS 6
#define PLACE_DUE  UINT32_MAX /* in the list of due timers */
/* An idle loop has one or two timers and must sleep until they are due; a busy one wakes up anyway. */
#define WHEEL_LOOKS_MAX 4
#define REACH_MS        ((INT64_C(1) << PLACE_BITS * WHEEL_LEVELS) - 1)

void
wheel_start(struct wheel *w, int64_t now_ms)
{
	memset(w, 0, sizeof *w);
	w->now_ms = now_ms;
	TAILQ_INIT(&w->due);
	for (unsigned level = 0; level < WHEEL_LEVELS; level++)
		for (unsigned i = 0; i < WHEEL_PLACES; i++)
			TAILQ_INIT(&w->place[level][i]);
}

/* The level whose places distinguish `due` from `now`: the one of the highest bit in which they differ. */
static unsigned
wheel_level(int64_t now, int64_t due)
{
	uint64_t differ = (uint64_t)now ^ (uint64_t)due;
	unsigned level = differ == 0 ? 0 : (63U - (unsigned)__builtin_clzll(differ)) / PLACE_BITS;

	return level < WHEEL_LEVELS ? level : WHEEL_LEVELS - 1; /* the highest level wraps around */
}

void
wheel_add(struct wheel *w, struct wheel_timer *t)
{
	int64_t due = t->due_ms;
	unsigned level, i;

	if (due <= w->now_ms) {
		t->place = PLACE_DUE;
		TAILQ_INSERT_TAIL(&w->due, t, beside);
		return;
	}
	if (due - w->now_ms > REACH_MS)
		due = w->now_ms + REACH_MS;
	level = wheel_level(w->now_ms, due);
	i = (unsigned)((uint64_t)due >> PLACE_BITS * level) % WHEEL_PLACES;
	t->place = level * WHEEL_PLACES + i;
	TAILQ_INSERT_TAIL(&w->place[level][i], t, beside);
	w->taken[level] |= UINT64_C(1) << i;
}

void
wheel_remove(struct wheel *w, struct wheel_timer *t)
{
	unsigned level = t->place / WHEEL_PLACES, i = t->place % WHEEL_PLACES;

	if (t->place == PLACE_DUE) {
		TAILQ_REMOVE(&w->due, t, beside);
		return;
	}
	TAILQ_REMOVE(&w->place[level][i], t, beside);
	if (TAILQ_EMPTY(&w->place[level][i]))
		w->taken[level] &= ~(UINT64_C(1) << i);
}

/* Moves the timers of every place of this level that time passes to the list, in the order of their places. */
static void
wheel_pass_level(struct wheel *w, unsigned level, int64_t from_ms, int64_t to_ms, struct wheel_list *list)
{
	int64_t from = from_ms >> PLACE_BITS * level, to = to_ms >> PLACE_BITS * level;

	if (to - from > WHEEL_PLACES)
		from = to - WHEEL_PLACES;
	for (int64_t at = from + 1; at <= to && w->taken[level] != 0; at++) {
		unsigned i = (unsigned)((uint64_t)at % WHEEL_PLACES);

		TAILQ_CONCAT(list, &w->place[level][i], beside);
		w->taken[level] &= ~(UINT64_C(1) << i);
	}
}

void
wheel_turn(struct wheel *w, int64_t now_ms)
{
	int64_t before = w->now_ms;
	struct wheel_list passed = TAILQ_HEAD_INITIALIZER(passed);
	struct wheel_timer *t;

	if (now_ms <= before)
		return;
	for (unsigned level = 0; level < WHEEL_LEVELS; level++)
		if (w->taken[level] != 0)
			wheel_pass_level(w, level, before, now_ms, &passed);
	w->now_ms = now_ms;
	while ((t = TAILQ_FIRST(&passed)) != NULL) {
		TAILQ_REMOVE(&passed, t, beside);
		wheel_add(w, t);
	}
}

struct wheel_timer *
wheel_take(struct wheel *w)
{
	struct wheel_timer *t = TAILQ_FIRST(&w->due);

	if (t != NULL) {
		TAILQ_REMOVE(&w->due, t, beside);
		t->due_ms = 0;
	}
	return t;
}

/* When the first timer of a place that begins at start_ms is due; its beginning when there are too many to look at. */
static int64_t
wheel_place_next_ms(const struct wheel *w, unsigned level, int64_t start_ms)
{
	unsigned i = (unsigned)((uint64_t)start_ms >> PLACE_BITS * level) % WHEEL_PLACES, looked_at = 0;
	int64_t first =
	    start_ms + (INT64_C(1) << PLACE_BITS * level) - 1; /* a timer beyond the wheel is due later */
	struct wheel_timer *t;

	TAILQ_FOREACH(t, &w->place[level][i], beside)
	{
		if (++looked_at > WHEEL_LOOKS_MAX)
			return start_ms;
		if (t->due_ms < first)
			first = t->due_ms;
	}
	return first;
}

int64_t
wheel_next_ms(const struct wheel *w)
{
	int64_t next = INT64_MAX;

	if (!TAILQ_EMPTY(&w->due))
		return w->now_ms;
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		int64_t hand = w->now_ms >> PLACE_BITS * level, at;
		unsigned turn = (unsigned)((uint64_t)(hand + 1) % WHEEL_PLACES);
		uint64_t taken = w->taken[level];

		if (taken == 0)
			continue;
		if (turn != 0)
			taken = taken >> turn | taken << (WHEEL_PLACES - turn);
		at = (hand + 1 + __builtin_ctzll(taken)) << PLACE_BITS * level;
		at = at < next ? wheel_place_next_ms(w, level, at) : at;
		if (at < next)
			next = at;
	}
	return next;
}
