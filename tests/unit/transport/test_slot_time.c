/* A slot as time passes: deadlines, stalls, idle closes, a suspended machine, an old verdict. */
#include "tests/unit/transport/slot_fixture.h"

#include "base/clock.h"
#include "transport/idle.h"
#include "transport/nat.h"
#include "tests/unit/transport/fake_unacked.h"
#include "transport/stall.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
deadlines_and_cancels(void **state)
{
	struct tp_stats s;
	unsigned late, gone;

	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	late = fixture_ask_until(clock_boot_ms() + 300);
	gone = fixture_ask();
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 3);
	tp_cancel(f->asked[gone].exchange);
	fake_loop_advance(f->loop, 300);
	assert_int_equal(f->asked[late].calls, 1);
	assert_int_equal(f->asked[late].failure, REASON_CLOSED);
	assert_false(f->asked[late].retry_safe);
	dot_server_answer(&f->server, 0, 30); /* U13: late, its question has failed */
	dot_server_answer(&f->server, 1, 30);
	dot_server_answer(&f->server, 2, 30);
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->asked[late].calls, 1);
	assert_int_equal(f->asked[gone].calls, 0);
	assert_int_equal(f->asked[2].failure, REASON_NONE);
	tp_slot_stats(f->slot, &s);
	assert_int_equal(s.in_flight, 0);
	assert_int_equal(s.unexpected, 2);
}

static void
a_deadline_without_a_connection_is_a_timeout(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_IS_SILENT;
	fixture_ask_until(clock_boot_ms() + 200);
	fixture_pump_a_while();
	fake_loop_advance(f->loop, 200);
	assert_int_equal(f->n_done, 1);
	assert_int_equal(f->asked[0].failure, REASON_CONNECT_TIMEOUT);
	assert_true(f->asked[0].retry_safe);
	/* over before it began: still a callback, and not from inside */
	fixture_ask_until(clock_boot_ms() - 1);
	assert_int_equal(f->n_done, 1);
	fixture_pump();
	assert_int_equal(f->n_done, 2);
}

static void
a_peer_that_does_not_answer_is_dropped_and_the_question_repeated(void **state)
{
	(void)state;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	f->server.mood = DOT_SERVER_IS_SILENT; /* its kernel still acknowledges */
	fixture_ask();
	fixture_pump_a_while();
	f->server.mood = DOT_SERVER_HOLDS;
	f->server.conn[0].closed = true; /* the test no longer serves the first one */
	fixture_let_pass(STALL_NO_ANSWER_MS, 100);
	PUMP_UNTIL(f->server.n_conn == 2 && f->server.n_question == 2);
	assert_int_equal(f->last, REASON_CLOSED);
	assert_string_equal(f->detail, "the peer does not answer");
	fixture_let_pass(STALL_NO_ANSWER_MS, 100); /* a repeated question keeps its connection to the end */
	assert_int_equal(f->server.n_conn, 2);
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->asked[1].failure, REASON_CLOSED); /* its deadline */
	f->server.conn[0].closed = false;
}

static void
a_dead_path_is_given_up_sooner(void **state)
{
	(void)state;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	f->server.mood = DOT_SERVER_IS_SILENT;
	fake_unacked = true; /* the kernel still holds the question */
	fixture_ask();
	fixture_pump_a_while();
	f->server.mood = DOT_SERVER_SERVES;
	f->server.conn[0].closed = true; /* the test no longer serves the first one */
	fixture_let_pass(STALL_DEAD_PATH_MS - 100, 100);
	assert_int_equal(f->server.n_conn, 1);
	fixture_let_pass(200, 100);
	PUMP_UNTIL(f->n_done == 2);
	assert_string_equal(f->detail, "the peer does not acknowledge");
	assert_int_equal(f->asked[1].failure, REASON_NONE);
	assert_int_equal(f->server.n_conn, 2);
	f->server.conn[0].closed = false;
}

/* The connection is dead after this idle time, and a fresh one answers. */
static void
the_network_forgets(unsigned conn, int64_t idle_ms)
{
	unsigned asked;

	fake_loop_advance(f->loop, idle_ms);
	assert_int_equal(tp_slot_state(f->slot), TP_READY);
	f->server.mood = DOT_SERVER_IS_SILENT;
	fake_unacked = true;
	asked = fixture_ask();
	fixture_pump_a_while();
	f->server.mood = DOT_SERVER_SERVES;
	f->server.conn[conn].closed = true; /* the test no longer serves it */
	fixture_let_pass(STALL_DEAD_PATH_MS, 100);
	PUMP_UNTIL(f->asked[asked].calls == 1);
	fake_unacked = false;
	assert_int_equal(f->asked[asked].failure, REASON_NONE);
	assert_string_equal(f->detail, "the peer does not acknowledge");
	f->server.conn[conn].closed = false;
}

