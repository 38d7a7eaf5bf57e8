/* A slot whose protocol is DoH, against a server whose HTTP/2 frames are written by hand. */
#include "tests/unit/transport/slot_fixture.h"
#include "base/clock.h"
#include "transport/doh_session.h"
#include "transport/slot.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define H2_GOAWAY(last)                                                                                      \
	"\0\0\10\7\0\0\0\0\0"                                                                                \
	"\0\0\0" last "\0\0\0\0"

static void
doh_start(void)
{
	f->target.protocol = f->target2.protocol = TP_DOH;
	f->target.path = f->target2.path = "/dns-query";
	f->server.alpn = "h2";
	f->server.mood = DOT_SERVER_LISTENS;
}

static void
doh_wants_h2(void **state) /* T13, H23 */
{
	(void)state;
	f->target.protocol = TP_DOH;
	f->target.path = "/dns-query";
	f->server.alpn = NULL;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->asked[0].failure, REASON_ALPN_MISMATCH);
	assert_int_equal(f->server.app_bytes, 0);
}

static void
doh_answers_get_the_ids_of_their_questions(void **state)
{
	(void)state;
	doh_start();
	fixture_ask();
	fixture_ask();
	PUMP_UNTIL(f->server.n_conn == 1 && f->server.conn[0].in.n > 24);
	assert_memory_equal(f->server.conn[0].in.p, "PRI * HTTP/2.0", 14);
	dot_server_send(&f->server, 0, span_of(BYTES(H2_SETTINGS H2_ANSWER("\3") H2_ANSWER("\1"))));
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(be16_read(f->asked[0].message), 1);
	assert_int_equal(be16_read(f->asked[1].message), 8);
	assert_int_equal(tp_slot_state(f->slot), TP_READY);
}

static void
all_requests_leave_without_waiting_for_answers(void **state)
{
	struct dot_server_conn *c = &f->server.conn[0];
	size_t ended = 0;

	(void)state;
	doh_start();
	tp_slot_connect(f->slot);
	PUMP_UNTIL(f->ready == 1 && f->server.handshakes == 1);
	dot_server_send(&f->server, 0,
		 span_of(BYTES("\0\0\6\4\0\0\0\0\0"
			       "\0\3\0\0\3\350" /* 1,000 streams */
			       "\0\0\4\10\0\0\0\0\0"
			       "\0\20\0\0"))); /* and a window of a MiB */
	fixture_pump_a_while();
	f->with_opt = true;
	for (unsigned i = 0; i < 1000; i++)
		fixture_ask();
	for (int turn = 0; turn < 5000 && ended < 1000; turn++) {
		fixture_pump();
		ended = 0;
		for (size_t at = 24; at + 9 <= c->in.n; at += 9U + be16_read(c->in.p + at + 1))
			ended += c->in.p[at + 3] == 0 && c->in.p[at + 4] == 1; /* DATA with END_STREAM */
	}
	assert_int_equal(ended, 1000);
	assert_int_equal(f->n_done, 0);
}

static void
goaway_moves_what_was_not_processed(void **state) /* H06 */
{
	(void)state;
	doh_start();
	fixture_ask();
	fixture_ask();
	PUMP_UNTIL(f->server.n_conn == 1 && f->server.conn[0].in.n > 24);
	dot_server_send(&f->server, 0, span_of(BYTES(H2_SETTINGS H2_GOAWAY("\1"))));
	PUMP_UNTIL(f->server.n_conn == 2 && f->server.conn[1].in.n > 24);
	dot_server_send(&f->server, 1, span_of(BYTES(H2_SETTINGS H2_ANSWER("\1"))));
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->asked[1].calls, 1); /* the second, on the new connection */
	dot_server_send(&f->server, 0, span_of(BYTES(H2_ANSWER("\1"))));
	PUMP_UNTIL(f->n_done == 2); /* the first, where it was */
	assert_int_equal(f->n_failed, 0);
	PUMP_UNTIL(f->closed == 1);
	assert_int_equal(tp_slot_state(f->slot), TP_READY);
}

static void
a_goaway_each_time_is_bounded(void **state) /* H07 */
{
	(void)state;
	doh_start();
	fixture_ask();
	for (unsigned i = 0; i < 2; i++) {
		PUMP_UNTIL(f->server.n_conn == i + 1 && f->server.conn[i].in.n > 24);
		dot_server_send(&f->server, i, span_of(BYTES(H2_SETTINGS H2_GOAWAY("\0"))));
	}
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->asked[0].failure, REASON_CLOSED);
	assert_true(f->asked[0].retry_safe);
	fixture_pump_a_while();
	assert_int_equal(f->server.n_conn, 2);
}

/* Of two questions that were not processed for the second time the first fails, and its callback drops the connection: the
 * other one waits for a new connection. */
