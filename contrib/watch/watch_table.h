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

/* Names that are reported for one wildcard; a finding has fewer (watch_list.h). */
#define WATCH_CHILDREN_MAX 64

/* The names themselves; a slot for each by its hash, and one for each parent of names, for matching wildcards. */
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
/* Reports every item that matches the name: the name itself, the domains that it is in and, if it is a wildcard, the
 * names that it covers. False: the whole table had to be searched. */
bool watch_names_lookup(const struct watch_names *, struct span name, watch_hit_fn *, void *ctx);
/* Does a lookup of this name search the whole table? */
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
/* Reports every item that the address is in or, where some of its bits are unknown, may be in. A short form matches whole
 * addresses only, because it may be some other number. False: the whole table had to be searched. */
bool watch_nets_lookup(const struct watch_nets *, const struct spelled_address *, watch_hit_fn *, void *ctx);
/* Does a lookup of this address search the whole table? */
bool watch_nets_scans(const struct spelled_address *);
void watch_nets_clear(struct watch_nets *);

#endif
