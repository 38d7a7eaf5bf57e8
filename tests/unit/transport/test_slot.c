/* A slot and its connections: how they come up, and what a question meets on them until they go down. */
#include "tests/unit/transport/slot_fixture.h"

#include "base/clock.h"
#include "transport/idle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the way up */

/* Whoever has a question for another connection, in the same turn of the loop, must know of the one that will be made. */
static void
a_connection_to_be_made_connects(void **state)
{
	(void)state;
	assert_int_equal(tp_slot_state(f->slot), TP_IDLE);
	tp_cancel(f->asked[fixture_ask()].exchange);
	assert_int_equal(tp_slot_state(f->slot), TP_IDLE);
	fixture_ask();
	assert_int_equal(tp_slot_state(f->slot), TP_CONNECTING);
	PUMP_UNTIL(f->n_done == 1);
	tp_slot_drop(f->slot, false);
	assert_int_equal(tp_slot_state(f->slot), TP_IDLE);
	tp_slot_connect(f->slot);
	assert_int_equal(tp_slot_state(f->slot), TP_CONNECTING);
	PUMP_UNTIL(tp_slot_state(f->slot) == TP_READY);
}

static void
questions_wait_for_the_verdict_and_are_sent_in_one_record(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++)
		fixture_ask();
	PUMP_UNTIL(f->n_done == 50);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->server.records, 1);
	assert_int_equal(fake_judge.calls, 1);
	assert_int_equal(fake_judge.n_certs, 1);
	assert_int_equal(fake_judge.now_ms, FAKE_LOOP_WALL_MS);
	assert_memory_equal(fake_judge.ip, f->server.addr.ip, 4);
	assert_int_equal(fake_judge.ip_n, 4);
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(be16_read(f->asked[i].message), (uint16_t)(i * 7 + 1)); /* the asker's id */
		assert_int_equal(f->asked[i].calls, 1);
		assert_memory_equal(f->asked[i].message + 12, f->asked[i].message + 12, 4);
	}
	assert_int_equal(f->ready, 1);
	assert_int_equal(tp_slot_state(f->slot), TP_READY);
}

static void
all_questions_leave_without_waiting_for_answers(void **state)
{
	(void)state;
	f->server.mood = DOT_SERVER_HOLDS;
	f->with_opt = true;
	for (unsigned i = 0; i < TP_INFLIGHT_MAX; i++)
		fixture_ask();
	PUMP_UNTIL(f->server.n_question == TP_INFLIGHT_MAX);
	assert_int_equal(f->n_done, 0);
}

static void
the_connection_is_used_again(void **state)
{
	struct tp_details d;
	struct tp_stats s;

	(void)state;
	for (int i = 0; i < 10; i++) {
		fixture_ask();
		PUMP_UNTIL(f->n_done == (unsigned)i + 1);
	}
	tp_slot_stats(f->slot, &s);
	assert_int_equal(s.connects, 1);
	assert_int_equal(s.questions, 10);
	assert_int_equal(s.answers, 10);
	assert_int_equal(s.in_flight + s.waiting, 0);
	assert_true(s.srtt_us >= 0 && s.median_us >= 0 && s.handshake_ms >= 0);
	tp_slot_details(f->slot, &d);
	assert_string_equal(d.tls_version, "TLS1.3");
	assert_string_equal(d.alpn, "dot");
	assert_int_equal(d.n_certs, 1);
	assert_true(d.has_ticket);
}

