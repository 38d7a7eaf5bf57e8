/*
 * network.h - notices that the machine is on another network: an address has gone, the default route is
 * another, or its interface was taken down.
 *
 * Connections made before lead nowhere then, and the kernel would take minutes to say so.
 */
#ifndef RESOLVER_DAEMON_NETWORK_H
#define RESOLVER_DAEMON_NETWORK_H

#include "transport/loop.h"

#include <stddef.h>

#define NETWORK_SETTLE_MS 100 /* a change comes as a shower of messages */
#define NETWORK_ROUTES_MAX                                                                                   \
	16 /* default routes that are remembered, to tell a new one from one that is only said again */

struct network;
/* RES_IO: the kernel does not tell (no netlink). */
enum res network_new(struct network **, struct loop *, void (*on_change)(void *ctx), void *ctx);
void network_free(struct network *);

/* The judgement alone: messages as they come from the kernel; true when they mean another network. */
bool network_read(struct network *, const void *messages, size_t n);

#endif
