/*
 * nameset.h - many names in little memory, and the nearest one at or above a name.
 *
 * Names are stored one after the other in one block; a separate table has 4 bytes per slot. A million names of a
 * block list cost about 30 bytes each. Names are compared byte for byte, never by hash alone. Names are
 * lower-case wire forms with their root byte throughout.
 */
#ifndef BASE_DNS_NAMESET_H
#define BASE_DNS_NAMESET_H

#include "base/dns/message.h"

struct nameset;

enum res nameset_new(struct nameset **);
void nameset_free(struct nameset *);
/* A name that is there already keeps its value. RES_NOMEM, RES_LIMIT (4 GiB of names). */
enum res nameset_add(struct nameset *, struct span name, uint32_t value);
/* Adds the names above this one, except the root: they exist too, although they may have no data (RFC 4592, 2.2.2).
 * Value 0. */
enum res nameset_add_above(struct nameset *, struct span name);
/* No more additions: gives back what was kept for growth. */
void nameset_seal(struct nameset *);
size_t nameset_count(const struct nameset *);
size_t nameset_bytes(const struct nameset *);

/* value may be NULL. A NULL set is empty. */
bool nameset_find(const struct nameset *, struct span name, uint32_t *value);
/* The longest name of the set that is `name` or above it; gives its length in bytes, 0: none. */
size_t nameset_find_above(const struct nameset *, struct span name, uint32_t *value);

#endif
