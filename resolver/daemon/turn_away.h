/*
 * turn_away.h - an answer for clients of a daemon that cannot start.
 *
 * The sockets that the service manager holds keep the questions that started the daemon. When its configuration is
 * broken, each gets SERVFAIL with an Extended DNS Error that says so, instead of silence until the client gives up.
 */
#ifndef RESOLVER_DAEMON_TURN_AWAY_H
#define RESOLVER_DAEMON_TURN_AWAY_H

#include "resolver/daemon/listener.h"

#include <stddef.h>

/* For how long. systemd starts the daemon again for each later question. With a second per start, the socket unit's
 * trigger limit (five starts in three seconds) is not reached, which would close the sockets on a waiting client. */
#define TURN_AWAY_MS 1000

/* Answers the questions that wait and those that arrive in that time; the sockets stay open. Before it reads
 * anything, the process becomes the user of the configuration, if that can be read, else nobody, and restricts its
 * system calls: afterwards it can only end. Without sockets it does nothing. On an error nothing was read; *why
 * (yours) says why. */
enum res turn_away(const struct listener_fds *, size_t n, const char *file, char **why);

#endif
