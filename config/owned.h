/*
 * owned.h - inside config/: everything that a snapshot points to, in one list.
 *
 * So a failure half way and the normal end free a snapshot in the same way: the list is dropped, the latest item first.
 */
#ifndef CONFIG_OWNED_H
#define CONFIG_OWNED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

SLIST_HEAD(owned_list, owned); /* zeroed: empty */

/* Takes an object and returns it. NULL: the object is NULL, or there is no memory (then it is freed). With a key
 * (copied; NULL: none) owned_find finds it again. */
void *owned_add(struct owned_list *, const char *key, void *thing, void (*drop)(void *));
/* The object that was added with this key and this drop function; NULL: none. Lent. */
void *owned_find(const struct owned_list *, const char *key, void (*drop)(void *));
/* Appends a copy of a sentence to an array that the list owns. False: no memory. */
bool owned_append_text(struct owned_list *, const char ***array, size_t *n, const char *text);
void owned_drop(struct owned_list *);

#endif