static void
a_callback_drops_the_connection_of_more_unprocessed_questions(void **state)
{
	(void)state;
	doh_start();
	f->drop_in_callback = true;
	fixture_ask();
	fixture_ask();
	for (unsigned i = 0; i < 2; i++) {
		PUMP_UNTIL(f->server.n_conn == i + 1 && f->server.conn[i].in.n > 24);
		dot_server_send(&f->server, i, span_of(BYTES(H2_SETTINGS H2_GOAWAY("\0"))));
	}
	PUMP_UNTIL(f->server.n_conn == 3);
	assert_int_equal(f->n_done, 1);
	assert_true(f->asked[0].retry_safe != f->asked[1].retry_safe);
	PUMP_UNTIL(f->server.conn[2].in.n > 24);
	dot_server_send(&f->server, 2, span_of(BYTES(H2_SETTINGS H2_ANSWER("\1"))));
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 1);
}

static void
a_goaway_before_each_request_is_bounded(void **state) /* H07 */
{
	(void)state;
	doh_start();
	f->server.mood = DOT_SERVER_ENDS_FIRST;
	f->server.plain = span_of(BYTES(H2_SETTINGS H2_GOAWAY("\0")));
	fixture_ask();
	fixture_ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->asked[0].failure, REASON_CLOSED);
	assert_true(f->asked[0].retry_safe && f->asked[1].retry_safe);
	fixture_pump_a_while();
	assert_int_equal(f->server.n_conn, 2);
}

static void
a_broken_conversation_is_doh_malformed(void **state)
{
	(void)state;
	doh_start();
	fixture_ask();
	for (unsigned i = 0; i < 2; i++) {
		PUMP_UNTIL(f->server.n_conn == i + 1 && f->server.conn[i].in.n > 24);
		dot_server_send(&f->server, i, span_str("HTTP/1.1 400 Bad Request\r\n\r\n"));
	}
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->asked[0].failure, REASON_DOH_MALFORMED);
	assert_int_equal(f->last, REASON_DOH_MALFORMED);
}

static void
a_slot_is_full_while_the_peer_allows_no_more(void **state)
{
	(void)state;
	doh_start();
	assert_false(tp_slot_is_full(f->slot));
	tp_slot_connect(f->slot);
	assert_false(tp_slot_is_full(f->slot));
	PUMP_UNTIL(f->ready == 1 && f->server.handshakes == 1);
	dot_server_send(&f->server, 0,
		 span_of(BYTES("\0\0\6\4\0\0\0\0\0"
			       "\0\3\0\0\0\2")));
	fixture_pump_a_while();
	fixture_ask();
	fixture_pump_a_while();
	assert_false(tp_slot_is_full(f->slot));
	fixture_ask();
	fixture_pump_a_while();
	assert_true(tp_slot_is_full(f->slot));
	dot_server_send(&f->server, 0, span_of(BYTES(H2_ANSWER("\1"))));
	PUMP_UNTIL(f->n_done == 1);
	assert_false(tp_slot_is_full(f->slot));
	fixture_ask();
	fixture_pump_a_while();
	assert_true(tp_slot_is_full(f->slot));
	dot_server_send(&f->server, 0, span_of(BYTES(H2_GOAWAY("\177")))); /* a fresh connection takes the next ones */
	fixture_pump_a_while();
	assert_false(tp_slot_is_full(f->slot));
}

static void
streams_that_are_not_allowed_wait_until_their_deadline(void **state) /* H08 */
{
	(void)state;
	doh_start();
	tp_slot_connect(f->slot);
	PUMP_UNTIL(f->ready == 1 && f->server.handshakes == 1);
	dot_server_send(&f->server, 0,
		 span_of(BYTES("\0\0\6\4\0\0\0\0\0"
			       "\0\3\0\0\0\0")));
	fixture_pump_a_while();
	fixture_ask();
	fixture_pump_a_while();
	assert_int_equal(f->n_done, 0);
	fake_loop_advance(f->loop, 4000);
	assert_int_equal(f->n_done, 1);
	assert_int_equal(f->asked[0].failure, REASON_CLOSED);
	assert_true(f->asked[0].retry_safe);
}

#define H2_SETTINGS_1                                                                                        \
	"\0\0\14\4\0\0\0\0\0"                                                                               \
	"\0\3\0\0\0\1" /* one stream */                                                                      \
	"\0\4"             /* the window of a stream, without its four bytes */

