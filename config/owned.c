#include "config/owned.h"

#include <stdlib.h>
#include <string.h>

struct owned {
	SLIST_ENTRY(owned) link;
	char *key; /* NULL: none */
	void *thing;
	void (*drop)(void *);
};

void *
owned_add(struct owned_list *list, const char *key, void *thing, void (*drop)(void *))
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
	SLIST_INSERT_HEAD(list, o, link);
	return thing;
}

void *
owned_find(const struct owned_list *list, const char *key, void (*drop)(void *))
{
	const struct owned *o;

	SLIST_FOREACH(o, list, link)
	if (o->drop == drop && o->key != NULL && strcmp(o->key, key) == 0)
		return o->thing;
	return NULL;
}

bool
owned_append_text(struct owned_list *list, const char ***array, size_t *n, const char *text)
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
owned_drop(struct owned_list *list)
{
	struct owned *o;

	while ((o = SLIST_FIRST(list)) != NULL) {
		SLIST_REMOVE_HEAD(list, link);
		o->drop(o->thing);
		free(o->key);
		free(o);
	}
}