static const struct stage {
	const char *says;
	enum dot_server_mood mood;
	struct span plain;
	const char *priority, *alpn, *garbage;
	bool alpn_mandatory;
	size_t copies;
	enum reason refuse;
	enum reason reason;
	int64_t pass_ms;
} stages[] = {
    {.says = "T14: a close after accept", .mood = DOT_SERVER_CLOSES_AT_ONCE, .reason = REASON_CLOSED},
    {.says = "a reset after accept", .mood = DOT_SERVER_RESETS_AT_ONCE, .reason = REASON_CLOSED},
    {.says = "T14: silence after accept",
     .mood = DOT_SERVER_IS_SILENT,
     .reason = REASON_CONNECT_TIMEOUT,
     .pass_ms = TP_HANDSHAKE_TIMEOUT_MS},
    {.says = "an HTTP server",
     .mood = DOT_SERVER_SPEAKS_PLAIN,
     .plain = {BYTES("HTTP/1.1 400 Bad Request\r\n\r\n")},
     .reason = REASON_PLAIN_TEXT},
    {.says = "an SSH server",
     .mood = DOT_SERVER_SPEAKS_PLAIN,
     .plain = {BYTES("SSH-2.0-x\r\n")},
     .reason = REASON_PLAIN_TEXT},
    {.says = "one byte of plain text",
     .mood = DOT_SERVER_SPEAKS_PLAIN,
     .plain = {BYTES("x")},
     .reason = REASON_PLAIN_TEXT},
    {.says = "DNS over TCP in clear",
     .mood = DOT_SERVER_SPEAKS_PLAIN,
     .plain = {BYTES("\1\40abcdefgh")},
     .reason = REASON_PLAIN_TEXT},
    {.says = "a handshake cut short", .mood = DOT_SERVER_CUTS_THE_HANDSHAKE, .reason = REASON_CLOSED},
    {.says = "a handshake with a bit turned", .mood = DOT_SERVER_SPOILS_THE_HANDSHAKE, .reason = REASON_TLS_FAILED},
    {.says = "T12: TLS 1.1 only", .priority = "NORMAL:-VERS-ALL:+VERS-TLS1.1", .reason = REASON_TLS_VERSION},
    {.says = "T12: a ServerHello of TLS 1.1",
     .mood = DOT_SERVER_SPEAKS_PLAIN,
     .plain = {BYTES("\26\3\2\0\52\2\0\0\46\3\2"
		     "0123456789abcdef0123456789abcdef"
		     "\0\300\11\0")},
     .reason = REASON_TLS_VERSION},
    {.says = "T12: an alert about the version",
     .mood = DOT_SERVER_SPEAKS_PLAIN,
     .plain = {BYTES("\25\3\1\0\2\2\106")},
     .reason = REASON_TLS_VERSION},
    {.says = "an alert without a word of reason",
     .mood = DOT_SERVER_SPEAKS_PLAIN,
     .plain = {BYTES("\25\3\3\0\2\2\50")},
     .reason = REASON_TLS_ALERT},
    {.says = "T12: TLS 1.0 only", .priority = "NORMAL:-VERS-ALL:+VERS-TLS1.0", .reason = REASON_TLS_VERSION},
    {.says = "T12: no cipher in common",
     .priority = "NONE:+VERS-TLS1.2:+AES-256-CBC:+ECDHE-ECDSA:+SHA1:+SIGN-ALL:+GROUP-ALL:+COMP-NULL",
     .reason = REASON_TLS_ALERT},
    {.says = "T13: h2 only, strictly", .alpn = "h2", .alpn_mandatory = true, .reason = REASON_ALPN_MISMATCH},
    {.says = "T01: refused by verdict", .refuse = REASON_CT_NO_SCTS, .reason = REASON_CT_NO_SCTS},
    {.says = "T01: refused by verdict over TLS 1.2",
     .refuse = REASON_EXPIRED,
     .priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2",
     .reason = REASON_EXPIRED},
    {.says = "T10: a chain of 30 certificates is the judge's to refuse",
     .copies = 30,
     .refuse = REASON_CHAIN_TOO_LONG,
     .reason = REASON_CHAIN_TOO_LONG},
    {.says = "bytes that are no certificate are the judge's to refuse",
     .garbage = "garbage",
     .refuse = REASON_CERT_MALFORMED,
     .reason = REASON_CERT_MALFORMED},
    {.says = "bytes that are no certificate, and a judge who does not mind",
     .garbage = "garbage",
     .reason = REASON_TLS_FAILED},
};

