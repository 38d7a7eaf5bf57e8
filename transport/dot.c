/*
 * DNS over TLS (RFC 7858): messages after a two-byte length, in any order.
 *
 * Ids are random. An id is not used again until its answer came, not even if its question was cancelled: otherwise a late
 * answer could be taken for that of another question (RFC 7766, 6.2.1; dnsdist CVE-2026-33596).
 */
#include "transport/proto.h"

#include "base/random.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_SIZE   12
#define BUCKETS       1024
#define STRANGERS_MAX 16           /* answers that match no question; then the peer is broken or hostile */
#define OWED_MAX      16384        /* cancelled and unanswered; then a new connection has more free ids */
#define OUT_HIGH      (128 * 1024) /* not written yet; more questions wait in their slot */

struct dot {
	struct proto proto;
	LIST_HEAD(, tp_exchange) bucket[BUCKETS]; /* by wire_id */
	uint64_t busy[65536 / 64];                /* ids whose answer did not come yet */
	uint32_t in_flight, owed;
	unsigned strangers;
	bool keepalive_asked;
	bool keepalive_waits; /* the answer to keepalive_id brings the idle timeout */
	uint16_t keepalive_id;
	struct buf rest; /* the beginning of a message whose end did not come yet */
};

static struct dot *
dot_of(struct proto *w)
{
	return (struct dot *)w;
}

static bool
dot_id_is_busy(const struct dot *d, uint16_t id)
{
	return d->busy[id / 64] >> id % 64 & 1;
}

static struct tp_exchange *
dot_find(const struct dot *d, uint16_t id)
{
	struct tp_exchange *x;

	LIST_FOREACH(x, &d->bucket[id % BUCKETS], same_bucket)
	if (x->wire_id == id)
		return x;
	return NULL;
}

static bool
dot_has_room(const struct proto *w)
{
	const struct dot *d = (const struct dot *)w;

	return d->in_flight < TP_INFLIGHT_MAX && d->owed < OWED_MAX;
}

static enum res
dot_take(struct proto *w, struct tp_exchange *x, struct buf *out)
{
	struct dot *d = dot_of(w);
	bool keepalive = !d->keepalive_asked && x->padding.rdlen_at != 0;
	struct span message;
	uint8_t *p;
	uint16_t id;

	if (!dot_has_room(w) || out->n > OUT_HIGH)
		return RES_LIMIT;
	do { /* at most a third of the ids is busy */
		id = (uint16_t)random_u32();
	} while (dot_id_is_busy(d, id));
	message = exchange_bytes(x, keepalive);
	p = buf_room(out, 2 + message.n);
	if (p == NULL)
		return RES_NOMEM;
	be16_write(p, (uint16_t)message.n);
	memcpy(p + 2, message.p, message.n);
	be16_write(p + 2, id);
	buf_added(out, 2 + message.n);

	x->wire_id = id;
	LIST_INSERT_HEAD(&d->bucket[id % BUCKETS], x, same_bucket);
	d->busy[id / 64] |= UINT64_C(1) << id % 64;
	d->in_flight++;
	if (keepalive) {
		d->keepalive_asked = d->keepalive_waits = true;
		d->keepalive_id = id;
	}
	return RES_OK;
}

static void
dot_cancel(struct proto *w, struct tp_exchange *x)
{
	struct dot *d = dot_of(w);

	LIST_REMOVE(x, same_bucket);
	d->in_flight--;
	d->owed++;
}

static enum reason
dot_collect(struct proto *w, struct buf *out, const char **detail)
{
	(void)w;
	(void)out;
	(void)detail;
	return REASON_NONE;
}

