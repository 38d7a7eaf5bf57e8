/* The scripted loop that other tests rely on. */
#include "tests/unit/transport/fake_loop.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct ticker {
	struct loop_timer timer;
	int64_t at[8];
	int n;
};

static void
ticker_on_due(void *ctx)
{
	struct ticker *t = ctx;

	t->at[t->n++] = loop_now_ms(t->timer.loop) - FAKE_LOOP_BOOT_MS;
	if (t->n < 3)
		loop_timer_set(&t->timer, 100);
}

static void
time_stops_at_each_timer(void **state)
{
	struct ticker t = {0};
	struct loop *loop;

	(void)state;
	assert_int_equal(loop_new(&loop), RES_OK);
	loop_timer_init(&t.timer, loop, ticker_on_due, &t);
	loop_timer_set(&t.timer, 100);
	fake_loop_advance(loop, 99);
	assert_int_equal(t.n, 0);
	fake_loop_advance(loop, 1000);
	assert_int_equal(t.n, 3);
	assert_int_equal(t.at[0], 100);
	assert_int_equal(t.at[2], 300);
	assert_int_equal(clock_boot_ms(), FAKE_LOOP_BOOT_MS + 1099);
	assert_int_equal(clock_wall_ms(), FAKE_LOOP_WALL_MS + 1099);
	assert_int_equal(fake_loop_timers(loop), 0);
	loop_free(loop);
}

static void
a_suspend_moves_boot_time_and_not_monotonic_time(void **state)
{
	struct ticker t = {0};
	struct loop *loop;

	(void)state;
	assert_int_equal(loop_new(&loop), RES_OK);
	loop_timer_init(&t.timer, loop, ticker_on_due, &t);
	loop_timer_set(&t.timer, 1000);
	fake_loop_suspend(loop, 8 * 3600000);
	assert_int_equal(clock_boot_ms() - clock_mono_ms(), 8 * 3600000);
	assert_true(fake_loop_turn(loop, 0));
	assert_int_equal(t.n, 1);
	loop_timer_stop(&t.timer);
	loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(time_stops_at_each_timer),
	    cmocka_unit_test(a_suspend_moves_boot_time_and_not_monotonic_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
