/*
 * watch_table.h - the tables behind a watch list: names by hash, and addresses by prefix.
 */
#ifndef CONTRIB_WATCH_WATCH_TABLE_H
#define CONTRIB_WATCH_WATCH_TABLE_H

#include "base/addr.h"
#include "contrib/watch/spelling.h"

typedef void watch_hit_fn(void *ctx, uint32_t item);

struct watch_name {
	char *text; /* owned, lower case */
	uint32_t n;
	uint32_t item;
	uint32_t hash;
	uint32_t sibling; /* index + 1 of another name with the same parent; 0: there is none */
	bool domain;      /* and all below */
};

#define WATCH_CHILDREN_MAX                                                                                   \
	64 /* names that one wildcard is told to cover: a certificate shows fewer (watch_list.h) */

/* The names themselves; slots by the hash of a name, and one for each parent of names, which wildcards are held against. */
struct watch_names {
	struct watch_name *name;
	size_t n, cap;
	uint32_t *slot; /* index + 1 into name; 0: free */
	uint32_t *parent_slot;
	size_t n_slots; /* a power of two, at least twice n */
};

/* name: lower case ASCII without dots at its ends. */
enum res watch_names_add(struct watch_names *, struct span name, bool domain, uint32_t item);
bool watch_names_find(const struct watch_names *, struct span name, bool domain, uint32_t *item);
/* Tells every item that the name meets: itself, the domains it lies in, and as a wildcard what it covers. False: the
 * whole table had to be looked through. */
bool watch_names_lookup(const struct watch_names *, struct span name, watch_hit_fn *, void *ctx);
/* Does a lookup of this name look through the whole table? */
bool watch_names_scans(struct span name);
void watch_names_clear(struct watch_names *);

struct watch_net {
	struct prefix net;
	uint32_t item;
};

/* Prefixes; slots by family, length and address. */
struct watch_nets {
	struct watch_net *net;
	size_t n, cap;
	uint32_t *slot; /* index + 1 into net; 0: free */
	size_t n_slots;
	bool has[2][129]; /* by family and length: is there one? */
};

enum res watch_nets_add(struct watch_nets *, const struct prefix *, uint32_t item);
bool watch_nets_find(const struct watch_nets *, const struct prefix *, uint32_t *item);
/* Tells every item that the address lies in, or where bits of it are open can lie in. A short form meets whole addresses
 * only: it can be some other number. False: the whole table had to be looked through. */
bool watch_nets_lookup(const struct watch_nets *, const struct spelled_address *, watch_hit_fn *, void *ctx);
/* Does a lookup of this address look through the whole table? */
bool watch_nets_scans(const struct spelled_address *);
void watch_nets_clear(struct watch_nets *);

#endif
