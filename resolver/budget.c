#include "resolver/budget.h"

#define CLASS_SHIFT 1 /* class 1: one byte; each next one twice as much */

static unsigned
class_of(size_t bytes)
{
	unsigned class = 0;

	for (; bytes > 0 && class < BUDGET_CLASSES; bytes >>= CLASS_SHIFT)
		class ++;
	return class;
}

static void
ring_leave(struct budget *b, struct budget_item *i)
{
	if (i->class == 0)
		return;
	if (b->oldest[i->class] == i)
		b->oldest[i->class] = i->next != i ? i->next : NULL;
	i->next->prev = i->prev;
	i->prev->next = i->next;
	i->class = 0;
}

static void
ring_enter(struct budget *b, struct budget_item *i, unsigned class)
{
	struct budget_item **oldest = &b->oldest[class];

	i->class = class;
	if (class == 0)
		return;
	if (*oldest == NULL) {
		*oldest = i->next = i->prev = i;
		return;
	}
	i->next = *oldest;
	i->prev = (*oldest)->prev;
	i->prev->next = i;
	i->next->prev = i;
}

void
budget_set(struct budget *b, struct budget_item *i, size_t bytes)
{
	unsigned class = class_of(bytes);

	b->used += bytes - i->bytes;
	i->bytes = bytes;
	if (class == i->class)
		return;
	ring_leave(b, i);
	ring_enter(b, i, class);
}

struct budget_item *
budget_victim(const struct budget *b)
{
	if (b->used <= b->max)
		return NULL;
	for (unsigned class = BUDGET_CLASSES; class > 0; class --)
		if (b->oldest[class] != NULL)
			return b->oldest[class];
	return NULL;
}
