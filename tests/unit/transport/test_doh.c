/* DoH without a connection: requests are read by nghttp2's server side, responses are written a byte at a
 * time. */
#include "tests/unit/transport/doh_server.h"

#include <nghttp2/nghttp2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static nghttp2_session *client_session;

int __real_nghttp2_session_client_new2(nghttp2_session **, const nghttp2_session_callbacks *, void *,
				       const nghttp2_option *);
int __wrap_nghttp2_session_client_new2(nghttp2_session **, const nghttp2_session_callbacks *, void *,
				       const nghttp2_option *);
/* The client's own session, so that a test can use up its stream ids at once. */
int
__wrap_nghttp2_session_client_new2(nghttp2_session **out, const nghttp2_session_callbacks *callbacks,
				   void *arg, const nghttp2_option *option)
{
	int code = __real_nghttp2_session_client_new2(out, callbacks, arg, option);

	client_session = *out;
	return code;
}

static void
posts_are_written_exactly(void **state) /* H24 */
{
	static const uint8_t question[30] = "\0\0\1\0\0\1\0\0\0\0\0\1\1a\0\0\1\0\1\0\0\51\4\320\0\0\0\0\0";

	(void)state;
	client_ask(0x1234);
	assert_true(client_flush());
	assert_int_equal(server.n_request, 1);
	assert_string_equal(
	    server.request[0].fields,
	    ":method: POST\n:scheme: https\n:authority: 192.0.2.1\n:path: /dns-query\n"
	    "accept: application/dns-message\ncontent-type: application/dns-message\ncontent-length: 128\n");
	assert_int_equal(server.request[0].n_body, 128); /* RFC 8467, 4.1 */
	assert_true(server.request[0].ended);
	assert_memory_equal(server.request[0].body, question, 28);                /* id 0 (RFC 8484, 4.1) */
	assert_memory_equal(server.request[0].body + 28, "\0\142\0\14\0\136", 6); /* padding, no keepalive */
	for (size_t i = 34; i < 128; i++)
		assert_int_equal(server.request[0].body[i], 0);
	assert_int_equal(nghttp2_session_get_remote_settings(server.session, NGHTTP2_SETTINGS_ENABLE_PUSH),
			 0);
}

static void
gets_are_written_exactly(void **state) /* H24 */
{
	struct tp_exchange *q;
	struct buf b = buf_max(64);

	(void)state;
	client->ops->free(client);
	target.method = TP_GET;
	target.path = "/q{?dns}";
	target.name = "dns.test";
	target.addr.port = 8443;
	assert_int_equal(doh_new(&client, &target, &recorder_hooks, &recorder), RES_OK);
	q = recorder_question(&recorder, "a", 0xffff, false);
	assert_int_equal(client->ops->take(client, q, &b), RES_OK);
	assert_true(client_flush());
	assert_string_equal(server.request[0].fields,
			    ":method: GET\n:scheme: https\n:authority: dns.test:8443\n:path: "
			    "/q?dns=AAABAAABAAAAAAAAAWEAAAEAAQ\n"
			    "accept: application/dns-message\n");
	assert_int_equal(server.request[0].n_body, 0);
	assert_true(server.request[0].ended);
}

