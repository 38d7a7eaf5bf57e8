/* A slot keeps its connection open while there are no questions (tp_slot_keep), and stops doing so. */
#include "tests/unit/transport/slot_fixture.h"

#include "base/clock.h"
#include "transport/idle.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define LIMIT  10000 /* the server closes a connection that was idle for so long */
#define MINUTE INT64_C(60000)

static struct tp_stats
stats(void)
{
	struct tp_stats s;

	tp_slot_stats(f->slot, &s);
	return s;
}

static void
keep_for(int64_t ms)
{
	tp_slot_keep(f->slot, clock_boot_ms() + ms);
}

static void
ask_one(void)
{
	fixture_ask();
	PUMP_UNTIL(f->n_done == f->n_asked);
	assert_int_equal(f->n_failed, 0);
}

/* Time passes, in steps no longer than any timer here. Bytes over loopback arrive at once. */
#define STEP 100

static void
step(void)
{
	bool busy = true;

	fake_loop_advance(f->loop, STEP);
	for (int i = 0; i < 50 && busy; i++) {
		busy = dot_server_pump(&f->server);
		busy |= fake_loop_turn(f->loop, 0);
	}
}

static void
pass(int64_t ms)
{
	for (int64_t end = clock_boot_ms() + ms; clock_boot_ms() < end;)
		step();
}

/* The same with a server that closes its newest connection when that was idle for limit. */
static void
pass_with(int64_t ms, int64_t limit)
{
	unsigned conns = 0, questions = 0;
	int64_t since_ms = clock_boot_ms();

	for (int64_t end = clock_boot_ms() + ms; clock_boot_ms() < end; step()) {
		if (f->server.n_question != questions || f->server.n_conn != conns) {
			questions = f->server.n_question;
			conns = f->server.n_conn;
			since_ms = clock_boot_ms();
		} else if (clock_boot_ms() - since_ms >= limit && !f->server.conn[conns - 1].closed) {
			dot_server_close(&f->server, conns - 1);
		}
	}
}

/* The limit is known, and there is a fresh connection. */
static void
learn(int64_t limit)
{
	ask_one();
	fake_loop_advance(f->loop, limit);
	dot_server_close(&f->server, 0);
	PUMP_UNTIL(f->closed == 1);
	assert_int_equal(stats().idle_limit_ms, limit);
	ask_one();
}

static void
questions_hold_a_connection_within_the_peers_limit(void **state)
{
	const struct dot_server_question *q;

	(void)state;
	learn(LIMIT);
	keep_for(2 * LIMIT);
	fake_loop_advance(f->loop, LIMIT - LIMIT / 10 - 1);
	fixture_pump_a_while();
	assert_int_equal(f->server.n_question, 2);
	fake_loop_advance(f->loop, 1);
	PUMP_UNTIL(f->server.n_question == 3 && stats().in_flight == 0);
	q = &f->server.question[2];
	assert_int_equal(q->n, 128); /* padded */
	assert_memory_equal(q->message + 2, "\1\0\0\1\0\0\0\0\0\1\0\0\6\0\1\0\0\51", 18);
	assert_int_equal(tp_slot_state(f->slot), TP_READY);
	assert_int_equal(f->server.n_conn, 2);
	/* It is counted only as a question of the slot's own, and no callback was made for it. */
	assert_int_equal(stats().kept, 1);
	assert_int_equal(stats().questions, 2);
	assert_int_equal(stats().answers, 2);
	assert_int_equal(f->n_done, 2);
}

static void
it_ends_when_its_time_is_over(void **state)
{
	(void)state;
	learn(LIMIT);
	keep_for(2 * LIMIT);
	pass(10 * LIMIT);
	assert_int_equal(stats().kept, 2); /* at 9 and 18 s */
	assert_int_equal(tp_slot_state(f->slot), TP_IDLE);
	assert_string_equal(f->detail, "idle");
	assert_int_equal(f->server.n_conn, 2);
	assert_int_equal(fake_loop_timers(f->loop), 0); /* nothing wakes it */
}

