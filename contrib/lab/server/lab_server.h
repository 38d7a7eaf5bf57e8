/*
 * lab_server.h - a DoT or DoH server that presents a site's chain and misbehaves as configured by its
 * faults.
 *
 * One event per line goes to the log (connect, handshake, refused, question, answer, close), and everything
 * is counted; a test reads the counts and knows whether an application byte arrived.
 */
#ifndef CONTRIB_LAB_SERVER_LAB_SERVER_H
#define CONTRIB_LAB_SERVER_LAB_SERVER_H

#include "base/addr.h"
#include "base/bytes.h"
#include "contrib/lab/server/lab_counts.h"
#include "contrib/lab/server/lab_fault.h"
#include "contrib/lab/scenarios/site.h"

#include <event2/event.h>

enum lab_server_protocol { SERVER_DOT, SERVER_DOH };

struct lab_server;

/* The base that servers need; yours (event_base_free). NULL: errno says why. */
struct event_base *lab_event_base_new(void);

/* Listens at once. RES_IO: errno says why. Site and base are lent. Yours: lab_server_free. */
enum res lab_server_new(struct lab_server **out, struct event_base *, const struct addr *listen,
			enum lab_server_protocol, const struct site *, const struct lab_faults *);
void lab_server_free(struct lab_server *);

/* The port it listens on, also when it was created with port 0. */
uint16_t lab_server_port(const struct lab_server *);
const struct lab_server_counts *lab_server_counts(const struct lab_server *); /* lent */
/* Presents another site from the next connection on. keep_tickets: accepts the tickets of the last one. */
enum res lab_server_switch(struct lab_server *, const struct site *, const struct lab_faults *,
			   bool keep_tickets);
/* Closes all connections, with close_notify. */
void lab_server_drop_connections(struct lab_server *);
/* Called after anything was counted. May be NULL. */
void lab_server_on_count(struct lab_server *, void (*on_count)(void *ctx), void *ctx);

#endif
