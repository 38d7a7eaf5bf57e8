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

void
budget_init(struct budget *b, size_t max)
{
	b->max = max;
	b->used = 0;
	for (unsigned class = 0; class <= BUDGET_CLASSES; class ++)
		TAILQ_INIT(&b->class[class]);
}

void
budget_set(struct budget *b, struct budget_item *i, size_t bytes)
{
	unsigned class = class_of(bytes);

	b->used += bytes - i->bytes;
	i->bytes = bytes;
	if (class == i->class)
		return;
	if (i->class != 0)
		TAILQ_REMOVE(&b->class[i->class], i, link);
	if (class != 0)
		TAILQ_INSERT_TAIL(&b->class[class], i, link);
	i->class = class;
}

struct budget_item *
budget_victim(const struct budget *b)
{
	if (b->used <= b->max)
		return NULL;
	for (unsigned class = BUDGET_CLASSES; class > 0; class --)
		if (!TAILQ_EMPTY(&b->class[class]))
			return TAILQ_FIRST(&b->class[class]);
	return NULL;
}
