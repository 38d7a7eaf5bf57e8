/* A slot and its connections against a server in the same thread, on a scripted clock. */
#include "tests/unit/fake_judge.h"
#include "tests/unit/fake_loop.h"
#include "tests/unit/far.h"

#include "base/clock.h"
#include "transport/conn.h"
#include "transport/silence.h"
#include "transport/transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define ASKED_MAX 4096

struct asked {
	struct tp_query *query;
	unsigned calls;
	enum reason failure;
	bool retry_safe;
	uint8_t message[64];
	size_t n;
};

struct fixture {
	struct loop *loop;
	struct far far;
	struct vfy_policy policy, policy2;
	struct tp_target target, target2;
	struct tp_slot *slot;
	struct asked asked[ASKED_MAX];
	unsigned n_asked, n_done, n_failed;
	unsigned ready, failed, closed;
	enum reason last; /* of the last event that was not ready */
	char detail[64];
	bool last_verdict, last_resumed;
	bool drop_in_callback, with_opt;
};

static struct fixture *f;

static void
on_event(void *ctx, struct tp_slot *slot, struct tp_event *event)
{
	(void)ctx;
	assert_ptr_equal(slot, f->slot);
	f->last_resumed = event->resumed;
	if (event->kind == TP_EVENT_READY) {
		f->ready++;
		assert_non_null(event->verdict);
		assert_true(verdict_accepted(event->verdict));
		return;
	}
	if (event->kind == TP_EVENT_FAILED)
		f->failed++;
	else
		f->closed++;
	f->last = event->reason;
	f->last_verdict = event->verdict != NULL;
	snprintf(f->detail, sizeof f->detail, "%s", event->detail != NULL ? event->detail : "");
}

static void
on_answer(void *arg, const struct tp_answer *answer)
{
	struct asked *a = arg;

	a->calls++;
	a->failure = answer->failure;
	a->retry_safe = answer->retry_safe;
	a->n = answer->message.n;
	if (a->n > 0)
		memcpy(a->message, answer->message.p, a->n < sizeof a->message ? a->n : sizeof a->message);
	f->n_done++;
	f->n_failed += answer->failure != REASON_NONE;
	if (f->drop_in_callback)
		tp_slot_drop(f->slot, false);
}

/* Asks for a name that tells the question; returns its place. */
static unsigned
ask_until(int64_t deadline_ms)
{
	unsigned i = f->n_asked++;
	struct asked *a = &f->asked[i % ASKED_MAX];
	uint8_t m[64];
	int n;

	memset(a, 0, sizeof *a);
	memcpy(m, "\0\0\1\0\0\1\0\0\0\0\0\0", 12);
	be16_write(m, (uint16_t)(i * 7 + 1));
	n = snprintf((char *)m + 13, 16, "q%u", i);
	m[12] = (uint8_t)n;
	memcpy(m + 13 + n, "\0\0\1\0\1\0\0\51\4\320\0\0\0\0\0", 16);
	m[11] = f->with_opt; /* then it is padded */
	assert_int_equal(tp_send(&a->query, f->slot, span_of(m, (size_t)(18 + n) + (f->with_opt ? 11 : 0)),
				 deadline_ms, on_answer, a),
			 RES_OK);
	return i;
}

static unsigned
ask(void)
{
	return ask_until(clock_boot_ms() + 4000);
}

static void
pump(void)
{
	static unsigned quiet;

	/* Loopback is quick: only when nothing happened a few times is it worth waiting. */
	quiet = far_pump(&f->far) || fake_loop_turn(f->loop, quiet < 4 ? 0 : 1) ? 0 : quiet + 1;
}

#define PUMP_UNTIL(condition)                                                                                \
	do {                                                                                                 \
		for (int i_ = 0; i_ < 5000 && !(condition); i_++)                                            \
			pump();                                                                              \
		assert_true(condition);                                                                      \
	} while (0)

/* Long enough for what must not happen, were it to happen. */
static void
pump_a_while(void)
{
	for (int i = 0; i < 20; i++)
		pump();
}

/* Moves time in steps, serving both sides. */
static void
let_pass(int64_t ms, int64_t step)
{
	for (int64_t at = 0; at < ms; at += step) {
		fake_loop_advance(f->loop, step);
		for (int i = 0; i < 3; i++)
			pump();
	}
}

static int
setup(void **state)
{
	const struct tp_hooks hooks = {on_event, NULL};

	f = calloc(1, sizeof *f);
	if (f == NULL || tp_global_init(NULL) != RES_OK || loop_new(&f->loop) != RES_OK)
		return -1;
	far_start(&f->far);
	memset(&fake_judge, 0, sizeof fake_judge);
	f->target = (struct tp_target){
	    .upstream = "far", .addr = f->far.addr, .name = "", .path = "", .policy = &f->policy};
	f->target2 = f->target;
	f->target2.policy = &f->policy2;
	f->target2.generation = 1;
	*state = f;
	return tp_slot_new(&f->slot, f->loop, &f->target, &hooks) == RES_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	unsigned timers, fds;

	(void)state;
	tp_slot_free(f->slot);
	timers = fake_loop_timers(f->loop);
	fds = fake_loop_fds(f->loop);
	far_stop(&f->far);
	loop_free(f->loop);
	free(f);
	return timers == 0 && fds == 0 ? 0 : -1;
}

