/*
 * DNS over HTTPS (RFC 8484) over one HTTP/2 connection (RFC 9113). The only door to nghttp2 of the transport.
 *
 * Inside nghttp2's callbacks things are only marked: streams that are finished go into a list, and what
 * follows from it (answers, resets) happens after nghttp2 has returned. nghttp2 bounds neither a client's
 * header fields nor informational responses nor empty frames, so the limits below are ours.
 */
#include "transport/doh_fields.h"
#include "transport/doh_padding.h"
#include "transport/doh_stream.h"
#include "transport/proto.h"

#include "base/clock.h"
#include "base/text.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX        64          /* of one response, all header blocks together */
#define FIELD_BYTES_MAX   (16 * 1024) /* names and values; DoH servers send about 200 bytes */
#define BLOCKS_MAX        8           /* header blocks: 1xx responses before the final one */
#define FRAMES_MAX        4000        /* received in FRAMES_PER_MS without one answer among them */
#define FRAMES_PER_MS     10000
#define OUT_HIGH          (64 * 1024) /* plain bytes; what does not fit waits in nghttp2, no new streams meanwhile */
#define STREAMS_MAX       1000        /* at once, whatever the peer allows */
#define STREAM_ID_MAX     (1 << 30)     /* ids end at 2^31 - 1: the connection is replaced in time */
#define OUTBOUND_ACKS_MAX 64            /* PING and SETTINGS that wait for their acknowledgement to leave */
#define CONNECTION_WINDOW (1024 * 1024) /* all streams together; a stream's own window bounds its body */

struct doh {
	struct proto proto;
	nghttp2_session *session;
	struct buf authority, path;
	enum tp_method method;
	struct doh_streams streams;
	bool goaway; /* received */
	bool broken; /* a frame that must not be */
	unsigned frames;
	int64_t frames_since_ms;
	uint8_t frame_head[9]; /* of the frame that is being received */
	size_t n_frame_head;
	size_t frame_left; /* of its payload */
};

static struct doh *
doh_of(struct proto *w)
{
	return (struct doh *)w;
}

/* ---- streams */

static struct doh_stream *
stream_find(nghttp2_session *session, int32_t id)
{
	return id == 0 ? NULL : nghttp2_session_get_stream_user_data(session, id);
}

/* ---- nghttp2's callbacks: they mark, nothing else */

/* The session ends by our own GOAWAY only when the peer broke its rules. */
static int
doh_on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct doh *d = arg;

	(void)session;
	if (frame->hd.type == NGHTTP2_GOAWAY)
		d->broken = true;
	return 0;
}

static int
doh_on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct doh_stream *s = stream_find(session, frame->hd.stream_id);

	(void)arg;
	if (s == NULL)
		return 0;
	if (++s->blocks > BLOCKS_MAX) {
		doh_stream_break(s, "too many informational responses");
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	if (s->status >= 200) {
		doh_stream_break(s, "trailers");
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	s->status = 0;
	s->type_seen = s->type_is_dns = s->encoded = false;
	s->age_s = s->retry_after_s = 0;
	return 0;
}

static void
stream_field(struct doh_stream *s, struct span name, struct span value)
{
	if (span_equal(name, span_str(":status"))) {
		s->status = doh_status(value);
	} else if (span_equal(name, span_str("content-type"))) {
		s->type_is_dns = !s->type_seen && doh_type_is_dns(value);
		s->type_seen = true;
	} else if (span_equal(name, span_str("age"))) {
		s->age_s = doh_seconds(value);
	} else if (span_equal(name, span_str("retry-after"))) {
		s->retry_after_s = doh_retry_after(value, clock_wall_ms());
	} else if (span_equal(name, span_str("content-encoding"))) {
		s->encoded = !ascii_case_equal(value, span_str("identity"));
	}
}

static int
doh_on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t n_name,
	      const uint8_t *value, size_t n_value, uint8_t flags, void *arg)
{
	struct doh_stream *s = stream_find(session, frame->hd.stream_id);

	(void)flags;
	(void)arg;
	if (s == NULL)
		return 0;
	s->field_bytes += n_name + n_value;
	if (++s->fields > FIELDS_MAX || s->field_bytes > FIELD_BYTES_MAX) {
		doh_stream_break(s, "too many header fields");
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	stream_field(s, span_of(name, n_name), span_of(value, n_value));
	return 0;
}

static int
doh_on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *p, size_t n, void *arg)
{
	struct doh_stream *s = stream_find(session, id);

	(void)flags;
	(void)arg;
	if (s == NULL || s->broken != NULL)
		return 0;
	buf_put(&s->body, span_of(p, n));
	if (!buf_ok(&s->body))
		doh_stream_break(s, "a body larger than any DNS message");
	return 0;
}

