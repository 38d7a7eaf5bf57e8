#include "resolver/daemon/querylog/query_event.h"

#include <string.h>

#define SPANS 4

/* Before the bytes of its spans. */
struct header {
	uint32_t n; /* all of it */
	uint32_t length[SPANS];
	struct query_event event; /* without its spans */
};

bool
query_event_write(struct buf *out, const struct query_event *event)
{
	const struct span spans[SPANS] = {event->section, event->upstream, event->reason, event->message};
	size_t at = out->n;
	struct header h;

	memset(&h, 0, sizeof h); /* padding too: it crosses to another process */
	h.n = sizeof h;
	h.event = *event;
	h.event.section = h.event.upstream = h.event.reason = h.event.message = (struct span){NULL, 0};
	for (size_t i = 0; i < SPANS; i++) {
		h.length[i] = (uint32_t)spans[i].n;
		h.n += h.length[i];
	}
	buf_put(out, span_of(&h, sizeof h));
	for (size_t i = 0; i < SPANS; i++)
		buf_put(out, spans[i]);
	if (buf_ok(out))
		return true;
	out->n = at;
	out->bad = false;
	return false;
}

bool
query_event_take(struct span *batch, struct query_event *out)
{
	struct header h;
	struct span *spans[SPANS] = {&out->section, &out->upstream, &out->reason, &out->message};
	const uint8_t *p;
	size_t n = sizeof h;

	if (batch->n < sizeof h)
		return false;
	memcpy(&h, batch->p, sizeof h);
	for (size_t i = 0; i < SPANS; i++)
		n += h.length[i];
	if (n != h.n || n > batch->n)
		return false;
	*out = h.event;
	p = batch->p + sizeof h;
	for (size_t i = 0; i < SPANS; i++) {
		*spans[i] = span_of(p, h.length[i]);
		p += h.length[i];
	}
	*batch = span_of(batch->p + n, batch->n - n);
	return true;
}

size_t
query_event_fit(struct span batch, size_t max)
{
	size_t fit = 0;
	uint32_t n;

	while (batch.n - fit >= sizeof n) {
		memcpy(&n, batch.p + fit, sizeof n);
		if (n > batch.n - fit || (fit > 0 && fit + n > max))
			break;
		fit += n;
	}
	return fit;
}
