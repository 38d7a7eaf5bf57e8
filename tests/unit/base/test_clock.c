/* Every clock reads from its own source, in its own unit. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int64_t
wall(void)
{
	return 1795284000123;
}

static int64_t
boot(void)
{
	return 20001;
}

static int64_t
mono(void)
{
	return 10001;
}

static void
scripted_clocks(void **state)
{
	static const struct clock_source source = {wall, boot, mono};

	(void)state;
	clock_use(&source);
	assert_int_equal(clock_wall_ms(), 1795284000123);
	assert_int_equal(clock_wall_us(), 1795284000123000);
	assert_int_equal(clock_boot_ms(), 20001);
	assert_int_equal(clock_mono_ms(), 10001);
	assert_int_equal(clock_mono_us(), 10001000);
	clock_use(NULL);
	assert_int_not_equal(clock_mono_ms(), 10001);
}

/* Milliseconds and microseconds are of one clock: a value read between two others lies between them. */
static void
clocks_of_the_system(void **state)
{
	int64_t before = clock_mono_ms(), us = clock_mono_us(), after = clock_mono_ms();

	(void)state;
	assert_true(before <= us / 1000 && us / 1000 <= after);
	assert_true(clock_boot_ms() >= before); /* it also runs in suspend */
	assert_true(clock_wall_us() / 1000 - clock_wall_ms() < 1000);
	assert_true(clock_wall_us() / 1000 - clock_wall_ms() > -3600000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripted_clocks),
		cmocka_unit_test(clocks_of_the_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
