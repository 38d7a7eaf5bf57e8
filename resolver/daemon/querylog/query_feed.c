#include "resolver/daemon/querylog/query_feed.h"

#include "base/clock.h"
#include "resolver/daemon/helper.h"
#include "resolver/daemon/querylog/query_event.h"
#include "resolver/server.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_MIN_MS 10 /* while the writer is behind; doubles */
#define RETRY_MAX_MS 1000

struct query_feed {
	struct query_channel *channel;
	struct loop *loop;
	struct counters *counters;
	struct tap tap;
	struct buf pending; /* whole events */
	size_t sent;        /* bytes of them at the front */
	struct loop_defer flush;
	struct loop_timer retry;
	int64_t retry_ms;
	struct buf question; /* a client's question without its EDNS options */
};

/* ---- to the writer */

static void
feed_forget_sent(struct query_feed *f)
{
	buf_drop(&f->pending, f->sent);
	f->sent = 0;
}

static bool
writer_is_gone(const struct query_feed *f)
{
	return atomic_load_explicit(&f->channel->gone, memory_order_relaxed);
}

/* Whole events of at most so many bytes, but one in any case, if one is there. */
static struct span
feed_next(const struct query_feed *f, size_t max)
{
	struct span rest = span_of(f->pending.p + f->sent, f->pending.n - f->sent);

	return span_of(rest.p, query_event_fit(rest, max));
}

/* Gives the number of events that waited. */
static uint64_t
feed_drop(struct query_feed *f)
{
	uint64_t events = 0;

	for (size_t n; (n = feed_next(f, 1).n) > 0; events++)
		f->sent += n;
	f->sent = f->pending.n;
	return events;
}

static void
feed_flush(struct query_feed *f)
{
	if (writer_is_gone(f)) /* no retry may wake an idle daemon for nothing */
		counter_add(f->counters, COUNTER_QUERY_LOG_DROPPED, feed_drop(f));
	while (f->sent < f->pending.n) {
		struct span batch = feed_next(f, QUERY_FEED_BATCH);

		if (!helper_send(f->channel->socket, batch)) {
			f->retry_ms = f->retry_ms == 0                 ? RETRY_MIN_MS
				      : f->retry_ms < RETRY_MAX_MS / 2 ? 2 * f->retry_ms
								       : RETRY_MAX_MS;
			loop_timer_set(&f->retry, f->retry_ms);
			return;
		}
		f->sent += batch.n;
	}
	f->retry_ms = 0;
	buf_clear(&f->pending);
	f->sent = 0;
}

static void
feed_end(struct query_feed *f)
{
	struct span batch;

	while (f->sent < f->pending.n && !writer_is_gone(f)) {
		batch = feed_next(f, QUERY_FEED_BATCH);
		if (!helper_ending_send(&f->channel->ending, batch))
			break;
		f->sent += batch.n;
	}
	f->channel->lost += feed_drop(f);
}

static void
feed_on_turn(void *ctx)
{
	struct query_feed *f = ctx;

	if (!loop_timer_is_set(&f->retry))
		feed_flush(f);
}

static void
feed_on_retry(void *ctx)
{
	feed_flush(ctx);
}

static void
feed_put(struct query_feed *f, const struct query_event *event)
{
	if (f->sent >= QUERY_FEED_MAX / 2)
		feed_forget_sent(f);
	if (writer_is_gone(f) || !query_event_write(&f->pending, event)) {
		counter_add(f->counters, COUNTER_QUERY_LOG_DROPPED, 1);
		return;
	}
	if (event->kind == QUERY_EVENT_REPLIED)
		counter_add(f->counters, COUNTER_QUERY_LOGGED, 1);
	loop_defer(&f->flush, f->loop, feed_on_turn, f);
}

/* ---- who asked */

static void
addr_cut(struct addr *a, unsigned bits)
{
	memset(a->ip + bits / 8, 0, sizeof a->ip - bits / 8); /* QUERY_PREFIX_...: whole bytes */
	a->port = 0;
}

static void
event_client(const struct query_feed *f, struct query_event *e, const struct client *client)
{
	enum query_clients shown =
	    (enum query_clients)atomic_load_explicit(&f->channel->clients, memory_order_relaxed);

	e->protocol = client->tcp ? QUERY_TCP : QUERY_UDP;
	switch (shown) {
	case QUERY_CLIENTS_FULL:
		e->client = client->addr;
		return;
	case QUERY_CLIENTS_PREFIX:
		e->client = client->addr;
		e->client_bits = client->addr.family == ADDR_V4 ? QUERY_PREFIX_V4 : QUERY_PREFIX_V6;
		addr_cut(&e->client, e->client_bits);
		return;
	case QUERY_CLIENTS_NONE:
		return;
	}
}

