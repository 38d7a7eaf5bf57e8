/* DoH without a connection: requests are read by nghttp2's server side, responses are written a byte at a
 * time. */
#include "tests/unit/wire_ear.h"

#include <nghttp2/nghttp2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define END_STREAM  1
#define END_HEADERS 4
#define ACK         1

enum {
	DATA,
	HEADERS,
	PRIORITY,
	RST_STREAM,
	SETTINGS,
	PUSH_PROMISE,
	PING,
	GOAWAY,
	WINDOW_UPDATE,
	CONTINUATION
};

struct request {
	int32_t stream;
	char fields[1024]; /* "name: value\n" each */
	uint8_t body[1024];
	size_t n_body;
	bool ended;
	uint32_t reset; /* its error code and one, 0: it was not */
};

struct server {
	nghttp2_session *session; /* reads what the client sends */
	struct request request[1200];
	unsigned n_request;
	unsigned settings_acks, goaways;
	struct buf out; /* for the client */
};

static struct ear ear;
static struct server server;
static struct wire *w;
static struct tp_target target;
static const char *broken_because;
static nghttp2_session *client_session;

int __real_nghttp2_session_client_new2(nghttp2_session **, const nghttp2_session_callbacks *, void *,
				       const nghttp2_option *);
int __wrap_nghttp2_session_client_new2(nghttp2_session **, const nghttp2_session_callbacks *, void *,
				       const nghttp2_option *);
/* The client's own session, to make it older than a test has time for. */
int
__wrap_nghttp2_session_client_new2(nghttp2_session **out, const nghttp2_session_callbacks *callbacks,
				   void *arg, const nghttp2_option *option)
{
	int code = __real_nghttp2_session_client_new2(out, callbacks, arg, option);

	client_session = *out;
	return code;
}

static struct request *
request_of(int32_t stream)
{
	for (unsigned i = 0; i < server.n_request; i++)
		if (server.request[i].stream == stream)
			return &server.request[i];
	return NULL;
}

static int
server_on_begin_headers(nghttp2_session *s, const nghttp2_frame *frame, void *arg)
{
	(void)s;
	(void)arg;
	server.request[server.n_request++] = (struct request){.stream = frame->hd.stream_id};
	return 0;
}

static int
server_on_header(nghttp2_session *s, const nghttp2_frame *frame, const uint8_t *name, size_t n_name,
		 const uint8_t *value, size_t n_value, uint8_t flags, void *arg)
{
	struct request *r = request_of(frame->hd.stream_id);
	size_t n = strlen(r->fields);

	(void)s;
	(void)flags;
	(void)arg;
	snprintf(r->fields + n, sizeof r->fields - n, "%.*s: %.*s\n", (int)n_name, name, (int)n_value, value);
	return 0;
}

static int
server_on_data(nghttp2_session *s, uint8_t flags, int32_t stream, const uint8_t *p, size_t n, void *arg)
{
	struct request *r = request_of(stream);

	(void)s;
	(void)flags;
	(void)arg;
	assert_true(r->n_body + n <= sizeof r->body);
	memcpy(r->body + r->n_body, p, n);
	r->n_body += n;
	return 0;
}

static int
server_on_frame(nghttp2_session *s, const nghttp2_frame *frame, void *arg)
{
	struct request *r = request_of(frame->hd.stream_id);

	(void)s;
	(void)arg;
	if (frame->hd.type == SETTINGS && frame->hd.flags & ACK)
		server.settings_acks++;
	if (frame->hd.type == GOAWAY)
		server.goaways++;
	if (r != NULL && frame->hd.type == RST_STREAM)
		r->reset = frame->rst_stream.error_code + 1;
	if (r != NULL && frame->hd.type <= HEADERS && frame->hd.flags & END_STREAM)
		r->ended = true;
	return 0;
}

