#include "tests/unit/transport/doh_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct proto_recorder recorder;
struct server server;
struct proto *client;
struct tp_target target;
const char *broken_because;
const uint8_t dns[40] = {0, 0, 0x81, 0x80, 0, 1};

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
	if (r != NULL && frame->hd.type == HEADERS)
		r->n_headers = frame->hd.length;
	if (r != NULL && frame->hd.type == RST_STREAM)
		r->reset = frame->rst_stream.error_code + 1;
	if (r != NULL && frame->hd.type <= HEADERS && frame->hd.flags & END_STREAM)
		r->ended = true;
	return 0;
}

int
server_setup(void **state)
{
	nghttp2_session_callbacks *callbacks;

	(void)state;
	recorder_start(&recorder);
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
		       doh_new(&client, &target, &recorder_hooks, &recorder) == RES_OK
		   ? 0
		   : -1;
}

int
server_teardown(void **state)
{
	(void)state;
	client->ops->free(client);
	nghttp2_session_del(server.session);
	buf_free(&server.out);
	recorder_free(&recorder);
	return 0;
}

void
server_anew(void **state)
{
	assert_int_equal(server_teardown(state), 0);
	assert_int_equal(server_setup(state), 0);
}

enum reason
client_collect(void)
{
	struct buf b = buf_max(1 << 20);
	enum reason reason = client->ops->collect(client, &b, &broken_because);

	if (b.n > 0)
		assert_int_equal(nghttp2_session_mem_recv(server.session, b.p, b.n), b.n);
	buf_free(&b);
	return reason;
}

bool
client_flush(void)
{
	return client_collect() == REASON_NONE;
}

void
server_frame(unsigned type, unsigned flags, int32_t stream, const void *payload, size_t n)
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

void
server_block(struct buf *b, const char *fields)
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

void
server_headers(int32_t stream, unsigned flags, const char *fields)
{
	struct buf b = buf_max(1 << 16);

	server_block(&b, fields);
	server_frame(HEADERS, flags | END_HEADERS, stream, b.p, b.n);
	buf_free(&b);
}

void
server_respond(int32_t stream, const char *fields, const void *body, size_t n)
{
	server_headers(stream, n == 0 ? END_STREAM : 0, fields);
	for (size_t at = 0; at < n; at += 16384)
		server_frame(DATA, at + 16384 >= n ? END_STREAM : 0, stream, (const uint8_t *)body + at,
			     n - at < 16384 ? n - at : 16384);
}

enum reason
server_deliver(size_t piece)
{
	struct buf b = server.out;
	enum reason reason = REASON_NONE;

	server.out = buf_max(1 << 24);
	for (size_t at = 0; at < b.n && reason == REASON_NONE; at += piece) {
		size_t n = b.n - at < piece ? b.n - at : piece;

		reason = client->ops->feed(client, b.p + at, n, &broken_because);
	}
	buf_free(&b);
	return reason;
}

struct tp_exchange *
client_ask(uint16_t id)
{
	struct tp_exchange *q = recorder_question(&recorder, "a", id, true);
	struct buf b = buf_max(1 << 16);

	assert_int_equal(client->ops->take(client, q, &b), RES_OK);
	assert_int_equal(b.n, 0);
	return q;
}

void
server_start_with(const void *settings, size_t n)
{
	server_frame(SETTINGS, 0, 0, settings, n);
	assert_int_equal(server_deliver(16384), REASON_NONE);
	assert_true(client_flush());
}
