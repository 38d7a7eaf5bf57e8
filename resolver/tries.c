#include "resolver/tries.h"

void
tries_add(struct tries *t, uint32_t id)
{
	if (t->n == TRIES_MAX || tries_have(t, id))
		return;
	t->id[t->n] = id;
	t->spent[t->n++] = false;
}

void
tries_spend(struct tries *t, uint32_t id)
{
	for (unsigned i = 0; i < t->n; i++)
		if (t->id[i] == id)
			t->spent[i] = true;
}

void
tries_forget_unspent(struct tries *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->n; i++)
		if (t->spent[i]) {
			t->id[n] = t->id[i];
			t->spent[n++] = true;
		}
	t->n = n;
}

bool
tries_have(const struct tries *t, uint32_t id)
{
	for (unsigned i = 0; i < t->n; i++)
		if (t->id[i] == id)
			return true;
	return false;
}

bool
tries_have_spent(const struct tries *t, uint32_t id)
{
	for (unsigned i = 0; i < t->n; i++)
		if (t->id[i] == id)
			return t->spent[i];
	return false;
}