static int
setup(void **state)
{
	nghttp2_session_callbacks *callbacks;

	(void)state;
	ear_start(&ear);
	memset(&server, 0, sizeof server);
	server.out = buf_max(1 << 24);
	nghttp2_session_callbacks_new(&callbacks);
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, server_on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, server_on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, server_on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, server_on_frame);
	nghttp2_session_server_new(&server.session, callbacks, NULL);
	nghttp2_session_callbacks_del(callbacks);
	target = (struct tp_target){.protocol = TP_DOH, .path = "/dns-query", .name = ""};
	broken_because = NULL;
	return addr_read(&target.addr, "192.0.2.1:443", 0) == RES_OK &&
		       doh_new(&w, &target, &ear_hooks, &ear) == RES_OK
		   ? 0
		   : -1;
}

static int
teardown(void **state)
{
	(void)state;
	w->ops->free(w);
	nghttp2_session_del(server.session);
	buf_free(&server.out);
	ear_free(&ear);
	return 0;
}

static void
anew(void **state)
{
	assert_int_equal(teardown(state), 0);
	assert_int_equal(setup(state), 0);
}

/* What the client has to say reaches the server. */
static enum reason
gather(void)
{
	struct buf b = buf_max(1 << 20);
	enum reason reason = w->ops->gather(w, &b, &broken_because);

	if (b.n > 0)
		assert_int_equal(nghttp2_session_mem_recv(server.session, b.p, b.n), b.n);
	buf_free(&b);
	return reason;
}

/* False: the client says that it is over. */
static bool
flush(void)
{
	return gather() == REASON_NONE;
}

static void
frame(unsigned type, unsigned flags, int32_t stream, const void *payload, size_t n)
{
	const uint8_t *sent;

	if (type == SETTINGS && !(flags & ACK)) { /* the session that reads must expect the acknowledgement */
		nghttp2_submit_settings(server.session, NGHTTP2_FLAG_NONE, NULL, 0);
		while (nghttp2_session_mem_send(server.session, &sent) > 0)
			;
	}
	buf_u24(&server.out, (uint32_t)n);
	buf_u8(&server.out, (uint8_t)type);
	buf_u8(&server.out, (uint8_t)flags);
	buf_u32(&server.out, (uint32_t)stream);
	buf_put(&server.out, span_of(payload, n));
}

/* "name: value\n" each, as literals that no table remembers (RFC 7541, 6.2.2). */
static void
block(struct buf *b, const char *fields)
{
	while (*fields != '\0') {
		size_t n_name = strcspn(fields + 1, ":") + 1, n_value = strcspn(fields + n_name + 2, "\n");

		assert_true(n_name < 127 && n_value < 127);
		buf_u8(b, 0);
		buf_u8(b, (uint8_t)n_name);
		buf_put(b, span_of(fields, n_name));
		buf_u8(b, (uint8_t)n_value);
		buf_put(b, span_of(fields + n_name + 2, n_value));
		fields += n_name + 2 + n_value + 1;
	}
}

static void
headers(int32_t stream, unsigned flags, const char *fields)
{
	struct buf b = buf_max(1 << 16);

	block(&b, fields);
	frame(HEADERS, flags | END_HEADERS, stream, b.p, b.n);
	buf_free(&b);
}

#define OK_FIELDS ":status: 200\ncontent-type: application/dns-message\n"
static const uint8_t dns[40] = {0, 0, 0x81, 0x80, 0, 1};

static void
respond(int32_t stream, const char *fields, const void *body, size_t n)
{
	headers(stream, n == 0 ? END_STREAM : 0, fields);
	for (size_t at = 0; at < n; at += 16384)
		frame(DATA, at + 16384 >= n ? END_STREAM : 0, stream, (const uint8_t *)body + at,
		      n - at < 16384 ? n - at : 16384);
}

/* What the server said reaches the client, in pieces of this size. */
static enum reason
deliver(size_t piece)
{
	struct buf b = server.out;
	enum reason reason = REASON_NONE;

	server.out = buf_max(1 << 24);
	for (size_t at = 0; at < b.n && reason == REASON_NONE; at += piece) {
		size_t n = b.n - at < piece ? b.n - at : piece;

		reason = w->ops->feed(w, b.p + at, n, &broken_because);
	}
	buf_free(&b);
	return reason;
}