static void
stage_run(const struct stage *s)
{
	struct dot_server *server = &f->server;

	print_message("%s\n", s->says);
	server->mood = s->mood;
	server->plain = s->plain;
	if (s->priority != NULL)
		server->priority = s->priority;
	if (s->alpn != NULL)
		server->alpn = s->alpn;
	server->alpn_mandatory = s->alpn_mandatory;
	server->chain_copies = s->copies;
	server->leaf_garbage = s->garbage;
	fake_judge.refuse = s->refuse;
	fixture_ask();
	if (s->pass_ms > 0)
		fixture_let_pass(s->pass_ms, 100);
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->failed, 1);
	assert_int_equal(f->ready, 0);
	if (f->last != s->reason)
		print_message("  detail: %s\n", f->detail);
	assert_string_equal(reason_code(f->last), reason_code(s->reason));
	assert_string_equal(reason_code(f->asked[0].failure), reason_code(s->reason));
	assert_true(f->asked[0].retry_safe);
	assert_int_equal(f->last_verdict, s->refuse != REASON_NONE);
	assert_int_equal(f->presented > 0, s->refuse != REASON_NONE); /* as they came, whatever they are */
	if (s->copies > 0)
		assert_true(f->presented > s->copies / 2);
	if (s->garbage != NULL && s->refuse != REASON_NONE)
		assert_int_equal(f->last_certificate, strlen(s->garbage));
	fixture_pump_a_while();
	assert_int_equal(server->app_bytes, 0); /* A7: no DNS byte before the verdict */
	assert_int_equal(server->n_conn, 1);
	assert_int_equal(tp_slot_state(f->slot), TP_IDLE);
	if (s->refuse != REASON_NONE && s->copies == 0 && s->garbage == NULL)
		assert_int_equal(server->alerts, 1); /* the server is told */
}

static void
each_stage_has_its_reason(void **state)
{
	for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
		if (i > 0) {
			assert_int_equal(fixture_teardown(state), 0);
			assert_int_equal(fixture_setup(state), 0);
		}
		stage_run(&stages[i]);
	}
}

static void
a_closed_port_is_refused_at_once(void **state)
{
	(void)state;
	assert_int_equal(shutdown(f->server.listen_fd, SHUT_RDWR), 0);
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->asked[0].failure, REASON_CONNECT_REFUSED);
	assert_int_equal(f->last, REASON_CONNECT_REFUSED);
}

static void
an_unanswered_syn_times_out(void **state)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(&f->server.addr, &ss);
	int full[8];

	(void)state;
	assert_int_equal(listen(f->server.listen_fd, 0), 0);
	for (int i = 0; i < 8; i++) { /* nobody accepts: the queue is full, further SYNs are dropped */
		full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(full[i], (struct sockaddr *)&ss, n);
	}
	fixture_ask();
	for (int i = 0; i < 20; i++)
		fake_loop_turn(f->loop, 1);
	assert_int_equal(tp_slot_state(f->slot), TP_CONNECTING);
	fake_loop_advance(f->loop, TP_CONNECT_TIMEOUT_MS - 1);
	assert_int_equal(f->n_done, 0);
	fake_loop_advance(f->loop, 1);
	assert_int_equal(f->n_done, 1);
	assert_int_equal(f->asked[0].failure, REASON_CONNECT_TIMEOUT);
	for (int i = 0; i < 8; i++)
		close(full[i]);
}

static void
a_server_without_alpn_may_be_used_for_dot(void **state)
{
	struct tp_details d;

	(void)state;
	f->server.alpn = NULL;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->n_failed, 0);
	tp_slot_details(f->slot, &d);
	assert_string_equal(d.alpn, "");
}

static void
sni_is_the_configured_name_and_never_an_address(void **state) /* T17 */
{
	(void)state;
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	assert_string_equal(f->server.sni, "");
	f->target2.name = "dns.test";
	tp_slot_retarget(f->slot, &f->target2);
	fixture_ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_string_equal(f->server.sni, "dns.test");
	assert_string_equal(fake_judge.name, "dns.test");
	assert_int_equal(f->server.n_conn, 2);
}

static struct span
file_span(const char *file)
{
	static uint8_t bytes[2][65536];
	static unsigned turn;
	uint8_t *to = bytes[turn++ % 2];
	FILE *in = fopen(file, "rb");
	size_t n;

	assert_non_null(in);
	n = fread(to, 1, sizeof bytes[0], in);
	(void)fclose(in);
	return span_of(to, n);
}

static void
a_client_certificate_is_shown_when_asked(void **state)
{
	char cert[] = "/tmp/test-slot-cert-XXXXXX", key[] = "/tmp/test-slot-key-XXXXXX";
	const char *why = NULL;
	struct tp_identity *identity = NULL;

	(void)state;
	close(mkstemp(cert));
	close(mkstemp(key));
	dot_server_client_identity(cert, key);
	assert_int_equal(tp_identity_new(&identity, file_span(cert), file_span(key), &why), RES_OK);
	f->target2.identity = identity;
	f->server.wants_client_cert = true;

	fixture_ask(); /* without it: the server ends it after the handshake */
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->asked[0].failure, REASON_TLS_ALERT);
	assert_int_equal(f->server.n_conn, 2); /* repeated once */

	tp_slot_retarget(f->slot, &f->target2);
	fixture_ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->asked[1].failure, REASON_NONE);
	assert_true(f->server.client_cert);

	assert_int_equal(tp_identity_new(&identity, file_span(cert), file_span(cert), &why), RES_MALFORMED);
	assert_non_null(why);
	unlink(cert);
	unlink(key);
	tp_slot_drop(f->slot, true);
	tp_slot_retarget(f->slot, &f->target);
	tp_identity_free(identity);
}

