/*
 * listener.h - the sockets that clients talk to: bound, or handed in, and prepared.
 *
 * Sockets are bound before privileges are dropped. What is done with them is in listener_udp.h and listener_tcp.h.
 */
#ifndef RESOLVER_DAEMON_LISTENER_H
#define RESOLVER_DAEMON_LISTENER_H

#include "base/addr.h"
#include "base/res.h"

/* The kernel's buffers of a TCP connection: replies that its client does not read stay there as well. */
#define TCP_KERNEL_WRITE 32768
#define TCP_KERNEL_READ  32768

/* Both sockets of one address, for one worker. */
struct listener_fds {
	struct addr addr;
	int udp, tcp; /* -1: none */
};

/* Is the client's source address impossible: port 0, or a foreign address at a loopback listener? */
bool listener_refuses(const struct addr *listener, const struct addr *client);

/* Binds both sockets. shared: several workers bind the same address. *why (yours) on failure: "127.0.0.1:53 udp: Address
 * already in use". RES_UNSUPPORTED: the address is ::1, and the machine has no IPv6. */
enum res listener_bind(struct listener_fds *, const struct addr *, bool shared, char **why);

/* Does this machine have [::1]? */
bool listener_has_ipv6(void);

/* Prepares a socket from the service manager as if it had been bound here. */
void listener_adopt(const struct listener_fds *);

#endif
