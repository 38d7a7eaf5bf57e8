/*
 * lab_doh.c - DNS over HTTPS: HTTP/2 (RFC 9113) and RFC 8484, as a server that may break both.
 *
 * nghttp2 is entered from lab_doh_on_data and doh_send only, never from inside its callbacks: these gather
 * requests, and the complete ones are taken afterwards.
 *
 * A client that offers no ALPN at all gets HTTP/1.1: RFC 8484, 5.2 only recommends more, and otherwise
 * such a client could not be tested at all.
 */
#include "contrib/lab/server/lab_conn.h"
#include "contrib/lab/server/h1.h"
#include "contrib/lab/server/h2raw.h"
#include "contrib/lab/server/lab_doh_response.h"

#include "base/log.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nghttp2/nghttp2.h>

#define STREAMS_MAX    1000 /* requests at a time on one connection */
#define BODY_LONG      65536
#define PATH_MAX_BYTES (2 * UINT16_MAX) /* a GET carries the message in base64 */

struct stream {
	TAILQ_ENTRY(stream) link;
	int32_t id;
	bool complete, taken, post;
	bool dns_type; /* the request's content type is right */
	struct buf path;
	struct buf request; /* body */
	struct buf body;    /* of the response */
	size_t sent;
};
TAILQ_HEAD(stream_list, stream);

struct h2 {
	struct lab_conn *conn;
	nghttp2_session *session; /* NULL: the connection does not speak HTTP/2 ... */
	bool plain;               /* ... but HTTP/1.1 */
	struct stream_list streams;
	size_t n_streams;
	uint64_t requests;
};

static void
stream_free(struct h2 *h2, struct stream *stream)
{
	TAILQ_REMOVE(&h2->streams, stream, link);
	h2->n_streams--;
	buf_free(&stream->path);
	buf_free(&stream->request);
	buf_free(&stream->body);
	free(stream);
}

/* NULL: too many, or no memory. */
static struct stream *
stream_new(struct h2 *h2, int32_t id)
{
	struct stream *stream = h2->n_streams < STREAMS_MAX ? calloc(1, sizeof *stream) : NULL;

	if (stream == NULL)
		return NULL;
	stream->id = id;
	stream->path = buf_max(PATH_MAX_BYTES);
	stream->request = buf_max(UINT16_MAX);
	stream->body = buf_max(2 * BODY_LONG);
	TAILQ_INSERT_TAIL(&h2->streams, stream, link);
	h2->n_streams++;
	return stream;
}

static int
h2_on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct stream *stream = stream_new(arg, frame->hd.stream_id);

	if (stream == NULL)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	return nghttp2_session_set_stream_user_data(session, stream->id, stream);
}

static int
h2_on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t n_name,
	     const uint8_t *value, size_t n_value, uint8_t flags, void *arg)
{
	struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	struct span key = span_of(name, n_name), text = span_of(value, n_value);

	(void)flags, (void)arg;
	if (stream == NULL)
		return 0;
	if (span_equal(key, span_str(":method")))
		stream->post = span_equal(text, span_str("POST"));
	else if (span_equal(key, span_str(":path")))
		buf_put(&stream->path, text);
	else if (span_equal(key, span_str("content-type")))
		stream->dns_type = span_equal(text, span_str("application/dns-message"));
	return 0;
}

/* Logs frames that nghttp2 rejects: they explain why a client gets no answer. */
static int
h2_on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error, void *arg)
{
	const struct h2 *h2 = arg;

	(void)session;
	log_event(LOG_INFO, "invalid", LOG_INT("conn", h2->conn->id), LOG_INT("stream", frame->hd.stream_id),
		  LOG_STR("error", nghttp2_strerror(error)));
	return 0;
}

static int
h2_on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t n, void *arg)
{
	struct stream *stream = nghttp2_session_get_stream_user_data(session, id);

	(void)flags, (void)arg;
	if (stream != NULL)
		buf_put(&stream->request, span_of(data, n));
	return 0;
}

