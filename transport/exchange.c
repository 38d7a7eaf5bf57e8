#include "transport/exchange.h"

#include <stdlib.h>
#include <string.h>

void
exchange_list_append(struct exchange_list *l, struct tp_exchange *x)
{
	x->next = NULL;
	x->prev = l->last;
	if (l->last != NULL)
		l->last->next = x;
	else
		l->first = x;
	l->last = x;
	l->n++;
}

void
exchange_list_prepend(struct exchange_list *l, struct tp_exchange *x)
{
	x->prev = NULL;
	x->next = l->first;
	if (l->first != NULL)
		l->first->prev = x;
	else
		l->last = x;
	l->first = x;
	l->n++;
}

void
exchange_list_remove(struct exchange_list *l, struct tp_exchange *x)
{
	if (x->prev != NULL)
		x->prev->next = x->next;
	else
		l->first = x->next;
	if (x->next != NULL)
		x->next->prev = x->prev;
	else
		l->last = x->prev;
	x->prev = x->next = NULL;
	l->n--;
}

struct tp_exchange *
exchange_take(struct exchange_pool *pool, struct span message)
{
	struct tp_exchange *x = pool->free;
	size_t cap = message.n + PADDING_ROOM;

	if (x != NULL) {
		pool->free = x->next;
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
	x->next = pool->free;
	pool->free = x;
	pool->n++;
}

void
exchange_pool_free(struct exchange_pool *pool)
{
	struct tp_exchange *x;

	while ((x = pool->free) != NULL) {
		pool->free = x->next;
		free(x);
	}
	pool->n = 0;
}

struct span
exchange_bytes(struct tp_exchange *x, bool keepalive)
{
	return span_of(x->message, padding_apply(&x->padding, x->message, x->n, x->cap, keepalive));
}
