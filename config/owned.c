#include "config/owned.h"

#include <stdlib.h>
#include <string.h>

struct owned {
	struct owned *next;
	char *key; /* NULL: none */
	void *thing;
	void (*drop)(void *);
};

void *
owned_add(struct owned **list, const char *key, void *thing, void (*drop)(void *))
{
	struct owned *o = thing != NULL ? calloc(1, sizeof *o) : NULL;

	if (o != NULL && key != NULL && (o->key = strdup(key)) == NULL) {
		free(o);
		o = NULL;
	}
	if (o == NULL) {
		if (thing != NULL)
			drop(thing);
		return NULL;
	}
	o->thing = thing;
	o->drop = drop;
	o->next = *list;
	*list = o;
	return thing;
}

void *
owned_find(const struct owned *list, const char *key, void (*drop)(void *))
{
	for (const struct owned *o = list; o != NULL; o = o->next)
		if (o->drop == drop && o->key != NULL && strcmp(o->key, key) == 0)
			return o->thing;
	return NULL;
}

bool
owned_append_text(struct owned **list, const char ***array, size_t *n, const char *text)
{
	char *copy = owned_add(list, NULL, strdup(text), free);
	const char **longer =
	    copy == NULL ? NULL : owned_add(list, NULL, calloc(*n + 1, sizeof *longer), free);

	if (longer == NULL)
		return false;
	if (*n > 0)
		memcpy(longer, *array, *n * sizeof *longer);
	longer[(*n)++] = copy;
	*array = longer;
	return true;
}

void
owned_drop(struct owned *list)
{
	for (struct owned *o = list, *next; o != NULL; o = next) {
		next = o->next;
		o->drop(o->thing);
		free(o->key);
		free(o);
	}
}