static const struct row {
	const char *says, *fields;
	const uint8_t *body;
	size_t n;
	enum reason failure;
	uint32_t age_s, retry_after_s;
} responses[] = {
    {"an answer", OK_FIELDS, dns, 40, REASON_NONE, 0, 0},
    {"the smallest answer", OK_FIELDS, dns, 12, REASON_NONE, 0, 0},
    {"H01: 400", ":status: 400\n", NULL, 0, REASON_DOH_STATUS, 0, 0},
    {"H01: 401", ":status: 401\n", NULL, 0, REASON_DOH_STATUS, 0, 0},
    {"H01: 404", ":status: 404\ncontent-type: text/html\n", dns, 40, REASON_DOH_STATUS, 0, 0},
    {"H01: 413", ":status: 413\n", NULL, 0, REASON_DOH_STATUS, 0, 0},
    {"H01: 415", ":status: 415\n", NULL, 0, REASON_DOH_STATUS, 0, 0},
    {"H22: 421", ":status: 421\n", NULL, 0, REASON_DOH_STATUS, 0, 0},
    {"H01: 429 with Retry-After", ":status: 429\nretry-after: 30\n", NULL, 0, REASON_DOH_STATUS, 0, 30},
    {"H01: 503, a year of Retry-After is a day", ":status: 503\nretry-after: 31536000\n", NULL, 0,
     REASON_DOH_STATUS, 0, 86400},
    {"H01: Retry-After as a date", ":status: 503\nretry-after: Fri, 31 Dec 9999 23:59:59 GMT\n", NULL, 0,
     REASON_DOH_STATUS, 0, 86400},
    {"H01: 500", ":status: 500\n", NULL, 0, REASON_DOH_STATUS, 0, 0},
    {"H01: 502", ":status: 502\n", NULL, 0, REASON_DOH_STATUS, 0, 0},
    {"H01: 204", ":status: 204\n", NULL, 0, REASON_DOH_STATUS, 0, 0},
    {"H01: 206 with an answer", ":status: 206\ncontent-type: application/dns-message\n", dns, 40,
     REASON_DOH_STATUS, 0, 0},
    {"H01: 301 is not followed", ":status: 301\nlocation: https://192.0.2.2/\n", NULL, 0, REASON_DOH_REDIRECT,
     0, 0},
    {"H01: 302", ":status: 302\n", NULL, 0, REASON_DOH_REDIRECT, 0, 0},
    {"H01: 307", ":status: 307\n", NULL, 0, REASON_DOH_REDIRECT, 0, 0},
    {"H01: 308", ":status: 308\n", NULL, 0, REASON_DOH_REDIRECT, 0, 0},
    {"H01: 304", ":status: 304\n", NULL, 0, REASON_DOH_STATUS, 0, 0},
    {"H02: no content type", ":status: 200\n", dns, 40, REASON_DOH_TYPE, 0, 0},
    {"H02: HTML", ":status: 200\ncontent-type: text/html\n", dns, 40, REASON_DOH_TYPE, 0, 0},
    {"H02: dns-json", ":status: 200\ncontent-type: application/dns-json\n", dns, 40, REASON_DOH_TYPE, 0, 0},
    {"H02: a parameter", ":status: 200\ncontent-type: application/dns-message; x=y\n", dns, 40, REASON_NONE,
     0, 0},
    {"two content types", OK_FIELDS "content-type: application/dns-message\n", dns, 40, REASON_DOH_TYPE, 0,
     0},
    {"H03: an empty body", OK_FIELDS, NULL, 0, REASON_DOH_MALFORMED, 0, 0},
    {"H03: 11 bytes", OK_FIELDS, dns, 11, REASON_DOH_MALFORMED, 0, 0},
    {"H03: content-length right", OK_FIELDS "content-length: 40\n", dns, 40, REASON_NONE, 0, 0},
    {"H03: content-length too small", OK_FIELDS "content-length: 39\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H03: content-length too large", OK_FIELDS "content-length: 41\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H04: an id other than 0", OK_FIELDS, (const uint8_t *)"\0\1\201\200\0\0\0\0\0\0\0\0", 12,
     REASON_DOH_MALFORMED, 0, 0},
    {"H05: Age", OK_FIELDS "age: 50\n", dns, 40, REASON_NONE, 50, 0},
    {"H05: an Age that is not a number", OK_FIELDS "age: old\n", dns, 40, REASON_NONE, 0, 0},
    {"H05: Age of 2^40", OK_FIELDS "age: 1099511627776\n", dns, 40, REASON_NONE, UINT32_MAX, 0},
    {"H16: two statuses", ":status: 200\n:status: 200\ncontent-type: application/dns-message\n", dns, 40,
     REASON_DOH_MALFORMED, 0, 0},
    {"H16: a name in capitals", OK_FIELDS "X-Y: 1\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H16: gzip", OK_FIELDS "content-encoding: gzip\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"content-encoding identity is accepted", OK_FIELDS "content-encoding: identity\n", dns, 40, REASON_NONE, 0,
     0},
    {"H16: a carriage return in a value", OK_FIELDS "x: a\rb\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H16: no status", "content-type: application/dns-message\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H16: a connection field", OK_FIELDS "connection: close\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H01: 203 with an answer", ":status: 203\ncontent-type: application/dns-message\n", dns, 40,
     REASON_DOH_STATUS, 0, 0},
    {"H01: 303", ":status: 303\nlocation: /\n", NULL, 0, REASON_DOH_REDIRECT, 0, 0},
    {"H01: an unknown status", ":status: 999\n", NULL, 0, REASON_DOH_STATUS, 0, 0},
    {"H02: capitals", ":status: 200\ncontent-type: Application/DNS-Message\n", dns, 40, REASON_NONE, 0, 0},
    {"H03: content-length twice", OK_FIELDS "content-length: 40\ncontent-length: 40\n", dns, 40,
     REASON_DOH_MALFORMED, 0, 0},
    {"H03: a content-length that is not a number", OK_FIELDS "content-length: 4o\n", dns, 40,
     REASON_DOH_MALFORMED, 0, 0},
    {"H03: a negative content-length", OK_FIELDS "content-length: -1\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H03: a content-length of 2^64", OK_FIELDS "content-length: 18446744073709551616\n", dns, 40,
     REASON_DOH_MALFORMED, 0, 0},
    {"H03: a content-length and no body", OK_FIELDS "content-length: 40\n", NULL, 0, REASON_DOH_MALFORMED, 0,
     0},
    {"H03: a content-length of 0 and a body", OK_FIELDS "content-length: 0\n", dns, 40, REASON_DOH_MALFORMED,
     0, 0},
    {"H05: the first of a list of Ages", OK_FIELDS "age: 50, 60\n", dns, 40, REASON_NONE, 50, 0},
    {"H05: the first of two Ages", OK_FIELDS "age: 50\nage: 0\n", dns, 40, REASON_NONE, 50, 0},
    {"H16: 101", ":status: 101\n", NULL, 0, REASON_DOH_MALFORMED, 0, 0},
    {"H16: a status of two digits", ":status: 20\n", NULL, 0, REASON_DOH_MALFORMED, 0, 0},
    {"H16: a status of four digits", ":status: 2000\n", NULL, 0, REASON_DOH_MALFORMED, 0, 0},
    {"H16: a status after another field", "content-type: application/dns-message\n:status: 200\n", dns, 40,
     REASON_DOH_MALFORMED, 0, 0},
    {"H16: a field of requests", ":path: /\n" OK_FIELDS, dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H16: an unknown pseudo-header field", ":x: y\n" OK_FIELDS, dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H16: transfer-encoding", OK_FIELDS "transfer-encoding: chunked\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H16: upgrade", OK_FIELDS "upgrade: h2c\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H16: keep-alive", OK_FIELDS "keep-alive: 5\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H16: proxy-connection", OK_FIELDS "proxy-connection: x\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H16: te", OK_FIELDS "te: gzip\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H16: a space in a name", OK_FIELDS "a b: 1\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H16: a space before a value", OK_FIELDS "a:  1\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H16: a space after a value", OK_FIELDS "a: 1 \n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H16: gzip, then identity", OK_FIELDS "content-encoding: gzip\ncontent-encoding: identity\n", dns, 40,
     REASON_DOH_MALFORMED, 0, 0},
    {"H16: identity, then br", OK_FIELDS "content-encoding: identity\ncontent-encoding: br\n", dns, 40,
     REASON_DOH_MALFORMED, 0, 0},
    {"H21: cookies and similar fields are ignored",
     OK_FIELDS "set-cookie: a=b\nalt-svc: h3\nstrict-transport-security: max-age=1\n", dns, 40, REASON_NONE,
     0, 0},
};

