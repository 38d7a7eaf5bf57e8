/*
 * dial.h - begins a TCP connection to an address, and translates errors of its socket.
 */
#ifndef TRANSPORT_DIAL_H
#define TRANSPORT_DIAL_H

#include "base/addr.h"
#include "verify/verdict.h"

#define DIAL_USER_TIMEOUT_MS 5000 /* TCP_USER_TIMEOUT: the kernel's own limit, longer than ours */

/* Starts to connect a socket that never blocks and is not inherited. 0: *fd becomes ready to write when the attempt
 * is over. Else an errno; *fd is the socket to close, or -1. No TCP Fast Open: a laptop that roams meets networks
 * that drop its packets. */
int dial(const struct addr *, int *fd);
/* The reason for an errno of connect, send or receive. */
enum reason dial_reason(int error);

#endif
