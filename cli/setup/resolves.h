/*
 * resolves.h - do names resolve? Asked of an address directly, and of this machine as its programs ask.
 */
#ifndef CLI_SETUP_RESOLVES_H
#define CLI_SETUP_RESOLVES_H

#include "base/addr.h"

/* NOERROR with an answer for the name's A records, within RESOLVES_WAIT_MS. */
#define RESOLVES_WAIT_MS 6000 /* the daemon answers, if only SERVFAIL, within 4 s */
bool resolves_at(const struct addr *server, const char *name);
/* Through nsswitch.conf and /etc/resolv.conf: getent(1). */
bool resolves_here(const char *name);

#endif
