#include "transport/idle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
the_limit_is_learned_from_closes(void **state)
{
	struct idle idle = {0};

	(void)state;
	assert_int_equal(idle_use_ms(&idle, -1), IDLE_MAX_MS);
	idle_on_peer_close(&idle, 300); /* a restart */
	assert_int_equal(idle_use_ms(&idle, -1), IDLE_MAX_MS);
	idle_on_peer_close(&idle, 10000);
	assert_int_equal(idle_use_ms(&idle, -1), 9000);
	idle_on_peer_close(&idle, 8 * 3600000); /* we slept meanwhile: nothing is learned, nothing forgotten */
	assert_int_equal(idle_use_ms(&idle, -1), 9000);
	idle_on_peer_close(&idle, IDLE_MAX_MS + 1000); /* longer than we would keep one */
	assert_int_equal(idle_use_ms(&idle, -1), IDLE_MAX_MS - IDLE_MAX_MS / 10 + 900);
}

static void
a_keepalive_time_is_obeyed_and_bounded(void **state)
{
	struct idle idle = {.limit_ms = 10000};

	(void)state;
	assert_int_equal(idle_use_ms(&idle, 0), 0); /* U24: finish and close */
	assert_int_equal(idle_use_ms(&idle, 20000), 18000);
	assert_int_equal(idle_use_ms(&idle, 6553500), IDLE_MAX_MS); /* U24: clamped */
}

static void
after_own_closes_the_limit_is_tried_again(void **state)
{
	struct idle idle = {0};

	(void)state;
	for (int i = 0; i < 10; i++)
		idle_on_own_close(&idle);
	assert_int_equal(idle.limit_ms, 0);
	idle_on_peer_close(&idle, 10000);
	for (int i = 0; i < IDLE_OWN_CLOSES; i++)
		idle_on_own_close(&idle);
	assert_int_equal(idle.limit_ms, 20000);
	idle_on_peer_close(&idle, 10000); /* it was the limit */
	assert_int_equal(idle.limit_ms, 10000);
	for (int i = 0; i < 4 * IDLE_OWN_CLOSES; i++)
		idle_on_own_close(&idle);
	assert_int_equal(idle.limit_ms, 0); /* it was not: forgotten in the end */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_limit_is_learned_from_closes),
	    cmocka_unit_test(a_keepalive_time_is_obeyed_and_bounded),
	    cmocka_unit_test(after_own_closes_the_limit_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