static void
without_it_nothing_is_sent(void **state)
{
	(void)state;
	learn(LIMIT);
	pass(MINUTE);
	assert_int_equal(stats().kept, 0);
	assert_int_equal(f->server.n_conn, 2);
	keep_for(MINUTE); /* of no use without a connection: the next question makes one */
	pass(MINUTE);
	assert_int_equal(f->server.n_conn, 2);
	ask_one();
	keep_for(MINUTE);
	keep_for(0);
	pass(MINUTE);
	assert_int_equal(stats().kept, 0);
	assert_int_equal(f->server.n_conn, 3);
}

static void
a_connection_that_the_peer_closed_is_made_again(void **state)
{
	(void)state;
	ask_one(); /* its limit is not known yet */
	keep_for(MINUTE);
	fake_loop_advance(f->loop, LIMIT);
	dot_server_close(&f->server, 0);
	PUMP_UNTIL(f->ready == 2 && f->server.resumed == 1);
	assert_int_equal(f->server.n_conn, 2);
	assert_int_equal(stats().idle_limit_ms, LIMIT);
	assert_int_equal(f->server.n_question, 1);
}

static const struct {
	const char *name;
	int64_t limit_ms; /* of the server; 0: it closes nothing */
	int64_t keep_ms;
	unsigned questions_max, conns_max; /* in that time, bounds of the cost */
	unsigned questions_min;
} costs[] = {
    {"10 s for an hour: 400 questions, and a handshake for each doubt", LIMIT, 60 * MINUTE, 400, 13, 300},
    {"30 s", 30000, 60 * MINUTE, 134, 10, 100},
    {"no limit: NAT boxes have one", 0, 60 * MINUTE, 31, 1, 29},
    {"4.5 s: as often as is allowed", 4500, 10 * MINUTE, 150, 9, 100},
    {"2 s: not kept, and not made again and again", 2000, 10 * MINUTE, 0, 2, 0},
};

static void
the_cost_is_bounded(void **state)
{
	for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) {
		int64_t limit = costs[i].limit_ms;

		if (i > 0)
			fixture_renew(state);
		print_message("%s\n", costs[i].name);
		ask_one();
		keep_for(costs[i].keep_ms);
		pass_with(costs[i].keep_ms, limit > 0 ? limit : INT64_MAX);
		print_message("  %u questions, %u connections\n", (unsigned)stats().kept, f->server.n_conn);
		assert_in_range(stats().kept, costs[i].questions_min, costs[i].questions_max);
		assert_in_range(f->server.n_conn, 1, costs[i].conns_max);
		assert_int_equal(f->failed, 0);
	}
}

static void
a_question_without_an_answer_costs_one_connection_more(void **state)
{
	(void)state;
	learn(LIMIT);
	keep_for(10 * MINUTE);
	f->server.mood = DOT_SERVER_CLOSES_ON_QUESTION;
	pass(5 * MINUTE);
	assert_int_equal(stats().kept, 2);
	assert_int_equal(f->server.n_conn, 3);
	assert_int_equal(tp_slot_state(f->slot), TP_IDLE);
	assert_int_equal(stats().barren, 0); /* no question of a client was affected */
	assert_int_equal(stats().repeated, 0);
	f->server.mood = DOT_SERVER_SERVES;
	ask_one();
}

static void
a_peer_that_cannot_be_reached_ends_it(void **state)
{
	uint64_t kept;

	(void)state;
	learn(LIMIT);
	keep_for(10 * MINUTE);
	f->server.mood = DOT_SERVER_CLOSES_AT_ONCE;
	pass(LIMIT - LIMIT / 10 + TP_KEEP_EVERY_MS + 1000);
	dot_server_close(&f->server, 1);
	pass(5 * MINUTE);
	/* One attempt with the saved session, and one without. */
	assert_int_equal(f->failed, 1);
	assert_int_equal(f->server.n_conn, 4);
	/* The next question makes a connection, which is not kept. */
	f->server.mood = DOT_SERVER_SERVES;
	kept = stats().kept;
	ask_one();
	pass(MINUTE);
	assert_int_equal(stats().kept, kept);
}

