#include "transport/ticket.h"

#include <stdlib.h>
#include <string.h>

enum res
ticket_new(struct ticket **out, struct span session, struct span staple)
{
	struct ticket *t;
	uint8_t *bytes;

	if (session.n > TICKET_BYTES_MAX || staple.n > TICKET_BYTES_MAX)
		return RES_LIMIT;
	t = malloc(sizeof *t + session.n + staple.n);
	if (t == NULL)
		return RES_NOMEM;
	bytes = (uint8_t *)(t + 1);
	if (session.n > 0)
		memcpy(bytes, session.p, session.n);
	if (staple.n > 0)
		memcpy(bytes + session.n, staple.p, staple.n);
	*t = (struct ticket){span_of(bytes, session.n), span_of(bytes + session.n, staple.n), 0};
	*out = t;
	return RES_OK;
}

void
ticket_free(struct ticket *t)
{
	if (t == NULL)
		return;
	explicit_bzero(t, sizeof *t + t->session.n + t->staple.n);
	free(t);
}

void
tickets_put(struct tickets *all, struct ticket *t)
{
	if (all->n == TICKETS_MAX) {
		ticket_free(all->ticket[0]);
		memmove(all->ticket, all->ticket + 1, --all->n * sizeof *all->ticket);
	}
	all->ticket[all->n++] = t;
}

struct ticket *
tickets_take(struct tickets *all, int64_t now_ms)
{
	struct ticket *t;

	if (all->n == 0)
		return NULL;
	t = all->ticket[--all->n];
	if (now_ms - t->saved_ms < TICKET_LIFE_MS)
		return t;
	ticket_free(t);
	tickets_clear(all); /* the others are older */
	return NULL;
}

void
tickets_clear(struct tickets *all)
{
	while (all->n > 0)
		ticket_free(all->ticket[--all->n]);
}
