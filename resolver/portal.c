#include "resolver/portal.h"

#include "base/dns/compose.h"
#include "config/portal_names.h"
#include "resolver/explain.h"
#include "resolver/here.h"
#include "resolver/routes.h"
#include "resolver/waiter.h"

#include <stdlib.h>
#include <string.h>

/* Releases of clang-format differ about braces in a macro. */
/* clang-format off */
#define EDE_TEXT(text) {(const uint8_t *)(text), sizeof(text) - 1}
/* clang-format on */

#define LOG_BURST  60 /* lines about questions in LOG_PER_MS: as many as the helper sends (serve.h) */
#define LOG_PER_MS 10000

static const struct msg_ede ede_answered = {EDE_OTHER, EDE_TEXT("portal window: the network's own resolver")};
static const struct msg_ede ede_failed = {EDE_NETWORK,
					  EDE_TEXT("portal window: no answer of the network's resolver")};

/* A question that the helper has. */
struct portal_question {
	struct portal *portal;
	LIST_ENTRY(portal_question) link;
	struct waiters waiters;
	struct loop_timer timer;
	uint32_t id;
	uint8_t name_n;
	uint8_t section[MSG_NAME_MAX + 4]; /* lower case */
};

struct portal {
	struct engine *engine;
	struct portal_helper helper;
	int64_t until_ms; /* 0: closed */
	uint32_t last_id;
	unsigned n;
	LIST_HEAD(, portal_question) questions;
	struct log_limit log;
};

/* ---- ends */

static void
question_end(struct portal_question *q)
{
	loop_timer_stop(&q->timer);
	waiters_drop(&q->waiters);
	LIST_REMOVE(q, link);
	q->portal->n--;
	free(q);
}

static void
question_fail(struct portal_question *q)
{
	const struct reply r = reply_empty(RCODE_SERVFAIL, &ede_failed, COUNTER_PORTAL_FAILED);

	waiters_reply(&q->waiters, &r);
	question_end(q);
}

static void
question_on_due(void *ctx)
{
	question_fail(ctx);
}

static struct msg_question
question_of(const struct portal_question *q)
{
	return msg_question_of(span_of(q->section, q->name_n), span_of(q->section, q->name_n + 4U),
			       q->waiters.type, CLASS_IN);
}

/* No longer than the window. */
static uint32_t
ttl_of(const struct portal *p, const struct portal_message *m)
{
	int64_t left_ms = p->until_ms - loop_now_ms(p->engine->loop);
	int64_t left_s = left_ms > 0 ? left_ms / 1000 : 0;

	return left_s < m->ttl ? (uint32_t)left_s : m->ttl;
}

static void
question_answer(struct portal_question *q, const struct portal_message *m)
{
	struct engine *e = q->portal->engine;
	const struct msg_question question = question_of(q);
	struct compose c;
	struct msg_answer answer;
	struct reply r;

	buf_clear(&e->scratch);
	c = compose_begin(&e->scratch, &question, RCODE_NOERROR);
	for (size_t i = 0; i < m->n; i++)
		compose_answer(&c, (struct span){NULL, 0}, m->type, ttl_of(q->portal, m),
			       span_of(m->ip[i], m->type == TYPE_A ? 4 : 16));
	if (!buf_ok(&e->scratch)) {
		question_fail(q);
		return;
	}
	e->scratch.p[2] &= (uint8_t)(0xff & ~(MSG_AA >> 8));
	if (!engine_answer_read(e, &answer, buf_span(&e->scratch))) {
		question_fail(q);
		return;
	}
	r = reply_whole(&answer, &ede_answered, COUNTER_PORTAL_ANSWERED);
	waiters_reply(&q->waiters, &r);
	question_end(q);
}

/* ---- the window */

enum res
portal_new(struct portal **out, struct engine *e)
{
	struct portal *p = calloc(1, sizeof *p);

	if (p == NULL)
		return RES_NOMEM;
	p->engine = e;
	*out = p;
	return RES_OK;
}

void
portal_free(struct portal *p)
{
	if (p == NULL)
		return;
	while (!LIST_EMPTY(&p->questions))
		question_end(LIST_FIRST(&p->questions));
	free(p);
}

void
portal_open(struct portal *p, const struct portal_helper *helper, int64_t until_ms)
{
	p->helper = *helper;
	p->until_ms = until_ms;
}

void
portal_helper_gone(struct portal *p)
{
	while (!LIST_EMPTY(&p->questions))
		question_fail(LIST_FIRST(&p->questions));
}

void
portal_close(struct portal *p)
{
	p->until_ms = 0;
	portal_helper_gone(p);
}

bool
portal_is_open(const struct portal *p)
{
	return loop_now_ms(p->engine->loop) < p->until_ms;
}

/* ---- questions */

