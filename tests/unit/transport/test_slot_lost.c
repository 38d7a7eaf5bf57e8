/* What happens to questions when a slot's connections end. */
#include "tests/unit/transport/slot_fixture.h"

#include "base/clock.h"
#include "transport/idle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
a_question_is_repeated_once(void **state) /* U25 */
{
	static const struct {
		const char *says;
		enum dot_server_mood mood;
	} rows[] = {
	    {"the server closes after the handshake", DOT_SERVER_CLOSES_WHEN_READY},
	    {"the server closes on a question", DOT_SERVER_CLOSES_ON_QUESTION},
	    {"the server resets on a question", DOT_SERVER_RESETS_ON_QUESTION},
	    {"T15: the server closes in the middle of a frame", DOT_SERVER_CUTS_THE_ANSWER},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (i > 0)
			fixture_renew(state);
		print_message("%s\n", rows[i].says);
		f->server.mood = rows[i].mood;
		fixture_ask();
		fixture_ask();
		PUMP_UNTIL(f->n_done == 2);
		assert_int_equal(f->asked[0].failure, REASON_CLOSED);
		assert_int_equal(f->asked[1].failure, REASON_CLOSED);
		assert_int_equal(f->server.n_conn, 2);
		assert_int_equal(f->closed, 2);
		fixture_pump_a_while();
		assert_int_equal(f->server.n_conn, 2); /* and no more */

		f->server.mood = DOT_SERVER_SERVES; /* once the server works again, an answer comes at once */
		fixture_ask();
		PUMP_UNTIL(f->n_done == 3);
		assert_int_equal(f->asked[2].failure, REASON_NONE);
	}
}

static void
connections_that_end_unused_are_given_up(void **state)
{
	static const struct {
		const char *says, *priority;
	} rows[] = {
	    {"close_notify right after the server's Finished, TLS 1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.3"},
	    {"TLS 1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.2"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (i > 0)
			fixture_renew(state);
		print_message("%s\n", rows[i].says);
		f->server.mood = DOT_SERVER_ENDS_FIRST;
		f->server.priority = rows[i].priority;
		fixture_ask();
		fixture_ask();
		PUMP_UNTIL(f->n_done == 2);
		fixture_pump_a_while();
		assert_int_equal(f->server.n_conn, 2); /* and no more */
		assert_int_equal(f->ready, 2);
		assert_int_equal(f->closed, 2);
		for (unsigned n = 0; n < 2; n++) {
			assert_int_equal(f->asked[n].failure, REASON_CLOSED);
			assert_true(f->asked[n].retry_safe && !f->asked[n].killed);
		}
		fixture_ask(); /* the server is known to end unused connections */
		PUMP_UNTIL(f->n_done == 3);
		assert_int_equal(f->server.n_conn, 3);
		assert_int_equal(f->server.app_bytes, 0);

		f->server.mood = DOT_SERVER_SERVES;
		fixture_ask();
		PUMP_UNTIL(f->n_done == 4);
		assert_int_equal(f->asked[3].failure, REASON_NONE);

		dot_server_close(&f->server, 3);
		PUMP_UNTIL(f->closed == 4);
		f->server.mood = DOT_SERVER_ENDS_FIRST; /* it has been forgotten */
		tp_slot_drop(f->slot, true);
		fixture_ask();
		PUMP_UNTIL(f->n_done == 5);
		assert_int_equal(f->server.n_conn, 6);
	}
}

static void
an_unused_connection_that_is_closed_when_idle_is_no_fault(void **state)
{
	(void)state;
	tp_slot_connect(f->slot);
	PUMP_UNTIL(f->server.handshakes == 1);
	for (unsigned i = 0; i < 4; i++) {
		unsigned closed = f->closed;

		fake_loop_advance(f->loop, IDLE_LEARN_MIN_MS);
		dot_server_close(&f->server, f->server.n_conn - 1);
		f->server.mood = DOT_SERVER_ENDS_FIRST;
		fixture_ask();
		PUMP_UNTIL(f->closed == closed + 2); /* the idle one, and a fresh one that ends unused */
		f->server.mood = DOT_SERVER_SERVES;
		PUMP_UNTIL(f->n_done == i + 1);
		assert_int_equal(f->n_failed, 0);
		dot_server_close(&f->server, f->server.n_conn - 1);
		PUMP_UNTIL(f->closed == closed + 3);
		tp_slot_connect(f->slot);
		PUMP_UNTIL(f->ready == f->closed + 1 && f->server.handshakes == f->server.n_conn);
	}
}

static void
nor_is_it_one_of_a_server_that_is_known_for_faults(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_ENDS_FIRST;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->closed, 2);
	f->server.mood = DOT_SERVER_SERVES;
	tp_slot_connect(f->slot);
	PUMP_UNTIL(f->ready == 3 && f->server.conn[2].ready);
	fake_loop_advance(f->loop, IDLE_LEARN_MIN_MS);
	dot_server_close(&f->server, 2);
	fixture_ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->closed, 3);
	assert_int_equal(f->asked[1].failure, REASON_NONE);
}