static int
doh_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct doh_stream *s = stream_find(session, frame->hd.stream_id);
	struct doh *d = arg;

	if (frame->hd.type == NGHTTP2_GOAWAY)
		d->goaway = true;
	if (s == NULL)
		return 0;
	if (frame->hd.type == NGHTTP2_RST_STREAM)
		s->reset_by_peer = true;
	if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
	    frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
		s->ended = true;
		doh_stream_mark_done(s);
	}
	return 0;
}

static int
doh_on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int code, void *arg)
{
	struct doh *d = arg;
	struct doh_stream *s = stream_find(session, frame->hd.stream_id);

	(void)code;
	if (s == NULL || frame->hd.type == NGHTTP2_PUSH_PROMISE)
		d->broken = true;
	else
		doh_stream_break(s, "a malformed frame");
	return 0;
}

static int
doh_on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *arg)
{
	struct doh_stream *s = stream_find(session, id);

	(void)arg;
	if (s == NULL)
		return 0;
	s->closed = true;
	s->error = error;
	doh_stream_mark_done(s);
	return 0;
}

static ssize_t
doh_on_request_read(nghttp2_session *session, int32_t id, uint8_t *p, size_t room, uint32_t *flags,
		    nghttp2_data_source *source, void *arg)
{
	struct doh_stream *s = source->ptr;
	struct span rest = span_slice(s->request, s->request_sent, room);

	(void)session;
	(void)id;
	(void)arg;
	if (s->exchange == NULL) /* cancelled: the bytes may be gone, its reset is on the way */
		return NGHTTP2_ERR_DEFERRED;
	if (rest.n > 0)
		memcpy(p, rest.p, rest.n);
	s->request_sent += rest.n;
	if (s->request_sent == s->request.n)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)rest.n;
}

/* ---- requests */

static nghttp2_nv
field(const char *name, struct span value, bool lasting)
{
	/* Names are constants; values that outlive the session need no copy either. */
	return (nghttp2_nv){
	    .name = (uint8_t *)(uintptr_t)name,
	    .namelen = strlen(name),
	    .value = (uint8_t *)(uintptr_t)value.p,
	    .valuelen = value.n,
	    .flags = (uint8_t)(NGHTTP2_NV_FLAG_NO_COPY_NAME | (lasting ? NGHTTP2_NV_FLAG_NO_COPY_VALUE : 0)),
	};
}

static int32_t
request_submit(struct doh *d, struct doh_stream *s)
{
	static const char dns_message[] = "application/dns-message";
	const struct span type = span_of(dns_message, sizeof dns_message - 1);
	bool post = d->method == TP_POST;
	struct buf get_path = buf_max(128 * 1024);
	struct span path = buf_span(&d->path);
	char length[8];
	nghttp2_data_provider body = {.source.ptr = s, .read_callback = doh_on_request_read};
	nghttp2_nv fields[7];
	size_t n = 0;
	int32_t id;

	if (!post) {
		doh_path(&get_path, (const char *)d->path.p, &s->request);
		path = buf_span(&get_path);
		if (!buf_ok(&get_path)) {
			buf_free(&get_path);
			return NGHTTP2_ERR_NOMEM;
		}
	}
	fields[n++] = field(":method", span_str(post ? "POST" : "GET"), true);
	fields[n++] = field(":scheme", span_str("https"), true);
	fields[n++] = field(":authority", buf_span(&d->authority), true);
	fields[n] = field(":path", path, post);
	if (!post) /* each is another: keep them out of the peer's table of fields */
		fields[n].flags |= NGHTTP2_NV_FLAG_NO_INDEX;
	n++;
	fields[n++] = field("accept", type, true);
	if (post) {
		fields[n++] = field("content-type", type, true);
		fields[n++] = field(
		    "content-length",
		    span_of(length, (size_t)snprintf(length, sizeof length, "%zu", s->request.n)), false);
	}
	id = nghttp2_submit_request(d->session, NULL, fields, n, post ? &body : NULL, s);
	buf_free(&get_path);
	return id;
}

static bool
doh_is_draining(const struct proto *w)
{
	const struct doh *d = (const struct doh *)w;

	return d->goaway || nghttp2_session_get_next_stream_id(d->session) >= STREAM_ID_MAX;
}

