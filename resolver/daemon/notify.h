/*
 * notify.h - the service manager's side of a start: what it handed in, and what it wants to learn.
 *
 * Three small protocols that systemd documents as stable, read and written here without its library: LISTEN_FDS
 * (sd_listen_fds(3)), WATCHDOG_USEC (sd_watchdog_enabled(3)) and NOTIFY_SOCKET (sd_notify(3)). Knows nothing of the daemon's
 * own state. The variables are those of this process; a manager that hands over to nobody sets none of them.
 */
#ifndef RESOLVER_DAEMON_NOTIFY_H
#define RESOLVER_DAEMON_NOTIFY_H

#include "base/bytes.h"
#include "base/res.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#define HANDED_FIRST 3    /* the first descriptor that is handed in (sd_listen_fds(3)) */
#define HANDED_MAX   1024 /* descriptors; `listen` has at most 64 addresses, each with two */
/* A manager that reads slowly delays the main thread, which answers no questions, for this long at most. */
#define NOTIFY_WAIT_MS 5000

/*
 * How many descriptors were handed to this process; the first is HANDED_FIRST. From now on they are closed on exec, and
 * the variables are removed, so that no later call and no child finds them. 0: there are none, or they are for another
 * process. RES_MALFORMED, RES_LIMIT: LISTEN_FDS is not a number, or more than HANDED_MAX; *n is 0.
 */
enum res notify_handed(size_t *n);

/* How often the manager expects a watchdog message, in microseconds. 0: never, or from another process. */
uint64_t notify_watchdog_us(void);

/* The address that NOTIFY_SOCKET gives: a path from the root, or after "@" a name in the abstract namespace. False: it is of
 * another kind (AF_VSOCK is for virtual machines), or too long. */
bool notify_address(struct sockaddr_un *to, socklen_t *n, const char *text);
/* Sends assignments, one per line. False: no manager listens, or it did not accept them within NOTIFY_WAIT_MS. */
bool notify_send(struct span assignments);

#endif