static struct tp_query *
ask(uint16_t id)
{
	struct tp_query *q = ear_question(&ear, "a", id, true);
	struct buf b = buf_max(1 << 16);

	assert_int_equal(w->ops->take(w, q, &b), RES_OK);
	assert_int_equal(b.n, 0);
	return q;
}

static void
start_with(const void *settings, size_t n)
{
	frame(SETTINGS, 0, 0, settings, n);
	assert_int_equal(deliver(16384), REASON_NONE);
	assert_true(flush());
}

static void
posts_are_written_exactly(void **state) /* H24 */
{
	static const uint8_t question[30] = "\0\0\1\0\0\1\0\0\0\0\0\1\1a\0\0\1\0\1\0\0\51\4\320\0\0\0\0\0";

	(void)state;
	ask(0x1234);
	assert_true(flush());
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
	struct tp_query *q;
	struct buf b = buf_max(64);

	(void)state;
	w->ops->free(w);
	target.method = TP_GET;
	target.path = "/q{?dns}";
	target.name = "dns.test";
	target.addr.port = 8443;
	assert_int_equal(doh_new(&w, &target, &ear_hooks, &ear), RES_OK);
	q = ear_question(&ear, "a", 0xffff, false);
	assert_int_equal(w->ops->take(w, q, &b), RES_OK);
	assert_true(flush());
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
    {"H04: another id than 0", OK_FIELDS, (const uint8_t *)"\0\1\201\200\0\0\0\0\0\0\0\0", 12,
     REASON_DOH_MALFORMED, 0, 0},
    {"H05: Age", OK_FIELDS "age: 50\n", dns, 40, REASON_NONE, 50, 0},
    {"H05: Age that is garbage", OK_FIELDS "age: old\n", dns, 40, REASON_NONE, 0, 0},
    {"H05: Age of 2^40", OK_FIELDS "age: 1099511627776\n", dns, 40, REASON_NONE, UINT32_MAX, 0},
    {"H16: two statuses", ":status: 200\n:status: 200\ncontent-type: application/dns-message\n", dns, 40,
     REASON_DOH_MALFORMED, 0, 0},
    {"H16: a name in capitals", OK_FIELDS "X-Y: 1\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H16: gzip", OK_FIELDS "content-encoding: gzip\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"content-encoding identity is none", OK_FIELDS "content-encoding: identity\n", dns, 40, REASON_NONE, 0,
     0},
    {"H16: a carriage return in a value", OK_FIELDS "x: a\rb\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H16: no status", "content-type: application/dns-message\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H16: a connection field", OK_FIELDS "connection: close\n", dns, 40, REASON_DOH_MALFORMED, 0, 0},
    {"H21: cookies and friends are passed over",
     OK_FIELDS "set-cookie: a=b\nalt-svc: h3\nstrict-transport-security: max-age=1\n", dns, 40, REASON_NONE,
     0, 0},
};

