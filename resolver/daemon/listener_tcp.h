/*
 * listener_tcp.h - DNS over TCP for clients: one listening socket of one worker. It accepts connections and hands them to
 * the worker's tcp_room (tcp_conn.h).
 */
#ifndef RESOLVER_DAEMON_LISTENER_TCP_H
#define RESOLVER_DAEMON_LISTENER_TCP_H

#include "resolver/daemon/tcp_conn.h"

#define TCP_ACCEPT_MAX 64   /* connections accepted a turn of the loop */
#define TCP_PAUSE_MS   1000 /* no descriptors left: accepting rests (libevent would spin) */

struct listener_tcp;
/* The descriptor is taken on RES_OK; it is bound to the address. */
enum res listener_tcp_new(struct listener_tcp **, struct tcp_room *, int fd, const struct addr *);
void listener_tcp_stop(struct listener_tcp *);
void listener_tcp_free(struct listener_tcp *); /* closes the descriptor */

#endif
