/*
 * listen_check.h - for `ctstubd -t`: does `listen` fit the sockets that the service manager holds for the daemon?
 */
#ifndef RESOLVER_DAEMON_LISTEN_CHECK_H
#define RESOLVER_DAEMON_LISTEN_CHECK_H

#include "config/settings.h"

/*
 * Compares `listen` with the sockets handed to this process. If there are none, and this is the configuration of the
 * installed service, compares with the unit ctstubd.socket, if it is installed and not masked. A difference is an error
 * if systemd runs this machine, else (a container, an image that is being built) a warning. RES_MALFORMED: errors say
 * what differs.
 */
enum res listen_check(const struct settings *, bool of_service, struct config_errors *errors,
		      struct config_errors *warnings);

#endif
