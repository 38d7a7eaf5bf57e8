#include "transport/late.h"

int64_t
late_after_ms(int64_t median_us)
{
	int64_t ms = median_us > 0 ? LATE_TIMES * (median_us / 1000) : 0;

	if (ms < LATE_MIN_MS)
		return LATE_MIN_MS;
	return ms < LATE_MAX_MS ? ms : LATE_MAX_MS;
}

bool
late_judge(const struct late_facts *f, int64_t median_us)
{
	int64_t after_ms = late_after_ms(median_us);

	if (f->oldest_ms < after_ms)
		return false;
	/* In any order: two are late, and not a byte has come since the younger of them was sent. */
	return !f->unordered || (f->second_ms >= after_ms && f->quiet_ms >= f->second_ms);
}
