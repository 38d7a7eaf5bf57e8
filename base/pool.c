#include "base/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void
pool_init(struct pool *p, size_t size, unsigned max)
{
	assert(size >= sizeof(void *));
	*p = (struct pool){.size = size, .max = max};
}

void *
pool_take(struct pool *p)
{
	void *object = p->free;

	if (object == NULL)
		return malloc(p->size);
	memcpy(&p->free, object, sizeof p->free);
	p->kept--;
	return object;
}

void
pool_give(struct pool *p, void *object)
{
	if (p->kept >= p->max) {
		free(object);
		return;
	}
	memcpy(object, &p->free, sizeof p->free);
	p->free = object;
	p->kept++;
}

void
pool_clear(struct pool *p)
{
	while (p->kept > 0)
		free(pool_take(p));
}
