/*
 * path_check.h - config/named_paths.h for the daemon: with its portal helper, and as its user.
 */
#ifndef RESOLVER_DAEMON_PATH_CHECK_H
#define RESOLVER_DAEMON_PATH_CHECK_H

#include "config/settings.h"

/* With the rights of this process. */
void path_check(const struct settings *, struct config_errors *warnings);
/* As root, for `ctstubd -t`: finds which of all named files the daemon's user may not read, because a reload reads
 * them as that user. A child process becomes the user and checks. Does nothing if this process is not root, or the
 * user does not exist. */
void path_check_as_user(const struct settings *, struct config_errors *warnings);

#endif