/* ---- the way up */

static void
questions_wait_for_the_verdict_and_leave_in_one_record(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++)
		ask();
	assert_int_equal(tp_slot_state(f->slot), TP_IDLE);
	PUMP_UNTIL(f->n_done == 50);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->far.records, 1);
	assert_int_equal(fake_judge.calls, 1);
	assert_int_equal(fake_judge.n_certs, 1);
	assert_int_equal(fake_judge.now_ms, FAKE_LOOP_WALL_MS);
	assert_memory_equal(fake_judge.ip, f->far.addr.ip, 4);
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
	f->far.mood = FAR_HOLDS;
	f->with_opt = true;
	for (unsigned i = 0; i < TP_INFLIGHT_MAX; i++)
		ask();
	PUMP_UNTIL(f->far.n_question == TP_INFLIGHT_MAX);
	assert_int_equal(f->n_done, 0);
}

static void
the_connection_is_used_again(void **state)
{
	struct tp_details d;
	struct tp_stats s;

	(void)state;
	for (int i = 0; i < 10; i++) {
		ask();
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

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

static const struct stage {
	const char *says;
	enum far_mood mood;
	struct span plain;
	const char *priority, *alpn, *garbage;
	bool alpn_mandatory;
	size_t copies;
	enum reason refuse;
	enum reason reason;
	int64_t pass_ms;
} stages[] = {
    {.says = "T14: a close after accept", .mood = FAR_CLOSES_AT_ONCE, .reason = REASON_CLOSED},
    {.says = "a reset after accept", .mood = FAR_RESETS_AT_ONCE, .reason = REASON_CLOSED},
    {.says = "T14: silence after accept",
     .mood = FAR_IS_SILENT,
     .reason = REASON_CONNECT_TIMEOUT,
     .pass_ms = TP_HANDSHAKE_TIMEOUT_MS},
    {.says = "an HTTP server",
     .mood = FAR_SPEAKS_PLAIN,
     .plain = {BYTES("HTTP/1.1 400 Bad Request\r\n\r\n")},
     .reason = REASON_PLAIN_TEXT},
    {.says = "an SSH server",
     .mood = FAR_SPEAKS_PLAIN,
     .plain = {BYTES("SSH-2.0-x\r\n")},
     .reason = REASON_PLAIN_TEXT},
    {.says = "one byte of plain text",
     .mood = FAR_SPEAKS_PLAIN,
     .plain = {BYTES("x")},
     .reason = REASON_PLAIN_TEXT},
    {.says = "DNS over TCP in clear",
     .mood = FAR_SPEAKS_PLAIN,
     .plain = {BYTES("\1\40abcdefgh")},
     .reason = REASON_PLAIN_TEXT},
    {.says = "a handshake cut short", .mood = FAR_CUTS_THE_HANDSHAKE, .reason = REASON_CLOSED},
    {.says = "a handshake with a bit turned", .mood = FAR_SPOILS_THE_HANDSHAKE, .reason = REASON_TLS_FAILED},
    {.says = "T12: TLS 1.1 only", .priority = "NORMAL:-VERS-ALL:+VERS-TLS1.1", .reason = REASON_TLS_VERSION},
    {.says = "T12: a ServerHello of TLS 1.1",
     .mood = FAR_SPEAKS_PLAIN,
     .plain = {BYTES("\26\3\2\0\52\2\0\0\46\3\2"
		     "0123456789abcdef0123456789abcdef"
		     "\0\300\11\0")},
     .reason = REASON_TLS_VERSION},
    {.says = "T12: an alert about the version",
     .mood = FAR_SPEAKS_PLAIN,
     .plain = {BYTES("\25\3\1\0\2\2\106")},
     .reason = REASON_TLS_VERSION},
    {.says = "an alert without a word of reason",
     .mood = FAR_SPEAKS_PLAIN,
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
	struct far *far = &f->far;

	print_message("%s\n", s->says);
	far->mood = s->mood;
	far->plain = s->plain;
	if (s->priority != NULL)
		far->priority = s->priority;
	if (s->alpn != NULL)
		far->alpn = s->alpn;
	far->alpn_mandatory = s->alpn_mandatory;
	far->chain_copies = s->copies;
	far->leaf_garbage = s->garbage;
	fake_judge.refuse = s->refuse;
	ask();
	if (s->pass_ms > 0)
		let_pass(s->pass_ms, 100);
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->failed, 1);
	assert_int_equal(f->ready, 0);
	if (f->last != s->reason)
		print_message("  detail: %s\n", f->detail);
	assert_string_equal(reason_code(f->last), reason_code(s->reason));
	assert_string_equal(reason_code(f->asked[0].failure), reason_code(s->reason));
	assert_true(f->asked[0].retry_safe);
	assert_int_equal(f->last_verdict, s->refuse != REASON_NONE);
	pump_a_while();
	assert_int_equal(far->app_bytes, 0); /* A7: no DNS byte before the verdict */
	assert_int_equal(far->n_conn, 1);
	assert_int_equal(tp_slot_state(f->slot), TP_IDLE);
	if (s->refuse != REASON_NONE && s->copies == 0 && s->garbage == NULL)
		assert_int_equal(far->alerts, 1); /* the server is told */
}

static void
each_stage_has_its_reason(void **state)
{
	for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
		if (i > 0) {
			assert_int_equal(teardown(state), 0);
			assert_int_equal(setup(state), 0);
		}
		stage_run(&stages[i]);
	}
}

static void
a_closed_port_is_refused_at_once(void **state)
{
	(void)state;
	assert_int_equal(shutdown(f->far.listen_fd, SHUT_RDWR), 0);
	ask();
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->asked[0].failure, REASON_CONNECT_REFUSED);
	assert_int_equal(f->last, REASON_CONNECT_REFUSED);
}

