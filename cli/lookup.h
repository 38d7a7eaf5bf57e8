/*
 * lookup.h - the addresses of one name, asked of the configured upstreams without the daemon.
 *
 * For `ctstub ct-logs update` alone, and only for the names of its sources: while the list of CT logs is so old that the
 * daemon refuses every upstream, the name of the server of a newer one could not be resolved either. Here everything holds
 * that the policies of the targets ask for (ct_window.h).
 */
#ifndef CLI_LOOKUP_H
#define CLI_LOOKUP_H

#include "base/bytes.h"
#include "transport/transport.h"

#define LOOKUP_ADDRESSES_MAX 8    /* of one name that are used */
#define LOOKUP_MS            4000 /* for each address of an upstream */

/* Asks the targets in order, until one returns an address. Appends the addresses as text, separated by commas.
 * RES_NOT_FOUND: none returned one. RES_NOMEM. */
enum res lookup_host(struct buf *out, const char *host, const struct tp_target *, size_t n);

#endif
