/* A slot reports when its questions wait behind a late one, for servers that answer in order and in any order. */
#include "tests/unit/transport/slot_fixture.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* With a median below 25 ms; loopback takes none of the scripted time. */
#define LATE_MS 100

/* One answered question, then a server that holds those to come. */
static void
hold(void)
{
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	f->server.mood = DOT_SERVER_HOLDS;
	assert_int_equal(tp_slot_late_after_ms(f->slot), LATE_MS);
}

/* Asks a question, which the server holds; returns its index. */
static unsigned
ask_held(void)
{
	unsigned n = f->server.n_question, i = fixture_ask();

	PUMP_UNTIL(f->server.n_question == n + 1);
	return i;
}

static bool
waits(unsigned i)
{
	return tp_waits(f->asked[i].exchange);
}

/* ---- the usual answer time */

static int64_t
median_ms(void)
{
	struct tp_stats s;

	tp_slot_stats(f->slot, &s);
	return s.median_us / 1000;
}

/* One more answer, after so long. */
static void
answer_after(int64_t ms)
{
	unsigned i = ask_held();

	fake_loop_advance(f->loop, ms);
	dot_server_answer(&f->server, f->server.n_question - 1, 30);
	PUMP_UNTIL(f->asked[i].calls == 1);
}

static void
the_usual_answer_time_falls_soon_and_rises_slowly(void **state)
{
	static const struct {
		const char *says;
		int64_t before_ms, after_ms;
		unsigned answers; /* each after before_ms; the later ones each after after_ms */
		bool anew;
		unsigned least, most; /* of the later ones, until the median is within a quarter of after_ms */
	} rows[] = {
	    {"the first answer was a slow one", 600, 20, 1, false, 1, 12},
	    {"another network, with a shorter way", 300, 10, 200, true, 1, 14},
	    {"the server falters after its first answer", 5, 1200, 1, false, 100, 200},
	    {"the server falters on another network", 10, 1200, 200, true, 100, 200},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned n = 0;

		if (i > 0)
			fixture_renew(state);
		f->server.mood = DOT_SERVER_HOLDS;
		for (unsigned k = 0; k < rows[i].answers; k++)
			answer_after(rows[i].before_ms);
		if (rows[i].anew)
			tp_slot_learn_anew(f->slot);
		for (; llabs(median_ms() - rows[i].after_ms) > rows[i].after_ms / 4 && n < 400; n++)
			answer_after(rows[i].after_ms);
		if (n < rows[i].least || n > rows[i].most)
			fail_msg("%s: %u answers", rows[i].says, n);
	}
}

/* Half of the answers are quicker and half are slower: one of them moves it little. */
static void
the_usual_answer_time_settles(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	for (unsigned k = 0; k < 200; k++)
		answer_after(100);
	for (unsigned k = 0; k < 3; k++)
		answer_after(900);
	assert_in_range(median_ms(), 90, 115);
}

/* ---- questions that wait */

static void
a_question_without_a_connection_waits(void **state)
{
	unsigned i;

	(void)state;
	assert_false(tp_slot_is_late(f->slot));
	i = fixture_ask();
	assert_true(waits(i));
	assert_false(tp_slot_is_late(f->slot)); /* nothing was written */
	f->server.mood = DOT_SERVER_IS_SILENT;
	fixture_pump_a_while();
	fake_loop_advance(f->loop, 10 * LATE_MS);
	assert_true(waits(i));
	assert_false(tp_slot_is_late(f->slot));
}

