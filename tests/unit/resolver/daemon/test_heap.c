/* Memory is given back to the system after a busy time, not during it. */
#include "resolver/daemon/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/transport/fake_loop.h"

int __wrap_malloc_trim(size_t pad);

static unsigned trims;

int
__wrap_malloc_trim(size_t pad)
{
	assert_int_equal(pad, 0);
	trims++;
	return 1;
}

static bool
flag(void *ctx)
{
	return *(const bool *)ctx;
}

static void
memory_is_given_back_when_a_busy_time_is_over(void **state)
{
	struct loop *loop = NULL;
	struct heap_watch w;
	bool high = true;

	(void)state;
	assert_int_equal(loop_new(&loop), RES_OK);
	heap_watch_init(&w, loop, flag, &high);
	fake_loop_advance(loop, (int64_t)10 * HEAP_LOOK_MS);
	assert_int_equal(trims, 0);
	for (int i = 0; i < 3; i++) { /* the timer runs from the first call: if each call restarted it, it might never end */
		heap_watch_busy(&w);
		fake_loop_advance(loop, HEAP_LOOK_MS / 2);
	}
	fake_loop_advance(loop, (int64_t)3 * HEAP_LOOK_MS);
	assert_int_equal(trims, 0);
	high = false;
	fake_loop_advance(loop, HEAP_LOOK_MS);
	assert_int_equal(trims, 1);
	fake_loop_advance(loop, (int64_t)10 * HEAP_LOOK_MS);
	assert_int_equal(trims, 1);
	heap_watch_busy(&w);
	heap_watch_stop(&w);
	fake_loop_advance(loop, (int64_t)2 * HEAP_LOOK_MS);
	assert_int_equal(trims, 1);
	assert_int_equal(fake_loop_timers(loop), 0);
	loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_is_given_back_when_a_busy_time_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