static void
a_connection_that_the_network_forgets_is_closed_before(void **state)
{
	(void)state;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	the_network_forgets(0, 30000);
	for (unsigned i = 0; i < NAT_TRUST; i++) {
		fake_loop_advance(f->loop, 26999);
		assert_int_equal(tp_slot_state(f->slot), TP_READY);
		fake_loop_advance(f->loop, 1);
		assert_int_equal(tp_slot_state(f->slot), TP_IDLE);
		assert_string_equal(f->detail, "idle");
		fixture_ask();
		PUMP_UNTIL(f->n_done == 3 + i);
	}
	/* It was an accident: an answer comes after a longer time. */
	fake_loop_advance(f->loop, 40000);
	fixture_ask();
	PUMP_UNTIL(f->n_done == 3 + NAT_TRUST);
	assert_int_equal(f->server.n_conn, 2 + NAT_TRUST);
	fake_loop_advance(f->loop, 40000);
	assert_int_equal(tp_slot_state(f->slot), TP_READY);
}

static void
another_network_may_forget_later(void **state)
{
	(void)state;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	the_network_forgets(0, 30000);
	tp_slot_learn_anew(f->slot);
	tp_slot_drop(f->slot, true);
	fixture_ask();
	PUMP_UNTIL(f->n_done == 3);
	fake_loop_advance(f->loop, 40000);
	assert_int_equal(tp_slot_state(f->slot), TP_READY);
}

static void
idle_closes_are_learned(void **state)
{
	struct tp_stats s;

	(void)state;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	tp_slot_stats(f->slot, &s);
	assert_int_equal(s.idle_limit_ms, -1);
	fake_loop_advance(f->loop, 10000);
	dot_server_close(&f->server, 0);
	PUMP_UNTIL(f->closed == 1);
	tp_slot_stats(f->slot, &s);
	assert_int_equal(s.idle_limit_ms, 10000);
	assert_int_equal(s.idle_closes, 1);

	fixture_ask(); /* the next connection is closed by us, a little before */
	PUMP_UNTIL(f->n_done == 2);
	fake_loop_advance(f->loop, 8999);
	assert_int_equal(tp_slot_state(f->slot), TP_READY);
	fake_loop_advance(f->loop, 1);
	assert_int_equal(tp_slot_state(f->slot), TP_IDLE);
	assert_int_equal(f->closed, 2);
	assert_string_equal(f->detail, "idle");
}

/* A server that closes without waiting for the client may announce that (RFC 8446, 6.1), as Java does. */
static void
an_announced_close_is_a_close(void **state)
{
	static const struct {
		const char *says;
		bool tls12;
		gnutls_alert_level_t level;
		gnutls_alert_description_t alert;
		enum reason reason;
	} rows[] = {
	    {"user_canceled, TLS 1.3", false, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED, REASON_CLOSED},
	    {"user_canceled, TLS 1.2", true, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED, REASON_CLOSED},
	    {"close_notify at the level of an error, TLS 1.3", false, GNUTLS_AL_FATAL, GNUTLS_A_CLOSE_NOTIFY, REASON_CLOSED},
	    {"close_notify at the level of an error, TLS 1.2", true, GNUTLS_AL_FATAL, GNUTLS_A_CLOSE_NOTIFY, REASON_CLOSED},
	    {"an error, TLS 1.3", false, GNUTLS_AL_WARNING, GNUTLS_A_INTERNAL_ERROR, REASON_TLS_ALERT},
	    {"a warning, TLS 1.2", true, GNUTLS_AL_WARNING, GNUTLS_A_UNRECOGNIZED_NAME, REASON_TLS_FAILED},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct tp_stats s;

		if (i > 0)
			fixture_renew(state);
		print_message("%s\n", rows[i].says);
		f->server.priority = rows[i].tls12 ? "NORMAL:-VERS-ALL:+VERS-TLS1.2" : "NORMAL:-VERS-ALL:+VERS-TLS1.3";
		fixture_ask();
		PUMP_UNTIL(f->n_done == 1);
		fake_loop_advance(f->loop, 10000);
		dot_server_alert(&f->server, 0, rows[i].level, rows[i].alert);
		dot_server_close(&f->server, 0);
		PUMP_UNTIL(f->closed == 1);
		assert_string_equal(reason_code(f->last), reason_code(rows[i].reason));
		tp_slot_stats(f->slot, &s);
		assert_int_equal(s.idle_limit_ms, rows[i].reason == REASON_CLOSED ? 10000 : -1);
	}
}

