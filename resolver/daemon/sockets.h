/*
 * sockets.h - the sockets that each worker listens on, and how many connections the descriptors allow.
 */
#ifndef RESOLVER_DAEMON_SOCKETS_H
#define RESOLVER_DAEMON_SOCKETS_H

#include "config/settings.h"
#include "resolver/daemon/listener.h"

#define DESCRIPTORS_KEPT 256 /* for upstreams, files, the control socket */

/* The worker's sockets: those that were handed in (the first worker has them, the others share them), else its own.
 * If the machine has no IPv6 and there are other addresses, [::1] is left out, with a warning in the log. *out is
 * yours. */
enum res sockets_of_worker(const struct settings *, unsigned number, const struct listener_fds *given,
			   size_t n_given, struct listener_fds **out, size_t *n_out, char **why);
/* Do several of our sockets have one port? Those of several workers do, and 0.0.0.0 does with every other address. Without
 * SO_REUSEPORT the second could not be bound. */
bool sockets_share_ports(const struct settings *);
/* Checks that the addresses are free, before SO_REUSEPORT could hide another listener. */
enum res sockets_are_free(const struct settings *, char **why);
/* Raises the limit of descriptors to its maximum; returns how many client connections each worker may hold. */
uint32_t sockets_connections_max(unsigned workers);

#endif