static void
a_peer_that_closes_soon_is_not_asked(void **state)
{
	(void)state;
	learn(2000);
	keep_for(10 * MINUTE);
	pass(MINUTE);
	assert_int_equal(stats().kept, 0);
	assert_int_equal(f->server.n_conn, 2);
}

static void
a_silent_peer_is_dropped_and_tried_once_more(void **state)
{
	(void)state;
	learn(LIMIT);
	keep_for(10 * MINUTE);
	f->server.mood = DOT_SERVER_HOLDS;
	pass(5 * MINUTE);
	assert_int_equal(f->server.n_conn, 3);
	assert_int_equal(stats().kept, 2);
	assert_int_equal(stats().in_flight, 0);
}

static void
after_a_sleep_a_fresh_connection_is_made(void **state)
{
	(void)state;
	learn(LIMIT);
	keep_for(10 * MINUTE);
	fake_loop_suspend(f->loop, 5 * MINUTE);
	PUMP_UNTIL(f->ready == 3);
	assert_int_equal(stats().kept, 0); /* nothing was tried on the old one */
	assert_int_equal(f->server.n_conn, 3);
	fake_loop_suspend(f->loop, 60 * MINUTE);
	PUMP_UNTIL(tp_slot_state(f->slot) == TP_IDLE);
	pass(MINUTE);
	assert_int_equal(f->server.n_conn, 3);
}

static void
the_peer_is_judged_as_usual(void **state)
{
	(void)state;
	learn(LIMIT);
	keep_for(10 * MINUTE);
	fake_judge.refuse = REASON_UNTRUSTED;
	tp_slot_retarget(f->slot, &f->target2);
	pass(10 * MINUTE);
	assert_int_equal(stats().refused, 1);
	assert_int_equal(f->server.n_question, 2); /* none to a refused peer */
	assert_int_equal(stats().kept, 0);
	assert_int_equal(f->server.n_conn, 2);
}

static void
a_dropped_connection_takes_the_question_with_it(void **state)
{
	(void)state;
	learn(LIMIT);
	keep_for(10 * MINUTE);
	f->server.mood = DOT_SERVER_HOLDS;
	pass(LIMIT - LIMIT / 10);
	PUMP_UNTIL(f->server.n_question == 3);
	tp_slot_drop(f->slot, false);
	fixture_pump_a_while();
	assert_int_equal(f->server.n_conn, 2); /* nothing is repeated */
	assert_int_equal(stats().waiting, 0);
}

/* A question of a client's goes over the same connection, and is not taken for the slot's own. */
static void
questions_of_clients_and_of_the_slot_share_the_connection(void **state)
{
	(void)state;
	learn(LIMIT);
	keep_for(10 * MINUTE);
	f->server.mood = DOT_SERVER_HOLDS;
	fake_loop_advance(f->loop, LIMIT - LIMIT / 10);
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 4);
	assert_int_equal(f->server.n_conn, 2);
	dot_server_answer(&f->server, 2, 30);
	dot_server_answer(&f->server, 3, 30);
	PUMP_UNTIL(f->n_done == 3);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(stats().in_flight, 0);
	assert_int_equal(stats().answers, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SLOT_TEST(questions_hold_a_connection_within_the_peers_limit),
	    SLOT_TEST(it_ends_when_its_time_is_over),
	    SLOT_TEST(without_it_nothing_is_sent),
	    SLOT_TEST(a_connection_that_the_peer_closed_is_made_again),
	    SLOT_TEST(the_cost_is_bounded),
	    SLOT_TEST(a_question_without_an_answer_costs_one_connection_more),
	    SLOT_TEST(a_peer_that_cannot_be_reached_ends_it),
	    SLOT_TEST(a_peer_that_closes_soon_is_not_asked),
	    SLOT_TEST(a_silent_peer_is_dropped_and_tried_once_more),
	    SLOT_TEST(after_a_sleep_a_fresh_connection_is_made),
	    SLOT_TEST(the_peer_is_judged_as_usual),
	    SLOT_TEST(a_dropped_connection_takes_the_question_with_it),
	    SLOT_TEST(questions_of_clients_and_of_the_slot_share_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
