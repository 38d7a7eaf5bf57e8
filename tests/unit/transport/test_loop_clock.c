/* The loop with its real descriptors and awkward clocks (K06, K09). */
#include "transport/loop.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DAY_MS  INT64_C(86400000)
#define TICKERS 5000
#define PACE_MS 1000

/* How often libevent waited: this definition comes before the C library's. */
static unsigned waits;

int
epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
	waits++;
	return (int)syscall(SYS_epoll_pwait, fd, events, max, timeout, NULL, 0);
}

static int64_t jump_ms;

static int64_t
jumped_boot_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + jump_ms;
}

static const struct clock_source jumping = {jumped_boot_ms, jumped_boot_ms, jumped_boot_ms};

struct ticker {
	struct loop_timer timer;
	unsigned fired;
};

static void
ticker_on_due(void *ctx)
{
	struct ticker *t = ctx;

	t->fired++;
	loop_timer_set(&t->timer, PACE_MS);
}

static void
stop_on_due(void *ctx)
{
	loop_stop(ctx);
}

/* Runs the loop for so long, in its own time. */
static void
run_for(struct loop *loop, int64_t ms)
{
	struct loop_timer end;

	loop_timer_init(&end, loop, stop_on_due, loop);
	loop_timer_set(&end, ms);
	loop_run(loop);
	loop_timer_stop(&end);
}

/* a timer that is set every second does not run a day's worth of times. */
static void
k06_each_timer_fires_once_after_a_jump_of_a_day(void **state)
{
	static struct ticker ticker[TICKERS];
	struct loop *loop;

	(void)state;
	jump_ms = 0;
	clock_use(&jumping);
	assert_int_equal(loop_new(&loop), RES_OK);
	for (unsigned i = 0; i < TICKERS; i++) {
		ticker[i].fired = 0;
		loop_timer_init(&ticker[i].timer, loop, ticker_on_due, &ticker[i]);
		loop_timer_set(&ticker[i].timer, PACE_MS + i);
	}
	jump_ms = DAY_MS;
	run_for(loop, 0);
	for (unsigned i = 0; i < TICKERS; i++)
		assert_int_equal(ticker[i].fired, 1);
	for (int turn = 0; turn < 3; turn++) /* and not a second time */
		run_for(loop, 0);
	for (unsigned i = 0; i < TICKERS; i++)
		assert_int_equal(ticker[i].fired, 1);
	for (unsigned i = 0; i < TICKERS; i++)
		loop_timer_stop(&ticker[i].timer);
	loop_free(loop);
	clock_use(NULL);
}

/* short timers, as they are, with a clock that may tick every few milliseconds. */
static const int64_t short_ms[] = {0, 1, 2, 3, 4, 10, 64, 65};

#define WAITS_MAX 2 /* for one timer; the descriptor of the timer may be served in a turn of its own */

static void
k09_short_timers_are_never_early_and_do_not_spin(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof short_ms / sizeof *short_ms; i++) {
		for (int round = 0; round < 5; round++) {
			int64_t start;
			struct loop *loop;

			assert_int_equal(loop_new(&loop), RES_OK);
			waits = 0;
			start = clock_boot_ms();
			run_for(loop, short_ms[i]);
			if (clock_boot_ms() - start < short_ms[i])
				fail_msg("%d ms: early", (int)short_ms[i]);
			if (waits > WAITS_MAX)
				fail_msg("%d ms: the loop waited %u times", (int)short_ms[i], waits);
			loop_free(loop);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(k06_each_timer_fires_once_after_a_jump_of_a_day),
	    cmocka_unit_test(k09_short_timers_are_never_early_and_do_not_spin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