static void
responses_have_their_reasons(void **state)
{
	for (size_t i = 0; i < sizeof responses / sizeof *responses; i++) {
		const struct row *r = &responses[i];

		for (size_t piece = 1; piece < 20000; piece = piece == 1 ? 7 : piece * 100) {
			server_anew(state);
			if (piece == 1)
				print_message("%s\n", r->says);
			client_ask(0x4321);
			server_start_with(NULL, 0);
			server_respond(1, r->fields, r->body, r->n);
			assert_int_equal(server_deliver(piece), REASON_NONE);
			assert_true(client_flush());
			assert_int_equal(recorder.n_heard, 1);
			assert_string_equal(reason_code(recorder.heard[0].failure), reason_code(r->failure));
			if (r->failure == REASON_NONE) {
				assert_int_equal(recorder.heard[0].n, r->n);
				assert_int_equal(be16_read(recorder.heard[0].message), 0x4321);
				assert_int_equal(recorder.heard[0].http_status, 200);
			}
			assert_int_equal(recorder.heard[0].age_s, r->age_s);
			assert_int_equal(recorder.heard[0].retry_after_s, r->retry_after_s);
			assert_true(client_flush());
			/* whatever the response was, the next stream is served, and nothing of the first is
			 * sent again */
			client_ask(0x7777);
			assert_true(client_flush());
			assert_int_equal(server.n_request, 2);
			assert_null(strstr(server.request[1].fields, "cookie"));
			server_respond(3, OK_FIELDS, dns, 40);
			assert_int_equal(server_deliver(16384), REASON_NONE);
			assert_int_equal(recorder.n_heard, 2);
			assert_int_equal(recorder.heard[1].failure, REASON_NONE);
		}
	}
}

