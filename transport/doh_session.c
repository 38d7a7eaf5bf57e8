#include "transport/doh_session.h"

#include "base/clock.h"
#include "base/text.h"
#include "transport/doh_fields.h"
#include "transport/doh_padding.h"

#include <string.h>

/* ---- nghttp2's callbacks: they mark, nothing else */

static struct doh_stream *
doh_stream_of(nghttp2_session *h2, int32_t id)
{
	return id == 0 ? NULL : nghttp2_session_get_stream_user_data(h2, id);
}

/* Our side sends a GOAWAY only if the peer broke the protocol. */
static int
doh_session_on_frame_sent(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
	struct doh_session *session = arg;

	(void)h2;
	if (frame->hd.type == NGHTTP2_GOAWAY)
		session->broken = true;
	return 0;
}

static int
doh_session_on_begin_headers(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
	struct doh_stream *s = doh_stream_of(h2, frame->hd.stream_id);

	(void)arg;
	if (s == NULL)
		return 0;
	if (++s->blocks > DOH_BLOCKS_MAX) {
		doh_stream_break(s, "too many informational responses");
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	if (s->status >= 200) {
		doh_stream_break(s, "trailers");
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	s->status = 0;
	s->type_seen = s->type_is_dns = s->encoded = s->age_seen = false;
	s->age_s = s->retry_after_s = 0;
	return 0;
}

static void
doh_stream_field(struct doh_stream *s, struct span name, struct span value)
{
	if (span_equal(name, span_str(":status"))) {
		s->status = doh_status(value);
	} else if (span_equal(name, span_str("content-type"))) {
		s->type_is_dns = !s->type_seen && doh_type_is_dns(value);
		s->type_seen = true;
	} else if (span_equal(name, span_str("age"))) {
		/* RFC 9110, 5.3: repeated fields are a list. */
		if (!s->age_seen)
			s->age_s = doh_age(value);
		s->age_seen = true;
	} else if (span_equal(name, span_str("retry-after"))) {
		s->retry_after_s = doh_retry_after(value, clock_wall_ms());
	} else if (span_equal(name, span_str("content-encoding"))) {
		s->encoded |= !ascii_case_equal(value, span_str("identity"));
	}
}

static int
doh_session_on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name, size_t n_name,
		      const uint8_t *value, size_t n_value, uint8_t flags, void *arg)
{
	struct doh_stream *s = doh_stream_of(h2, frame->hd.stream_id);

	(void)flags;
	(void)arg;
	if (s == NULL)
		return 0;
	s->field_bytes += n_name + n_value;
	if (++s->fields > DOH_FIELDS_MAX || s->field_bytes > DOH_FIELD_BYTES_MAX) {
		doh_stream_break(s, "too many header fields");
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	doh_stream_field(s, span_of(name, n_name), span_of(value, n_value));
	return 0;
}

static int
doh_session_on_data(nghttp2_session *h2, uint8_t flags, int32_t id, const uint8_t *p, size_t n, void *arg)
{
	struct doh_stream *s = doh_stream_of(h2, id);

	(void)flags;
	(void)arg;
	if (s != NULL)
		doh_stream_add(s, span_of(p, n));
	return 0;
}

static int
doh_session_on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
	struct doh_stream *s = doh_stream_of(h2, frame->hd.stream_id);
	struct doh_session *session = arg;

	if (frame->hd.type == NGHTTP2_GOAWAY)
		session->goaway = true;
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
doh_session_on_invalid_frame(nghttp2_session *h2, const nghttp2_frame *frame, int code, void *arg)
{
	struct doh_session *session = arg;
	struct doh_stream *s = doh_stream_of(h2, frame->hd.stream_id);

	(void)code;
	if (s == NULL || frame->hd.type == NGHTTP2_PUSH_PROMISE)
		session->broken = true;
	else
		doh_stream_break(s, "a malformed frame");
	return 0;
}

static int
doh_session_on_stream_close(nghttp2_session *h2, int32_t id, uint32_t error, void *arg)
{
	struct doh_stream *s = doh_stream_of(h2, id);

	(void)arg;
	if (s == NULL)
		return 0;
	s->closed = true;
	s->error = error;
	doh_stream_mark_done(s);
	return 0;
}

/* ---- bytes */

/* Counts the frames in received bytes (RFC 9113, 4.1); nghttp2 does not report those that it ignores. */
static void
doh_session_count_frames(struct doh_session *session, const uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t step = session->frame_left > 0 ? session->frame_left
						      : sizeof session->frame_head - session->n_frame_head;

		if (step > n)
			step = n;
		if (session->frame_left > 0) {
			session->frame_left -= step;
		} else {
			memcpy(session->frame_head + session->n_frame_head, p, step);
			session->n_frame_head += step;
		}
		if (session->n_frame_head == sizeof session->frame_head) {
			session->frame_left =
			    (size_t)be16_read(session->frame_head) << 8 | session->frame_head[2];
			session->n_frame_head = 0;
			session->frames++;
		}
		p += step;
		n -= step;
	}
}

/* nghttp2 (1.52) counts each piece of a CONTINUATION's head as a frame, and gives up after eight. So it gets heads whole:
 * one that began in the piece before, then the rest without the one that it ends with. */
static ssize_t
doh_session_pass(struct doh_session *session, uint8_t head[DOH_FRAME_HEAD], size_t n_head, const uint8_t *p,
		 size_t n)
{
	size_t more = 0;
	ssize_t used = 0;

	while (n_head > 0 && n_head < DOH_FRAME_HEAD && more < n)
		head[n_head++] = p[more++];
	if (n_head == DOH_FRAME_HEAD)
		used = nghttp2_session_mem_recv(session->h2, head, DOH_FRAME_HEAD);
	else if (n_head > 0) /* all of it is a piece of a head */
		return 0;
	n -= more + session->n_frame_head;
	if (used >= 0 && n > 0)
		used = nghttp2_session_mem_recv(session->h2, p + more, n);
	return used;
}

enum reason
doh_session_receive(struct doh_session *session, const uint8_t *p, size_t n, const char **detail)
{
	int64_t now = clock_boot_ms();
	uint8_t head[DOH_FRAME_HEAD];
	size_t n_head = session->n_frame_head;
	ssize_t used;

	memcpy(head, session->frame_head, n_head);
	if (now - session->frames_since_ms >= DOH_FRAMES_PER_MS) {
		session->frames_since_ms = now;
		session->frames = 0;
	}
	/* A flood of frames that bring no answer forward: PING, SETTINGS, empty DATA, 1xx, unknown types. */
	doh_session_count_frames(session, p, n);
	if (session->frames > DOH_FRAMES_MAX) {
		*detail = "too many frames";
		return REASON_DOH_MALFORMED;
	}
	used = doh_session_pass(session, head, n_head, p, n);
	if (used >= 0 && !session->broken)
		return REASON_NONE;
	if (used == NGHTTP2_ERR_NOMEM)
		return REASON_OUT_OF_MEMORY;
	*detail = used < 0 ? nghttp2_strerror((int)used) : "a frame that is not allowed";
	return REASON_DOH_MALFORMED;
}

enum reason
doh_session_send(struct doh_session *session, struct buf *out, const char **detail)
{
	const uint8_t *p;
	ssize_t n;

	while (out->n < DOH_OUT_HIGH && (n = nghttp2_session_mem_send(session->h2, &p)) != 0) {
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

/* ---- its state */

bool
doh_session_is_draining(const struct doh_session *session)
{
	return session->goaway || nghttp2_session_get_next_stream_id(session->h2) >= DOH_STREAM_ID_MAX;
}

bool
doh_session_has_room(const struct doh_session *session)
{
	uint32_t most =
	    nghttp2_session_get_remote_settings(session->h2, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);

	/* Beyond what the peer allows nghttp2 would queue them, out of reach: they wait in the slot. */
	return session->streams.n_live < most && session->streams.n_live < DOH_STREAMS_MAX &&
	       !doh_session_is_draining(session);
}

bool
doh_session_is_over(const struct doh_session *session)
{
	return !nghttp2_session_want_read(session->h2) && !nghttp2_session_want_write(session->h2);
}

void
doh_session_reset(struct doh_session *session, const struct doh_stream *s, uint32_t error)
{
	(void)nghttp2_submit_rst_stream(session->h2, NGHTTP2_FLAG_NONE, s->id, error);
}

/* ---- the beginning and the end */

static bool
doh_session_create(struct doh_session *session)
{
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *option = NULL;
	bool ok = false;

	if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0)
		goto done;
	nghttp2_session_callbacks_set_select_padding_callback(callbacks, doh_on_select_padding);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, doh_session_on_frame_sent);
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, doh_session_on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, doh_session_on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, doh_session_on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, doh_session_on_frame);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, doh_session_on_invalid_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, doh_session_on_stream_close);
	nghttp2_option_set_max_outbound_ack(option, DOH_OUTBOUND_ACKS_MAX);
	nghttp2_option_set_no_closed_streams(option, 1);
	ok = nghttp2_session_client_new2(&session->h2, callbacks, session, option) == 0;

done:
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(callbacks);
	return ok;
}

enum res
doh_session_open(struct doh_session *session)
{
	const nghttp2_settings_entry settings[] = {
	    {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, /* RFC 8484, 5.3 */
	    {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0},
	    {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 65535},
	    {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, DOH_FIELD_BYTES_MAX},
	};

	doh_streams_start(&session->streams);
	session->frames_since_ms = clock_boot_ms();
	if (!doh_session_create(session) ||
	    nghttp2_submit_settings(session->h2, NGHTTP2_FLAG_NONE, settings,
				    sizeof settings / sizeof *settings) != 0 ||
	    nghttp2_session_set_local_window_size(session->h2, NGHTTP2_FLAG_NONE, 0, DOH_WINDOW) != 0)
		return RES_NOMEM;
	return RES_OK;
}

void
doh_session_close(struct doh_session *session)
{
	if (session->h2 != NULL)
		nghttp2_session_del(session->h2);
	doh_streams_end(&session->streams);
}
