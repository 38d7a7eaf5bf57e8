/*
 * hosts_table.h - what a hosts file says: names to addresses, and addresses to names. The inside of hosts.h.
 *
 * Reading a file needs nothing but memory, so any thread may do it; a table does not change afterwards.
 */
#ifndef RESOLVER_HOSTS_TABLE_H
#define RESOLVER_HOSTS_TABLE_H

#include "base/addr.h"
#include "base/dns/message.h"
#include "base/dns/nameset.h"

#define HOSTS_FILE_MAX    (16 * 1024 * 1024)
#define HOSTS_ENTRIES_MAX 500000 /* address and name pairs, repeated ones included */
/* Names above those of the file: a file of half a million names of one domain each has fewer. Beyond the limit, names
 * above the remaining entries are not known to exist. */
#define HOSTS_ABOVE_MAX   1000000
#define HOSTS_ANSWERS_MAX 256 /* records of one answer */

/* One address of one name. */
struct hosts_pair {
	struct addr addr;
	uint32_t name; /* its number, in the order of first appearance */
};

/* The pairs of one name: together, in the order of the file. */
struct hosts_group {
	uint32_t first, n;
};

/* The result of reading the file once. */
struct hosts_table {
	struct nameset *names;   /* to the number of the name */
	struct nameset *reverse; /* in-addr.arpa and ip6.arpa names, to the official name of the address in
				    names_text */
	struct nameset *above;   /* names above all of them */
	struct buf names_text;   /* wire forms, each after its length */
	struct hosts_pair *pair; /* in the order of the file while it is read, then by name */
	size_t n, room;
	struct hosts_group *group; /* by the number of the name */
	size_t bad;                /* lines skipped */
};

/* RES_LIMIT: *out holds the entries up to the limit. */
enum res hosts_table_read(struct hosts_table **out, struct span text);
/* The same for a file; *why (yours, may stay NULL) says why it cannot be read. */
enum res hosts_table_load(struct hosts_table **out, const char *file, char **why);
void hosts_table_free(struct hosts_table *);

#endif