static int
h2_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

	(void)arg;
	if (stream != NULL && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
	    (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS))
		stream->complete = true;
	return 0;
}

static int
h2_on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *arg)
{
	struct stream *stream = nghttp2_session_get_stream_user_data(session, id);

	(void)error;
	if (stream != NULL)
		stream_free(arg, stream);
	return 0;
}

static nghttp2_session *
session_new(struct h2 *h2)
{
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_session *session = NULL;

	if (nghttp2_session_callbacks_new(&callbacks) != 0)
		return NULL;
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, h2_on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, h2_on_header);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, h2_on_invalid_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, h2_on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, h2_on_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, h2_on_stream_close);
	if (nghttp2_session_server_new(&session, callbacks, h2) != 0)
		session = NULL;
	nghttp2_session_callbacks_del(callbacks);
	return session;
}

static void
pump(struct h2 *h2)
{
	const uint8_t *bytes;
	ssize_t n;

	while ((n = nghttp2_session_mem_send(h2->session, &bytes)) > 0)
		lab_conn_write(h2->conn, span_of(bytes, (size_t)n));
	if (n < 0 || (!nghttp2_session_want_read(h2->session) && !nghttp2_session_want_write(h2->session)))
		lab_conn_close(h2->conn, END_CLOSE);
}

static int
settings_submit(struct h2 *h2)
{
	nghttp2_settings_entry entries[2] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX}};
	size_t n = 1;

	if (lab_conn_fault(h2->conn, FAULT_STREAMS))
		entries[0].value = (uint32_t)lab_fault_number(&h2->conn->server->faults, FAULT_STREAMS);
	if (lab_conn_fault(h2->conn, FAULT_WINDOW_ZERO))
		entries[n++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0};
	return nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, entries, n);
}

/* Did the client offer no protocol, while the server would have agreed to HTTP/2? */
static bool
speaks_plain(const struct lab_conn *conn)
{
	gnutls_datum_t protocol;

	return !lab_conn_fault(conn, FAULT_ALPN_NONE) && !lab_conn_fault(conn, FAULT_ALPN_OTHER) &&
	       gnutls_alpn_get_selected_protocol(conn->tls, &protocol) != 0;
}

static enum res
doh_open(struct lab_conn *conn)
{
	struct h2 *h2 = calloc(1, sizeof *h2);

	if (h2 == NULL)
		return RES_NOMEM;
	h2->conn = conn;
	TAILQ_INIT(&h2->streams);
	conn->session = h2;
	h2->plain = speaks_plain(conn);
	if (h2->plain || h2raw_greeting(conn))
		return RES_OK;
	h2->session = session_new(h2);
	if (h2->session == NULL || settings_submit(h2) != 0)
		return RES_NOMEM;
	pump(h2);
	return RES_OK;
}

static void
doh_close(struct lab_conn *conn)
{
	struct h2 *h2 = conn->session;
	struct stream *stream;

	nghttp2_session_del(h2->session);
	while ((stream = TAILQ_FIRST(&h2->streams)) != NULL)
		stream_free(h2, stream);
	free(h2);
}

/* RFC 4648, 5 without padding, as RFC 8484, 6 wants it, converted to the ordinary alphabet. */
static bool
base64url_read(struct buf *out, struct span text)
{
	struct buf plain = buf_max(PATH_MAX_BYTES + 4);
	bool done;

	for (size_t i = 0; i < text.n; i++)
		buf_u8(&plain, text.p[i] == '-' ? '+' : text.p[i] == '_' ? '/' : text.p[i]);
	while (plain.n % 4 != 0)
		buf_u8(&plain, '=');
	done = buf_ok(&plain) && base64_read(out, buf_span(&plain)) == RES_OK;
	buf_free(&plain);
	return done;
}