static void
an_unanswered_syn_times_out(void **state)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(&f->far.addr, &ss);
	int full[8];

	(void)state;
	assert_int_equal(listen(f->far.listen_fd, 0), 0);
	for (int i = 0; i < 8; i++) { /* nobody accepts: the queue is full, further SYNs are dropped */
		full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(full[i], (struct sockaddr *)&ss, n);
	}
	ask();
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
	f->far.alpn = NULL;
	ask();
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->n_failed, 0);
	tp_slot_details(f->slot, &d);
	assert_string_equal(d.alpn, "");
}

static void
doh_wants_h2(void **state) /* T13, H23 */
{
	(void)state;
	f->target.protocol = TP_DOH;
	f->target.path = "/dns-query";
	f->far.alpn = NULL;
	ask();
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->asked[0].failure, REASON_ALPN_MISMATCH);
	assert_int_equal(f->far.app_bytes, 0);
}

static void
sni_is_the_configured_name_and_never_an_address(void **state) /* T17 */
{
	(void)state;
	ask();
	PUMP_UNTIL(f->n_done == 1);
	assert_string_equal(f->far.sni, "");
	f->target2.name = "dns.test";
	tp_slot_retarget(f->slot, &f->target2);
	ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_string_equal(f->far.sni, "dns.test");
	assert_string_equal(fake_judge.name, "dns.test");
	assert_int_equal(f->far.n_conn, 2);
}

static void
a_client_certificate_is_shown_when_asked(void **state)
{
	char cert[] = "/tmp/test-slot-cert-XXXXXX", key[] = "/tmp/test-slot-key-XXXXXX", *why = NULL;
	struct tp_identity *identity = NULL;

	(void)state;
	close(mkstemp(cert));
	close(mkstemp(key));
	far_client_identity(cert, key);
	assert_int_equal(tp_identity_load(&identity, cert, key, &why), RES_OK);
	f->target2.identity = identity;
	f->far.wants_client_cert = true;

	ask(); /* without it: the server ends it after the handshake */
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->asked[0].failure, REASON_TLS_ALERT);
	assert_int_equal(f->far.n_conn, 2); /* repeated once */

	tp_slot_retarget(f->slot, &f->target2);
	ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->asked[1].failure, REASON_NONE);
	assert_true(f->far.client_cert);

	assert_int_equal(tp_identity_load(&identity, cert, cert, &why), RES_MALFORMED);
	assert_non_null(strstr(why, cert));
	free(why);
	assert_int_equal(tp_identity_load(&identity, "/nonexistent", key, &why), RES_IO);
	assert_non_null(strstr(why, "/nonexistent"));
	free(why);
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
		enum far_mood mood;
	} rows[] = {
	    {"the server closes after the handshake", FAR_CLOSES_WHEN_READY},
	    {"the server closes on a question", FAR_CLOSES_ON_QUESTION},
	    {"the server resets on a question", FAR_RESETS_ON_QUESTION},
	    {"T15: the server closes in mid frame", FAR_CUTS_THE_ANSWER},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (i > 0) {
			assert_int_equal(teardown(state), 0);
			assert_int_equal(setup(state), 0);
		}
		print_message("%s\n", rows[i].says);
		f->far.mood = rows[i].mood;
		ask();
		ask();
		PUMP_UNTIL(f->n_done == 2);
		assert_int_equal(f->asked[0].failure, REASON_CLOSED);
		assert_int_equal(f->asked[1].failure, REASON_CLOSED);
		assert_int_equal(f->far.n_conn, 2);
		assert_int_equal(f->closed, 2);
		pump_a_while();
		assert_int_equal(f->far.n_conn, 2); /* and no more */

		f->far.mood = FAR_SERVES; /* when it is well again: at once */
		ask();
		PUMP_UNTIL(f->n_done == 3);
		assert_int_equal(f->asked[2].failure, REASON_NONE);
	}
}

static void
the_repeat_is_answered_when_the_server_is_well_again(void **state)
{
	struct tp_stats s;

	(void)state;
	f->far.mood = FAR_RESETS_ON_QUESTION;
	for (int i = 0; i < 20; i++)
		ask();
	PUMP_UNTIL(f->far.n_question > 0);
	f->far.mood = FAR_SERVES;
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
	f->far.mood = FAR_HOLDS;
	ask();
	ask();
	PUMP_UNTIL(f->far.n_question == 2);
	far_answer(&f->far, 1, 40);
	far_close(&f->far, 0);
	f->far.mood = FAR_SERVES;
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->asked[1].n, 40); /* the answer of the first connection */
	assert_int_equal(f->far.n_conn, 2);
}

