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
	idle_on_peer_close(&idle, 8 * 3600000); /* the machine slept meanwhile: nothing is learned or forgotten */
	assert_int_equal(idle_use_ms(&idle, -1), 9000);
	idle_on_peer_close(&idle, IDLE_MAX_MS + 1000); /* longer than a connection is ever kept */
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

/* The limit changes to this after exactly so many uses. */
static void
use(struct idle *idle, unsigned uses, int64_t limit_ms)
{
	while (uses-- > 0) {
		assert_int_not_equal(idle->limit_ms, limit_ms);
		idle_on_used(idle);
	}
	assert_int_equal(idle->limit_ms, limit_ms);
}

static void
after_own_closes_the_limit_is_tried_again(void **state)
{
	struct idle idle = {0};

	(void)state;
	for (int i = 0; i < 10; i++)
		idle_on_used(&idle);
	assert_int_equal(idle.limit_ms, 0);
	idle_on_peer_close(&idle, 10000);
	use(&idle, IDLE_TRUST, 20000);
	idle_on_peer_close(&idle, 10000); /* the limit was right */
	assert_int_equal(idle.limit_ms, 10000);
	use(&idle, 2 * IDLE_TRUST, 20000);
	use(&idle, IDLE_TRUST, 40000); /* the limit was wrong, and is forgotten in the end */
	use(&idle, IDLE_TRUST, 80000);
	use(&idle, IDLE_TRUST, 0);
}

/* Each doubt of the limit costs a handshake: doubts become rare, and start again when the limit changes. */
static void
a_confirmed_limit_is_doubted_less_and_less(void **state)
{
	static const struct {
		const char *name;
		int64_t close_ms;
		unsigned trust; /* uses until it is doubled, after that close */
	} rows[] = {
	    {"the first close", 10000, 3},
	    {"the same again", 10000, 6},
	    {"a little later", 11000, 12},
	    {"a little sooner", 10100, 24},
	    {"again", 10000, 48},
	    {"not more than the maximum", 10000, 48},
	    {"a restart in between", 5000, 3},
	    {"and the old limit", 10000, 3},
	    {"twice that", 20000, 3},
	};
	struct idle idle = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		print_message("%s\n", rows[i].name);
		idle_on_peer_close(&idle, rows[i].close_ms);
		use(&idle, rows[i].trust, 2 * rows[i].close_ms);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_limit_is_learned_from_closes),
	    cmocka_unit_test(a_keepalive_time_is_obeyed_and_bounded),
	    cmocka_unit_test(after_own_closes_the_limit_is_tried_again),
	    cmocka_unit_test(a_confirmed_limit_is_doubted_less_and_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