static bool
doh_has_room(const struct proto *w)
{
	const struct doh *d = (const struct doh *)w;
	uint32_t most =
	    nghttp2_session_get_remote_settings(d->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);

	/* Beyond what the peer allows nghttp2 would queue them, out of reach: they wait in the slot. */
	return d->streams.n_live < most && d->streams.n_live < STREAMS_MAX && !doh_is_draining(w);
}

static enum res
doh_take(struct proto *w, struct tp_exchange *x, struct buf *out)
{
	struct doh *d = doh_of(w);
	struct doh_stream *s;

	(void)out;
	if (nghttp2_session_get_outbound_queue_size(d->session) > STREAMS_MAX + OUTBOUND_ACKS_MAX)
		return RES_LIMIT;
	s = doh_stream_new(&d->streams);
	if (s == NULL)
		return RES_NOMEM;
	be16_write(x->message, 0); /* RFC 8484, 4.1: the same question is the same request */
	s->exchange = x;
	s->request = exchange_bytes(x, false);
	s->id = request_submit(d, s);
	if (s->id < 0) {
		doh_stream_free(s);
		return RES_NOMEM;
	}
	x->stream = s;
	return RES_OK;
}

static void
doh_cancel(struct proto *w, struct tp_exchange *x)
{
	struct doh *d = doh_of(w);
	struct doh_stream *s = x->stream;

	s->exchange = NULL;
	x->stream = NULL;
	if (!s->closed && !s->done)
		(void)nghttp2_submit_rst_stream(d->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL);
}

/* ---- answers */

/* False: the connection is gone. */
static bool
stream_finish(struct doh *d, struct doh_stream *s)
{
	struct tp_exchange *x = s->exchange;
	struct tp_answer answer = {.failure = REASON_NONE};
	bool goes_on = true;

	if (!s->closed && s->broken != NULL)
		(void)nghttp2_submit_rst_stream(d->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL);
	else if (!s->closed) /* answered before it had read the whole question */
		(void)nghttp2_submit_rst_stream(d->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_NO_ERROR);
	s->exchange = NULL;
	if (x != NULL) {
		x->stream = NULL;
		doh_stream_judge(s, &answer);
		if (answer.failure != REASON_NONE && !s->ended && s->error == NGHTTP2_REFUSED_STREAM) {
			d->proto.hooks->on_unprocessed(d->proto.ctx, x); /* RFC 9113, 8.7 */
		} else {
			if (answer.failure == REASON_NONE) {
				d->frames = 0;
				be16_write(s->body.p, x->id);
				answer.message = buf_span(&s->body);
			}
			goes_on = d->proto.hooks->on_answer(d->proto.ctx, x, &answer);
		}
	}
	return goes_on;
}

static bool
streams_finish(struct doh *d)
{
	struct doh_stream *s;

	while ((s = doh_stream_take_done(&d->streams)) != NULL) {
		if (!stream_finish(d, s))
			return false;
		if (s->closed)
			doh_stream_free(s); /* else its close comes later */
	}
	return true;
}

/* Counts the frames in received bytes (RFC 9113, 4.1); nghttp2 does not tell of those that it passes over. */
static void
frames_count(struct doh *d, const uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t step = d->frame_left > 0 ? d->frame_left : sizeof d->frame_head - d->n_frame_head;

		if (step > n)
			step = n;
		if (d->frame_left > 0) {
			d->frame_left -= step;
		} else {
			memcpy(d->frame_head + d->n_frame_head, p, step);
			d->n_frame_head += step;
		}
		if (d->n_frame_head == sizeof d->frame_head) {
			d->frame_left = (size_t)be16_read(d->frame_head) << 8 | d->frame_head[2];
			d->n_frame_head = 0;
			d->frames++;
		}
		p += step;
		n -= step;
	}
}

static enum reason
doh_feed(struct proto *w, uint8_t *p, size_t n, const char **detail)
{
	struct doh *d = doh_of(w);
	int64_t now = clock_boot_ms();
	ssize_t used;

	if (now - d->frames_since_ms >= FRAMES_PER_MS) {
		d->frames_since_ms = now;
		d->frames = 0;
	}
	/* A flood of frames that bring no answer forward: PING, SETTINGS, empty DATA, 1xx, unknown types. */
	frames_count(d, p, n);
	if (d->frames > FRAMES_MAX) {
		*detail = "too many frames";
		return REASON_DOH_MALFORMED;
	}
	used = nghttp2_session_mem_recv(d->session, p, n);
	if (!streams_finish(d))
		return REASON_NONE;
	if (used < 0 || d->broken) {
		*detail = used < 0 ? nghttp2_strerror((int)used) : "a frame that must not be";
		return REASON_DOH_MALFORMED;
	}
	return REASON_NONE;
}