static void
dribbled_answers_arrive(void **state)
{
	(void)state;
	f->far.mood = FAR_DRIBBLES;
	ask();
	ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 0);
}

static void
wrong_ids_wait_for_the_right_one(void **state) /* U01 */
{
	uint8_t wrong[14] = {0, 12};
	struct tp_stats s;

	(void)state;
	f->far.mood = FAR_HOLDS;
	ask();
	PUMP_UNTIL(f->far.n_question == 1);
	for (uint16_t i = 1; i <= 15; i++) {
		be16_write(wrong + 2, f->far.question[0].id ^ i);
		far_send(&f->far, 0, span_of(wrong, sizeof wrong));
	}
	far_answer(&f->far, 0, 30);
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->n_failed, 0);
	tp_slot_stats(f->slot, &s);
	assert_int_equal(s.unexpected, 15);
	be16_write(wrong + 2, f->far.question[0].id ^ 99);
	far_send(&f->far, 0, span_of(wrong, sizeof wrong));
	PUMP_UNTIL(f->closed == 1);
	assert_int_equal(f->last, REASON_ANSWER_MISMATCH);
}

static void
what_comes_after_the_handshake_is_bounded(void **state) /* T16 */
{
	static const struct {
		const char *says;
		enum far_mood mood;
		bool tls12;
		enum reason reason;
	} rows[] = {
	    {"T16: session tickets without end", FAR_FLOODS_TICKETS, false, REASON_TLS_FAILED},
	    {"T16: key updates without end", FAR_FLOODS_KEY_UPDATES, false, REASON_TLS_FAILED},
	    {"T16: key updates that want ours, without end", FAR_FLOODS_KEY_REQUESTS, false, REASON_TLS_FAILED},
	    {"T16: empty records without end", FAR_FLOODS_EMPTY_RECORDS, false, REASON_TLS_FAILED},
	    {"T16: warnings without end", FAR_FLOODS_WARNINGS, true, REASON_TLS_FAILED},
	    {"T16: renegotiation", FAR_RENEGOTIATES, true, REASON_TLS_FAILED},
	    {"a record after close_notify", FAR_TALKS_AFTER_CLOSE, false, REASON_CLOSED},
	    {"a record after close_notify, TLS 1.2", FAR_TALKS_AFTER_CLOSE, true, REASON_CLOSED},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (i > 0) {
			assert_int_equal(teardown(state), 0);
			assert_int_equal(setup(state), 0);
		}
		print_message("%s\n", rows[i].says);
		f->far.mood = rows[i].mood;
		if (rows[i].tls12)
			f->far.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
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
	f->far.mood = FAR_UPDATES_KEYS;
	ask();
	PUMP_UNTIL(f->n_done == 1);
	ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->far.n_conn, 1);
}

static void
deadlines_and_cancels(void **state)
{
	struct tp_stats s;
	unsigned late, gone;

	(void)state;
	f->far.mood = FAR_HOLDS;
	late = ask_until(clock_boot_ms() + 300);
	gone = ask();
	ask();
	PUMP_UNTIL(f->far.n_question == 3);
	tp_cancel(f->asked[gone].query);
	fake_loop_advance(f->loop, 300);
	assert_int_equal(f->asked[late].calls, 1);
	assert_int_equal(f->asked[late].failure, REASON_CLOSED);
	assert_false(f->asked[late].retry_safe);
	far_answer(&f->far, 0, 30); /* U13: late, for nobody */
	far_answer(&f->far, 1, 30);
	far_answer(&f->far, 2, 30);
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
	f->far.mood = FAR_IS_SILENT;
	ask_until(clock_boot_ms() + 200);
	pump_a_while();
	fake_loop_advance(f->loop, 200);
	assert_int_equal(f->n_done, 1);
	assert_int_equal(f->asked[0].failure, REASON_CONNECT_TIMEOUT);
	assert_true(f->asked[0].retry_safe);
	ask_until(clock_boot_ms() - 1); /* over before it began: still a callback, and not from inside */
	assert_int_equal(f->n_done, 1);
	pump();
	assert_int_equal(f->n_done, 2);
}

static void
the_queue_has_a_limit(void **state)
{
	struct tp_query *q;
	static const uint8_t m[17] = "\0\0\1\0\0\1\0\0\0\0\0\0\0\0\1\0";

	(void)state;
	for (unsigned i = 0; i < TP_QUEUE_MAX; i++)
		assert_int_equal(tp_send(&q, f->slot, span_of(m, sizeof m), clock_boot_ms() + 4000, on_answer,
					 &f->asked[0]),
				 RES_OK);
	assert_int_equal(
	    tp_send(&q, f->slot, span_of(m, sizeof m), clock_boot_ms() + 4000, on_answer, &f->asked[0]),
	    RES_LIMIT);
	assert_int_equal(
	    tp_send(&q, f->slot, span_of(m, 11), clock_boot_ms() + 4000, on_answer, &f->asked[0]),
	    RES_MALFORMED);
	assert_int_equal(f->n_done, 0);
}