static void
the_repeat_is_answered_when_the_server_is_well_again(void **state)
{
	struct tp_stats s;

	(void)state;
	f->server.mood = DOT_SERVER_RESETS_ON_QUESTION;
	for (int i = 0; i < 20; i++)
		fixture_ask();
	PUMP_UNTIL(f->server.n_question > 0);
	f->server.mood = DOT_SERVER_SERVES;
	PUMP_UNTIL(f->n_done == 20);
	assert_int_equal(f->n_failed, 0);
	tp_slot_stats(f->slot, &s);
	assert_int_equal(s.repeated, 20);
	assert_int_equal(s.questions, 20); /* each once, however often it was written */
	assert_int_equal(s.connects, 2); /* R12: one handshake for all */
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(f->asked[i].calls, 1);
}

static void
answers_before_the_close_count(void **state) /* U13: in the same read as FIN */
{
	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	fixture_ask();
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 2);
	dot_server_answer(&f->server, 1, 40);
	dot_server_close(&f->server, 0);
	f->server.mood = DOT_SERVER_SERVES;
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->asked[1].n, 40); /* the answer of the first connection */
	assert_int_equal(f->server.n_conn, 2);
}

static void
dribbled_answers_arrive(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_DRIBBLES;
	fixture_ask();
	fixture_ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 0);
}

static void
wrong_ids_wait_for_the_right_one(void **state) /* U01 */
{
	uint8_t wrong[14] = {0, 12};
	struct tp_stats s;

	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 1);
	for (uint16_t i = 1; i <= 15; i++) {
		be16_write(wrong + 2, f->server.question[0].id ^ i);
		dot_server_send(&f->server, 0, span_of(wrong, sizeof wrong));
	}
	dot_server_answer(&f->server, 0, 30);
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->n_failed, 0);
	tp_slot_stats(f->slot, &s);
	assert_int_equal(s.unexpected, 15);
	be16_write(wrong + 2, f->server.question[0].id ^ 99);
	dot_server_send(&f->server, 0, span_of(wrong, sizeof wrong));
	PUMP_UNTIL(f->closed == 1);
	assert_int_equal(f->last, REASON_ANSWER_MISMATCH);
}

static void
post_handshake_messages_are_bounded(void **state) /* T16 */
{
	static const struct {
		const char *says;
		enum dot_server_mood mood;
		bool tls12;
		enum reason reason;
	} rows[] = {
	    {"T16: session tickets without end", DOT_SERVER_FLOODS_TICKETS, false, REASON_TLS_FAILED},
	    {"T16: key updates without end", DOT_SERVER_FLOODS_KEY_UPDATES, false, REASON_TLS_FAILED},
	    {"T16: key updates that ask for ours, without end", DOT_SERVER_FLOODS_KEY_REQUESTS, false, REASON_TLS_FAILED},
	    {"T16: empty records without end", DOT_SERVER_FLOODS_EMPTY_RECORDS, false, REASON_TLS_FAILED},
	    {"T16: warnings without end", DOT_SERVER_FLOODS_WARNINGS, true, REASON_TLS_FAILED},
	    {"T16: renegotiation", DOT_SERVER_RENEGOTIATES, true, REASON_TLS_FAILED},
	    {"a record after close_notify", DOT_SERVER_TALKS_AFTER_CLOSE, false, REASON_CLOSED},
	    {"a record after close_notify, TLS 1.2", DOT_SERVER_TALKS_AFTER_CLOSE, true, REASON_CLOSED},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (i > 0)
			fixture_renew(state);
		print_message("%s\n", rows[i].says);
		f->server.mood = rows[i].mood;
		if (rows[i].tls12)
			f->server.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
		tp_slot_connect(f->slot);
		PUMP_UNTIL(f->closed == 1);
		assert_string_equal(reason_code(f->last), reason_code(rows[i].reason));
		assert_int_equal(tp_slot_state(f->slot), TP_IDLE);
	}
}

