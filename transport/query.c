#include "transport/query.h"

#include <stdlib.h>
#include <string.h>

void
query_list_append(struct query_list *l, struct tp_query *q)
{
	q->next = NULL;
	q->prev = l->last;
	if (l->last != NULL)
		l->last->next = q;
	else
		l->first = q;
	l->last = q;
	l->n++;
}

void
query_list_prepend(struct query_list *l, struct tp_query *q)
{
	q->prev = NULL;
	q->next = l->first;
	if (l->first != NULL)
		l->first->prev = q;
	else
		l->last = q;
	l->first = q;
	l->n++;
}

void
query_list_remove(struct query_list *l, struct tp_query *q)
{
	if (q->prev != NULL)
		q->prev->next = q->next;
	else
		l->first = q->next;
	if (q->next != NULL)
		q->next->prev = q->prev;
	else
		l->last = q->prev;
	q->prev = q->next = NULL;
	l->n--;
}

struct tp_query *
query_take(struct query_pool *pool, struct span message)
{
	struct tp_query *q = pool->free;
	size_t cap = message.n + PADDING_ROOM;

	if (q != NULL) {
		pool->free = q->next;
		pool->n--;
	} else {
		q = malloc(sizeof *q);
		if (q == NULL)
			return NULL;
	}
	memset(q, 0, offsetof(struct tp_query, room));
	q->message = q->room;
	q->cap = sizeof q->room;
	if (cap > q->cap) {
		q->message = malloc(cap);
		if (q->message == NULL) {
			q->message = q->room;
			query_give(pool, q);
			return NULL;
		}
		q->cap = cap;
	}
	memcpy(q->message, message.p, message.n);
	q->n = message.n;
	q->id = be16_read(message.p);
	q->padding = padding_find(message);
	return q;
}

void
query_give(struct query_pool *pool, struct tp_query *q)
{
	if (q->message != q->room)
		free(q->message);
	q->message = NULL;
	q->place = QUERY_FREE;
	if (pool->n >= QUERY_POOL_MAX) {
		free(q);
		return;
	}
	q->next = pool->free;
	pool->free = q;
	pool->n++;
}

void
query_pool_free(struct query_pool *pool)
{
	struct tp_query *q;

	while ((q = pool->free) != NULL) {
		pool->free = q->next;
		free(q);
	}
	pool->n = 0;
}

struct span
query_wire(struct tp_query *q, bool keepalive)
{
	return span_of(q->message, padding_apply(&q->padding, q->message, q->n, q->cap, keepalive));
}
