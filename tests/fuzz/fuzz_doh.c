/*
 * fuzz_doh.c - bytes of a DoH server, in any pieces, while questions are asked and cancelled: every question gets
 * at most one result, and memory and output stay within their limits.
 */
#include "tests/unit/transport/proto_recorder.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define ASKED_MAX 8
#define OUT_MAX   (128 * 1024)

static struct proto_recorder recorder;

static enum reason
flush(struct proto *w)
{
	struct buf b = buf_max(OUT_MAX);
	const char *detail = NULL;
	enum reason reason = w->ops->collect(w, &b, &detail);

	check(reason == REASON_NONE || detail != NULL);
	buf_free(&b);
	return reason;
}

static void
heard_check(unsigned asked)
{
	bool reported[ASKED_MAX] = {false};

	check(recorder.n_heard + recorder.unprocessed <= asked);
	for (unsigned i = 0; i < recorder.n_heard; i++) {
		const struct heard *h = &recorder.heard[i];
		unsigned id = h->failure == REASON_NONE ? be16_read(h->message) : ASKED_MAX;

		check(h->failure != REASON_NONE || (h->n >= 12 && id < asked && !reported[id]));
		if (id < ASKED_MAX)
			reported[id] = true;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct tp_target target = {.protocol = TP_DOH, .name = "dns.test", .path = "/dns-query"};
	struct cursor in = cursor_over(span_of(data, n));
	uint8_t shape = cursor_u8(&in); /* how many questions, how large the pieces, which method */
	struct buf none = buf_max(64);
	const char *detail = NULL;
	unsigned asked = 0;
	struct proto *w;
	enum reason reason = REASON_NONE;

	recorder_start(&recorder);
	target.method = shape & 1 ? TP_GET : TP_POST;
	check(doh_new(&w, &target, &recorder_hooks, &recorder) == RES_OK);
	for (; asked < (shape >> 1 & 7U); asked++)
		check(w->ops->take(w, recorder_question(&recorder, "fuzz", (uint16_t)asked, true), &none) == RES_OK);
	reason = flush(w);
	while (reason == REASON_NONE && cursor_left(&in) > 0) {
		size_t piece = (shape >> 4) == 0 ? cursor_left(&in) : (size_t)(shape >> 4) * 7;
		struct span s = cursor_take(&in, piece < cursor_left(&in) ? piece : cursor_left(&in));
		uint8_t *copy = malloc(s.n);

		check(copy != NULL);
		memcpy(copy, s.p, s.n);
		reason = w->ops->feed(w, copy, s.n, &detail);
		check(reason == REASON_NONE || detail != NULL);
		free(copy);
		if (reason == REASON_NONE)
			reason = flush(w);
		if (recorder.asked.n > 0 && s.n % 5 == 0) {
			struct tp_exchange *q = exchange_list_first(&recorder.asked);

			w->ops->cancel(w, q);
			recorder_drop(&recorder, q);
		}
	}
	heard_check(asked);
	w->ops->free(w);
	recorder_free(&recorder);
	return 0;
}