/* Everything that nghttp2 wants to send and that has room. */
static enum reason
frames_gather(struct doh *d, struct buf *out, const char **detail)
{
	const uint8_t *p;
	ssize_t n;

	while (out->n < OUT_HIGH && (n = nghttp2_session_mem_send(d->session, &p)) != 0) {
		if (n > 0)
			buf_put(out, span_of(p, (size_t)n));
		if (n == NGHTTP2_ERR_NOMEM || !buf_ok(out))
			return REASON_OUT_OF_MEMORY;
		if (n < 0) {
			*detail = nghttp2_strerror((int)n);
			return REASON_DOH_MALFORMED;
		}
	}
	return REASON_NONE;
}

static enum reason
doh_gather(struct proto *w, struct buf *out, const char **detail)
{
	struct doh *d = doh_of(w);
	enum reason reason;

	/* Streams that nghttp2 found fault with are closed as their reset is sent; to finish one may be to
	 * send more. */
	do {
		reason = frames_gather(d, out, detail);
		if (reason != REASON_NONE)
			return reason;
		if (STAILQ_EMPTY(&d->streams.done))
			break;
	} while (streams_finish(d));
	if (d->broken) {
		*detail = "the peer broke the rules of HTTP/2";
		return REASON_DOH_MALFORMED;
	}
	if (!nghttp2_session_want_read(d->session) && !nghttp2_session_want_write(d->session)) {
		*detail = "the peer said goodbye";
		return REASON_CLOSED;
	}
	return REASON_NONE;
}

static uint32_t
doh_owed(const struct proto *w)
{
	(void)w;
	return 0; /* a reset stream is closed for both */
}

/* ---- the beginning and the end */

static void
doh_free(struct proto *w)
{
	struct doh *d = doh_of(w);

	nghttp2_session_del(d->session);
	doh_streams_end(&d->streams);
	buf_free(&d->authority);
	buf_free(&d->path);
	free(d);
}

static const struct proto_ops doh_ops = {
    .free = doh_free,
    .has_room = doh_has_room,
    .take = doh_take,
    .cancel = doh_cancel,
    .gather = doh_gather,
    .feed = doh_feed,
    .is_draining = doh_is_draining,
    .owed = doh_owed,
};

static bool
session_open(struct doh *d)
{
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *option = NULL;
	bool ok = false;

	if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0)
		goto done;
	nghttp2_session_callbacks_set_select_padding_callback(callbacks, doh_on_select_padding);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, doh_on_frame_sent);
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, doh_on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, doh_on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, doh_on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, doh_on_frame);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, doh_on_invalid_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, doh_on_stream_close);
	nghttp2_option_set_max_outbound_ack(option, OUTBOUND_ACKS_MAX);
	nghttp2_option_set_no_closed_streams(option, 1);
	ok = nghttp2_session_client_new2(&d->session, callbacks, d, option) == 0;

done:
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(callbacks);
	return ok;
}

enum res
doh_new(struct proto **out, const struct tp_target *target, const struct proto_hooks *hooks, void *ctx)
{
	const nghttp2_settings_entry settings[] = {
	    {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, /* RFC 8484, 5.3 */
	    {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0},
	    {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 65535},
	    {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, FIELD_BYTES_MAX},
	};
	struct doh *d = calloc(1, sizeof *d);

	if (d == NULL)
		return RES_NOMEM;
	d->proto = (struct proto){&doh_ops, hooks, ctx};
	doh_streams_start(&d->streams);
	d->frames_since_ms = clock_boot_ms();
	d->method = target->method;
	d->authority = buf_max(512);
	d->path = buf_max(8192);
	doh_authority(&d->authority, target);
	doh_path(&d->path, target->path, NULL);
	if (buf_cstr(&d->authority) == NULL || buf_cstr(&d->path) == NULL || !session_open(d))
		goto fail;
	if (nghttp2_submit_settings(d->session, NGHTTP2_FLAG_NONE, settings,
				    sizeof settings / sizeof *settings) != 0)
		goto fail;
	if (nghttp2_session_set_local_window_size(d->session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW) != 0)
		goto fail;
	*out = &d->proto;
	return RES_OK;

fail:
	if (d->session != NULL)
		nghttp2_session_del(d->session);
	buf_free(&d->authority);
	buf_free(&d->path);
	free(d);
	return RES_NOMEM;
}