static void
responses_have_their_reasons(void **state)
{
	for (size_t i = 0; i < sizeof responses / sizeof *responses; i++) {
		const struct row *r = &responses[i];

		for (size_t piece = 1; piece < 20000; piece = piece == 1 ? 7 : piece * 100) {
			anew(state);
			if (piece == 1)
				print_message("%s\n", r->says);
			ask(0x4321);
			start_with(NULL, 0);
			respond(1, r->fields, r->body, r->n);
			assert_int_equal(deliver(piece), REASON_NONE);
			assert_true(flush());
			assert_int_equal(ear.n_heard, 1);
			assert_string_equal(reason_code(ear.heard[0].failure), reason_code(r->failure));
			if (r->failure == REASON_NONE) {
				assert_int_equal(ear.heard[0].n, r->n);
				assert_int_equal(be16_read(ear.heard[0].message), 0x4321);
				assert_int_equal(ear.heard[0].http_status, 200);
			}
			assert_int_equal(ear.heard[0].age_s, r->age_s);
			assert_int_equal(ear.heard[0].retry_after_s, r->retry_after_s);
			assert_true(flush());
			/* whatever that stream was, the next one is served: nothing of the first is sent
			 * again */
			ask(0x7777);
			assert_true(flush());
			assert_int_equal(server.n_request, 2);
			assert_null(strstr(server.request[1].fields, "cookie"));
			respond(3, OK_FIELDS, dns, 40);
			assert_int_equal(deliver(16384), REASON_NONE);
			assert_int_equal(ear.n_heard, 2);
			assert_int_equal(ear.heard[1].failure, REASON_NONE);
		}
	}
}

static void
bodies_have_a_limit(void **state) /* H03 */
{
	uint8_t *big = calloc(1, 70000);

	(void)state;
	assert_non_null(big);
	ask(1);
	ask(2);
	start_with(NULL, 0);
	respond(1, OK_FIELDS, big, 65535);
	assert_int_equal(deliver(5000), REASON_NONE);
	assert_int_equal(ear.n_heard, 1);
	assert_int_equal(ear.heard[0].failure, REASON_NONE);
	assert_int_equal(ear.heard[0].n, 65535);
	assert_true(flush());     /* windows opened again */
	headers(3, 0, OK_FIELDS); /* H03: endless */
	for (int i = 0; i < 4; i++)
		frame(DATA, 0, 3, big, 16384);
	assert_int_equal(deliver(5000), REASON_NONE);
	assert_int_equal(ear.n_heard, 2);
	assert_int_equal(ear.heard[1].failure, REASON_DOH_MALFORMED);
	assert_true(flush());
	assert_int_equal(server.request[1].reset, NGHTTP2_CANCEL + 1);
	free(big);
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
	    {"H06: below one", 3, 1},
	    {"H06: none was processed", 0, 3},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t goaway[8] = {0, 0, 0, rows[i].last};

		anew(state);
		print_message("%s\n", rows[i].says);
		for (uint16_t q = 0; q < 3; q++)
			ask(q);
		start_with(NULL, 0);
		frame(GOAWAY, 0, 0, goaway, sizeof goaway);
		assert_int_equal(deliver(3), REASON_NONE);
		assert_int_equal(ear.unprocessed, rows[i].unprocessed);
		assert_int_equal(ear.n_heard, 0);
		assert_true(w->ops->is_draining(w));
		assert_false(w->ops->has_room(w));
		for (int32_t s = 1; s <= rows[i].last && s <= 5; s += 2)
			respond(s, OK_FIELDS, dns, 40);
		assert_int_equal(deliver(16384), REASON_NONE);
		assert_int_equal(ear.n_heard, 3 - rows[i].unprocessed); /* the lower ones finish */
		assert_false(flush());                                  /* then it is over */
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

		anew(state);
		print_message("%s\n", rows[i].says);
		ask(1);
		start_with(NULL, 0);
		frame(RST_STREAM, 0, 1, code, 4);
		assert_int_equal(deliver(16384), REASON_NONE);
		assert_int_equal(ear.unprocessed, rows[i].unprocessed);
		assert_int_equal(ear.n_heard, !rows[i].unprocessed);
		if (!rows[i].unprocessed)
			assert_int_equal(ear.heard[0].failure, REASON_CLOSED);
		assert_true(flush());
	}
}

static void
an_answer_then_a_reset_is_one_answer(void **state) /* H18 */
{
	(void)state;
	ask(1);
	start_with(NULL, 0);
	respond(1, OK_FIELDS, dns, 40);
	frame(RST_STREAM, 0, 1, "\0\0\0\0", 4);
	assert_int_equal(deliver(16384), REASON_NONE);
	assert_int_equal(ear.n_heard, 1);
	assert_int_equal(ear.heard[0].failure, REASON_NONE);
	assert_true(flush());
}