static void
an_hour_of_rare_questions_loses_none(void **state)
{
	static const int64_t every[] = {9000, 11000, 20000, 45000};

	for (size_t i = 0; i < sizeof every / sizeof *every; i++) {
		unsigned n = 0;

		if (i > 0)
			fixture_renew(state);
		print_message("one question every %d s\n", (int)(every[i] / 1000));
		for (int64_t at = 0; at < 3600000; at += every[i]) {
			fixture_ask();
			n++;
			PUMP_UNTIL(f->n_done == n);
			if (every[i] <= 10000) {
				fake_loop_advance(f->loop, every[i]);
				continue;
			}
			fake_loop_advance(f->loop, 10000);
			dot_server_close(&f->server, f->server.n_conn - 1); /* unless we closed it before */
			/* the FIN is seen, or is met by the next question: both must do */
			if (n % 2 == 0)
				fixture_pump_a_while();
			fake_loop_advance(f->loop, every[i] - 10000);
		}
		assert_int_equal(f->n_failed, 0);
		assert_true(f->server.handshakes <= n);
	}
}

static void
after_a_long_sleep_one_fresh_handshake_answers(void **state) /* K02 */
{
	struct tp_stats s;

	(void)state;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	f->server.conn[0].closed =
	    true; /* the path drops all packets: the server gets nothing more on the old connection */
	fake_loop_suspend(f->loop, 8 * 3600000);
	fixture_ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->server.n_conn, 2);
	tp_slot_stats(f->slot, &s);
	assert_int_equal(s.connects, 2);
	assert_int_equal(s.repeated, 0); /* nothing was tried on the old one */
	f->server.conn[0].closed = false;
}

static void
keepalive_of_zero_closes_when_idle(void **state) /* U24 */
{
	static const uint8_t question[] = "\0\7\1\0\0\1\0\0\0\0\0\1\1k\0\0\1\0\1\0\0\51\4\320\0\0\0\0\0\0";
	static const uint8_t tail[] = "\1k\0\0\1\0\1\0\0\51\4\320\0\0\0\0\0\6\0\13\0\2\0\0";
	struct buf b = buf_max(256);

	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	f->n_asked = 1;
	assert_int_equal(tp_send(&f->asked[0].exchange, f->slot, span_of(question, sizeof question - 1),
				 clock_boot_ms() + 4000, fixture_on_answer, &f->asked[0]),
			 RES_OK);
	PUMP_UNTIL(f->server.n_question == 1);
	assert_int_equal(f->server.question[0].n, 128); /* padded */
	buf_u16(&b, (uint16_t)(12 + sizeof tail - 1));
	buf_u16(&b, f->server.question[0].id);
	buf_put(&b, span_of("\201\200\0\1\0\0\0\0\0\1", 10));
	buf_put(&b, span_of(tail, sizeof tail - 1));
	dot_server_send(&f->server, 0, buf_span(&b));
	PUMP_UNTIL(f->closed == 1);
	assert_int_equal(f->n_done, 1);
	assert_int_equal(f->n_failed, 0);
	assert_string_equal(f->detail, "idle");
	buf_free(&b);
}

