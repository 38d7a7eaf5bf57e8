#include "config.h" /* SCHED_IDLE wants _GNU_SOURCE */

#include "resolver/daemon/slice.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

/* The slice that this thread has; 0: it can ask for none. */
static uint64_t
slice_now(void)
{
	uint64_t ns = slice_set(SLICE_SHORT_NS);

	slice_set(ns);
	return ns;
}

static void *
thread_reports(void *out)
{
	*(uint64_t *)out = slice_now();
	return NULL;
}

static uint64_t
slice_of_new_thread(void)
{
	uint64_t ns = 0;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, thread_reports, &ns), 0);
	pthread_join(thread, NULL);
	return ns;
}

static void
a_thread_inherits_the_slice_and_its_maker_gets_the_former_one_back(void **state)
{
	const uint64_t first = slice_now();
	uint64_t before;

	(void)state;
	if (first == 0) /* before Linux 6.12, or where it is forbidden */
		skip();
	assert_int_not_equal(first, SLICE_SHORT_NS);
	before = slice_set(SLICE_SHORT_NS);
	assert_int_equal(before, first);
	assert_int_equal(slice_of_new_thread(), SLICE_SHORT_NS);
	assert_int_equal(slice_set(before), SLICE_SHORT_NS);
	assert_int_equal(slice_of_new_thread(), first);
}

static void
a_slice_of_0_changes_nothing(void **state)
{
	const uint64_t first = slice_now();

	(void)state;
	assert_int_equal(slice_set(0), 0);
	assert_int_equal(slice_now(), first);
}

struct idle_thread {
	bool is_idle, changed, is_idle_after;
};

/* Idle is a policy that needs no privilege. */
static void *
thread_becomes_idle(void *out)
{
	const struct sched_param none = {0};
	struct idle_thread *t = out;

	t->is_idle = sched_setscheduler(0, SCHED_IDLE, &none) == 0;
	t->changed = slice_set(SLICE_SHORT_NS) != 0;
	t->is_idle_after = sched_getscheduler(0) == SCHED_IDLE;
	return NULL;
}

static void
a_thread_of_another_policy_stays_as_it_is(void **state)
{
	struct idle_thread t = {.is_idle = false};
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, thread_becomes_idle, &t), 0);
	pthread_join(thread, NULL);
	if (!t.is_idle)
		skip();
	assert_false(t.changed);
	assert_true(t.is_idle_after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_thread_inherits_the_slice_and_its_maker_gets_the_former_one_back),
	    cmocka_unit_test(a_slice_of_0_changes_nothing),
	    cmocka_unit_test(a_thread_of_another_policy_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
