#include "tests/unit/transport/wire_ear.h"

#include <stdlib.h>
#include <string.h>

void
ear_drop(struct ear *ear, struct tp_query *q)
{
	query_list_remove(&ear->asked, q);
	query_give(&ear->pool, q);
}

static bool
ear_on_answer(void *ctx, struct tp_query *q, struct tp_answer *answer)
{
	struct ear *ear = ctx;
	struct heard *h = &ear->heard[ear->n_heard++ % EAR_MAX];

	h->query = q;
	h->failure = answer->failure;
	h->n = answer->message.n;
	if (h->n > 0)
		memcpy(h->message, answer->message.p, h->n < sizeof h->message ? h->n : sizeof h->message);
	h->age_s = answer->age_s;
	h->retry_after_s = answer->retry_after_s;
	h->http_status = answer->http_status;
	ear_drop(ear, q);
	return ear->n_heard != ear->stop_at;
}

static void
ear_on_unprocessed(void *ctx, struct tp_query *q)
{
	struct ear *ear = ctx;

	ear->unprocessed++;
	ear_drop(ear, q);
}

static void
ear_on_unexpected(void *ctx)
{
	struct ear *ear = ctx;

	ear->unexpected++;
}

static void
ear_on_keepalive(void *ctx, int64_t ms)
{
	struct ear *ear = ctx;

	ear->keepalive_ms = ms;
}

const struct wire_hooks ear_hooks = {ear_on_answer, ear_on_unprocessed, ear_on_unexpected, ear_on_keepalive};

void
ear_start(struct ear *ear)
{
	memset(ear, 0, sizeof *ear);
	ear->keepalive_ms = -1;
}

void
ear_free(struct ear *ear)
{
	while (ear->asked.first != NULL)
		ear_drop(ear, ear->asked.first);
	query_pool_free(&ear->pool);
}

struct tp_query *
ear_question(struct ear *ear, const char *label, uint16_t id, bool opt)
{
	struct buf b = buf_max(512);
	struct tp_query *q;

	buf_u16(&b, id);
	buf_put(&b, span_of("\1\0\0\1\0\0\0\0\0", 9));
	buf_u8(&b, opt);
	buf_u8(&b, (uint8_t)strlen(label));
	buf_text(&b, label);
	buf_put(&b, span_of("\0\0\1\0\1", 5));
	if (opt)
		buf_put(&b, span_of("\0\0\51\4\320\0\0\0\0\0\0", 11));
	q = query_take(&ear->pool, buf_span(&b));
	buf_free(&b);
	if (q == NULL)
		abort();
	query_list_append(&ear->asked, q);
	return q;
}
