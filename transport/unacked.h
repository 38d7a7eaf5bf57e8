/*
 * unacked.h - whether the kernel still holds bytes of a TCP socket that the peer has not acknowledged.
 *
 * This is a separate file so that a test can link another version: on loopback the kernel acknowledges at once.
 */
#ifndef TRANSPORT_UNACKED_H
#define TRANSPORT_UNACKED_H

#include <stdbool.h>

bool unacked_bytes(int fd);

#endif