static void
goaway_repeats_what_was_not_processed(void **state) /* H06 */
{
	static const struct {
		const char *says;
		uint8_t last;
		unsigned unprocessed;
	} rows[] = {
	    {"H06: last stream above all", 9, 0},
	    {"H06: equal to the highest", 5, 0},
	    {"H06: below one stream", 3, 1},
	    {"H06: none was processed", 0, 3},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t goaway[8] = {0, 0, 0, rows[i].last};

		server_anew(state);
		print_message("%s\n", rows[i].says);
		for (uint16_t q = 0; q < 3; q++)
			client_ask(q);
		server_start_with(NULL, 0);
		server_frame(GOAWAY, 0, 0, goaway, sizeof goaway);
		assert_int_equal(server_deliver(3), REASON_NONE);
		assert_int_equal(recorder.unprocessed, rows[i].unprocessed);
		assert_int_equal(recorder.n_heard, 0);
		assert_true(client->ops->is_draining(client));
		assert_false(client->ops->has_room(client));
		for (int32_t s = 1; s <= rows[i].last && s <= 5; s += 2)
			server_respond(s, OK_FIELDS, dns, 40);
		assert_int_equal(server_deliver(16384), REASON_NONE);
		assert_int_equal(recorder.n_heard, 3 - rows[i].unprocessed); /* the lower ones finish */
		assert_false(client_flush());                           /* then it is over */
	}
}