static void
concurrent_streams_are_the_peers_to_say(void **state) /* H08 */
{
	(void)state;
	start_with("\0\3\0\0\0\1", 6);
	assert_true(w->ops->has_room(w));
	ask(1);
	assert_true(flush());
	assert_false(w->ops->has_room(w)); /* the next waits where it can be failed over */
	respond(1, OK_FIELDS, dns, 40);
	assert_int_equal(deliver(16384), REASON_NONE);
	assert_true(w->ops->has_room(w));
	frame(SETTINGS, 0, 0, "\0\3\0\0\0\0", 6);
	assert_int_equal(deliver(16384), REASON_NONE);
	assert_false(w->ops->has_room(w)); /* H08: 0 */
}

static void
a_window_of_zero_holds_the_body_back(void **state) /* H08 */
{
	struct tp_query *q;

	(void)state;
	start_with("\0\4\0\0\0\0", 6);
	q = ask(1);
	assert_true(flush());
	assert_int_equal(server.n_request, 1);
	assert_int_equal(server.request[0].n_body, 0);
	w->ops->cancel(w, q); /* its deadline */
	ear_drop(&ear, q);
	assert_true(flush());
	assert_int_equal(server.request[0].reset, NGHTTP2_CANCEL + 1);
	assert_int_equal(server.request[0].n_body, 0);
}

static void
a_window_that_opens_late_lets_the_body_through(void **state)
{
	(void)state;
	start_with("\0\4\0\0\0\0", 6);
	ask(1);
	assert_true(flush());
	frame(WINDOW_UPDATE, 0, 1, "\0\0\1\0", 4);
	assert_int_equal(deliver(16384), REASON_NONE);
	assert_true(flush());
	assert_int_equal(server.request[0].n_body, 128);
	assert_true(server.request[0].ended);
}

static void
cancelled_questions_hear_nothing(void **state) /* U13 */
{
	struct tp_query *q;

	(void)state;
	q = ask(1);
	ask(2);
	start_with(NULL, 0);
	w->ops->cancel(w, q);
	ear_drop(&ear, q);
	respond(1, OK_FIELDS, dns, 40); /* it was on its way */
	respond(3, OK_FIELDS, dns, 40);
	assert_int_equal(deliver(16384), REASON_NONE);
	assert_int_equal(ear.n_heard, 1);
	assert_int_equal(be16_read(ear.heard[0].message), 2);
	assert_true(flush());

	q = ask(3);
	ask(4);
	assert_true(flush());
	w->ops->cancel(w, q);
	ear_drop(&ear, q);
	assert_true(flush());           /* the reset has left: */
	respond(5, OK_FIELDS, dns, 40); /* it crossed this */
	frame(WINDOW_UPDATE, 0, 5, "\0\0\1\0", 4);
	frame(RST_STREAM, 0, 5, "\0\0\0\0", 4);
	respond(7, OK_FIELDS, dns, 40);
	assert_int_equal(deliver(16384), REASON_NONE);
	assert_int_equal(ear.n_heard, 2);
	assert_int_equal(be16_read(ear.heard[1].message), 4);
	assert_true(flush());
}

static void
an_early_answer_ends_the_request(void **state)
{
	(void)state;
	start_with("\0\4\0\0\0\0", 6); /* the body can not be sent */
	ask(1);
	assert_true(flush());
	respond(1, OK_FIELDS, dns, 40);
	assert_int_equal(deliver(16384), REASON_NONE);
	assert_int_equal(ear.n_heard, 1);
	assert_int_equal(ear.heard[0].failure, REASON_NONE);
	assert_true(flush());
	assert_int_equal(server.request[0].reset, NGHTTP2_NO_ERROR + 1);
}

static void
frames_sent(unsigned type, unsigned flags, int32_t stream, const void *payload, size_t n, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		frame(type, flags, stream, payload, n);
}

