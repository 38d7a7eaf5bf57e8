/*
 * held.h - the addresses on which the service manager listens for the daemon, and whether they are those of `listen`.
 *
 * With socket activation `listen` binds nothing, so a difference would go unnoticed: the daemon would answer where nobody
 * asks it, and be silent where clients ask.
 */
#ifndef RESOLVER_DAEMON_HELD_H
#define RESOLVER_DAEMON_HELD_H

#include "config/settings.h"

/* Twice as many as `listen` may have, so that errors can name surplus sockets. */
#define HELD_MAX (2 * CONFIG_LISTEN_MAX)

struct held {
	struct addr addr;
	bool udp, tcp;
};

/* Zeroed is empty: nothing is held, and `listen` binds. */
struct held_sockets {
	struct held v[HELD_MAX];
	size_t n;
	bool more;         /* than HELD_MAX: they differ from any `listen` */
	bool without_ipv6; /* this machine has no [::1], which `listen` may name all the same */
	char from[256];    /* what holds them, for errors: "ctstubd.socket" */
};

void held_add(struct held_sockets *, const struct addr *, bool udp);
/* Each address of `listen` is held over UDP and TCP, and no other is. False: errors name every address that differs and
 * how to mend it. Nothing held: true. */
bool held_matches(const struct held_sockets *, const struct settings *, struct config_errors *);

#endif
