#include "resolver/query.h"
#include "resolver/explain.h"

#include <stdlib.h>
#include <string.h>

struct waiter *
waiter_new(struct query *q, const struct msg_question *question, const struct client *client)
{
	struct engine *e = q->engine;
	struct waiter *w = e->spare_waiter;

	if (w != NULL) {
		e->spare_waiter = w->next;
		e->n_spare_waiter--;
	} else if ((w = malloc(sizeof *w)) == NULL) {
		return NULL;
	}
	w->query = q;
	w->client = *client;
	w->id = question->id;
	w->flags = question->flags;
	w->edns = question->edns;
	w->edns.options = (struct span){NULL, 0};
	w->section_n = (uint16_t)question->section.n;
	memcpy(w->section, question->section.p, question->section.n);
	w->next = q->waiters;
	w->prev = &q->waiters;
	if (w->next != NULL)
		w->next->prev = &w->next;
	q->waiters = w;
	w->owner_prev = NULL;
	if (client->waiting != NULL) {
		w->owner_next = *client->waiting;
		w->owner_prev = client->waiting;
		if (w->owner_next != NULL)
			w->owner_next->owner_prev = &w->owner_next;
		*client->waiting = w;
	}
	return w;
}

/* Out of both lists; it counts no more. */
static void
waiter_leave(struct engine *e, struct waiter *w)
{
	*w->prev = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
	if (w->owner_prev != NULL) {
		*w->owner_prev = w->owner_next;
		if (w->owner_next != NULL)
			w->owner_next->owner_prev = w->owner_prev;
	}
	client_quota_give(e->quota, &w->client.addr);
	admission_weigh(&w->query->admission, -1);
}

static void
waiter_free(struct engine *e, struct waiter *w)
{
	if (e->n_spare_waiter >= POOL_MAX) {
		free(w);
		return;
	}
	w->next = e->spare_waiter;
	e->spare_waiter = w;
	e->n_spare_waiter++;
}

void
waiter_drop(struct engine *e, struct waiter *w)
{
	waiter_leave(e, w);
	waiter_free(e, w);
}

bool
waiter_is_there(const struct query *q, const struct msg_question *question, const struct client *client)
{
	unsigned looked = 0;

	/* A client that repeats its datagram is among the last; the list is not searched to its end. */
	for (const struct waiter *w = q->waiters; w != NULL && looked < 16; w = w->next, looked++)
		if (w->id == question->id && !w->client.tcp && addr_equal(&w->client.addr, &client->addr) &&
		    addr_equal(&w->client.local, &client->local) && w->client.owner == client->owner)
			return true;
	return false;
}

struct msg_finish
finish_for(const struct msg_question *q, bool tcp)
{
	struct msg_finish f = {.question = q, .max = MSG_MAX};

	if (tcp) {
		f.keepalive = q->edns.keepalive;
		f.keepalive_ds = TCP_KEEPALIVE_DS;
		return f;
	}
	f.max = q->edns.present ? q->edns.udp_size : 512;
	if (f.max > MSG_UDP_PAYLOAD)
		f.max = MSG_UDP_PAYLOAD;
	if (f.max < 512)
		f.max = 512;
	return f;
}

/* The question as far as a reply needs it. */
static void
waiter_question(const struct waiter *w, struct msg_question *q)
{
	q->id = w->id;
	q->flags = w->flags;
	q->section = span_of(w->section, w->section_n);
	q->type = w->query->type;
	q->class = w->query->class;
	q->edns = w->edns;
}

/* The list is taken head by head: a reply that closes a connection may take others out of it. */
static void
waiters_reply(struct query *q, bool (*make)(struct engine *, struct msg_finish *, void *ctx), void *ctx)
{
	struct engine *e = q->engine;

	while (q->waiters != NULL) {
		struct waiter *w = q->waiters;
		struct msg_question question;
		struct msg_finish f;

		waiter_question(w, &question);
		f = finish_for(&question, w->client.tcp);
		waiter_leave(e, w);
		buf_clear(&e->reply);
		if (!make(e, &f, ctx)) {
			buf_clear(&e->reply);
			msg_reply_empty(&e->reply, &f, RCODE_SERVFAIL);
		}
		if (e->reply.n > 2 && e->reply.p[2] & MSG_TC >> 8)
			counter_add(e->counters, COUNTER_TRUNCATED, 1);
		counter_add(e->counters, COUNTER_REPLIES, 1);
		if (buf_ok(&e->reply))
			w->client.on_reply(&w->client, buf_span(&e->reply));
		waiter_free(e, w);
	}
}

struct reply_answer {
	const struct msg_answer *answer;
	uint32_t age_s, floor, cap;
	bool ad;
	const struct msg_ede *ede;
	size_t n_ede;
};

static bool
reply_make_answer(struct engine *e, struct msg_finish *f, void *ctx)
{
	const struct reply_answer *r = ctx;

	f->ad = r->ad && ((f->question->flags & MSG_AD) != 0 || f->question->edns.do_bit);
	f->ede = r->ede;
	f->n_ede = r->n_ede;
	return msg_reply_from_answer(&e->reply, f, r->answer, r->age_s, r->floor, r->cap) == RES_OK;
}

void
waiters_answer(struct query *q, const struct msg_answer *answer, uint32_t age_s, uint32_t ttl_floor,
	       uint32_t ttl_cap, bool ad, const struct msg_ede *ede, size_t n_ede)
{
	struct reply_answer r = {answer, age_s, ttl_floor, ttl_cap, ad, ede, n_ede};

	waiters_reply(q, reply_make_answer, &r);
}

struct reply_empty {
	uint16_t rcode;
	const struct msg_ede *ede;
	size_t n_ede;
};

static bool
reply_make_empty(struct engine *e, struct msg_finish *f, void *ctx)
{
	const struct reply_empty *r = ctx;

	f->ede = r->ede;
	f->n_ede = r->n_ede;
	return msg_reply_empty(&e->reply, f, r->rcode) == RES_OK;
}

void
waiters_empty(struct query *q, uint16_t rcode, const struct msg_ede *ede, size_t n_ede)
{
	struct reply_empty r = {rcode, ede, n_ede};

	waiters_reply(q, reply_make_empty, &r);
}

/* RFC 8914, 4.4 and 4.20 */
struct msg_ede
stale_ede(const struct cache_hit *hit)
{
	return (struct msg_ede){.code = hit->answer.rcode == RCODE_NXDOMAIN ? EDE_STALE_NXDOMAIN : EDE_STALE};
}

bool
waiters_stale(struct query *q)
{
	struct engine *e = q->engine;
	const struct cache_key key = {span_of(q->name, q->name_n), q->type, q->class, q->do_bit, q->cd};
	struct cache_hit hit;
	struct msg_ede ede;

	/* A refusal is not bad weather: what was true yesterday must not hide it. */
	if (upstreams_all_refused(e->upstreams, q->route) ||
	    cache_get(e->cache, &key, loop_now_ms(e->loop), &hit) != CACHE_STALE || hit.failure)
		return false;
	ede = stale_ede(&hit);
	for (const struct waiter *w = q->waiters; w != NULL; w = w->next)
		counter_add(e->counters, COUNTER_CACHE_STALE, 1);
	waiters_answer(q, &hit.answer, 0, QUERY_STALE_TTL_S, QUERY_STALE_TTL_S, hit.ad, &ede, 1);
	return true;
}