/* Floods: each must end, the connection or the stream, before this many. */
#define FLOOD 5000

static enum reason
flood_deliver(void)
{
	struct buf b = server.out;
	enum reason reason = REASON_NONE;

	server.out = buf_max(1 << 24);
	for (size_t at = 0; at < b.n && reason == REASON_NONE; at += 1400) {
		reason = w->ops->feed(w, b.p + at, b.n - at < 1400 ? b.n - at : 1400, &broken_because);
		/* nobody reads what we acknowledge */
	}
	buf_free(&b);
	return reason != REASON_NONE ? reason : gather();
}

static void
floods_are_cut(void **state)
{
	static const struct {
		const char *says;
		unsigned type, flags;
		int32_t stream;
		const char *payload;
		size_t n;
	} rows[] = {
	    {"H13: PING", PING, 0, 0, "12345678", 8},
	    {"H13: SETTINGS", SETTINGS, 0, 0, "\0\3\0\0\0\144", 6},
	    {"H12: empty DATA", DATA, 0, 1, "", 0},
	    {"H12: PRIORITY", PRIORITY, 0, 1, "\0\0\0\0\1", 5},
	    {"H12: frames of an unknown type", 0x77, 0, 0, "x", 1},
	    {"H12: WINDOW_UPDATE", WINDOW_UPDATE, 0, 0, "\0\0\0\1", 4},
	    {"H12: WINDOW_UPDATE of 0", WINDOW_UPDATE, 0, 0, "\0\0\0\0", 4},
	    {"H12: WINDOW_UPDATE beyond 2^31", WINDOW_UPDATE, 0, 0, "\177\377\377\377", 4},
	    {"RST_STREAM for streams that are not", RST_STREAM, 0, 99, "\0\0\0\10", 4},
	    {"H14: PUSH_PROMISE", PUSH_PROMISE, END_HEADERS, 1, "\0\0\0\2\210", 5},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		anew(state);
		print_message("%s\n", rows[i].says);
		ask(1);
		start_with(NULL, 0);
		if (rows[i].stream == 1 && rows[i].type == DATA)
			headers(1, 0, OK_FIELDS);
		frames_sent(rows[i].type, rows[i].flags, rows[i].stream, rows[i].payload, rows[i].n, FLOOD);
		assert_int_equal(flood_deliver(), REASON_DOH_MALFORMED);
		assert_non_null(broken_because);
	}
}

static void
informational_responses_are_cut(void **state) /* H12 */
{
	(void)state;
	ask(1);
	start_with(NULL, 0);
	for (int i = 0; i < 4; i++)
		headers(1, 0, ":status: 103\nlink: </x>\n");
	respond(1, OK_FIELDS, dns, 40);
	assert_int_equal(deliver(16384), REASON_NONE);
	assert_int_equal(ear.n_heard, 1);
	assert_int_equal(ear.heard[0].failure, REASON_NONE); /* a few are fine */
	ask(2);
	assert_true(flush());
	for (int i = 0; i < 20; i++)
		headers(3, 0, ":status: 103\n");
	assert_int_equal(deliver(16384), REASON_NONE);
	assert_int_equal(ear.n_heard, 2);
	assert_int_equal(ear.heard[1].failure, REASON_DOH_MALFORMED);
	assert_true(flush());
	assert_int_not_equal(server.request[1].reset, 0);
}

static void
header_fields_have_a_budget(void **state) /* H11 */
{
	struct buf b = buf_max(1 << 16);

	(void)state;
	ask(1);
	ask(2);
	start_with(NULL, 0);
	block(&b, OK_FIELDS);
	buf_put(&b, span_of("\100\1x\2yz", 6)); /* remembered; then said 12,000 times in a byte each */
	for (int i = 0; i < 12000; i++)
		buf_u8(&b, 0xbe);
	frame(HEADERS, END_HEADERS, 1, b.p, b.n);
	assert_int_equal(deliver(16384), REASON_NONE);
	assert_int_equal(ear.n_heard, 1);
	assert_int_equal(ear.heard[0].failure, REASON_DOH_MALFORMED);
	respond(3, OK_FIELDS, dns, 40); /* the table is still in step */
	assert_int_equal(deliver(16384), REASON_NONE);
	assert_int_equal(ear.n_heard, 2);
	assert_int_equal(ear.heard[1].failure, REASON_NONE);
	buf_free(&b);
}

