/*
 * ours.h - is it ctstubd that answers on an address? dnsmasq, unbound or another program may hold the port.
 */
#ifndef CLI_SETUP_OURS_H
#define CLI_SETUP_OURS_H

#include "config/settings.h"

#define OURS_WHY_MAX 512 /* a sentence with the path of a socket */

/* Asks the daemon over its control socket whether it listens there; the daemon does not run without its addresses.
 * False: why says why not. True also if this cannot be known: without a control socket in the configuration, or
 * without the right to use it. */
bool ours_holds(const struct settings *, const struct addr *, char why[OURS_WHY_MAX]);

#endif
