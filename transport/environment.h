/*
 * environment.h - variables by which others could steer the libraries under us.
 */
#ifndef TRANSPORT_ENVIRONMENT_H
#define TRANSPORT_ENVIRONMENT_H

#include "base/res.h"

/* Removes SSLKEYLOGFILE (our keys would go to a file), GNUTLS_* and EVENT_* (what is offered, how it is
 * waited) from the environment and names each through on_scrubbed (may be NULL). Before any thread is
 * started. GnuTLS reads some when it is loaded, before main: who must be sure executes itself again when any
 * was named. */
enum res environment_scrub(void (*on_scrubbed)(const char *variable));

#endif