/* The DNS message of a request, or the status that refuses it. */
static int
lab_request_read(struct stream *stream)
{
	static const char path[] = "/dns-query", query[] = "/dns-query?dns=";
	struct span have = buf_span(&stream->path);
	const int ok = 200, bad = 400, missing = 404, type = 415;

	if (stream->post) {
		if (!span_equal(have, span_str(path)))
			return missing;
		return stream->dns_type ? ok : type;
	}
	if (!span_equal(span_slice(have, 0, strlen(query)), span_str(query)))
		return missing;
	buf_clear(&stream->request);
	return base64url_read(&stream->request, span_slice(have, strlen(query), have.n)) ? ok : bad;
}

static ssize_t
h2_on_body_wanted(nghttp2_session *session, int32_t id, uint8_t *out, size_t room, uint32_t *flags,
		  nghttp2_data_source *source, void *arg)
{
	struct stream *stream = source->ptr;
	struct h2 *h2 = arg;
	struct span rest = span_slice(buf_span(&stream->body), stream->sent, room);
	nghttp2_nv trailer = {(uint8_t[]){'l', 'a', 'b'}, (uint8_t[]){'1'}, 3, 1, NGHTTP2_NV_FLAG_NONE};

	if (lab_conn_fault(h2->conn, FAULT_BODY_ENDLESS)) {
		memset(out, 0, room);
		return (ssize_t)room;
	}
	if (rest.n > 0)
		memcpy(out, rest.p, rest.n);
	stream->sent += rest.n;
	if (stream->sent == stream->body.n) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		if (lab_conn_fault(h2->conn, FAULT_TRAILERS) &&
		    nghttp2_submit_trailer(session, id, &trailer, 1) == 0)
			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
	}
	return (ssize_t)rest.n;
}

static void
lab_respond(struct h2 *h2, struct stream *stream, int status, struct span message)
{
	nghttp2_data_provider provider = {.source = {.ptr = stream}, .read_callback = h2_on_body_wanted};
	struct lab_response r = {.n = 0};

	if (!lab_conn_fault(h2->conn, FAULT_BODY_EMPTY))
		buf_put(&stream->body, message);
	while (lab_conn_fault(h2->conn, FAULT_BODY_LONG) && stream->body.n < BODY_LONG &&
	       buf_ok(&stream->body))
		buf_u8(&stream->body, 0);
	lab_response_fill(h2->conn, &r, status, stream->body.n);
	if (h2->plain)
		lab_response_write_plain(h2->conn, &r, buf_span(&stream->body));
	else if (nghttp2_submit_response(h2->session, stream->id, r.nv, r.n, &provider) != 0)
		lab_conn_close(h2->conn, END_RESET);
}

/* Ends the stream, or the connection, instead of answering. True: it did. */
static bool
stream_refused(struct h2 *h2, struct stream *stream)
{
	uint32_t code;

	if (lab_conn_fault(h2->conn, FAULT_RST_CANCEL))
		code = NGHTTP2_CANCEL;
	else if (lab_conn_fault(h2->conn, FAULT_RST_CALM))
		code = NGHTTP2_ENHANCE_YOUR_CALM;
	else if (lab_conn_fault(h2->conn, FAULT_RST_REFUSED) && h2->requests == 1)
		code = NGHTTP2_REFUSED_STREAM;
	else if (lab_conn_fault(h2->conn, FAULT_GOAWAY_ZERO) && h2->requests == 1) {
		(void)nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0);
		pump(h2);
		lab_conn_close(h2->conn, END_CLOSE);
		return true;
	} else
		return false;
	(void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream->id, code);
	return true;
}

/* One complete request that was not taken yet; NULL: there is none. */
static struct stream *
next_complete(struct h2 *h2)
{
	struct stream *stream;

	TAILQ_FOREACH(stream, &h2->streams, link)
	if (stream->complete && !stream->taken)
		return stream;
	return NULL;
}

