/*
 * listen_check.h - for `ctstubd -t`: does `listen` fit the sockets that the service manager holds for the daemon?
 */
#ifndef RESOLVER_DAEMON_LISTEN_CHECK_H
#define RESOLVER_DAEMON_LISTEN_CHECK_H

#include "config/settings.h"

/*
 * Compares with the sockets handed to this process. Without any, and for the configuration of the installed service,
 * with the unit ctstubd.socket that is installed and not masked: a difference is an error where systemd runs this
 * machine, else (a container, an image that is being built) a warning. RES_MALFORMED: errors say what differs.
 */
enum res listen_check(const struct settings *, bool of_service, struct config_errors *errors,
		      struct config_errors *warnings);

#endif
