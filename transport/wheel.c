#include "transport/wheel.h"

#include <string.h>

#define PLACE_BITS 6
#define PLACE_DUE  UINT32_MAX /* in the list of what is due */
#define REACH_MS   ((INT64_C(1) << PLACE_BITS * WHEEL_LEVELS) - 1)

void
wheel_start(struct wheel *w, int64_t now_ms)
{
	memset(w, 0, sizeof *w);
	w->now_ms = now_ms;
}

static void
due_append(struct wheel *w, struct loop_timer *t)
{
	t->slot = PLACE_DUE;
	t->next = NULL;
	t->prev = w->due_last;
	if (w->due_last != NULL)
		w->due_last->next = t;
	else
		w->due = t;
	w->due_last = t;
}

/* The level whose places tell `due` from `now`: the one of the highest bit in which they differ. */
static unsigned
level_of(int64_t now, int64_t due)
{
	uint64_t differ = (uint64_t)now ^ (uint64_t)due;

	return differ == 0 ? 0 : (63U - (unsigned)__builtin_clzll(differ)) / PLACE_BITS;
}

void
wheel_add(struct wheel *w, struct loop_timer *t)
{
	int64_t due = t->due_ms;
	struct loop_timer **place;
	unsigned level, i;

	if (due <= w->now_ms) {
		due_append(w, t);
		return;
	}
	if (due - w->now_ms > REACH_MS)
		due = w->now_ms + REACH_MS;
	level = level_of(w->now_ms, due);
	if (level >= WHEEL_LEVELS)
		level = WHEEL_LEVELS - 1; /* the highest level wraps around */
	i = (unsigned)((uint64_t)due >> PLACE_BITS * level) % WHEEL_PLACES;
	place = &w->place[level][i];
	t->slot = level * WHEEL_PLACES + i;
	t->prev = NULL;
	t->next = *place;
	if (*place != NULL)
		(*place)->prev = t;
	*place = t;
	w->taken[level] |= UINT64_C(1) << i;
}

void
wheel_remove(struct wheel *w, struct loop_timer *t)
{
	if (t->next != NULL)
		t->next->prev = t->prev;
	else if (t->slot == PLACE_DUE)
		w->due_last = t->prev;
	if (t->prev != NULL) {
		t->prev->next = t->next;
	} else if (t->slot == PLACE_DUE) {
		w->due = t->next;
	} else {
		unsigned level = t->slot / WHEEL_PLACES, i = t->slot % WHEEL_PLACES;

		w->place[level][i] = t->next;
		if (t->next == NULL)
			w->taken[level] &= ~(UINT64_C(1) << i);
	}
	t->prev = t->next = NULL;
}

/* Takes everything out of the places that time passes on this level; a list through next. */
static struct loop_timer *
level_pass(struct wheel *w, unsigned level, int64_t from_ms, int64_t to_ms, struct loop_timer *list)
{
	int64_t from = from_ms >> PLACE_BITS * level, to = to_ms >> PLACE_BITS * level;

	if (to - from > WHEEL_PLACES)
		from = to - WHEEL_PLACES;
	for (int64_t at = to; at > from && w->taken[level] != 0; at--) {
		unsigned i = (unsigned)((uint64_t)at % WHEEL_PLACES);
		struct loop_timer *t;

		while ((t = w->place[level][i]) != NULL) {
			wheel_remove(w, t);
			t->next = list;
			list = t;
		}
	}
	return list;
}

void
wheel_turn(struct wheel *w, int64_t now_ms)
{
	int64_t before = w->now_ms;
	struct loop_timer *list = NULL, *t;

	if (now_ms <= before)
		return;
	for (unsigned level = WHEEL_LEVELS; level-- > 0;) {
		if (w->taken[level] != 0 && before >> PLACE_BITS * level != now_ms >> PLACE_BITS * level)
			list = level_pass(w, level, before, now_ms, list);
	}
	w->now_ms = now_ms;
	while ((t = list) != NULL) {
		list = t->next;
		wheel_add(w, t);
	}
}

struct loop_timer *
wheel_take(struct wheel *w)
{
	struct loop_timer *t = w->due;

	if (t != NULL) {
		wheel_remove(w, t);
		t->due_ms = 0;
	}
	return t;
}

int64_t
wheel_next_ms(const struct wheel *w)
{
	int64_t next = INT64_MAX;

	if (w->due != NULL)
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
		if (at < next)
			next = at;
	}
	return next;
}