/* A question was cancelled, so the peer still owes an answer. */
static void
only_an_answer_keeps_a_connection_in_use(void **state)
{
	static const struct {
		const char *what;
		bool whole, kept;
	} rows[] = {
	    {"a message that never ends, a byte in seven seconds", false, false},
	    {"an answer, however late", true, true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (i > 0)
			fixture_renew(state);
		print_message("%s\n", rows[i].what);
		f->server.mood = DOT_SERVER_HOLDS;
		fixture_ask();
		fixture_ask_until(clock_boot_ms() + 1000);
		PUMP_UNTIL(f->server.n_question == 2);
		fixture_let_pass(1000, 100);
		dot_server_answer(&f->server, 0, 30);
		PUMP_UNTIL(f->n_done == 2);
		fixture_let_pass(10000, 1000);
		if (rows[i].whole)
			dot_server_answer(&f->server, 1, 30);
		for (int64_t end = clock_boot_ms() + IDLE_MAX_MS - 1000; clock_boot_ms() < end;) {
			if (!rows[i].whole)
				dot_server_send(&f->server, 0, span_of((const uint8_t *)"\xff", 1));
			fixture_let_pass(7000, 1000);
		}
		if ((tp_slot_state(f->slot) == TP_READY) != rows[i].kept)
			fail_msg("%s: %s (%s)", rows[i].what, tp_state_text(tp_slot_state(f->slot)), f->detail);
	}
}

static void
a_connection_is_judged_every_hour(void **state) /* K05 */
{
	unsigned calls;

	(void)state;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	calls = fake_judge.calls;
	for (int i = 0; i < 59; i++) { /* kept busy */
		fake_loop_advance(f->loop, 60000);
		fixture_ask();
		PUMP_UNTIL(f->n_done == (unsigned)i + 2);
	}
	assert_int_equal(fake_judge.calls, calls);
	fake_judge.refuse = REASON_EXPIRED;
	fake_loop_advance(f->loop, 60000);
	fixture_ask();
	PUMP_UNTIL(f->n_done == 61);
	assert_int_equal(f->asked[60].failure, REASON_EXPIRED);
	assert_int_equal(f->server.n_question, 60);       /* it never left */
	assert_int_equal(fake_judge.calls, calls + 2); /* the old connection, then a fresh one */
	assert_int_equal(f->closed, 1); /* whose verdict counts: the peer may have a renewed certificate */
	assert_int_equal(f->failed, 1);
}

static void
an_open_connection_is_judged_when_report_mode_ends(void **state)
{
	(void)state;
	fake_judge.report_until_ms = FAKE_LOOP_WALL_MS + 600000;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	fake_loop_advance(f->loop, 10000);
	fixture_ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(fake_judge.calls, 1);
	fake_judge.refuse = REASON_PIN_MISMATCH;
	fake_loop_wall_step(f->loop, 600000);
	fixture_ask();
	PUMP_UNTIL(f->n_done == 3);
	assert_int_equal(f->asked[2].failure, REASON_PIN_MISMATCH);
	assert_int_equal(f->server.n_question, 2);  /* it never left */
	assert_int_equal(fake_judge.calls, 1 + 2); /* the old connection, then a fresh one */
	fake_judge.report_until_ms = 0;
}

static void
a_good_one_stays_open_when_report_mode_ends(void **state)
{
	(void)state;
	fake_judge.report_until_ms = FAKE_LOOP_WALL_MS + 600000;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	fake_loop_wall_step(f->loop, 600000);
	for (unsigned i = 2; i < 5; i++) {
		fixture_ask();
		PUMP_UNTIL(f->n_done == i);
	}
	assert_int_equal(fake_judge.calls, 2); /* once more, and not with each question */
	assert_int_equal(f->judged, 1);
	assert_int_equal(f->server.n_conn, 1);
	fake_judge.report_until_ms = 0;
}

/* A wall clock that steps: each reading is ten years after the one before. */
static int64_t stepping_ms;
static unsigned wall_readings;

static int64_t
wall_steps(void)
{
	wall_readings++;
	return stepping_ms += INT64_C(10) * 365 * 86400000;
}

static int64_t
boot_goes_on(void)
{
	return loop_now_ms(f->loop);
}

static void
k04_a_verdict_has_one_time_however_the_clock_steps(void **state)
{
	static const struct clock_source stepping = {wall_steps, boot_goes_on, boot_goes_on};
	int64_t before;

	(void)state;
	fixture_ask();
	PUMP_UNTIL(f->server.n_conn == 1); /* in the middle of the handshake */
	stepping_ms = before = FAKE_LOOP_WALL_MS;
	wall_readings = 0;
	clock_use(&stepping);
	PUMP_UNTIL(f->n_done == 1);
	clock_use(NULL);
	assert_int_equal(f->asked[0].failure, REASON_NONE);
	assert_int_equal(fake_judge.calls, 1);
	assert_true(fake_judge.now_ms > before);
	assert_int_equal(wall_readings, 1); /* what follows the verdict uses its time */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SLOT_TEST(deadlines_and_cancels),
	    SLOT_TEST(a_deadline_without_a_connection_is_a_timeout),
	    SLOT_TEST(a_peer_that_does_not_answer_is_dropped_and_the_question_repeated),
	    SLOT_TEST(a_dead_path_is_given_up_sooner),
	    SLOT_TEST(a_connection_that_the_network_forgets_is_closed_before),
	    SLOT_TEST(another_network_may_forget_later),
	    SLOT_TEST(idle_closes_are_learned),
	    SLOT_TEST(an_announced_close_is_a_close),
	    SLOT_TEST(an_hour_of_rare_questions_loses_none),
	    SLOT_TEST(after_a_long_sleep_one_fresh_handshake_answers),
	    SLOT_TEST(keepalive_of_zero_closes_when_idle),
	    SLOT_TEST(only_an_answer_keeps_a_connection_in_use),
	    SLOT_TEST(a_connection_is_judged_every_hour),
	    SLOT_TEST(an_open_connection_is_judged_when_report_mode_ends),
	    SLOT_TEST(a_good_one_stays_open_when_report_mode_ends),
	    SLOT_TEST(k04_a_verdict_has_one_time_however_the_clock_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