/* ---- the way down */

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
	    {"T15: the server closes in mid frame", DOT_SERVER_CUTS_THE_ANSWER},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (i > 0) {
			assert_int_equal(fixture_teardown(state), 0);
			assert_int_equal(fixture_setup(state), 0);
		}
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

		f->server.mood = DOT_SERVER_SERVES; /* when it is well again: at once */
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
		if (i > 0) {
			assert_int_equal(fixture_teardown(state), 0);
			assert_int_equal(fixture_setup(state), 0);
		}
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
		fixture_ask(); /* the server is known for it */
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
an_unused_connection_that_ends_for_idleness_is_no_fault(void **state)
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
	    {"T16: key updates that want ours, without end", DOT_SERVER_FLOODS_KEY_REQUESTS, false, REASON_TLS_FAILED},
	    {"T16: empty records without end", DOT_SERVER_FLOODS_EMPTY_RECORDS, false, REASON_TLS_FAILED},
	    {"T16: warnings without end", DOT_SERVER_FLOODS_WARNINGS, true, REASON_TLS_FAILED},
	    {"T16: renegotiation", DOT_SERVER_RENEGOTIATES, true, REASON_TLS_FAILED},
	    {"a record after close_notify", DOT_SERVER_TALKS_AFTER_CLOSE, false, REASON_CLOSED},
	    {"a record after close_notify, TLS 1.2", DOT_SERVER_TALKS_AFTER_CLOSE, true, REASON_CLOSED},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (i > 0) {
			assert_int_equal(fixture_teardown(state), 0);
			assert_int_equal(fixture_setup(state), 0);
		}
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
	assert_int_equal(f->closed, 0);      /* it was asked for: no event */
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
	/* together: nobody was alone; and after two connections for nothing they are not repeated */
	fixture_ask();
	fixture_ask();
	PUMP_UNTIL(f->n_done == 3);
	for (unsigned i = 1; i < 3; i++) {
		assert_true(f->asked[i].killed);
		assert_int_equal(f->asked[i].alone, 0);
	}
	assert_int_equal(f->server.n_conn, 3);
	/* an answer makes good for all of it */
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
a_slot_adopts_the_connection_of_another(void **state)
{
	struct tp_slot *other;

	(void)state;
	assert_int_equal(tp_slot_new(&other, f->loop, &f->target, NULL), RES_OK);
	f->server.mood = DOT_SERVER_HOLDS;
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 1);
	f->server.mood = DOT_SERVER_SERVES;
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
with_nothing_to_adopt_a_fresh_connection_is_made(void **state)
{
	struct tp_slot *other;

	(void)state;
	assert_int_equal(tp_slot_new(&other, f->loop, &f->target, NULL), RES_OK);
	f->server.mood = DOT_SERVER_HOLDS;
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 1);
	f->server.mood = DOT_SERVER_SERVES;
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
	    SLOT_TEST(a_connection_to_be_made_connects),
	    SLOT_TEST(questions_wait_for_the_verdict_and_are_sent_in_one_record),
	    SLOT_TEST(all_questions_leave_without_waiting_for_answers),
	    SLOT_TEST(the_connection_is_used_again),
	    SLOT_TEST(each_stage_has_its_reason),
	    SLOT_TEST(a_closed_port_is_refused_at_once),
	    SLOT_TEST(an_unanswered_syn_times_out),
	    SLOT_TEST(a_server_without_alpn_may_be_used_for_dot),
	    SLOT_TEST(sni_is_the_configured_name_and_never_an_address),
	    SLOT_TEST(a_client_certificate_is_shown_when_asked),
	    SLOT_TEST(a_question_is_repeated_once),
	    SLOT_TEST(connections_that_end_unused_are_given_up),
	    SLOT_TEST(an_unused_connection_that_ends_for_idleness_is_no_fault),
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
	    SLOT_TEST(a_slot_adopts_the_connection_of_another),
	    SLOT_TEST(with_nothing_to_adopt_a_fresh_connection_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
