/*
 * portal_link.h - a worker's connection to ctstub-portal (base/dns/portal_message.h), for as long as a window for a captive
 * portal is open.
 *
 * It is made when the window opens and closed when it ends, which is the helper's sign as well. A connection that breaks is
 * made again by the next question, at most once in PORTAL_LINK_RETRY_MS; without one questions take their usual way.
 */
#ifndef RESOLVER_DAEMON_PORTAL_LINK_H
#define RESOLVER_DAEMON_PORTAL_LINK_H

#include "resolver/portal.h"

#define PORTAL_LINK_RETRY_MS 1000

struct portal_link {
	struct loop *loop;
	struct portal *portal; /* lent */
	char *path;            /* NULL: no window */
	int fd;                /* -1: not connected */
	struct loop_fd watch;
	struct loop_timer end;
	int64_t until_ms, retry_ms; /* boot clock */
	bool reported;              /* that the helper cannot be reached, once a window */
	int error;                  /* errno of the last attempt, also after the window; 0: it was reached */
};

void portal_link_init(struct portal_link *, struct loop *, struct portal *);
/* Opens the window, or moves its end. path: of the helper's socket, copied. until_ms: boot clock. */
void portal_link_open(struct portal_link *, const char *path, int64_t until_ms);
void portal_link_close(struct portal_link *); /* harmless without a window */
/* The machine is on another network: drops the questions in flight, which were meant for the previous network. */
void portal_link_reset(struct portal_link *);

#endif
