/*
 * service.h - the service manager, where there is one: sockets handed in, readiness, the watchdog.
 *
 * Without a manager the functions do nothing. The protocols are in notify.h.
 */
#ifndef RESOLVER_DAEMON_SERVICE_H
#define RESOLVER_DAEMON_SERVICE_H

#include "resolver/daemon/held.h"
#include "resolver/daemon/listener.h"

/* The sockets that were handed in, each an entry of its own, made ready for use. *fds is yours; 0 without
 * any. */
enum res service_sockets(struct listener_fds **fds, size_t *n, char **why);
/* Their addresses. Without any it is empty. */
void service_held(struct held_sockets *, const struct listener_fds *, size_t n);
/* systemd runs this machine. */
bool service_is_manager(void);
void service_ready(const char *status);
void service_reloading(void);
void service_stopping(void);
/* How often the manager expects a watchdog message; 0: never. */
int64_t service_watchdog_ms(void);
void service_alive(void);

#endif