static void
those_behind_a_late_answer_wait(void **state)
{
	unsigned oldest, second;

	(void)state;
	hold();
	oldest = ask_held();
	fake_loop_advance(f->loop, 1);
	second = ask_held();
	fake_loop_advance(f->loop, LATE_MS - 2);
	assert_false(tp_slot_is_late(f->slot));
	assert_false(waits(second));
	fake_loop_advance(f->loop, 1);
	assert_true(tp_slot_is_late(f->slot));
	assert_false(waits(oldest)); /* it is slow itself */
	assert_true(waits(second));
	dot_server_answer(&f->server, 1, 30);
	PUMP_UNTIL(f->n_done == 2);
	assert_false(tp_slot_is_late(f->slot)); /* the second has waited for one millisecond less */
	assert_false(waits(second));
	fake_loop_advance(f->loop, 1);
	assert_true(tp_slot_is_late(f->slot));
	assert_false(waits(second));
}

static void
a_cancelled_question_is_not_waited_for(void **state)
{
	unsigned oldest;

	(void)state;
	hold();
	oldest = ask_held();
	fake_loop_advance(f->loop, LATE_MS);
	assert_true(tp_slot_is_late(f->slot));
	tp_cancel(f->asked[oldest].exchange);
	assert_false(tp_slot_is_late(f->slot));
}

static void
a_peer_that_answers_in_any_order_is_late_when_silent(void **state)
{
	unsigned oldest, second;

	(void)state;
	hold();
	oldest = ask_held();
	ask_held();
	dot_server_answer(&f->server, 2, 30); /* the younger one first */
	PUMP_UNTIL(f->n_done == 2);
	fake_loop_advance(f->loop, LATE_MS);
	assert_false(tp_slot_is_late(f->slot)); /* it is the question that is slow */
	second = ask_held();
	fake_loop_advance(f->loop, LATE_MS / 2);
	assert_false(tp_slot_is_late(f->slot));
	fake_loop_advance(f->loop, LATE_MS / 2);
	assert_true(tp_slot_is_late(f->slot));
	assert_true(waits(second));
	assert_false(waits(oldest));
	ask_held();
	dot_server_answer(&f->server, 4, 30); /* something came */
	PUMP_UNTIL(f->n_done == 3);
	assert_false(tp_slot_is_late(f->slot));
	/* The next connection uses what was learned. */
	tp_slot_drop(f->slot, false);
	PUMP_UNTIL(f->server.n_conn == 2 && f->server.n_question == 7);
	tp_cancel(f->asked[second].exchange);
	fake_loop_advance(f->loop, LATE_MS);
	assert_false(tp_slot_is_late(f->slot));
}

static void
streams_of_http_are_in_any_order(void **state)
{
	struct dot_server_conn *c = &f->server.conn[0];
	struct tp_target doh = f->target;
	struct tp_slot *slot;
	struct tp_stats s;
	struct asked *a = &f->asked[0];
	static const uint8_t question[17] = {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1};

	(void)state;
	doh.protocol = TP_DOH;
	doh.path = "/dns-query";
	f->server.alpn = "h2";
	f->server.mood = DOT_SERVER_LISTENS;
	assert_int_equal(tp_slot_new(&slot, f->loop, &doh, NULL), RES_OK);
	assert_int_equal(tp_send(&a->exchange, slot, span_of(question, sizeof question), clock_boot_ms() + 4000,
				 fixture_on_answer, a),
			 RES_OK);
	PUMP_UNTIL(f->server.n_conn == 1 && c->in.n > 24);
	tp_slot_stats(slot, &s);
	assert_int_equal(s.in_flight, 1);
	fake_loop_advance(f->loop, 2 * LATE_MS);
	assert_false(tp_waits(a->exchange));
	assert_false(tp_slot_is_late(slot));
	tp_slot_free(slot);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SLOT_TEST(the_usual_answer_time_falls_soon_and_rises_slowly),
	    SLOT_TEST(the_usual_answer_time_settles),
	    SLOT_TEST(a_question_without_a_connection_waits),
	    SLOT_TEST(those_behind_a_late_answer_wait),
	    SLOT_TEST(a_cancelled_question_is_not_waited_for),
	    SLOT_TEST(a_peer_that_answers_in_any_order_is_late_when_silent),
	    SLOT_TEST(streams_of_http_are_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
