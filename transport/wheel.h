/*
 * wheel.h - a hierarchical timing wheel: timers in O(1), whatever their number.
 *
 * Level n has 64 places of 64^n milliseconds each; a timer lies on the lowest level that reaches it and moves
 * down when its place comes up. Nothing here reads a clock or calls anybody: time is told, due timers are
 * handed out. A jump of time, however server, costs one look at each level.
 */
#ifndef TRANSPORT_WHEEL_H
#define TRANSPORT_WHEEL_H

#include "transport/loop.h"

#define WHEEL_LEVELS 6 /* 64^6 ms are two years; what lies beyond is placed again as it comes nearer */
#define WHEEL_PLACES 64

struct wheel {
	int64_t now_ms;               /* up to here everything was handed out */
	uint64_t taken[WHEEL_LEVELS]; /* a bit for each place that holds timers */
	struct loop_timer *place[WHEEL_LEVELS][WHEEL_PLACES];
	struct loop_timer *due; /* what is due now, to be taken with wheel_take */
	struct loop_timer *due_last;
};

void wheel_start(struct wheel *, int64_t now_ms);
/* t->due_ms is set by the caller and t is in no list. What is due already is handed out by the next
 * wheel_take. */
void wheel_add(struct wheel *, struct loop_timer *t);
void wheel_remove(struct wheel *, struct loop_timer *t); /* t is in the wheel, or due and not taken yet */
/* Time is now_ms: what is due until then can be taken. Time does not go back. */
void wheel_turn(struct wheel *, int64_t now_ms);
/* The next of the due timers, out of the wheel, its due_ms zero; NULL when there is none. */
struct loop_timer *wheel_take(struct wheel *);
/* No timer is due before this; it may be earlier than the first one. INT64_MAX when the wheel is empty. */
int64_t wheel_next_ms(const struct wheel *);

#endif
