#include "resolver/clock_shift.h"

#include "base/clock.h"

#include <stdatomic.h>

void
clock_shifts_init(struct clock_shifts *s)
{
	atomic_init(&s->asleep_ms, clock_boot_ms() - clock_mono_ms());
	atomic_init(&s->ahead_ms, clock_wall_ms() - clock_boot_ms());
}

static bool
is_small(int64_t before_ms, int64_t now_ms, int64_t least_ms)
{
	return now_ms - before_ms < least_ms && before_ms - now_ms < least_ms;
}

bool
clock_shift_take(_Atomic int64_t *of_all, int64_t now_ms, int64_t least_ms)
{
	int64_t before = atomic_load(of_all);

	return !is_small(before, now_ms, least_ms) && atomic_compare_exchange_strong(of_all, &before, now_ms);
}

void
clock_shift_follow(_Atomic int64_t *of_all, int64_t now_ms, int64_t least_ms)
{
	int64_t before = atomic_load_explicit(of_all, memory_order_relaxed);

	if (before != now_ms && is_small(before, now_ms, least_ms))
		(void)atomic_compare_exchange_strong(of_all, &before, now_ms);
}