static bool
shows_whole_clients(const struct query_feed *f)
{
	return atomic_load_explicit(&f->channel->clients, memory_order_relaxed) == QUERY_CLIENTS_FULL;
}

/* EDNS options can tell who asks (RFC 7871, RFC 7873): without whole addresses they are left out, and the id, too. */
static struct span
question_reduced(struct query_feed *f, struct span wire)
{
	struct msg_question q;

	buf_clear(&f->question);
	if (msg_question_read(&q, wire) == MSG_DROP || q.section.n == 0)
		return (struct span){NULL, 0};
	msg_question_write(&f->question, &q);
	return buf_span(&f->question);
}

/* ---- the tap */

static void
feed_on_question(void *ctx, const struct client *client, struct span wire)
{
	struct query_feed *f = ctx;
	struct query_event e = {.kind = QUERY_EVENT_ASKED, .at_us = clock_wall_us()};

	event_client(f, &e, client);
	e.message = shows_whole_clients(f) ? wire : question_reduced(f, wire);
	feed_put(f, &e);
}

static void
event_server(struct query_event *e, const struct server *s)
{
	e->server = s->target->addr;
	e->upstream = span_str(s->target->upstream);
}

static void
feed_on_reply(void *ctx, const struct tap_reply *r)
{
	struct query_feed *f = ctx;
	struct query_event e = {.kind = QUERY_EVENT_REPLIED,
				.source = r->source,
				.rcode = r->rcode,
				.at_us = clock_wall_us(),
				.took_us = clock_mono_us() - r->client->asked_us,
				.query_bytes = r->client->question_n,
				.reply_bytes = (uint32_t)r->wire.n,
				.section = r->question->section};

	event_client(f, &e, r->client);
	if (r->server != NULL)
		event_server(&e, r->server);
	if (f->channel->messages) /* a dnstap reader gets what is about an upstream from the message to it */
		e.server.family = ADDR_NONE;
	if (r->ede != NULL) {
		e.has_ede = true;
		e.ede = r->ede->code;
		e.reason = r->ede->text;
	}
	if (f->channel->messages)
		e.message = r->wire;
	feed_put(f, &e);
}

static void
event_upstream(struct query_event *e, const struct server *s, struct span wire)
{
	event_server(e, s);
	e->protocol = s->target->protocol == TP_DOT ? QUERY_DOT : QUERY_DOH;
	e->message = wire;
	e->at_us = clock_wall_us();
}

static void
feed_on_sent(void *ctx, const struct server *s, struct span wire)
{
	struct query_event e = {.kind = QUERY_EVENT_SENT};

	event_upstream(&e, s, wire);
	feed_put(ctx, &e);
}

static void
feed_on_received(void *ctx, const struct server *s, int64_t sent_us, struct span wire)
{
	struct query_event e = {.kind = QUERY_EVENT_RECEIVED, .took_us = clock_mono_us() - sent_us};

	event_upstream(&e, s, wire);
	feed_put(ctx, &e);
}

/* ---- life */

struct query_feed *
query_feed_new(struct query_channel *channel, struct loop *loop, struct counters *counters)
{
	struct query_feed *f = calloc(1, sizeof *f);

	if (f == NULL)
		return NULL;
	f->channel = channel;
	f->loop = loop;
	f->counters = counters;
	f->pending = buf_max(QUERY_FEED_MAX);
	f->question = buf_max(MSG_MAX);
	f->tap = (struct tap){.on_reply = feed_on_reply, .ctx = f};
	if (channel->messages) {
		f->tap.on_question = feed_on_question;
		f->tap.on_sent = feed_on_sent;
		f->tap.on_received = feed_on_received;
	}
	loop_timer_init(&f->retry, loop, feed_on_retry, f);
	return f;
}

void
query_feed_free(struct query_feed *f)
{
	if (f == NULL)
		return;
	loop_defer_stop(&f->flush);
	loop_timer_stop(&f->retry);
	feed_end(f);
	buf_free(&f->pending);
	buf_free(&f->question);
	free(f);
}

const struct tap *
query_feed_tap(const struct query_feed *f)
{
	return &f->tap;
}