static void
dropping_repeats_what_is_in_flight(void **state)
{
	(void)state;
	f->far.mood = FAR_HOLDS;
	ask();
	ask();
	PUMP_UNTIL(f->far.n_question == 2);
	f->far.mood = FAR_SERVES;
	tp_slot_drop(f->slot, true);
	tp_slot_drop(f->slot, true);
	assert_int_equal(tp_slot_state(f->slot), TP_IDLE);
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->far.n_conn, 2);
	assert_int_equal(f->far.resumed, 0); /* tickets forgotten */
	assert_int_equal(f->closed, 0);      /* it was asked for: no event */
}

static void
a_callback_may_drop_its_connection(void **state)
{
	(void)state;
	f->drop_in_callback = true;
	for (int i = 0; i < 5; i++)
		ask();
	PUMP_UNTIL(f->n_done == 5);
	assert_int_equal(f->n_failed, 0);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(f->asked[i].calls, 1);
}

/* ---- time */

static void
silence_is_given_up_and_the_question_repeated(void **state)
{
	(void)state;
	ask();
	PUMP_UNTIL(f->n_done == 1);
	f->far.mood = FAR_IS_SILENT; /* its kernel still acknowledges */
	ask();
	pump_a_while();
	f->far.mood = FAR_HOLDS;
	f->far.conn[0].closed = true; /* the test no longer serves the first one */
	let_pass(SILENCE_LIMIT_MS, 100);
	PUMP_UNTIL(f->far.n_conn == 2 && f->far.n_question == 2);
	assert_int_equal(f->last, REASON_CLOSED);
	assert_string_equal(f->detail, "the peer does not answer");
	let_pass(SILENCE_LIMIT_MS, 100); /* a repeated question keeps its connection to the end */
	assert_int_equal(f->far.n_conn, 2);
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->asked[1].failure, REASON_CLOSED); /* its deadline */
	f->far.conn[0].closed = false;
}

static void
idle_closes_are_learned(void **state)
{
	struct tp_stats s;

	(void)state;
	ask();
	PUMP_UNTIL(f->n_done == 1);
	fake_loop_advance(f->loop, 10000);
	far_close(&f->far, 0);
	PUMP_UNTIL(f->closed == 1);
	tp_slot_stats(f->slot, &s);
	assert_int_equal(s.idle_limit_ms, 10000);
	assert_int_equal(s.idle_closes, 1);

	ask(); /* the next connection is closed by us, a little before */
	PUMP_UNTIL(f->n_done == 2);
	fake_loop_advance(f->loop, 8999);
	assert_int_equal(tp_slot_state(f->slot), TP_READY);
	fake_loop_advance(f->loop, 1);
	assert_int_equal(tp_slot_state(f->slot), TP_IDLE);
	assert_int_equal(f->closed, 2);
	assert_string_equal(f->detail, "idle");
}

static void
an_hour_of_rare_questions_loses_none(void **state)
{
	static const int64_t every[] = {9000, 11000, 20000, 45000};

	for (size_t i = 0; i < sizeof every / sizeof *every; i++) {
		unsigned n = 0;

		if (i > 0) {
			assert_int_equal(teardown(state), 0);
			assert_int_equal(setup(state), 0);
		}
		print_message("one question every %d s\n", (int)(every[i] / 1000));
		for (int64_t at = 0; at < 3600000; at += every[i]) {
			ask();
			n++;
			PUMP_UNTIL(f->n_done == n);
			if (every[i] <= 10000) {
				fake_loop_advance(f->loop, every[i]);
				continue;
			}
			fake_loop_advance(f->loop, 10000);
			far_close(&f->far, f->far.n_conn - 1); /* unless we did */
			/* the FIN is seen, or is met by the next question: both must do */
			if (n % 2 == 0)
				pump_a_while();
			fake_loop_advance(f->loop, every[i] - 10000);
		}
		assert_int_equal(f->n_failed, 0);
		assert_true(f->far.handshakes <= n);
	}
}

static void
after_a_long_sleep_one_fresh_handshake_answers(void **state) /* K02 */
{
	struct tp_stats s;

	(void)state;
	ask();
	PUMP_UNTIL(f->n_done == 1);
	f->far.conn[0].closed =
	    true; /* the path is black: the server never hears of the old connection again */
	fake_loop_suspend(f->loop, 8 * 3600000);
	ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->far.n_conn, 2);
	tp_slot_stats(f->slot, &s);
	assert_int_equal(s.connects, 2);
	assert_int_equal(s.repeated, 0); /* nothing was tried on the old one */
	f->far.conn[0].closed = false;
}

static void
keepalive_of_zero_closes_when_idle(void **state) /* U24 */
{
	static const uint8_t question[] = "\0\7\1\0\0\1\0\0\0\0\0\1\1k\0\0\1\0\1\0\0\51\4\320\0\0\0\0\0\0";
	static const uint8_t tail[] = "\1k\0\0\1\0\1\0\0\51\4\320\0\0\0\0\0\6\0\13\0\2\0\0";
	struct buf b = buf_max(256);

	(void)state;
	f->far.mood = FAR_HOLDS;
	f->n_asked = 1;
	assert_int_equal(tp_send(&f->asked[0].query, f->slot, span_of(question, sizeof question - 1),
				 clock_boot_ms() + 4000, on_answer, &f->asked[0]),
			 RES_OK);
	PUMP_UNTIL(f->far.n_question == 1);
	assert_int_equal(f->far.question[0].n, 128); /* padded */
	buf_u16(&b, (uint16_t)(12 + sizeof tail - 1));
	buf_u16(&b, f->far.question[0].id);
	buf_put(&b, span_of("\201\200\0\1\0\0\0\0\0\1", 10));
	buf_put(&b, span_of(tail, sizeof tail - 1));
	far_send(&f->far, 0, buf_span(&b));
	PUMP_UNTIL(f->closed == 1);
	assert_int_equal(f->n_done, 1);
	assert_int_equal(f->n_failed, 0);
	assert_string_equal(f->detail, "idle");
	buf_free(&b);
}

