/* A slot whose server seemed to close its connections after a few answers. */
#include "tests/unit/transport/slot_fixture.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
answer_held(unsigned i)
{
	unsigned done = f->n_done;

	PUMP_UNTIL(f->server.n_question > i);
	dot_server_answer(&f->server, i, 20);
	PUMP_UNTIL(f->n_done == done + 1);
}

/* One answer, and a close under the second question, which is repeated. The next connection tests what that means. */
static void
close_after_one_answer(void)
{
	f->server.mood = DOT_SERVER_HOLDS;
	fixture_ask();
	fixture_ask();
	answer_held(0);
	PUMP_UNTIL(f->server.n_question == 2);
	dot_server_close(&f->server, 0);
	PUMP_UNTIL(f->server.n_question == 3); /* the repeat */
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 4);
}

static void
cancelled_questions_do_not_use_a_connection_up(void **state)
{
	unsigned i;

	(void)state;
	close_after_one_answer();
	tp_cancel(f->asked[1].exchange);
	tp_cancel(f->asked[2].exchange);
	f->server.mood = DOT_SERVER_SERVES;
	dot_server_answer(&f->server, 2, 20);
	dot_server_answer(&f->server, 3, 20);
	fixture_pump_a_while();
	for (i = 0; i < 3; i++)
		fixture_ask();
	PUMP_UNTIL(f->n_done == 1 + 3);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->server.n_conn, 2);
}

static void
nor_do_questions_whose_time_is_over(void **state)
{
	(void)state;
	close_after_one_answer();
	answer_held(2);
	/* The other one gets no answer. The connection is not silent. */
	fixture_let_pass(1500, 100);
	tp_cancel(f->asked[2].exchange);
	f->server.mood = DOT_SERVER_SERVES;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 3);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->server.n_conn, 2);
}

static void
questions_do_not_wait_behind_late_ones_of_a_test(void **state)
{
	(void)state;
	close_after_one_answer();
	fixture_ask();
	f->server.mood = DOT_SERVER_SERVES;
	fixture_let_pass(1200, 50);
	assert_int_equal(f->n_done, 2);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->server.n_conn, 3);
}

static void
a_stall_is_not_a_close(void **state)
{
	unsigned i;

	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	for (i = 0; i < 2; i++) { /* on each of two connections one answer, then none */
		unsigned held = f->server.n_question;

		fixture_ask();
		answer_held(held);
		fixture_ask_until(clock_boot_ms() + 60000);
		PUMP_UNTIL(f->server.n_question == held + 2);
		fixture_let_pass(2300, 100);
		assert_int_equal(f->server.n_conn, i + 2);
		PUMP_UNTIL(f->server.n_question == held + 3);
		tp_cancel(f->asked[2 * i + 1].exchange);
	}
	f->server.mood = DOT_SERVER_SERVES;
	for (i = 0; i < 6; i++)
		fixture_ask();
	PUMP_UNTIL(f->n_done == 2 + 6);
	assert_int_equal(f->server.n_conn, 3); /* no other one was made for them */
}

static void
another_server_has_another_limit(void **state)
{
	(void)state;
	close_after_one_answer();
	tp_cancel(f->asked[1].exchange);
	tp_cancel(f->asked[2].exchange);
	f->target2.name = "server.test";
	tp_slot_retarget(f->slot, &f->target2);
	for (unsigned i = 0; i < 4; i++)
		fixture_ask();
	PUMP_UNTIL(f->server.n_question == 4 + 4); /* at once */
	assert_int_equal(f->server.n_conn, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SLOT_TEST(cancelled_questions_do_not_use_a_connection_up),
	    SLOT_TEST(nor_do_questions_whose_time_is_over),
	    SLOT_TEST(questions_do_not_wait_behind_late_ones_of_a_test),
	    SLOT_TEST(a_stall_is_not_a_close),
	    SLOT_TEST(another_server_has_another_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
