/*
 * watch_list.h - the addresses and names that are watched for in logs, and whether an identifier is one of them.
 *
 * By default every upstream's addresses, also-address and name; a watch file adds addresses ("192.0.2.1"), prefixes
 * ("192.0.2.0/24", "2001:db8::/64"), names ("dns.example.com") and domains (".example.com": the name and all below it).
 * A list is built once and then only read. Looking up a name costs a hash a label, whatever the list's size.
 */
#ifndef CONTRIB_WATCH_WATCH_LIST_H
#define CONTRIB_WATCH_WATCH_LIST_H

#include "base/addr.h"
#include "config/watch_files.h"
#include "contrib/watch/identifiers.h"

/* An organisation's whole address plan in prefixes; more items do not make a match slower. */
#define WATCH_ITEMS_MAX  65536
#define WATCH_OWNERS_MAX 256 /* upstreams of a configuration */
#define WATCH_HITS_MAX   32  /* different items that are reported for one certificate */

/* The upstreams that an item comes from, as bits; none: it comes from a watch file. */
struct watch_owners {
	uint64_t bits[WATCH_OWNERS_MAX / 64];
};

struct watch_item {
	char *text; /* as configured: "1.1.1.1", ".example.com" */
	struct watch_owners owners;
};

struct watch_list;

enum res watch_list_new(struct watch_list **);
void watch_list_free(struct watch_list *);
/* owner: index of the upstream, -1: none. An item that is there already gets one more owner. RES_LIMIT: too many. */
enum res watch_list_add_address(struct watch_list *, const struct addr *, int owner);
/* A name, or with a dot before it a domain; in any case and script. RES_MALFORMED: it is neither. */
enum res watch_list_add_name(struct watch_list *, const char *name, int owner);
/* For watch_files.h; list: a struct watch_list. The item has no owner. */
enum res watch_list_add_item(void *list, const struct watched *);
size_t watch_list_count(const struct watch_list *);
const struct watch_item *watch_list_at(const struct watch_list *, size_t i); /* lent */

/* The items of the list that a certificate has. */
struct watch_hit {
	uint32_t item;
	const char *where; /* identifiers.h */
};
struct watch_match {
	struct watch_hit hit[WATCH_HITS_MAX];
	size_t n;
	bool more;       /* it has more items than these */
	char shown[256]; /* the identifier that matched first, escaped for display */
	struct cert_parts parts;
	const char *trouble; /* what could not be read; NULL: everything was. Constant */
};

/* Reads a certificate (is_tbs: a TBSCertificate) and looks up all its identifiers. True: it has items of the list, or
 * something in it cannot be read; then *out is filled, with spans over the certificate. */
bool watch_list_match(const struct watch_list *, struct watch_match *out, struct span certificate,
		      bool is_tbs);

#endif