static void
a_connection_is_judged_every_hour(void **state) /* K05 */
{
	unsigned calls;

	(void)state;
	ask();
	PUMP_UNTIL(f->n_done == 1);
	calls = fake_judge.calls;
	for (int i = 0; i < 59; i++) { /* kept busy */
		fake_loop_advance(f->loop, 60000);
		ask();
		PUMP_UNTIL(f->n_done == (unsigned)i + 2);
	}
	assert_int_equal(fake_judge.calls, calls);
	fake_judge.refuse = REASON_EXPIRED;
	fake_loop_advance(f->loop, 60000);
	ask();
	PUMP_UNTIL(f->n_done == 61);
	assert_int_equal(f->asked[60].failure, REASON_EXPIRED);
	assert_int_equal(f->far.n_question, 60);       /* it never left */
	assert_int_equal(fake_judge.calls, calls + 2); /* the old connection, then a fresh one */
	assert_int_equal(f->closed, 1); /* which alone decides: the peer may have been renewed */
	assert_int_equal(f->failed, 1);
}

/* ---- resumption */

static void
a_resumed_session_is_judged_before_any_question(void **state) /* T11 */
{
	for (int i = 0; i < 2; i++) {
		if (i > 0) {
			assert_int_equal(teardown(state), 0);
			assert_int_equal(setup(state), 0);
			f->far.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
		}
		ask();
		PUMP_UNTIL(f->n_done == 1);
		tp_slot_drop(f->slot, false);
		ask();
		PUMP_UNTIL(f->n_done == 2);
		assert_int_equal(f->far.resumed, 1);
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
			assert_int_equal(teardown(state), 0);
			assert_int_equal(setup(state), 0);
			f->far.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
		}
		ask();
		PUMP_UNTIL(f->n_done == 1);
		tp_slot_drop(f->slot, false);
		before = f->far.app_bytes;
		fake_judge.refuse = REASON_DISALLOWED; /* since then */
		ask();
		PUMP_UNTIL(f->n_done == 2);
		assert_int_equal(f->asked[1].failure, REASON_DISALLOWED);
		assert_int_equal(f->far.n_conn, 3); /* the resumed one, the full one, no third */
		assert_int_equal(f->far.app_bytes, before);
		assert_int_equal(f->failed, 1);
		fake_judge.refuse = REASON_NONE;
		ask();
		PUMP_UNTIL(f->n_done == 3);
		assert_int_equal(f->far.resumed, 1); /* that one time: the tickets were dropped */
	}
}

static void
a_certificate_swapped_under_the_ticket_key_does_not_matter(void **state)
{
	uint8_t first[64];

	(void)state;
	ask();
	PUMP_UNTIL(f->n_done == 1);
	memcpy(first, fake_judge.first, sizeof first);
	far_new_certificate(&f->far, "other"); /* the server still takes the old ticket */
	tp_slot_drop(f->slot, false);
	ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->far.resumed, 1);
	assert_memory_equal(fake_judge.first, first,
			    sizeof first); /* judged is whom the session was made with */
}

static void
a_ticket_is_used_once(void **state)
{
	struct tp_details d;

	(void)state;
	ask();
	PUMP_UNTIL(f->n_done == 1);
	for (unsigned i = 0; i < 12; i++) {
		tp_slot_details(f->slot, &d);
		tp_slot_drop(f->slot, false);
		ask();
		PUMP_UNTIL(f->n_done == i + 2);
	}
	assert_int_equal(f->n_failed, 0);
	assert_true(f->slot->tickets.n <= TICKETS_MAX);
}

static void
a_ticket_before_the_last_answer_is_kept(void **state)
{
	(void)state;
	f->far.mood = FAR_HOLDS;
	f->drop_in_callback = true;
	ask();
	PUMP_UNTIL(f->far.n_question == 1);
	pump_a_while();
	tickets_clear(&f->slot->tickets); /* those of the handshake */
	f->slot->conn->tickets = 0;
	assert_int_equal(gnutls_session_ticket_send(f->far.conn[0].tls, 1, 0), 0);
	far_answer(&f->far, 0, 30); /* both are read at once */
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->slot->tickets.n, 1);
}

static void
a_ticket_that_the_server_chokes_on_costs_one_connection(void **state)
{
	(void)state;
	ask();
	PUMP_UNTIL(f->n_done == 1);
	tp_slot_drop(f->slot, false);
	f->far.mood = FAR_CLOSES_AT_ONCE;
	ask();
	PUMP_UNTIL(f->far.n_conn == 2);
	f->far.mood = FAR_SERVES;
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(f->far.resumed, 0);
}

/* ---- a new policy */

