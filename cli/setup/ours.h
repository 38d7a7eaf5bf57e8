/*
 * ours.h - is it ctstubd that answers on an address? dnsmasq, unbound or another program may hold the port.
 */
#ifndef CLI_SETUP_OURS_H
#define CLI_SETUP_OURS_H

#include "config/settings.h"

#define OURS_WHY_MAX 512 /* a sentence with the path of a socket */

/* Asks the daemon over its control socket whether it listens there; it does not run without its addresses. False: why.
 * Without a control socket in the configuration, or without the right to use it, it cannot be known: true. */
bool ours_holds(const struct settings *, const struct addr *, char why[OURS_WHY_MAX]);

#endif
