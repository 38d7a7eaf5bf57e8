#include "resolver/waiter.h"

#include <string.h>

struct waiter *
waiter_new(struct waiters *ws, const struct msg_question *question, const struct client *client)
{
	struct waiter *w = pool_take(&ws->engine->waiter_pool);

	if (w == NULL)
		return NULL;
	w->waiters = ws;
	w->client = *client;
	w->id = question->id;
	w->flags = question->flags;
	w->edns = question->edns;
	w->edns.options = (struct span){NULL, 0};
	w->section_n = (uint16_t)question->section.n;
	memcpy(w->section, question->section.p, question->section.n);
	LIST_INSERT_HEAD(&ws->list, w, link);
	if (client->waiting != NULL)
		LIST_INSERT_HEAD(client->waiting, w, owner_link);
	return w;
}

/* Removes it from both lists; it no longer counts. */
static void
waiter_leave(struct waiter *w)
{
	LIST_REMOVE(w, link);
	if (w->client.waiting != NULL)
		LIST_REMOVE(w, owner_link);
	client_quota_give(w->waiters->engine->quota, &w->client.addr);
	admission_weigh(&w->waiters->admission, -1);
}

void
waiter_drop(struct waiter *w)
{
	struct engine *e = w->waiters->engine;

	waiter_leave(w);
	pool_give(&e->waiter_pool, w);
}

/* The same bytes: of an OPT record, those that its reply depends on. */
static bool
waiter_asked(const struct waiter *w, const struct msg_question *question)
{
	return w->id == question->id && w->flags == question->flags &&
	       w->edns.present == question->edns.present && w->edns.udp_size == question->edns.udp_size &&
	       span_equal(span_of(w->section, w->section_n), question->section);
}

bool
waiters_have(const struct waiters *ws, const struct msg_question *question, const struct client *client)
{
	const struct waiter *w = LIST_FIRST(&ws->list);

	for (unsigned i = 0; w != NULL && i < WAITER_REPEATED_MAX; w = LIST_NEXT(w, link), i++)
		if (waiter_asked(w, question) && !w->client.tcp &&
		    addr_equal(&w->client.addr, &client->addr) &&
		    addr_equal(&w->client.local, &client->local) && w->client.owner == client->owner)
			return true;
	return false;
}

unsigned
waiters_count(const struct waiters *ws)
{
	const struct waiter *w;
	unsigned n = 0;

	LIST_FOREACH(w, &ws->list, link)
	n++;
	return n;
}

/* The question as far as a reply needs it. */
static void
waiter_question(const struct waiter *w, struct msg_question *q)
{
	q->id = w->id;
	q->flags = w->flags;
	q->section = span_of(w->section, w->section_n);
	q->type = w->waiters->type;
	q->class = w->waiters->class;
	q->edns = w->edns;
}

/* The list is taken head by head: a reply that closes a connection may take others out of it. */
void
waiters_reply(struct waiters *ws, const struct reply *r)
{
	struct engine *e = ws->engine;
	struct msg_question question;
	struct waiter *w;

	while ((w = LIST_FIRST(&ws->list)) != NULL) {
		waiter_question(w, &question);
		waiter_leave(w);
		buf_clear(&e->reply);
		if (tap_reply_write(e->tap, &e->reply, r, &question, &w->client, e->counters) &&
		    buf_ok(&e->reply))
			w->client.on_reply(&w->client, buf_span(&e->reply));
		pool_give(&e->waiter_pool, w);
	}
}

void
waiters_drop(struct waiters *ws)
{
	while (!LIST_EMPTY(&ws->list))
		waiter_drop(LIST_FIRST(&ws->list));
}
