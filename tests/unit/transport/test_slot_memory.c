/* Without memory: what a connection does, and what is said of its server. */
#include "tests/unit/failing_alloc.h"
#include "tests/unit/transport/slot_fixture.h"
#include "transport/conn.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static size_t count, fail_at; /* of the client's allocations; those of the server do not fail */

static void
a_question_without_memory_stops_no_other(void **state)
{
	(void)state;
	tp_slot_connect(f->slot);
	PUMP_UNTIL(f->ready == 1);
	fixture_ask();
	failing_alloc_begin_all(); /* when it is to be written */
	(void)fake_loop_turn(f->loop, 0);
	(void)failing_alloc_end();
	assert_int_equal(f->n_done, 0);
	fixture_ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->server.n_conn, 1);
}

static void
a_lone_question_without_memory_is_sent_soon(void **state)
{
	(void)state;
	tp_slot_connect(f->slot);
	PUMP_UNTIL(f->ready == 1);
	fixture_ask();
	failing_alloc_begin_all();
	(void)fake_loop_turn(f->loop, 0);
	(void)failing_alloc_end();
	fixture_pump_a_while();
	assert_int_equal(f->n_done, 0);
	fixture_let_pass(CONN_TAKE_AGAIN_MS, CONN_TAKE_AGAIN_MS);
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->server.n_conn, 1);
}

static void
turns_until_done(unsigned n)
{
	for (int i = 0; i < 5000 && f->n_done < n; i++) {
		(void)dot_server_pump(&f->server);
		failing_alloc_begin(fail_at > count ? fail_at - count : 0);
		(void)fake_loop_turn(f->loop, 1);
		count += failing_alloc_end();
		fake_loop_advance(f->loop, 1);
	}
	if (f->n_done != n)
		fail_msg("allocation %zu: %u of %u questions ended", fail_at, f->n_done, n);
}

/* Each allocation from the first connection to the end of the second, which resumes the session. */
static void
no_failed_allocation_counts_as_a_refusal(void **state)
{
	struct tp_stats stats;
	size_t needed = 1;

	for (fail_at = 0; fail_at <= needed; fail_at++) {
		if (fail_at > 0)
			fixture_renew(state);
		count = 0;
		f->starved = fail_at > 0;
		for (unsigned i = 0; i < 2; i++) {
			tp_slot_drop(f->slot, false);
			fixture_ask();
			turns_until_done(i + 1);
		}
		if (fail_at == 0)
			needed = count;
		tp_slot_stats(f->slot, &stats);
		if (f->last_refused || f->last_verdict || stats.refused != 0)
			fail_msg("allocation %zu of %zu: refused", fail_at, needed);
		if (f->last != REASON_NONE && f->last != REASON_OUT_OF_MEMORY)
			fail_msg("allocation %zu of %zu: %s", fail_at, needed, reason_code(f->last));
		for (unsigned i = 0; i < 2; i++)
			if (f->asked[i].killed || f->asked[i].alone > 0)
				fail_msg("allocation %zu of %zu: question %u is blamed", fail_at, needed, i);
		if (fail_at == 0 ? f->n_failed > 0 : f->n_failed > 1)
			fail_msg("allocation %zu of %zu: %u failed", fail_at, needed, f->n_failed);
	}
	fail_at = 0;
	assert_true(needed > 4);
}

static void
an_answer_without_memory_is_not_malformed(void **state)
{
	size_t before;

	(void)state;
	f->target.protocol = TP_DOH;
	f->target.path = "/dns-query";
	f->server.alpn = "h2";
	f->server.mood = DOT_SERVER_LISTENS;
	fixture_ask();
	PUMP_UNTIL(f->server.n_conn == 1 && f->server.conn[0].in.n > 24);
	dot_server_send(&f->server, 0, span_of(BYTES(H2_SETTINGS H2_ANSWER("\1"))));
	for (int i = 0; i < 5000 && f->n_done == 0; i++) {
		(void)dot_server_pump(&f->server);
		failing_alloc_begin_all();
		(void)fake_loop_turn(f->loop, 1);
		(void)failing_alloc_end();
	}
	assert_int_equal(f->n_done, 1);
	assert_int_equal(f->asked[0].failure, REASON_OUT_OF_MEMORY);
	assert_false(f->asked[0].killed);
	assert_int_equal(tp_slot_state(f->slot), TP_READY);
	fixture_pump_a_while();
	before = f->server.conn[0].in.n;
	fixture_ask();
	PUMP_UNTIL(f->server.conn[0].in.n > before);
	dot_server_send(&f->server, 0, span_of(BYTES(H2_ANSWER("\3"))));
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 1);
}

static void
a_judge_without_memory_refuses(void **state)
{
	(void)state;
	fake_judge.refuse = REASON_OUT_OF_MEMORY;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->asked[0].failure, REASON_OUT_OF_MEMORY);
	assert_true(f->last_refused && f->last_verdict);
	assert_int_equal(f->server.app_bytes, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SLOT_TEST(a_question_without_memory_stops_no_other),
	    SLOT_TEST(a_lone_question_without_memory_is_sent_soon),
	    SLOT_TEST(no_failed_allocation_counts_as_a_refusal),
	    SLOT_TEST(an_answer_without_memory_is_not_malformed),
	    SLOT_TEST(a_judge_without_memory_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
