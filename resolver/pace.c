#include "resolver/pace.h"

bool
pace_has(const struct pace *p, int64_t now_ms, int64_t interval_ms, unsigned burst)
{
	return p->spent_until_ms - now_ms <= (int64_t)(burst - 1) * interval_ms;
}

bool
pace_take(struct pace *p, int64_t now_ms, int64_t interval_ms, unsigned burst)
{
	if (!pace_has(p, now_ms, interval_ms, burst))
		return false;
	if (p->spent_until_ms < now_ms)
		p->spent_until_ms = now_ms;
	p->spent_until_ms += interval_ms;
	return true;
}
