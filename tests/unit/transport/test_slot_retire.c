/* A slot is retired: its server was refused over another connection. */
#include "tests/unit/transport/slot_fixture.h"

#include "base/clock.h"
#include "transport/slot.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
what_is_in_flight_is_answered_and_nothing_else_is_written(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 1);
	fixture_ask();
	tp_slot_retire(f->slot);
	assert_int_equal(f->n_done, 0); /* no callback from inside */
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->asked[1].failure, REASON_CLOSED);
	assert_true(f->asked[1].retired && f->asked[1].retry_safe && !f->asked[1].lost);
	dot_server_answer(&f->server, 0, 30);
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->asked[0].failure, REASON_NONE);
	PUMP_UNTIL(f->closed == 1);
	fixture_pump_a_while();
	assert_int_equal(f->server.n_question, 1);
	assert_int_equal(f->server.n_conn, 1);
}

static void
nor_is_a_question_that_waits_for_room(void **state)
{
	(void)state;
	f->target.protocol = TP_DOH;
	f->target.path = "/dns-query";
	f->server.alpn = "h2";
	f->server.mood = DOT_SERVER_LISTENS;
	tp_slot_connect(f->slot);
	PUMP_UNTIL(f->ready == 1 && f->server.handshakes == 1);
	dot_server_send(&f->server, 0, span_of(BYTES("\0\0\6\4\0\0\0\0\0\0\3\0\0\0\1"))); /* one stream */
	fixture_pump_a_while();
	fixture_ask();
	fixture_ask();
	fixture_pump_a_while();
	assert_true(tp_slot_is_full(f->slot));
	tp_slot_retire(f->slot);
	PUMP_UNTIL(f->n_done == 1);
	assert_true(f->asked[1].retired && f->asked[1].retry_safe);
	/* REFUSED_STREAM: the peer did not process the other one, and it is not repeated either */
	dot_server_send(&f->server, 0, span_of(BYTES("\0\0\4\3\0\0\0\0\1\0\0\0\7")));
	PUMP_UNTIL(f->n_done == 2);
	assert_true(f->asked[0].retired && f->asked[0].retry_safe);
	fixture_pump_a_while();
	assert_int_equal(f->server.n_conn, 1);
}

static void
what_is_in_flight_is_not_repeated(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	for (unsigned i = 0; i < 2; i++) {
		fixture_ask();
		PUMP_UNTIL(f->server.n_question == i + 1);
		tp_slot_retire(f->slot);
		if (i == 0)
			dot_server_close(&f->server, 0); /* the server ends it */
		else
			tp_slot_drop(f->slot, false); /* we do, as after a change of network */
		PUMP_UNTIL(f->n_done == i + 1);
		assert_int_equal(f->asked[i].failure, REASON_CLOSED);
		assert_true(f->asked[i].retired && f->asked[i].lost && !f->asked[i].killed);
		fixture_pump_a_while();
		assert_int_equal(f->server.n_conn, i + 1);
	}
}

/* Only what waits is given back: the connection stays, or goes on being made. */
static void
a_slot_that_gives_back_goes_on(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	fixture_ask();
	tp_slot_give_back(f->slot);
	assert_int_equal(f->n_done, 0); /* no callback from inside */
	PUMP_UNTIL(f->n_done == 1);
	assert_true(f->asked[0].retired && f->asked[0].retry_safe);
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 1);
	fixture_ask();
	tp_slot_give_back(f->slot);
	PUMP_UNTIL(f->n_done == 2);
	assert_true(f->asked[2].retired && f->asked[2].retry_safe);
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 2);
	dot_server_answer(&f->server, 0, 30);
	dot_server_answer(&f->server, 1, 30);
	PUMP_UNTIL(f->n_done == 4);
	assert_int_equal(f->n_failed, 2);
	assert_int_equal(f->server.n_conn, 1);
	assert_int_equal(f->server.n_question, 2);
}

static void
a_connection_that_is_being_made_is_abandoned(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_IS_SILENT;
	fixture_ask();
	PUMP_UNTIL(tp_slot_state(f->slot) == TP_HANDSHAKE);
	tp_slot_retire(f->slot);
	assert_int_equal(tp_slot_state(f->slot), TP_IDLE);
	PUMP_UNTIL(f->n_done == 1);
	assert_true(f->asked[0].retired && f->asked[0].retry_safe);
	f->server.mood = DOT_SERVER_SERVES;
	fixture_pump_a_while();
	assert_int_equal(f->ready + f->failed, 0);
	assert_int_equal(f->server.app_bytes, 0);
}

static void
the_next_connection_shows_a_certificate(void **state)
{
	struct tp_details d;

	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 1);
	fixture_pump_a_while();
	tp_slot_details(f->slot, &d);
	assert_true(d.has_ticket);
	f->slot->conn->tickets = 0;
	tp_slot_retire(f->slot);
	assert_int_equal(gnutls_session_ticket_send(f->server.conn[0].tls, 1, 0), 0); /* one more */
	dot_server_answer(&f->server, 0, 30);
	PUMP_UNTIL(f->n_done == 1);
	f->server.mood = DOT_SERVER_SERVES;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->ready, 2);
	assert_false(f->last_resumed);
	assert_int_equal(f->server.resumed, 0);
}

static void
it_is_not_kept_open(void **state)
{
	(void)state;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	tp_slot_keep(f->slot, clock_boot_ms() + 600000);
	tp_slot_retire(f->slot);
	PUMP_UNTIL(f->closed == 1);
	fixture_let_pass(240000, 1000);
	assert_int_equal(f->server.n_question, 1);
	assert_int_equal(f->server.n_conn, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SLOT_TEST(what_is_in_flight_is_answered_and_nothing_else_is_written),
	    SLOT_TEST(nor_is_a_question_that_waits_for_room),
	    SLOT_TEST(what_is_in_flight_is_not_repeated),
	    SLOT_TEST(a_slot_that_gives_back_goes_on),
	    SLOT_TEST(a_connection_that_is_being_made_is_abandoned),
	    SLOT_TEST(the_next_connection_shows_a_certificate),
	    SLOT_TEST(it_is_not_kept_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