/* The next request of HTTP/1.1 becomes a stream. False: it is not all there. */
static bool
plain_take(struct h2 *h2)
{
	struct h1_request request;
	struct stream *stream;

	switch (h1_request_read(&request, buf_span(&h2->conn->in))) {
	case H1_MORE:
		return false;
	case H1_BAD:
		lab_conn_close(h2->conn, END_CLOSE);
		return false;
	case H1_DONE:
		break;
	}
	stream = stream_new(h2, (int32_t)(h2->requests % INT32_MAX) + 1);
	if (stream == NULL) {
		lab_conn_close(h2->conn, END_RESET);
		return false;
	}
	stream->complete = true;
	stream->post = request.post;
	stream->dns_type = request.dns_type;
	buf_put(&stream->path, request.path);
	buf_put(&stream->request, request.body);
	buf_drop(&h2->conn->in, request.n);
	return true;
}

/* Answers the requests that are complete, now or later. */
static void
requests_take(struct h2 *h2)
{
	struct stream *stream;
	int status;

	while (h2->conn->end == END_NONE && (stream = next_complete(h2)) != NULL) {
		stream->taken = true;
		h2->requests++;
		status = lab_request_read(stream);
		if (status == 200)
			lab_conn_question(h2->conn, buf_span(&stream->request), stream->id);
		else
			lab_respond(h2, stream, status, span_of(NULL, 0));
	}
}

static void
lab_doh_on_data(struct lab_conn *conn)
{
	struct h2 *h2 = conn->session;
	ssize_t n;

	if (h2->plain) {
		while (conn->end == END_NONE && plain_take(h2))
			requests_take(h2);
		return;
	}
	if (h2->session == NULL) {
		buf_clear(&conn->in);
		return;
	}
	n = nghttp2_session_mem_recv(h2->session, conn->in.p, conn->in.n);
	if (n < 0) {
		lab_conn_close(conn, END_CLOSE);
		return;
	}
	buf_drop(&conn->in, (size_t)n);
	requests_take(h2);
	pump(h2);
}

/* The stream of HTTP/1.1; NULL: there is none. */
static struct stream *
plain_stream(const struct h2 *h2, int32_t id)
{
	struct stream *stream;

	TAILQ_FOREACH(stream, &h2->streams, link)
	if (stream->id == id)
		return stream;
	return NULL;
}

static void
plain_send(struct h2 *h2, int32_t id, struct span message)
{
	struct stream *stream = plain_stream(h2, id);

	if (stream == NULL)
		return; /* already answered */
	lab_respond(h2, stream, 200, message);
	stream_free(h2, stream);
}

static void
h2_send(struct h2 *h2, int32_t id, struct span message)
{
	struct stream *stream = nghttp2_session_get_stream_user_data(h2->session, id);

	if (stream == NULL)
		return; /* the client has cancelled it */
	if (stream_refused(h2, stream)) {
		pump(h2);
		return;
	}
	if (h2raw_before_answer(h2->conn, id, message))
		return;
	lab_respond(h2, stream, 200, message);
	if (lab_conn_fault(h2->conn, FAULT_GOAWAY_EACH))
		(void)nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR, NULL, 0);
	pump(h2);
}

static void
doh_send(struct lab_conn *conn, int32_t id, struct span message)
{
	struct h2 *h2 = conn->session;
	size_t before;

	if (!h2->plain)
		pump(h2);
	before = conn->out.n;
	if (h2->plain)
		plain_send(h2, id, message);
	else
		h2_send(h2, id, message);
	if (lab_conn_fault(conn, FAULT_CLOSE_MID_ANSWER) && conn->out.n > before)
		conn->out.n = before + (conn->out.n - before) / 2;
}

const struct lab_protocol lab_doh = {
    .alpn = "h2", .open = doh_open, .on_data = lab_doh_on_data, .send = doh_send, .close = doh_close};
