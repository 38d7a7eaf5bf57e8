/* A peer is judged again when its session is resumed, and under a new policy. */
#include "tests/unit/transport/slot_fixture.h"

#include "base/clock.h"
#include "transport/slot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---- resumption */

static void
a_resumed_session_is_judged_before_any_question(void **state) /* T11 */
{
	for (int i = 0; i < 2; i++) {
		if (i > 0) {
			fixture_renew(state);
			f->server.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
		}
		fixture_ask();
		PUMP_UNTIL(f->n_done == 1);
		tp_slot_drop(f->slot, false);
		fixture_ask();
		PUMP_UNTIL(f->n_done == 2);
		assert_int_equal(f->server.resumed, 1);
		assert_true(f->last_resumed);
		assert_int_equal(fake_judge.calls, 2);
		assert_int_equal(fake_judge.n_certs, 1); /* the stored chain */
	}
}

static void
a_refused_resumption_becomes_a_full_handshake(void **state) /* T11 */
{
	for (int i = 0; i < 2; i++) {
		size_t before;

		if (i > 0) {
			fixture_renew(state);
			f->server.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
		}
		fixture_ask();
		PUMP_UNTIL(f->n_done == 1);
		tp_slot_drop(f->slot, false);
		before = f->server.app_bytes;
		fake_judge.refuse = REASON_DISALLOWED; /* since then */
		fixture_ask();
		PUMP_UNTIL(f->n_done == 2);
		assert_int_equal(f->asked[1].failure, REASON_DISALLOWED);
		assert_int_equal(f->server.n_conn, 3); /* the resumed one, the full one, no third */
		assert_int_equal(f->server.app_bytes, before);
		assert_int_equal(f->failed, 1);
		fake_judge.refuse = REASON_NONE;
		fixture_ask();
		PUMP_UNTIL(f->n_done == 3);
		assert_int_equal(f->server.resumed, 1); /* only that one time: the tickets were dropped */
	}
}

static void
a_certificate_swapped_under_the_ticket_key_does_not_matter(void **state)
{
	uint8_t first[64];

	(void)state;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	memcpy(first, fake_judge.first, sizeof first);
	dot_server_new_certificate(&f->server, "other"); /* the server still takes the old ticket */
	tp_slot_drop(f->slot, false);
	fixture_ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->server.resumed, 1);
	assert_memory_equal(fake_judge.first, first,
			    sizeof first); /* the judge sees the certificate of the original handshake */
}

static void
a_ticket_is_used_once(void **state)
{
	struct tp_details d;

	(void)state;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	for (unsigned i = 0; i < 12; i++) {
		tp_slot_details(f->slot, &d);
		tp_slot_drop(f->slot, false);
		fixture_ask();
		PUMP_UNTIL(f->n_done == i + 2);
	}
	assert_int_equal(f->n_failed, 0);
	assert_true(f->slot->shared.tickets.n <= TICKETS_MAX);
}

static void
a_ticket_before_the_last_answer_is_kept(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	f->drop_in_callback = true;
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 1);
	fixture_pump_a_while();
	tickets_clear(&f->slot->shared.tickets); /* those of the handshake */
	f->slot->conn->tickets = 0;
	assert_int_equal(gnutls_session_ticket_send(f->server.conn[0].tls, 1, 0), 0);
	dot_server_answer(&f->server, 0, 30); /* both are read at once */
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->slot->shared.tickets.n, 1);
}

static void
of_many_tickets_of_one_connection_few_are_kept(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 1);
	fixture_pump_a_while();
	tickets_clear(&f->slot->shared.tickets); /* those of the handshake */
	f->slot->conn->tickets = 0;
	for (unsigned i = 1; i <= CONN_TICKETS_MAX + 2; i++) {
		assert_int_equal(gnutls_session_ticket_send(f->server.conn[0].tls, 1, 0), 0);
		fixture_pump_a_while();
		assert_int_equal(f->slot->shared.tickets.n, i < CONN_TICKETS_MAX ? i : CONN_TICKETS_MAX);
	}
	dot_server_answer(&f->server, 0, 30);
	PUMP_UNTIL(f->n_done == 1);
}

static void
a_ticket_that_breaks_the_handshake_costs_one_connection(void **state)
{
	(void)state;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	tp_slot_drop(f->slot, false);
	f->server.mood = DOT_SERVER_CLOSES_AT_ONCE;
	fixture_ask();
	PUMP_UNTIL(f->server.n_conn == 2);
	f->server.mood = DOT_SERVER_SERVES;
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->server.resumed, 0);
}

static void
after_a_timeout_with_a_ticket_the_next_handshake_is_a_full_one(void **state)
{
	(void)state;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1 && f->slot->shared.tickets.n > 1);
	tp_slot_drop(f->slot, false);
	f->server.mood = DOT_SERVER_IS_SILENT;
	fixture_ask();
	fixture_let_pass(TP_HANDSHAKE_TIMEOUT_MS, 100);
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->asked[1].failure, REASON_CONNECT_TIMEOUT);
	assert_int_equal(f->slot->shared.tickets.n, 0);
	f->server.mood = DOT_SERVER_SERVES;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 3);
	assert_int_equal(f->asked[2].failure, REASON_NONE);
	assert_int_equal(f->server.resumed, 0);
}

/* ---- a new policy */

