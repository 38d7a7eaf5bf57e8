/* A connection whose buffer could not grow for one question carries the next ones. */
#include "tests/unit/transport/slot_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

void *__real_realloc(void *, size_t);
void *__wrap_realloc(void *, size_t);

static bool no_memory;

void *
__wrap_realloc(void *p, size_t n)
{
	return no_memory ? NULL : __real_realloc(p, n);
}

static void
a_question_without_memory_stops_no_other(void **state)
{
	(void)state;
	tp_slot_connect(f->slot);
	PUMP_UNTIL(f->ready == 1);
	no_memory = true;
	fixture_ask();
	(void)fake_loop_turn(f->loop, 0);
	no_memory = false;
	assert_int_equal(f->n_done, 0);
	fixture_ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->server.n_conn, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SLOT_TEST(a_question_without_memory_stops_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