static void
resets_have_their_reasons(void **state) /* H07 */
{
	static const struct {
		const char *says;
		uint8_t code;
		bool unprocessed;
	} rows[] = {
	    {"H07: REFUSED_STREAM: not processed", NGHTTP2_REFUSED_STREAM, true},
	    {"H07: CANCEL", NGHTTP2_CANCEL, false},
	    {"H07: ENHANCE_YOUR_CALM", NGHTTP2_ENHANCE_YOUR_CALM, false},
	    {"H07: INTERNAL_ERROR", NGHTTP2_INTERNAL_ERROR, false},
	    {"H07: NO_ERROR without a response", NGHTTP2_NO_ERROR, false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t code[4] = {0, 0, 0, rows[i].code};

		server_anew(state);
		print_message("%s\n", rows[i].says);
		client_ask(1);
		server_start_with(NULL, 0);
		server_frame(RST_STREAM, 0, 1, code, 4);
		assert_int_equal(server_deliver(16384), REASON_NONE);
		assert_int_equal(recorder.unprocessed, rows[i].unprocessed);
		assert_int_equal(recorder.n_heard, !rows[i].unprocessed);
		if (!rows[i].unprocessed)
			assert_int_equal(recorder.heard[0].failure, REASON_CLOSED);
		assert_true(client_flush());
	}
}

static void
an_answer_then_a_reset_is_one_answer(void **state) /* H18 */
{
	(void)state;
	client_ask(1);
	server_start_with(NULL, 0);
	server_respond(1, OK_FIELDS, dns, 40);
	server_frame(RST_STREAM, 0, 1, "\0\0\0\0", 4);
	assert_int_equal(server_deliver(16384), REASON_NONE);
	assert_int_equal(recorder.n_heard, 1);
	assert_int_equal(recorder.heard[0].failure, REASON_NONE);
	assert_true(client_flush());
}

static void
concurrent_streams_follow_the_peers_limit(void **state) /* H08 */
{
	(void)state;
	server_start_with("\0\3\0\0\0\1", 6);
	assert_true(client->ops->has_room(client));
	client_ask(1);
	assert_true(client_flush());
	assert_false(client->ops->has_room(client)); /* the next waits where it can be failed over */
	server_respond(1, OK_FIELDS, dns, 40);
	assert_int_equal(server_deliver(16384), REASON_NONE);
	assert_true(client->ops->has_room(client));
	server_frame(SETTINGS, 0, 0, "\0\3\0\0\0\0", 6);
	assert_int_equal(server_deliver(16384), REASON_NONE);
	assert_false(client->ops->has_room(client)); /* H08: 0 */
}

static void
a_window_of_zero_holds_the_body_back(void **state) /* H08 */
{
	struct tp_exchange *q;

	(void)state;
	server_start_with("\0\4\0\0\0\0", 6);
	q = client_ask(1);
	assert_true(client_flush());
	assert_int_equal(server.n_request, 1);
	assert_int_equal(server.request[0].n_body, 0);
	client->ops->cancel(client, q); /* its deadline */
	recorder_drop(&recorder, q);
	assert_true(client_flush());
	assert_int_equal(server.request[0].reset, NGHTTP2_CANCEL + 1);
	assert_int_equal(server.request[0].n_body, 0);
}

static void
a_window_that_opens_late_lets_the_body_through(void **state)
{
	(void)state;
	server_start_with("\0\4\0\0\0\0", 6);
	client_ask(1);
	assert_true(client_flush());
	server_frame(WINDOW_UPDATE, 0, 1, "\0\0\1\0", 4);
	assert_int_equal(server_deliver(16384), REASON_NONE);
	assert_true(client_flush());
	assert_int_equal(server.request[0].n_body, 128);
	assert_true(server.request[0].ended);
}

static void
cancelled_questions_get_no_callback(void **state) /* U13 */
{
	struct tp_exchange *q;

	(void)state;
	q = client_ask(1);
	client_ask(2);
	server_start_with(NULL, 0);
	client->ops->cancel(client, q);
	recorder_drop(&recorder, q);
	server_respond(1, OK_FIELDS, dns, 40); /* it was on its way */
	server_respond(3, OK_FIELDS, dns, 40);
	assert_int_equal(server_deliver(16384), REASON_NONE);
	assert_int_equal(recorder.n_heard, 1);
	assert_int_equal(be16_read(recorder.heard[0].message), 2);
	assert_true(client_flush());

	q = client_ask(3);
	client_ask(4);
	assert_true(client_flush());
	client->ops->cancel(client, q);
	recorder_drop(&recorder, q);
	assert_true(client_flush());           /* the reset has been sent, */
	server_respond(5, OK_FIELDS, dns, 40); /* and crosses this answer */
	server_frame(WINDOW_UPDATE, 0, 5, "\0\0\1\0", 4);
	server_frame(RST_STREAM, 0, 5, "\0\0\0\0", 4);
	server_respond(7, OK_FIELDS, dns, 40);
	assert_int_equal(server_deliver(16384), REASON_NONE);
	assert_int_equal(recorder.n_heard, 2);
	assert_int_equal(be16_read(recorder.heard[1].message), 4);
	assert_true(client_flush());
}

static void
an_early_answer_ends_the_request(void **state)
{
	(void)state;
	server_start_with("\0\4\0\0\0\0", 6); /* a window of 0: the body cannot be sent */
	client_ask(1);
	assert_true(client_flush());
	server_respond(1, OK_FIELDS, dns, 40);
	assert_int_equal(server_deliver(16384), REASON_NONE);
	assert_int_equal(recorder.n_heard, 1);
	assert_int_equal(recorder.heard[0].failure, REASON_NONE);
	assert_true(client_flush());
	assert_int_equal(server.request[0].reset, NGHTTP2_NO_ERROR + 1);
}

static void
many_streams_are_answered_in_reverse_order(void **state)
{
	(void)state;
	server_start_with("\0\3\0\0\47\20", 6); /* 10,000 */
	for (uint16_t i = 0; i < 1000; i++)
		client_ask(i);
	assert_false(client->ops->has_room(client));
	for (int i = 0; i < 10; i++)
		assert_true(client_flush());
	assert_int_equal(server.n_request, 1000);
	for (int32_t i = 999; i >= 0; i--)
		server_respond(2 * i + 1, OK_FIELDS, dns, 40);
	assert_int_equal(server_deliver(16384), REASON_NONE);
	assert_int_equal(recorder.n_heard, 1000);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(be16_read(recorder.heard[i].message), 999 - i);
}

static void
the_connection_is_replaced_before_its_stream_ids_end(void **state) /* H20 */
{
	const int32_t last = (1 << 30) - 1;

	(void)state;
	server_start_with(NULL, 0);
	assert_int_equal(nghttp2_session_set_next_stream_id(client_session, last - 2), 0);
	client_ask(1);
	assert_false(client->ops->is_draining(client));
	assert_true(client->ops->has_room(client));
	client_ask(2);
	assert_true(client->ops->is_draining(client)); /* its slot opens another connection for new questions */
	assert_false(client->ops->has_room(client));
	assert_true(client_flush());
	assert_int_equal(server.request[1].stream, last);
	server_respond(last, OK_FIELDS, dns, 40);
	server_respond(last - 2, OK_FIELDS, dns, 40);
	assert_int_equal(server_deliver(16384), REASON_NONE);
	assert_int_equal(recorder.n_heard, 2); /* and these are finished */
	assert_int_equal(recorder.heard[0].failure, REASON_NONE);
	assert_int_equal(recorder.heard[1].failure, REASON_NONE);
	assert_true(client_flush());
}

static void
feeding_stops_when_the_connection_is_gone(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 4; i++)
		client_ask(i);
	server_start_with(NULL, 0);
	for (int32_t i = 0; i < 4; i++)
		server_respond(2 * i + 1, OK_FIELDS, dns, 40);
	recorder.stop_at = 2;
	assert_int_equal(server_deliver(16384), REASON_NONE);
	assert_int_equal(recorder.n_heard, 2);
}