static void
a_stream_that_ctstub_resets_makes_room_at_once(void **state)
{
	enum how { CANCELLED, DEADLINE, RESPONSE };
	static const struct {
		const char *says;
		enum how how;
		struct span settings, response;
	} rows[] = {
	    {"the question is cancelled", CANCELLED, {BYTES(H2_SETTINGS_1 "\0\1\0\0")}, {NULL, 0}},
	    {"its deadline passes", DEADLINE, {BYTES(H2_SETTINGS_1 "\0\1\0\0")}, {NULL, 0}},
	    {"its response has trailers, which do not end it",
	     RESPONSE,
	     {BYTES(H2_SETTINGS_1 "\0\1\0\0")},
	     {BYTES("\0\0\1\1\4\0\0\0\1\210\0\0\1\1\4\0\0\0\1\210")}},
	    {"it is answered before the server takes its body",
	     RESPONSE,
	     {BYTES(H2_SETTINGS_1 "\0\0\0\0")},
	     {BYTES(H2_ANSWER("\1"))}},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned first;

		if (i > 0)
			fixture_renew(state);
		print_message("%s\n", rows[i].says);
		doh_start();
		tp_slot_connect(f->slot);
		PUMP_UNTIL(f->ready == 1 && f->server.handshakes == 1);
		dot_server_send(&f->server, 0, rows[i].settings);
		fixture_pump_a_while();
		first = fixture_ask_until(clock_boot_ms() + 500);
		fixture_ask();
		fixture_pump_a_while();
		assert_true(tp_waits(f->asked[1].exchange));
		switch (rows[i].how) {
		case CANCELLED:
			tp_cancel(f->asked[first].exchange);
			break;
		case DEADLINE:
			fake_loop_advance(f->loop, 500);
			break;
		case RESPONSE:
			dot_server_send(&f->server, 0, rows[i].response);
			PUMP_UNTIL(f->n_done == 1);
			break;
		}
		fixture_pump_a_while();
		assert_false(tp_waits(f->asked[1].exchange));
		assert_int_equal(f->server.n_conn, 1);
	}
}

static void
a_question_that_waits_is_not_left_by_an_adopted_connection(void **state)
{
	struct tp_slot *other;

	(void)state;
	doh_start();
	assert_int_equal(tp_slot_new(&other, f->loop, &f->target, NULL), RES_OK);
	tp_slot_connect(f->slot);
	PUMP_UNTIL(f->ready == 1 && f->server.handshakes == 1);
	dot_server_send(&f->server, 0,
			span_of(BYTES("\0\0\6\4\0\0\0\0\0"
				      "\0\3\0\0\0\0"))); /* no streams */
	fixture_pump_a_while();
	fixture_ask();
	fixture_pump_a_while();
	assert_true(tp_waits(f->asked[0].exchange));
	tp_slot_adopt(other, f->slot);
	assert_int_equal(tp_slot_state(other), TP_READY);
	PUMP_UNTIL(f->server.n_conn == 2 && f->server.conn[1].in.n > 24);
	dot_server_send(&f->server, 1, span_of(BYTES(H2_SETTINGS H2_ANSWER("\1"))));
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->n_failed, 0);
	tp_slot_free(other);
}

/* The body contradicts the content-length, and in the same turn come too many frames. What the protocol still wants to say
 * closes the stream, so that the question ends, and its callback drops the connection. */
static void
a_connection_that_a_callback_drops_ends_once(void **state)
{
	static const uint8_t unknown[9] = {0, 0, 0, 0xbe};
	uint8_t many[DOH_FRAMES_MAX / 3 * sizeof unknown];

	(void)state;
	doh_start();
	f->drop_in_callback = true;
	for (size_t at = 0; at < sizeof many; at += sizeof unknown)
		memcpy(many + at, unknown, sizeof unknown);
	fixture_ask();
	PUMP_UNTIL(f->server.n_conn == 1 && f->server.conn[0].in.n > 24);
	dot_server_send(&f->server, 0,
			span_of(BYTES(H2_SETTINGS "\0\0\37\1\4\0\0\0\1\210\17\20\27application/dns-message"
						  "\17\15\1"
						  "5"
						  "\0\0\14\0\1\0\0\0\1\0\0\201\200\0\0\0\0\0\0\0\0")));
	for (int i = 0; i < 4; i++)
		dot_server_send(&f->server, 0, span_of(many, sizeof many));
	PUMP_UNTIL(f->n_done == 1);
	fixture_pump_a_while();
	assert_int_equal(f->n_failed, 1);
	assert_int_equal(f->failed + f->closed, 0); /* it was dropped, and nothing is reported of it */
	assert_int_equal(f->slot->n_draining, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SLOT_TEST(doh_wants_h2),
	    SLOT_TEST(doh_answers_get_the_ids_of_their_questions),
	    SLOT_TEST(all_requests_leave_without_waiting_for_answers),
	    SLOT_TEST(goaway_moves_what_was_not_processed),
	    SLOT_TEST(a_goaway_each_time_is_bounded),
	    SLOT_TEST(a_callback_drops_the_connection_of_more_unprocessed_questions),
	    SLOT_TEST(a_goaway_before_each_request_is_bounded),
	    SLOT_TEST(a_broken_conversation_is_doh_malformed),
	    SLOT_TEST(a_slot_is_full_while_the_peer_allows_no_more),
	    SLOT_TEST(streams_that_are_not_allowed_wait_until_their_deadline),
	    SLOT_TEST(a_stream_that_ctstub_resets_makes_room_at_once),
	    SLOT_TEST(a_question_that_waits_is_not_left_by_an_adopted_connection),
	    SLOT_TEST(a_connection_that_a_callback_drops_ends_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
