/*
 * portal_reach.h - can the portal helper (ctstub-portal(8)) be reached when a window opens?
 *
 * Looks for its socket and connects to nothing: a connection would start the helper.
 */
#ifndef RESOLVER_DAEMON_PORTAL_REACH_H
#define RESOLVER_DAEMON_PORTAL_REACH_H

#include "config/settings.h"

/* NULL: there is a socket, or the configuration does not want the helper. Else why not: constant, or lent until the next
 * call. error: of the last attempt to connect (errno), 0 when it succeeded or none was made. */
const char *portal_reach_trouble(const struct settings *, int error);

#endif
