#include "transport/exchange.h"

#include <stdlib.h>
#include <string.h>

void
exchange_list_start(struct exchange_list *l)
{
	TAILQ_INIT(&l->all);
	l->n = 0;
}

struct tp_exchange *
exchange_list_first(const struct exchange_list *l)
{
	return TAILQ_FIRST(&l->all);
}

struct tp_exchange *
exchange_list_last(const struct exchange_list *l)
{
	return TAILQ_LAST(&l->all, exchange_queue);
}

void
exchange_list_append(struct exchange_list *l, struct tp_exchange *x)
{
	TAILQ_INSERT_TAIL(&l->all, x, beside);
	l->n++;
}

void
exchange_list_prepend(struct exchange_list *l, struct tp_exchange *x)
{
	TAILQ_INSERT_HEAD(&l->all, x, beside);
	l->n++;
}

void
exchange_list_remove(struct exchange_list *l, struct tp_exchange *x)
{
	TAILQ_REMOVE(&l->all, x, beside);
	l->n--;
}

struct tp_exchange *
exchange_take(struct exchange_pool *pool, struct span message)
{
	struct tp_exchange *x = SLIST_FIRST(&pool->free);
	size_t cap = message.n + PADDING_ROOM;

	if (x != NULL) {
		SLIST_REMOVE_HEAD(&pool->free, free);
		pool->n--;
	} else {
		x = malloc(sizeof *x);
		if (x == NULL)
			return NULL;
	}
	memset(x, 0, offsetof(struct tp_exchange, room));
	x->message = x->room;
	x->cap = sizeof x->room;
	if (cap > x->cap) {
		x->message = malloc(cap);
		if (x->message == NULL) {
			x->message = x->room;
			exchange_give(pool, x);
			return NULL;
		}
		x->cap = cap;
	}
	memcpy(x->message, message.p, message.n);
	x->n = message.n;
	x->id = be16_read(message.p);
	x->padding = padding_find(message);
	return x;
}

void
exchange_give(struct exchange_pool *pool, struct tp_exchange *x)
{
	if (x->message != x->room)
		free(x->message);
	x->message = NULL;
	x->place = EXCHANGE_FREE;
	if (pool->n >= EXCHANGE_POOL_MAX) {
		free(x);
		return;
	}
	SLIST_INSERT_HEAD(&pool->free, x, free);
	pool->n++;
}

void
exchange_pool_free(struct exchange_pool *pool)
{
	struct tp_exchange *x;

	while ((x = SLIST_FIRST(&pool->free)) != NULL) {
		SLIST_REMOVE_HEAD(&pool->free, free);
		free(x);
	}
	pool->n = 0;
}

struct span
exchange_bytes(struct tp_exchange *x, bool keepalive)
{
	return span_of(x->message, padding_apply(&x->padding, x->message, x->n, x->cap, keepalive));
}
