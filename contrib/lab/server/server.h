/*
 * server.h - a DoT or DoH server that presents a site's chain and misbehaves as its faults say.
 *
 * One event per line goes to the log (connect, handshake, refused, question, answer, close), and everything
 * is counted; a test reads the counts and knows whether an application byte arrived.
 */
#ifndef CONTRIB_LAB_SERVER_SERVER_H
#define CONTRIB_LAB_SERVER_SERVER_H

#include "base/addr.h"
#include "base/bytes.h"
#include "contrib/lab/server/fault.h"
#include "contrib/lab/scenarios/site.h"

#include <event2/event.h>

enum server_protocol { SERVER_DOT, SERVER_DOH };

struct server_counts {
	uint64_t connections;
	uint64_t handshakes; /* finished, resumed ones too */
	uint64_t resumed;
	uint64_t refused;   /* the client ended the handshake with an alert, or left in it */
	uint64_t bad_names; /* ended by GnuTLS: an IPv6 address as server name (RFC 6066, 3) */
	uint64_t bytes;     /* of application data received */
	uint64_t questions;
	uint64_t answers;
};

struct server;

/* Listens at once. RES_IO: errno says why. Site and base are lent. Yours: server_free. */
enum res server_new(struct server **out, struct event_base *, const struct addr *listen, enum server_protocol,
		    const struct site *, const struct faults *);
void server_free(struct server *);

/* The port it got when it was asked for port 0. */
uint16_t server_port(const struct server *);
const struct server_counts *server_counts(const struct server *); /* lent */
/* Shows another site from the next connection on. keep_tickets: takes back what the last one gave out. */
enum res server_switch(struct server *, const struct site *, const struct faults *, bool keep_tickets);
/* Closes all connections, politely. */
void server_drop_connections(struct server *);
/* Called after anything was counted. May be NULL. */
void server_on_count(struct server *, void (*on_count)(void *ctx), void *ctx);

#endif