static void
a_key_update_is_answered(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_UPDATES_KEYS;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	fixture_ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->server.n_conn, 1);
}

static void
the_queue_has_a_limit(void **state)
{
	struct tp_exchange *q;
	static const uint8_t m[17] = "\0\0\1\0\0\1\0\0\0\0\0\0\0\0\1\0";

	(void)state;
	for (unsigned i = 0; i < TP_QUEUE_MAX; i++)
		assert_int_equal(tp_send(&q, f->slot, span_of(m, sizeof m), clock_boot_ms() + 4000,
					 fixture_on_answer, &f->asked[0]),
				 RES_OK);
	assert_int_equal(tp_send(&q, f->slot, span_of(m, sizeof m), clock_boot_ms() + 4000, fixture_on_answer,
				 &f->asked[0]),
			 RES_LIMIT);
	assert_int_equal(tp_send(&q, f->slot, span_of(m, 11), clock_boot_ms() + 4000, fixture_on_answer,
				 &f->asked[0]),
			 RES_MALFORMED);
	assert_int_equal(f->n_done, 0);
}

static void
dropping_repeats_what_is_in_flight(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	fixture_ask();
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 2);
	f->server.mood = DOT_SERVER_SERVES;
	tp_slot_drop(f->slot, true);
	tp_slot_drop(f->slot, true);
	assert_int_equal(tp_slot_state(f->slot), TP_CONNECTING); /* in a moment, for what is repeated */
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->server.n_conn, 2);
	assert_int_equal(f->server.resumed, 0); /* tickets forgotten */
	assert_int_equal(f->closed, 0);      /* the caller dropped it: no event */
}

static void
a_callback_may_drop_its_connection(void **state)
{
	(void)state;
	f->drop_in_callback = true;
	for (int i = 0; i < 5; i++)
		fixture_ask();
	PUMP_UNTIL(f->n_done == 5);
	assert_int_equal(f->n_failed, 0);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(f->asked[i].calls, 1);
}

static void
questions_learn_that_their_connections_ended(void **state)
{
	struct tp_stats stats;

	(void)state;
	/* alone, on two connections */
	f->server.mood = DOT_SERVER_CLOSES_ON_QUESTION;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	assert_true(f->asked[0].killed);
	assert_int_equal(f->asked[0].alone, 2);
	assert_int_equal(f->server.n_conn, 2);
	tp_slot_stats(f->slot, &stats);
	assert_int_equal(stats.barren, 2);
	/* together: no question was alone; and after two connections without an answer they are not repeated */
	fixture_ask();
	fixture_ask();
	PUMP_UNTIL(f->n_done == 3);
	for (unsigned i = 1; i < 3; i++) {
		assert_true(f->asked[i].killed);
		assert_int_equal(f->asked[i].alone, 0);
	}
	assert_int_equal(f->server.n_conn, 3);
	/* an answer resets all of it */
	f->server.mood = DOT_SERVER_SERVES;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 4);
	tp_slot_stats(f->slot, &stats);
	assert_int_equal(stats.barren, 0);
}

static void
one_that_may_be_sent_once_is_not_repeated(void **state) /* RFC 9520, 3.1 */
{
	(void)state;
	f->server.mood = DOT_SERVER_CLOSES_ON_QUESTION;
	fixture_ask();
	tp_send_once(f->asked[0].exchange);
	PUMP_UNTIL(f->n_done == 1);
	assert_true(f->asked[0].killed);
	assert_int_equal(f->asked[0].alone, 1);
	assert_int_equal(f->server.n_conn, 1);
	assert_int_equal(f->server.n_question, 1);
}

static void
a_failure_to_connect_kills_no_question(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_CLOSES_AT_ONCE;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	assert_false(f->asked[0].killed);
	assert_int_equal(f->asked[0].alone, 0);
}

static void
nor_does_a_failure_to_connect_again(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 1);
	f->server.mood = DOT_SERVER_CLOSES_AT_ONCE;
	dot_server_close(&f->server, 0);
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->asked[0].failure, REASON_CLOSED);
	assert_false(f->asked[0].killed);
	assert_true(f->asked[0].lost); /* not a stream that the server has reset */
}