static void
continuations_are_cut(void **state) /* H09 */
{
	(void)state;
	ask(1);
	start_with(NULL, 0);
	frame(HEADERS, 0, 1, "\210", 1);
	frames_sent(CONTINUATION, 0, 1, "", 0, 100);
	assert_int_equal(flood_deliver(), REASON_DOH_MALFORMED);
}

static void
trailers_are_not_accepted(void **state) /* H16 */
{
	(void)state;
	ask(1);
	start_with(NULL, 0);
	headers(1, 0, OK_FIELDS);
	frame(DATA, 0, 1, dns, sizeof dns);
	headers(1, END_STREAM, "x: y\n");
	assert_int_equal(deliver(16384), REASON_NONE);
	assert_int_equal(ear.n_heard, 1);
	assert_int_equal(ear.heard[0].failure, REASON_DOH_MALFORMED);
}

static void
other_protocols_end_the_connection(void **state) /* H23, H25 */
{
	static const struct {
		const char *says, *bytes;
		size_t n;
	} rows[] = {
	    {"H23: HTTP/1.1", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 38},
	    {"a frame before SETTINGS",
	     "\0\0\10\6\0\0\0\0\0"
	     "12345678",
	     17},
	    {"a frame larger than we allow", "\0\377\377\0\0\0\0\0\1", 9},
	    {"DATA on stream 0",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\0\0\0\0\0\0x",
	     19},
	    {"HEADERS on an even stream",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\1\4\0\0\0\2\210",
	     19},
	    {"a header block that can not be read",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\2\1\4\0\0\0\1\377\377",
	     20},
	    {"SETTINGS of a wrong size",
	     "\0\0\5\4\0\0\0\0\0"
	     "12345",
	     14},
	    {"an initial window beyond 2^31",
	     "\0\0\6\4\0\0\0\0\0"
	     "\0\4\377\377\377\377",
	     15},
	    {"a frame size below what all must take",
	     "\0\0\6\4\0\0\0\0\0"
	     "\0\5\0\0\0\1",
	     15},
	    {"a PING of seven bytes",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\7\6\0\0\0\0\0"
	     "1234567",
	     25},
	    {"a WINDOW_UPDATE of three bytes",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\3\10\0\0\0\0\0"
	     "\0\0\1",
	     21},
	    {"CONTINUATION of nothing",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\11\4\0\0\0\1\210",
	     19},
	    {"a header block that another frame interrupts",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\1\0\0\0\0\1\210"
	     "\0\0\1\0\0\0\0\0\1x",
	     29},
	    {"more padding than frame",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\1\4\0\0\0\1\210"
	     "\0\0\2\0\10\0\0\0\1\5x",
	     30},
	    {"HPACK: a table larger than we allow",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\4\1\4\0\0\0\1\77\342\37\210",
	     22},
	    {"HPACK: an index beyond the table",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\1\4\0\0\0\1\376",
	     19},
	    {"a second GOAWAY that takes back the first",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\10\7\0\0\0\0\0\0\0\0\1\0\0\0\0"
	     "\0\0\10\7\0\0\0\0\0\0\0\0\11\0\0\0\0",
	     43},
	    {"a response to what was not asked",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\1\5\0\0\0\7\210",
	     19},
	    {"push enabled by the server",
	     "\0\0\6\4\0\0\0\0\0"
	     "\0\2\0\0\0\1",
	     15},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum reason reason;

		anew(state);
		print_message("%s\n", rows[i].says);
		ask(1);
		assert_true(flush());
		buf_put(&server.out, span_of(rows[i].bytes, rows[i].n));
		frames_sent(PING, 0, 0, "12345678", 8, 3); /* H25: frames after errors */
		reason = deliver(16384);
		if (reason == REASON_NONE)
			reason = gather();
		assert_int_equal(reason, REASON_DOH_MALFORMED);
		assert_int_equal(ear.n_heard, 0); /* its connection tells the question */
	}
}

