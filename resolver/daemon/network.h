/*
 * network.h - notices that the machine is on another network: an address has gone, the default route is another or
 * covered by those of a VPN, or its interface was taken down.
 *
 * Older connections are dead then, and the kernel would take minutes to report that.
 */
#ifndef RESOLVER_DAEMON_NETWORK_H
#define RESOLVER_DAEMON_NETWORK_H

#include "transport/loop.h"

#include <stddef.h>

#define NETWORK_SETTLE_MS  100 /* one change causes many messages */
#define NETWORK_ROUTES_MAX 32  /* default routes remembered, to tell a new one from a repeated message */

struct network;
/* RES_IO: the kernel offers no netlink. */
enum res network_new(struct network **, struct loop *, void (*on_change)(void *ctx), void *ctx);
void network_free(struct network *);

/* Reads messages from the kernel; true if they mean that the network has changed. Public for tests. */
bool network_read(struct network *, const void *messages, size_t n);

#endif