static void
a_drop_makes_no_connection(void **state)
{
	(void)state;
	tp_slot_connect(f->slot);
	tp_slot_drop(f->slot, false);
	assert_int_equal(tp_slot_state(f->slot), TP_IDLE);
	tp_slot_connect(f->slot);
	PUMP_UNTIL(f->server.n_conn == 1);
	tp_slot_drop(f->slot, false);
	fixture_pump_a_while();
	assert_int_equal(tp_slot_state(f->slot), TP_IDLE);
	assert_int_equal(f->server.n_conn, 1);
}

static void
another_target_replaces_the_one_to_connect_to(void **state)
{
	(void)state;
	tp_slot_connect(f->slot);
	f->target2 = f->target;
	f->target2.name = "other.example";
	tp_slot_retarget(f->slot, &f->target2);
	PUMP_UNTIL(f->server.handshakes == 1);
	assert_int_equal(f->server.n_conn, 1);
	assert_string_equal(f->server.sni, "other.example");
}

/* The question is held on the fixture's slot; the other slot has no connection yet. */
static struct tp_slot *
slot_beside_a_held_question(void)
{
	struct tp_slot *other;

	assert_int_equal(tp_slot_new(&other, f->loop, &f->target, NULL), RES_OK);
	f->server.mood = DOT_SERVER_HOLDS;
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 1);
	f->server.mood = DOT_SERVER_SERVES;
	return other;
}

static void
a_slot_adopts_the_connection_of_another(void **state)
{
	struct tp_slot *other = slot_beside_a_held_question();

	(void)state;
	tp_slot_connect(other);
	PUMP_UNTIL(tp_slot_state(other) == TP_READY);
	tp_slot_adopt(f->slot, other);
	assert_int_equal(tp_slot_state(f->slot), TP_READY);
	assert_int_equal(tp_slot_state(other), TP_IDLE);
	PUMP_UNTIL(f->n_done == 1); /* what was in flight is repeated there */
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->server.n_conn, 2);
	tp_slot_free(other); /* and its connection lives on */
	fixture_ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->server.n_conn, 2);
}

static void
the_adopted_connection_is_the_one_that_was_wanted(void **state)
{
	struct tp_slot *other;

	(void)state;
	assert_int_equal(tp_slot_new(&other, f->loop, &f->target, NULL), RES_OK);
	tp_slot_connect(other);
	PUMP_UNTIL(tp_slot_state(other) == TP_READY && f->server.handshakes == 1);
	tp_slot_connect(f->slot);
	tp_slot_adopt(f->slot, other);
	tp_slot_free(other);
	dot_server_close(&f->server, 0);
	PUMP_UNTIL(f->closed == 1);
	fixture_pump_a_while();
	assert_int_equal(tp_slot_state(f->slot), TP_IDLE); /* and no other one is made */
	assert_int_equal(f->server.n_conn, 1);
}

static void
with_nothing_to_adopt_a_fresh_connection_is_made(void **state)
{
	struct tp_slot *other = slot_beside_a_held_question();

	(void)state;
	tp_slot_adopt(f->slot, other);
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->server.n_conn, 2);
	tp_slot_free(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SLOT_TEST(a_question_is_repeated_once),
	    SLOT_TEST(connections_that_end_unused_are_given_up),
	    SLOT_TEST(an_unused_connection_that_is_closed_when_idle_is_no_fault),
	    SLOT_TEST(nor_is_it_one_of_a_server_that_is_known_for_faults),
	    SLOT_TEST(the_repeat_is_answered_when_the_server_is_well_again),
	    SLOT_TEST(answers_before_the_close_count),
	    SLOT_TEST(dribbled_answers_arrive),
	    SLOT_TEST(wrong_ids_wait_for_the_right_one),
	    SLOT_TEST(post_handshake_messages_are_bounded),
	    SLOT_TEST(a_key_update_is_answered),
	    SLOT_TEST(the_queue_has_a_limit),
	    SLOT_TEST(dropping_repeats_what_is_in_flight),
	    SLOT_TEST(a_callback_may_drop_its_connection),
	    SLOT_TEST(questions_learn_that_their_connections_ended),
	    SLOT_TEST(one_that_may_be_sent_once_is_not_repeated),
	    SLOT_TEST(a_failure_to_connect_kills_no_question),
	    SLOT_TEST(nor_does_a_failure_to_connect_again),
	    SLOT_TEST(a_drop_makes_no_connection),
	    SLOT_TEST(another_target_replaces_the_one_to_connect_to),
	    SLOT_TEST(a_slot_adopts_the_connection_of_another),
	    SLOT_TEST(the_adopted_connection_is_the_one_that_was_wanted),
	    SLOT_TEST(with_nothing_to_adopt_a_fresh_connection_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