/* One message. False: the connection is gone. */
static bool
dot_deliver(struct dot *d, uint8_t *p, size_t n, enum reason *bad)
{
	uint16_t id = be16_read(p);
	struct tp_exchange *x = dot_find(d, id);
	struct tp_answer answer = {.message = span_of(p, n)};

	if (x == NULL) {
		d->proto.hooks->on_unexpected(d->proto.ctx);
		if (dot_id_is_busy(d, id)) { /* cancelled */
			d->owed--;
			d->busy[id / 64] &= ~(UINT64_C(1) << id % 64);
		} else if (++d->strangers >= STRANGERS_MAX) {
			*bad = REASON_ANSWER_MISMATCH;
		}
		return true;
	}
	LIST_REMOVE(x, same_bucket);
	d->busy[id / 64] &= ~(UINT64_C(1) << id % 64);
	d->in_flight--;
	if (d->keepalive_waits && id == d->keepalive_id) {
		int64_t ms = padding_keepalive_ms(answer.message);

		d->keepalive_waits = false;
		if (ms >= 0)
			d->proto.hooks->on_keepalive(d->proto.ctx, ms);
	}
	be16_write(p, x->id);
	return d->proto.hooks->on_answer(d->proto.ctx, x, &answer);
}

/* Delivers every whole message and returns how many bytes they were; SIZE_MAX: the connection is gone. */
static size_t
dot_deliver_all(struct dot *d, uint8_t *p, size_t n, enum reason *bad)
{
	size_t done = 0;

	while (*bad == REASON_NONE && n - done >= 2) {
		size_t size = be16_read(p + done);

		if (size < HEADER_SIZE) {
			*bad = REASON_ANSWER_MALFORMED;
			break;
		}
		if (n - done - 2 < size)
			break;
		if (!dot_deliver(d, p + done + 2, size, bad))
			return SIZE_MAX;
		done += 2 + size;
	}
	return done;
}

static enum reason
dot_feed(struct proto *w, uint8_t *p, size_t n, const char **detail)
{
	struct dot *d = dot_of(w);
	enum reason bad = REASON_NONE;
	size_t done;

	/* A message in pieces is put together, no more than that; the rest is delivered from where it lies.
	 */
	while (d->rest.n > 0 && n > 0) {
		size_t want = d->rest.n < 2 ? 2 : 2 + (size_t)be16_read(d->rest.p);
		size_t piece = want - d->rest.n < n ? want - d->rest.n : n;

		buf_put(&d->rest, span_of(p, piece));
		if (!buf_ok(&d->rest))
			return REASON_OUT_OF_MEMORY;
		p += piece;
		n -= piece;
		if (d->rest.n < want)
			return REASON_NONE;
		done = dot_deliver_all(d, d->rest.p, d->rest.n, &bad);
		if (done == SIZE_MAX)
			return REASON_NONE;
		if (bad != REASON_NONE)
			goto bad;
		if (done > 0) {
			if (d->rest.cap > 4096)
				buf_free(&d->rest);
			else
				buf_clear(&d->rest);
		}
	}
	done = dot_deliver_all(d, p, n, &bad);
	if (done == SIZE_MAX)
		return REASON_NONE;
	if (bad != REASON_NONE)
		goto bad;
	buf_put(&d->rest, span_of(p + done, n - done));
	return buf_ok(&d->rest) ? REASON_NONE : REASON_OUT_OF_MEMORY;

bad:
	*detail = bad == REASON_ANSWER_MALFORMED ? "a message shorter than its header"
						 : "answers that match no query";
	return bad;
}

static bool
dot_is_draining(const struct proto *w)
{
	return ((const struct dot *)w)->owed >= OWED_MAX;
}

static uint32_t
dot_owed(const struct proto *w)
{
	return ((const struct dot *)w)->owed;
}

static void
dot_free(struct proto *w)
{
	struct dot *d = dot_of(w);

	buf_free(&d->rest);
	free(d);
}

static const struct proto_ops dot_ops = {
    .free = dot_free,
    .has_room = dot_has_room,
    .take = dot_take,
    .cancel = dot_cancel,
    .collect = dot_collect,
    .feed = dot_feed,
    .is_draining = dot_is_draining,
    .owed = dot_owed,
};

enum res
dot_new(struct proto **out, const struct proto_hooks *hooks, void *ctx)
{
	struct dot *d = calloc(1, sizeof *d);

	if (d == NULL)
		return RES_NOMEM;
	d->proto = (struct proto){&dot_ops, hooks, ctx};
	d->rest = buf_max(2 + TP_MESSAGE_MAX);
	*out = &d->proto;
	return RES_OK;
}