static bool
portal_takes(const struct portal *p, const struct msg_question *q, const struct route *route)
{
	return portal_is_open(p) && q->class == CLASS_IN && (q->type == TYPE_A || q->type == TYPE_AAAA) &&
	       !route->forwarded &&
	       portal_names_have(p->engine->plan->snapshot->settings, span_of(q->name, q->name_n));
}

static struct portal_question *
portal_find(const struct portal *p, const struct msg_question *question)
{
	struct portal_question *q;

	LIST_FOREACH(q, &p->questions, link)
	if (q->waiters.type == question->type &&
	    span_equal(span_of(q->section, q->name_n), span_of(question->name, question->name_n)))
		return q;
	return NULL;
}

static void
portal_log(struct portal *p, const struct portal_message *m)
{
	struct buf name = buf_max(4 * MSG_NAME_MAX);
	uint32_t left_out = 0;
	char type[16];

	msg_name_text(&name, m->name);
	if (log_limit_ok(&p->log, LOG_BURST, LOG_PER_MS, &left_out))
		log_event(LOG_NOTICE, "portal-question", LOG_STR("name", buf_cstr(&name)),
			  LOG_STR("type", msg_type_text(m->type, type)), LOG_INT("left_out", left_out));
	buf_free(&name);
}

/* NULL: the helper cannot have it. */
static struct portal_question *
portal_send(struct portal *p, const struct msg_question *question)
{
	const struct portal_message m = {.kind = PORTAL_ASK,
					 .id = ++p->last_id,
					 .type = question->type,
					 .name = span_of(question->name, question->name_n)};
	struct portal_question *q = p->n < PORTAL_QUESTIONS_MAX ? calloc(1, sizeof *q) : NULL;

	if (q == NULL || !p->helper.ask(p->helper.ctx, &m)) {
		free(q);
		return NULL;
	}
	q->portal = p;
	q->waiters = (struct waiters){.engine = p->engine, .type = question->type, .class = CLASS_IN};
	q->id = m.id;
	q->name_n = question->name_n;
	memcpy(q->section, question->name, question->name_n);
	be16_write(q->section + q->name_n, question->type);
	be16_write(q->section + q->name_n + 2, CLASS_IN);
	loop_timer_init(&q->timer, p->engine->loop, question_on_due, q);
	loop_timer_set(&q->timer, PORTAL_TIME_MS);
	LIST_INSERT_HEAD(&p->questions, q, link);
	p->n++;
	counter_add(p->engine->counters, COUNTER_PORTAL_QUESTIONS, 1);
	portal_log(p, &m);
	return q;
}

bool
portal_ask(struct portal *p, const struct msg_question *question, const struct route *route,
	   const struct client *client, struct buf *out, enum ask *done)
{
	const struct reply shed = reply_empty(RCODE_SERVFAIL, &reply_ede_overload, COUNTER_SHED);
	struct engine *e = p->engine;
	struct portal_question *q;

	if (!portal_takes(p, question, route))
		return false;
	q = portal_find(p, question);
	*done = ASK_WAITS;
	if (q != NULL && !client->tcp && waiters_have(&q->waiters, question, client)) {
		*done = ASK_DROPPED; /* the very datagram; its first copy is answered */
		return true;
	}
	if (q == NULL && (q = portal_send(p, question)) == NULL)
		return false;
	if (client_quota_take(e->quota, &client->addr)) {
		if (waiter_new(&q->waiters, question, client) != NULL)
			return true;
		client_quota_give(e->quota, &client->addr);
	}
	*done =
	    tap_reply_write(e->tap, out, &shed, question, client, e->counters) ? ASK_REPLIED : ASK_DROPPED;
	return true;
}

void
portal_reroute(struct portal *p)
{
	struct engine *e = p->engine;
	struct portal_question *q, *next;
	struct msg_question question;
	const struct route *route;
	struct msg_answer room;
	struct reply r;

	for (q = LIST_FIRST(&p->questions); q != NULL; q = next) {
		next = LIST_NEXT(q, link);
		question = question_of(q);
		route = routes_find(e->plan->routes, span_of(question.name, question.name_n));
		if (here_reply(e, &question, route, &room, &r)) {
			waiters_reply(&q->waiters, &r);
			question_end(q);
		} else if (!portal_takes(p, &question, route)) {
			question_fail(q);
		}
	}
}

void
portal_answer(struct portal *p, const struct portal_message *m)
{
	struct portal_question *q;

	LIST_FOREACH(q, &p->questions, link)
	if (q->id == m->id && q->waiters.type == m->type)
		break;
	if (q == NULL)
		return;
	switch (m->outcome) {
	case PORTAL_ADDRESSES:
	case PORTAL_NOTHING:
		question_answer(q, m);
		return;
	case PORTAL_FAILED:
		question_fail(q);
		return;
	}
}