/* A question with an OPT record for a name of n letters, under a TLD of four. */
static size_t
question_write(uint8_t out[256], char letter, size_t n)
{
	static const uint8_t head[12] = "\0\0\1\0\0\1\0\0\0\0\0\1";
	static const uint8_t rest[] = "\4test\0\0\1\0\1\0\0\51\4\320\0\0\0\0\0\0";
	size_t at = sizeof head;

	memcpy(out, head, sizeof head);
	out[at++] = (uint8_t)n;
	memset(out + at, letter, n);
	memcpy(out + at + n, rest, sizeof rest - 1);
	return at + n + sizeof rest - 1;
}

/* Section F of privacy: sizes on the wire depend only on the block that the message is padded to. */
static void
sizes_do_not_depend_on_names(void **state)
{
	/* letters with short and long Huffman codes: o has 5 bits, Z has 8; base64 mixes them */
	static const char letters[] = "oetajxqzZ0~-";

	for (int method = TP_POST; method <= TP_GET; method++) {
		size_t want[2] = {0, 0}; /* of a connection's first request, which fills the peer's dynamic table, and of others */

		for (size_t n = 1; n <= 60; n++) {
			server_anew(state);
			client->ops->free(client);
			target.method = (enum tp_method)method;
			assert_int_equal(doh_new(&client, &target, &recorder_hooks, &recorder), RES_OK);
			for (const char *l = letters; *l != '\0'; l++) {
				struct buf b = buf_max(64);
				uint8_t question[256];
				size_t length = question_write(question, *l, n);
				struct tp_exchange *q = exchange_take(&recorder.pool, span_of(question, length));
				struct request *r;
				size_t first;

				assert_non_null(q);
				assert_int_equal(client->ops->take(client, q, &b), RES_OK);
				assert_true(client_flush());
				r = &server.request[server.n_request - 1];
				assert_true(r->ended);
				assert_int_equal(r->n_body, method == TP_POST ? 128 : 0);
				first = server.n_request == 1 ? 0 : 1;
				if (want[first] == 0)
					want[first] = r->n_headers;
				if (r->n_headers != want[first])
					fail_msg("method %d, %zu times '%c': HEADERS of %zu bytes, others of %zu", method, n, *l,
						 r->n_headers, want[first]);
				client->ops->cancel(client, q);
				exchange_give(&recorder.pool, q);
				assert_true(client_flush());
			}
		}
		if (method == TP_GET) /* see doh_padding.c: padding costs no more than it must */
			assert_int_equal(want[1], 256);
	}
}

int
main(void)
{
#define DOH_TEST(name) cmocka_unit_test_setup_teardown(name, server_setup, server_teardown)
	const struct CMUnitTest tests[] = {
	    DOH_TEST(sizes_do_not_depend_on_names),
	    DOH_TEST(posts_are_written_exactly),
	    DOH_TEST(gets_are_written_exactly),
	    DOH_TEST(responses_have_their_reasons),
	    DOH_TEST(goaway_repeats_what_was_not_processed),
	    DOH_TEST(resets_have_their_reasons),
	    DOH_TEST(an_answer_then_a_reset_is_one_answer),
	    DOH_TEST(concurrent_streams_follow_the_peers_limit),
	    DOH_TEST(a_window_of_zero_holds_the_body_back),
	    DOH_TEST(a_window_that_opens_late_lets_the_body_through),
	    DOH_TEST(cancelled_questions_get_no_callback),
	    DOH_TEST(an_early_answer_ends_the_request),
	    DOH_TEST(many_streams_are_answered_in_reverse_order),
	    DOH_TEST(the_connection_is_replaced_before_its_stream_ids_end),
	    DOH_TEST(feeding_stops_when_the_connection_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
