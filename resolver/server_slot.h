/*
 * server_slot.h - the shared connection of a server: made when it is first used, and what its events mean for the
 * server.
 */
#ifndef RESOLVER_SERVER_SLOT_H
#define RESOLVER_SERVER_SLOT_H

#include "resolver/upstream_set.h"

/* The slot of a server, made when it is first used; NULL: no memory. Notes that the server was chosen. */
struct tp_slot *server_slot(struct server *);
void server_connect(struct server *); /* without a question */

/* An event of a connection other than the shared one. Its failure says nothing about a server whose shared
 * connection is up, but a verdict does. */
void server_on_other_event(struct server *, struct tp_slot *, struct tp_event *);

#endif