static void
after_silence_on_a_ticket_the_next_handshake_is_a_full_one(void **state)
{
	(void)state;
	ask();
	PUMP_UNTIL(f->n_done == 1 && f->slot->tickets.n > 1);
	tp_slot_drop(f->slot, false);
	f->far.mood = FAR_IS_SILENT;
	ask();
	let_pass(TP_HANDSHAKE_TIMEOUT_MS, 100);
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->asked[1].failure, REASON_CONNECT_TIMEOUT);
	assert_int_equal(f->slot->tickets.n, 0);
	f->far.mood = FAR_SERVES;
	ask();
	PUMP_UNTIL(f->n_done == 3);
	assert_int_equal(f->asked[2].failure, REASON_NONE);
	assert_int_equal(f->far.resumed, 0);
}

static void
a_new_policy_judges_the_open_connection_first(void **state)
{
	(void)state;
	ask();
	PUMP_UNTIL(f->n_done == 1);
	tp_slot_retarget(f->slot, &f->target2);
	ask();
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(fake_judge.calls, 2);
	assert_ptr_equal(fake_judge.policy, &f->policy2);
	assert_int_equal(f->far.n_conn, 1);

	fake_judge.refuse = REASON_PIN_MISMATCH;
	tp_slot_retarget(f->slot, &f->target);
	assert_int_equal(f->closed, 0); /* no callback from inside */
	ask();
	PUMP_UNTIL(f->n_done == 3);
	assert_int_equal(f->closed, 1);
	assert_true(f->last_verdict);
	assert_int_equal(f->asked[2].failure, REASON_PIN_MISMATCH);
	assert_int_equal(f->far.n_question, 2);
}

static void
answers_of_a_peer_that_is_refused_now_are_not_used(void **state)
{
	(void)state;
	f->far.mood = FAR_HOLDS;
	ask();
	PUMP_UNTIL(f->far.n_question == 1);
	far_answer(&f->far, 0, 30); /* it lies in our socket */
	fake_judge.refuse = REASON_REVOKED;
	tp_slot_retarget(f->slot, &f->target2);
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->asked[0].failure, REASON_REVOKED);
}

/* ---- DoH */

#define H2_SETTINGS "\0\0\0\4\0\0\0\0\0"
#define H2_GOAWAY(last)                                                                                      \
	"\0\0\10\7\0\0\0\0\0"                                                                                \
	"\0\0\0" last "\0\0\0\0"
/* :status 200, content-type (RFC 7541, appendix A: 8 and 31); then 12 bytes of DATA */
#define H2_ANSWER(stream)                                                                                    \
	"\0\0\33\1\4\0\0\0" stream "\210\17\20\27application/dns-message"                                    \
	"\0\0\14\0\1\0\0\0" stream "\0\0\201\200\0\0\0\0\0\0\0\0"

static void
doh_start(void)
{
	f->target.protocol = f->target2.protocol = TP_DOH;
	f->target.path = f->target2.path = "/dns-query";
	f->far.alpn = "h2";
	f->far.mood = FAR_LISTENS;
}

static void
doh_answers_bring_the_askers_id(void **state)
{
	(void)state;
	doh_start();
	ask();
	ask();
	PUMP_UNTIL(f->far.n_conn == 1 && f->far.conn[0].in.n > 24);
	assert_memory_equal(f->far.conn[0].in.p, "PRI * HTTP/2.0", 14);
	far_send(&f->far, 0, span_of(BYTES(H2_SETTINGS H2_ANSWER("\3") H2_ANSWER("\1"))));
	PUMP_UNTIL(f->n_done == 2);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(be16_read(f->asked[0].message), 1);
	assert_int_equal(be16_read(f->asked[1].message), 8);
	assert_int_equal(tp_slot_state(f->slot), TP_READY);
}

static void
all_requests_leave_without_waiting_for_answers(void **state)
{
	struct far_conn *c = &f->far.conn[0];
	size_t ended = 0;

	(void)state;
	doh_start();
	tp_slot_connect(f->slot);
	PUMP_UNTIL(f->ready == 1 && f->far.handshakes == 1);
	far_send(&f->far, 0,
		 span_of(BYTES("\0\0\6\4\0\0\0\0\0"
			       "\0\3\0\0\3\350" /* 1,000 streams */
			       "\0\0\4\10\0\0\0\0\0"
			       "\0\20\0\0"))); /* and room for a MiB of theirs */
	pump_a_while();
	f->with_opt = true;
	for (unsigned i = 0; i < 1000; i++)
		ask();
	for (int turn = 0; turn < 5000 && ended < 1000; turn++) {
		pump();
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
	ask();
	ask();
	PUMP_UNTIL(f->far.n_conn == 1 && f->far.conn[0].in.n > 24);
	far_send(&f->far, 0, span_of(BYTES(H2_SETTINGS H2_GOAWAY("\1"))));
	PUMP_UNTIL(f->far.n_conn == 2 && f->far.conn[1].in.n > 24);
	far_send(&f->far, 1, span_of(BYTES(H2_SETTINGS H2_ANSWER("\1"))));
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->asked[1].calls, 1); /* the second, on the new connection */
	far_send(&f->far, 0, span_of(BYTES(H2_ANSWER("\1"))));
	PUMP_UNTIL(f->n_done == 2); /* the first, where it was */
	assert_int_equal(f->n_failed, 0);
	PUMP_UNTIL(f->closed == 1);
	assert_int_equal(tp_slot_state(f->slot), TP_READY);
}