static void
many_streams_answered_backwards(void **state)
{
	(void)state;
	start_with("\0\3\0\0\47\20", 6); /* 10,000 */
	for (uint16_t i = 0; i < 1000; i++)
		ask(i);
	assert_false(w->ops->has_room(w));
	for (int i = 0; i < 10; i++)
		assert_true(flush());
	assert_int_equal(server.n_request, 1000);
	for (int32_t i = 999; i >= 0; i--)
		respond(2 * i + 1, OK_FIELDS, dns, 40);
	assert_int_equal(deliver(16384), REASON_NONE);
	assert_int_equal(ear.n_heard, 1000);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(be16_read(ear.heard[i].message), 999 - i);
}

static void
the_connection_is_replaced_before_its_stream_ids_end(void **state) /* H20 */
{
	const int32_t last = (1 << 30) - 1;

	(void)state;
	start_with(NULL, 0);
	assert_int_equal(nghttp2_session_set_next_stream_id(client_session, last - 2), 0);
	ask(1);
	assert_false(w->ops->is_draining(w));
	assert_true(w->ops->has_room(w));
	ask(2);
	assert_true(w->ops->is_draining(w)); /* its slot opens another one for what comes */
	assert_false(w->ops->has_room(w));
	assert_true(flush());
	assert_int_equal(server.request[1].stream, last);
	respond(last, OK_FIELDS, dns, 40);
	respond(last - 2, OK_FIELDS, dns, 40);
	assert_int_equal(deliver(16384), REASON_NONE);
	assert_int_equal(ear.n_heard, 2); /* and these are finished */
	assert_int_equal(ear.heard[0].failure, REASON_NONE);
	assert_int_equal(ear.heard[1].failure, REASON_NONE);
	assert_true(flush());
}

static void
feeding_stops_when_the_connection_is_gone(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 4; i++)
		ask(i);
	start_with(NULL, 0);
	for (int32_t i = 0; i < 4; i++)
		respond(2 * i + 1, OK_FIELDS, dns, 40);
	ear.stop_at = 2;
	assert_int_equal(deliver(16384), REASON_NONE);
	assert_int_equal(ear.n_heard, 2);
}

int
main(void)
{
#define DOH_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    DOH_TEST(posts_are_written_exactly),
	    DOH_TEST(gets_are_written_exactly),
	    DOH_TEST(responses_have_their_reasons),
	    DOH_TEST(bodies_have_a_limit),
	    DOH_TEST(goaway_repeats_what_was_not_processed),
	    DOH_TEST(resets_have_their_reasons),
	    DOH_TEST(an_answer_then_a_reset_is_one_answer),
	    DOH_TEST(concurrent_streams_are_the_peers_to_say),
	    DOH_TEST(a_window_of_zero_holds_the_body_back),
	    DOH_TEST(a_window_that_opens_late_lets_the_body_through),
	    DOH_TEST(cancelled_questions_hear_nothing),
	    DOH_TEST(an_early_answer_ends_the_request),
	    DOH_TEST(floods_are_cut),
	    DOH_TEST(informational_responses_are_cut),
	    DOH_TEST(header_fields_have_a_budget),
	    DOH_TEST(continuations_are_cut),
	    DOH_TEST(trailers_are_not_accepted),
	    DOH_TEST(other_protocols_end_the_connection),
	    DOH_TEST(many_streams_answered_backwards),
	    DOH_TEST(the_connection_is_replaced_before_its_stream_ids_end),
	    DOH_TEST(feeding_stops_when_the_connection_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
