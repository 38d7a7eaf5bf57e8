/*
 * when.h - the time at which a certificate is verified, and how far the clock can be trusted.
 *
 * The floor is a time that has certainly passed: that of the build, or of the list of CT logs. A clock that lies before the
 * floor is not set. Then a period that ended before the floor has ended, and a period that begins after the clock counts as
 * not begun, but with the reason clock-not-set instead of not-yet-valid.
 */
#ifndef VERIFY_WHEN_H
#define VERIFY_WHEN_H

#include <stdbool.h>
#include <stdint.h>

struct when {
	int64_t since_ms; /* what ended before this has ended: the clock or the floor, whichever is later */
	int64_t until_ms; /* what begins after this has not begun: the clock */
	bool unset;       /* the clock lies before the floor */
};

/* The clock is right. */
static inline struct when
when_at(int64_t now_ms)
{
	return (struct when){now_ms, now_ms, false};
}

/* floor_ms 0: none is known. */
static inline struct when
when_of(int64_t now_ms, int64_t floor_ms)
{
	return floor_ms != 0 && now_ms < floor_ms ? (struct when){floor_ms, now_ms, true} : when_at(now_ms);
}

/* The same, but if the clock is not set, the time may be any time after the floor: nothing counts as not begun. */
static inline struct when
when_any_later(struct when w)
{
	return (struct when){w.since_ms, w.unset ? INT64_MAX : w.until_ms, false};
}

#endif