static void
goaway_each_time_is_bounded(void **state) /* H07 */
{
	(void)state;
	doh_start();
	ask();
	for (unsigned i = 0; i < 2; i++) {
		PUMP_UNTIL(f->far.n_conn == i + 1 && f->far.conn[i].in.n > 24);
		far_send(&f->far, i, span_of(BYTES(H2_SETTINGS H2_GOAWAY("\0"))));
	}
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->asked[0].failure, REASON_CLOSED);
	assert_true(f->asked[0].retry_safe);
	pump_a_while();
	assert_int_equal(f->far.n_conn, 2);
}

static void
a_broken_conversation_is_doh_malformed(void **state)
{
	(void)state;
	doh_start();
	ask();
	for (unsigned i = 0; i < 2; i++) {
		PUMP_UNTIL(f->far.n_conn == i + 1 && f->far.conn[i].in.n > 24);
		far_send(&f->far, i, span_str("HTTP/1.1 400 Bad Request\r\n\r\n"));
	}
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->asked[0].failure, REASON_DOH_MALFORMED);
	assert_int_equal(f->last, REASON_DOH_MALFORMED);
}

static void
streams_that_are_not_allowed_wait_until_their_deadline(void **state) /* H08 */
{
	(void)state;
	doh_start();
	tp_slot_connect(f->slot);
	PUMP_UNTIL(f->ready == 1 && f->far.handshakes == 1);
	far_send(&f->far, 0,
		 span_of(BYTES("\0\0\6\4\0\0\0\0\0"
			       "\0\3\0\0\0\0")));
	pump_a_while();
	ask();
	pump_a_while();
	assert_int_equal(f->n_done, 0);
	fake_loop_advance(f->loop, 4000);
	assert_int_equal(f->n_done, 1);
	assert_int_equal(f->asked[0].failure, REASON_CLOSED);
	assert_true(f->asked[0].retry_safe);
}

int
main(void)
{
#define SLOT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    SLOT_TEST(questions_wait_for_the_verdict_and_leave_in_one_record),
	    SLOT_TEST(all_questions_leave_without_waiting_for_answers),
	    SLOT_TEST(the_connection_is_used_again),
	    SLOT_TEST(each_stage_has_its_reason),
	    SLOT_TEST(a_closed_port_is_refused_at_once),
	    SLOT_TEST(an_unanswered_syn_times_out),
	    SLOT_TEST(a_server_without_alpn_may_be_used_for_dot),
	    SLOT_TEST(doh_wants_h2),
	    SLOT_TEST(sni_is_the_configured_name_and_never_an_address),
	    SLOT_TEST(a_client_certificate_is_shown_when_asked),
	    SLOT_TEST(a_question_is_repeated_once),
	    SLOT_TEST(the_repeat_is_answered_when_the_server_is_well_again),
	    SLOT_TEST(answers_before_the_close_count),
	    SLOT_TEST(dribbled_answers_arrive),
	    SLOT_TEST(wrong_ids_wait_for_the_right_one),
	    SLOT_TEST(what_comes_after_the_handshake_is_bounded),
	    SLOT_TEST(a_key_update_is_answered),
	    SLOT_TEST(deadlines_and_cancels),
	    SLOT_TEST(a_deadline_without_a_connection_is_a_timeout),
	    SLOT_TEST(the_queue_has_a_limit),
	    SLOT_TEST(dropping_repeats_what_is_in_flight),
	    SLOT_TEST(a_callback_may_drop_its_connection),
	    SLOT_TEST(silence_is_given_up_and_the_question_repeated),
	    SLOT_TEST(idle_closes_are_learned),
	    SLOT_TEST(an_hour_of_rare_questions_loses_none),
	    SLOT_TEST(after_a_long_sleep_one_fresh_handshake_answers),
	    SLOT_TEST(keepalive_of_zero_closes_when_idle),
	    SLOT_TEST(a_connection_is_judged_every_hour),
	    SLOT_TEST(a_resumed_session_is_judged_before_any_question),
	    SLOT_TEST(a_refused_resumption_becomes_a_full_handshake),
	    SLOT_TEST(a_certificate_swapped_under_the_ticket_key_does_not_matter),
	    SLOT_TEST(a_ticket_is_used_once),
	    SLOT_TEST(a_ticket_before_the_last_answer_is_kept),
	    SLOT_TEST(a_ticket_that_the_server_chokes_on_costs_one_connection),
	    SLOT_TEST(after_silence_on_a_ticket_the_next_handshake_is_a_full_one),
	    SLOT_TEST(a_new_policy_judges_the_open_connection_first),
	    SLOT_TEST(answers_of_a_peer_that_is_refused_now_are_not_used),
	    SLOT_TEST(doh_answers_bring_the_askers_id),
	    SLOT_TEST(all_requests_leave_without_waiting_for_answers),
	    SLOT_TEST(goaway_moves_what_was_not_processed),
	    SLOT_TEST(goaway_each_time_is_bounded),
	    SLOT_TEST(a_broken_conversation_is_doh_malformed),
	    SLOT_TEST(streams_that_are_not_allowed_wait_until_their_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
