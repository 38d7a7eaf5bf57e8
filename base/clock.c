#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static const struct clock_source *scripted;

static int64_t
clock_read_us(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) != 0)
		return 0;
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_wall_ms(void)
{
	return scripted != NULL ? scripted->wall_ms() : clock_read_us(CLOCK_REALTIME) / 1000;
}

int64_t
clock_boot_ms(void)
{
	return scripted != NULL ? scripted->boot_ms() : clock_read_us(CLOCK_BOOTTIME) / 1000;
}

int64_t
clock_mono_ms(void)
{
	return scripted != NULL ? scripted->mono_ms() : clock_read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t
clock_mono_us(void)
{
	return scripted != NULL ? scripted->mono_ms() * 1000 : clock_read_us(CLOCK_MONOTONIC);
}

int64_t
clock_wall_us(void)
{
	return scripted != NULL ? scripted->wall_ms() * 1000 : clock_read_us(CLOCK_REALTIME);
}

void
clock_use(const struct clock_source *source)
{
	scripted = source;
}
