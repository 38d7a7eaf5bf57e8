/*
 * wheel.h - a hierarchical timing wheel: timers in O(1), whatever their number.
 *
 * Level n has 64 places of 64^n milliseconds each; a timer is on the lowest level that covers its time, and moves down when
 * its place is reached. The wheel reads no clock and makes no callbacks: its owner passes the time in and takes the due
 * timers out. A jump of time, however far, costs one look at each level.
 */
#ifndef TRANSPORT_WHEEL_H
#define TRANSPORT_WHEEL_H

#include <stdint.h>
#include <sys/queue.h>

#define WHEEL_LEVELS 6 /* 64^6 ms are two years; a timer beyond that is placed again as it comes nearer */
#define WHEEL_PLACES 64

/* Embedded in its owner's struct. */
struct wheel_timer {
	int64_t due_ms;                  /* 0: in no wheel */
	TAILQ_ENTRY(wheel_timer) beside; /* of its place */
	uint32_t place;                  /* the wheel's */
};

TAILQ_HEAD(wheel_list, wheel_timer);

struct wheel {
	int64_t now_ms;               /* every timer due until then has become due */
	uint64_t taken[WHEEL_LEVELS]; /* a bit for each place that holds timers */
	struct wheel_list place[WHEEL_LEVELS][WHEEL_PLACES];
	struct wheel_list due; /* to be taken with wheel_take */
};

void wheel_start(struct wheel *, int64_t now_ms);
/* The caller has set t->due_ms, and t is in no list. A timer that is already due can be taken at once. */
void wheel_add(struct wheel *, struct wheel_timer *t);
void wheel_remove(struct wheel *, struct wheel_timer *t); /* t is in the wheel, or due and not taken yet */
/* Time is now_ms: timers that are due by then can be taken. Time does not go back. */
void wheel_turn(struct wheel *, int64_t now_ms);
/* The next of the due timers, out of the wheel, its due_ms zero; NULL when there is none. */
struct wheel_timer *wheel_take(struct wheel *);
/* No timer is due before this. It is when the first one is due, or earlier when many timers are close to each other.
 * INT64_MAX when the wheel is empty. */
int64_t wheel_next_ms(const struct wheel *);

#endif