static void
a_new_policy_judges_the_open_connection_first(void **state)
{
	(void)state;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	tp_slot_retarget(f->slot, &f->target2);
	fixture_ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(fake_judge.calls, 2);
	assert_ptr_equal(fake_judge.policy, &f->policy2);
	assert_int_equal(f->server.n_conn, 1);

	fake_judge.refuse = REASON_PIN_MISMATCH;
	tp_slot_retarget(f->slot, &f->target);
	assert_int_equal(f->closed, 0); /* no callback from inside */
	fixture_ask();
	PUMP_UNTIL(f->n_done == 3);
	assert_int_equal(f->closed, 1);
	assert_true(f->last_verdict);
	assert_int_equal(f->asked[2].failure, REASON_PIN_MISMATCH);
	assert_int_equal(f->server.n_question, 2);
}

static void
a_verdict_over_an_open_connection_is_reported(void **state)
{
	(void)state;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->judged, 0);
	tp_slot_retarget(f->slot, &f->target2);
	assert_int_equal(f->judged, 0); /* no callback from inside */
	PUMP_UNTIL(f->judged == 1);     /* no question is needed */
	fixture_ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->judged, 1);
	fake_loop_advance(f->loop, CONN_AGE_MAX_MS / 2);
	fixture_ask();
	PUMP_UNTIL(f->n_done == 3);
	assert_int_equal(f->ready, 2); /* it had been idle for too long */
	assert_int_equal(f->judged, 1);
}

/* At any time: before a question is written, while one is in flight, with its answer in our socket. */
static void
a_connection_may_be_dropped_when_it_is_judged(void **state)
{
	static const char *const rows[] = {"idle", "a question waits", "a question is in flight", "its answer is there"};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (i > 0)
			fixture_renew(state);
		print_message("%s\n", rows[i]);
		fixture_ask();
		PUMP_UNTIL(f->n_done == 1);
		f->drop_when_judged = true;
		if (i == 1)
			fixture_ask();
		if (i >= 2) {
			f->server.mood = DOT_SERVER_HOLDS;
			fixture_ask();
			PUMP_UNTIL(f->server.n_question == 2);
		}
		if (i == 3)
			dot_server_answer(&f->server, 1, 30);
		f->server.mood = DOT_SERVER_SERVES;
		tp_slot_retarget(f->slot, &f->target2);
		PUMP_UNTIL(f->judged == 1);
		if (i > 0)
			PUMP_UNTIL(f->n_done == 2);
		assert_int_equal(f->n_failed, 0);
		assert_int_equal(f->ready, i > 0 ? 2 : 1);
	}
}

static void
a_question_is_not_to_blame_for_a_new_policy(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 1);
	for (unsigned i = 1; i <= 3; i++) {
		fake_judge.refuse = REASON_DISALLOWED;
		tp_slot_retarget(f->slot, i % 2 != 0 ? &f->target2 : &f->target);
		PUMP_UNTIL(f->closed == i);
		fake_judge.refuse = REASON_NONE; /* the server has a new certificate */
		PUMP_UNTIL(f->server.n_question == i + 1);
	}
	dot_server_answer(&f->server, 3, 30);
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->n_failed, 0);
}

/* A list that is newer by now, or a report mode that ended: the server had no part in it. */
static void
nor_for_a_verdict_that_has_become_too_old(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	fixture_ask();
	for (unsigned i = 1; i <= 3; i++) {
		fake_judge.report_until_ms = clock_wall_ms() + 500;
		PUMP_UNTIL(f->server.n_question == i);
		fake_loop_advance(f->loop, 600);
		fake_judge.refuse = REASON_DISALLOWED;
		dot_server_send(&f->server, i - 1, span_of(BYTES("\0")));
		PUMP_UNTIL(f->closed == i);
		assert_string_equal(f->detail, "no longer acceptable");
		fake_judge.refuse = REASON_NONE; /* the server has a new certificate */
	}
	PUMP_UNTIL(f->server.n_question == 4);
	assert_int_equal(f->slot->barren, 0);
	dot_server_answer(&f->server, 3, 30);
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->n_failed, 0);
}

static void
answers_of_a_peer_that_is_refused_now_are_not_used(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 1);
	dot_server_answer(&f->server, 0, 30); /* it waits in our socket */
	fake_judge.refuse = REASON_REVOKED;
	tp_slot_retarget(f->slot, &f->target2);
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->asked[0].failure, REASON_REVOKED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SLOT_TEST(a_resumed_session_is_judged_before_any_question),
	    SLOT_TEST(a_refused_resumption_becomes_a_full_handshake),
	    SLOT_TEST(a_certificate_swapped_under_the_ticket_key_does_not_matter),
	    SLOT_TEST(a_ticket_is_used_once),
	    SLOT_TEST(a_ticket_before_the_last_answer_is_kept),
	    SLOT_TEST(of_many_tickets_of_one_connection_few_are_kept),
	    SLOT_TEST(a_ticket_that_breaks_the_handshake_costs_one_connection),
	    SLOT_TEST(after_a_timeout_with_a_ticket_the_next_handshake_is_a_full_one),
	    SLOT_TEST(a_new_policy_judges_the_open_connection_first),
	    SLOT_TEST(a_verdict_over_an_open_connection_is_reported),
	    SLOT_TEST(a_connection_may_be_dropped_when_it_is_judged),
	    SLOT_TEST(a_question_is_not_to_blame_for_a_new_policy),
	    SLOT_TEST(nor_for_a_verdict_that_has_become_too_old),
	    SLOT_TEST(answers_of_a_peer_that_is_refused_now_are_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
