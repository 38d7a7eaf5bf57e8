/*
 * DNS over HTTPS (RFC 8484) over one HTTP/2 connection (RFC 9113): a stream carries a question and its answer.
 *
 * The doors to nghttp2 are doh_session.c, doh_request.c and doh_padding.c.
 */
#include "transport/doh_request.h"
#include "transport/doh_session.h"
#include "transport/proto.h"

#include <stdlib.h>

struct doh {
	struct proto proto;
	struct doh_session session;
	struct doh_target target;
};

static struct doh *
doh_of(struct proto *w)
{
	return (struct doh *)w;
}

static const struct doh_session *
doh_session_of(const struct proto *w)
{
	return &((const struct doh *)w)->session;
}

static bool
doh_is_draining(const struct proto *w)
{
	return doh_session_is_draining(doh_session_of(w));
}

static bool
doh_has_room(const struct proto *w)
{
	return doh_session_has_room(doh_session_of(w));
}

static enum res
doh_take(struct proto *w, struct tp_exchange *x, struct buf *out)
{
	struct doh *d = doh_of(w);
	struct doh_stream *s;

	(void)out;
	if (nghttp2_session_get_outbound_queue_size(d->session.h2) > DOH_STREAMS_MAX + DOH_OUTBOUND_ACKS_MAX)
		return RES_LIMIT;
	s = doh_stream_new(&d->session.streams);
	if (s == NULL)
		return RES_NOMEM;
	be16_write(x->message, 0); /* RFC 8484, 4.1: the same question is the same request */
	s->exchange = x;
	s->request = exchange_bytes(x, false);
	if (doh_request_submit(d->session.h2, &d->target, s) != RES_OK) {
		doh_stream_free(s);
		return RES_NOMEM;
	}
	x->stream = s;
	return RES_OK;
}

static void
doh_cancel(struct proto *w, struct tp_exchange *x)
{
	struct doh_stream *s = x->stream;

	s->exchange = NULL;
	x->stream = NULL;
	if (!s->closed && !s->done)
		doh_session_reset(&doh_of(w)->session, s, NGHTTP2_CANCEL);
}

/* ---- answers */

/* Reports the stream's answer or failure. False: the connection is gone. */
static bool
doh_answer(struct doh *d, struct doh_stream *s, struct tp_exchange *x)
{
	struct tp_answer answer = {.failure = REASON_NONE};

	x->stream = NULL;
	doh_stream_judge(s, &answer);
	if (answer.failure != REASON_NONE && !s->ended && s->error == NGHTTP2_REFUSED_STREAM)
		return d->proto.hooks->on_unprocessed(d->proto.ctx, x); /* RFC 9113, 8.7 */
	if (answer.failure == REASON_NONE) {
		d->session.frames = 0;
		be16_write(s->body.p, x->id);
		answer.message = buf_span(&s->body);
	}
	return d->proto.hooks->on_answer(d->proto.ctx, x, &answer);
}

/* False: the connection is gone. */
static bool
doh_finish(struct doh *d, struct doh_stream *s)
{
	struct tp_exchange *x = s->exchange;

	if (!s->closed && s->broken != NULL)
		doh_session_reset(&d->session, s, NGHTTP2_CANCEL);
	else if (!s->closed) /* answered before it had read the whole question */
		doh_session_reset(&d->session, s, NGHTTP2_NO_ERROR);
	s->exchange = NULL;
	return x == NULL || doh_answer(d, s, x);
}

static bool
doh_finish_all(struct doh *d)
{
	struct doh_stream *s;

	while ((s = doh_stream_take_done(&d->session.streams)) != NULL) {
		if (!doh_finish(d, s))
			return false;
		if (s->closed)
			doh_stream_free(s); /* else its close comes later */
	}
	return true;
}

static enum reason
doh_feed(struct proto *w, uint8_t *p, size_t n, const char **detail)
{
	struct doh *d = doh_of(w);
	enum reason reason = doh_session_receive(&d->session, p, n, detail);

	return doh_finish_all(d) ? reason : REASON_NONE;
}

static enum reason
doh_collect(struct proto *w, struct buf *out, const char **detail)
{
	struct doh *d = doh_of(w);
	enum reason reason;

	/* Streams that nghttp2 refused are closed when their reset is sent, and finishing one may send more. */
	do {
		reason = doh_session_send(&d->session, out, detail);
		if (reason != REASON_NONE)
			return reason;
		if (STAILQ_EMPTY(&d->session.streams.done))
			break;
	} while (doh_finish_all(d));
	if (d->session.broken) {
		*detail = "the peer violated HTTP/2";
		return REASON_DOH_MALFORMED;
	}
	if (doh_session_is_over(&d->session)) {
		*detail = "the peer ended the HTTP/2 session";
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

	doh_session_close(&d->session);
	doh_target_close(&d->target);
	free(d);
}

static const struct proto_ops doh_ops = {
    .free = doh_free,
    .has_room = doh_has_room,
    .take = doh_take,
    .cancel = doh_cancel,
    .collect = doh_collect,
    .feed = doh_feed,
    .is_draining = doh_is_draining,
    .owed = doh_owed,
};

enum res
doh_new(struct proto **out, const struct tp_target *target, const struct proto_hooks *hooks, void *ctx)
{
	struct doh *d = calloc(1, sizeof *d);

	if (d == NULL)
		return RES_NOMEM;
	d->proto = (struct proto){&doh_ops, hooks, ctx};
	if (doh_session_open(&d->session) != RES_OK || doh_target_open(&d->target, target) != RES_OK) {
		doh_free(&d->proto);
		return RES_NOMEM;
	}
	*out = &d->proto;
	return RES_OK;
}
