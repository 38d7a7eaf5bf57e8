#include "tests/unit/transport/proto_recorder.h"

#include <stdlib.h>
#include <string.h>

void
recorder_drop(struct proto_recorder *recorder, struct tp_exchange *q)
{
	exchange_list_remove(&recorder->asked, q);
	exchange_give(&recorder->pool, q);
}

static bool
recorder_on_answer(void *ctx, struct tp_exchange *q, struct tp_answer *answer)
{
	struct proto_recorder *recorder = ctx;
	struct heard *h = &recorder->heard[recorder->n_heard++ % RECORDER_MAX];

	h->exchange = q;
	h->failure = answer->failure;
	h->n = answer->message.n;
	if (h->n > 0)
		memcpy(h->message, answer->message.p, h->n < sizeof h->message ? h->n : sizeof h->message);
	h->age_s = answer->age_s;
	h->retry_after_s = answer->retry_after_s;
	h->http_status = answer->http_status;
	recorder_drop(recorder, q);
	return recorder->n_heard != recorder->stop_at;
}

static bool
recorder_on_unprocessed(void *ctx, struct tp_exchange *q)
{
	struct proto_recorder *recorder = ctx;

	recorder->unprocessed++;
	recorder_drop(recorder, q);
	return true;
}

static void
recorder_on_unexpected(void *ctx)
{
	struct proto_recorder *recorder = ctx;

	recorder->unexpected++;
}

static void
recorder_on_keepalive(void *ctx, int64_t ms)
{
	struct proto_recorder *recorder = ctx;

	recorder->keepalive_ms = ms;
}

const struct proto_hooks recorder_hooks = {recorder_on_answer, recorder_on_unprocessed, recorder_on_unexpected, recorder_on_keepalive};

void
recorder_start(struct proto_recorder *recorder)
{
	memset(recorder, 0, sizeof *recorder);
	recorder->keepalive_ms = -1;
	exchange_list_start(&recorder->asked);
}

void
recorder_free(struct proto_recorder *recorder)
{
	while (recorder->asked.n > 0)
		recorder_drop(recorder, exchange_list_first(&recorder->asked));
	exchange_pool_free(&recorder->pool);
}

struct tp_exchange *
recorder_question(struct proto_recorder *recorder, const char *label, uint16_t id, bool opt)
{
	struct buf b = buf_max(512);
	struct tp_exchange *q;

	buf_u16(&b, id);
	buf_put(&b, span_of("\1\0\0\1\0\0\0\0\0", 9));
	buf_u8(&b, opt);
	buf_u8(&b, (uint8_t)strlen(label));
	buf_text(&b, label);
	buf_put(&b, span_of("\0\0\1\0\1", 5));
	if (opt)
		buf_put(&b, span_of("\0\0\51\4\320\0\0\0\0\0\0", 11));
	q = exchange_take(&recorder->pool, buf_span(&b));
	buf_free(&b);
	if (q == NULL)
		abort();
	exchange_list_append(&recorder->asked, q);
	return q;
}
