/*
 * fuzz_dot.c - a DoT stream in any pieces, with questions asked, cancelled and answered in between: every
 * question gets at most one result, with its own id, and a cancelled one gets none.
 */
#include "tests/unit/transport/proto_recorder.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define ASKED_MAX 16

static struct proto_recorder recorder;

struct run {
	struct proto *w;
	struct buf sent;
	struct tp_exchange *asked[ASKED_MAX];
	uint16_t wire_id[ASKED_MAX];
	unsigned n_asked, n_reported;
	enum reason reason;
};

static void
feed(struct run *r, const uint8_t *p, size_t n)
{
	const char *detail = NULL;
	uint8_t *copy = malloc(n > 0 ? n : 1);

	check(copy != NULL);
	if (n > 0)
		memcpy(copy, p, n);
	r->reason = r->w->ops->feed(r->w, copy, n, &detail);
	check(r->reason == REASON_NONE || detail != NULL);
	for (; r->n_reported < recorder.n_heard; r->n_reported++) {
		struct heard *h = &recorder.heard[r->n_reported % RECORDER_MAX];
		unsigned i = be16_read(h->message);

		/* The id of a question is its index here: it must still be waiting, and gets its only result. */
		check(h->failure == REASON_NONE && h->n >= 12 && i < r->n_asked && r->asked[i] == h->exchange);
		r->asked[i] = NULL;
	}
	free(copy);
}

static void
ask(struct run *r)
{
	struct tp_exchange *q;
	unsigned i = r->n_asked;

	if (i == ASKED_MAX)
		return;
	q = recorder_question(&recorder, "fuzz", (uint16_t)i, i % 2 == 0);
	check(r->w->ops->take(r->w, q, &r->sent) == RES_OK);
	r->asked[i] = q;
	r->wire_id[i] = q->wire_id;
	r->n_asked++;
	buf_clear(&r->sent);
}

static void
step(struct run *r, struct cursor *in)
{
	uint8_t op = cursor_u8(in), i = cursor_u8(in) % ASKED_MAX;
	uint8_t frame[2 + 12 + 255] = {0};
	struct span rest;

	switch (op % 4) {
	case 0:
		ask(r);
		break;
	case 1:
		if (r->asked[i] != NULL) {
			r->w->ops->cancel(r->w, r->asked[i]);
			recorder_drop(&recorder, r->asked[i]);
			r->asked[i] = NULL;
		}
		break;
	case 2: /* an answer to a question, waiting or not */
		rest = cursor_vec8(in);
		be16_write(frame, (uint16_t)(12 + rest.n));
		be16_write(frame + 2, r->wire_id[i]);
		memset(frame + 4, op, 10);
		if (rest.n > 0)
			memcpy(frame + 14, rest.p, rest.n);
		feed(r, frame, 14 + rest.n);
		break;
	case 3: /* anything */
		rest = cursor_vec8(in);
		feed(r, rest.p, rest.n);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cursor in = cursor_over(span_of(data, n));
	struct run r = {.sent = buf_max(4096)};
	uint8_t message[512 + PADDING_ROOM];
	struct padding padding;

	recorder_start(&recorder);
	check(dot_new(&r.w, &recorder_hooks, &recorder) == RES_OK);
	while (cursor_left(&in) > 0 && r.reason == REASON_NONE)
		step(&r, &in);
	r.w->ops->free(r.w);
	recorder_free(&recorder);
	buf_free(&r.sent);

	if (n >= 12 && n <= 512) { /* the same bytes as a question to pad, and as an answer to read */
		memcpy(message, data, n);
		padding = padding_find(span_of(data, n));
		n = padding_apply(&padding, message, n, sizeof message, true);
		check(padding.rdlen_at == 0 || padding.padded || n % PADDING_BLOCK == 0);
		check(padding.rdlen_at == 0 ||
		      padding_find(span_of(message, n)).rdlen_at == padding.rdlen_at);
		check(padding_keepalive_ms(span_of(message, n)) >= -1);
	}
	return 0;
}
