/*
 * clock.h - the three clocks, in milliseconds, and a way to script them.
 *
 * wall: UTC since the epoch; may jump. For certificates, SCTs and log lines.
 * boot: since boot, runs during suspend (CLOCK_BOOTTIME). For TTLs, idle times, back-off.
 * mono: since boot, stands still during suspend. boot - mono grows by the time slept.
 *
 * Nothing else in the tree asks the system for the time.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);
int64_t clock_boot_ms(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void); /* for measuring round trips */
int64_t clock_wall_us(void);

struct clock_source {
	int64_t (*wall_ms)(void);
	int64_t (*boot_ms)(void);
	int64_t (*mono_ms)(void);
};

/* Tests only, before any thread is started: everything above reads from here. NULL: the system's again. */
void clock_use(const struct clock_source *);

#endif
