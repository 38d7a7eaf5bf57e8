/* A slot and its connections: how they come up, and what is sent on them. */
#include "tests/unit/transport/slot_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A caller with a question, in the same turn of the loop, must see that a connection is about to be made. */
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
		assert_int_equal(be16_read(f->asked[i].message), (uint16_t)(i * 7 + 1)); /* the id of the question */
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
    {.says = "a handshake with a bit flipped", .mood = DOT_SERVER_SPOILS_THE_HANDSHAKE, .reason = REASON_TLS_FAILED},
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
    {.says = "an alert without a reason",
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
    {.says = "T10: a chain of 30 certificates is left to the judge",
     .copies = 30,
     .refuse = REASON_CHAIN_TOO_LONG,
     .reason = REASON_CHAIN_TOO_LONG},
    {.says = "bytes that are not a certificate are left to the judge",
     .garbage = "garbage",
     .refuse = REASON_CERT_MALFORMED,
     .reason = REASON_CERT_MALFORMED},
    {.says = "bytes that are not a certificate fail, even if the judge accepts them",
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
	assert_int_equal(f->presented > 0, s->refuse != REASON_NONE); /* the certificates as they came, valid or not */
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
		if (i > 0)
			fixture_renew(state);
		stage_run(&stages[i]);
	}
}

static uint64_t
questions_counted(void)
{
	struct tp_stats s;

	tp_slot_stats(f->slot, &s);
	return s.questions;
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
	assert_int_equal(questions_counted(), 0); /* it was not written */
}

static void
an_unanswered_syn_times_out(void **state)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(&f->server.addr, &ss);
	int full[8];

	(void)state;
	assert_int_equal(listen(f->server.listen_fd, 0), 0);
	for (int i = 0; i < 8; i++) { /* the server does not accept: its queue is full, further SYNs are dropped */
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
	assert_int_equal(questions_counted(), 0);
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
a_client_certificate_is_sent_when_requested(void **state)
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
	    SLOT_TEST(a_client_certificate_is_sent_when_requested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
