/*
 * lookup.h - the addresses of one name, asked of the configured upstreams without the daemon.
 *
 * For `ctstub ct-logs update` alone, and only for the names of its sources: while the list of CT logs is so old that the
 * daemon refuses every upstream, the name of the server of a newer one could not be resolved either. Here everything holds
 * that holds in the daemon, but for the age of the list (the snapshot says so).
 */
#ifndef CLI_LOOKUP_H
#define CLI_LOOKUP_H

#include "config/snapshot.h"

#define LOOKUP_ADDRESSES_MAX 8    /* of one name that are used */
#define LOOKUP_MS            4000 /* for each address of an upstream */

/* Appends the addresses as text, with commas between them. RES_NOT_FOUND: no upstream gave one. RES_NOMEM. */
enum res lookup_host(struct buf *out, const char *host, const struct snapshot *);

#endif
