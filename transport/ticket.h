/*
 * ticket.h - saved TLS sessions of one upstream address.
 *
 * A ticket is a cached verdict: when a session is resumed with it, the stored chain is verified again before anything is
 * sent. Each ticket is used once (RFC 8446, C.4: with a reused ticket, observers can link connections). The bytes are
 * secret and are wiped when they are dropped.
 */
#ifndef TRANSPORT_TICKET_H
#define TRANSPORT_TICKET_H

#include "base/bytes.h"
#include "base/res.h"

#define TICKETS_MAX      4                           /* servers send one or two a connection */
#define TICKET_BYTES_MAX (128 * 1024)                /* session data hold the peer's chain */
#define TICKET_LIFE_MS   (24 * 3600 * INT64_C(1000)) /* a day; RFC 8446, 4.6.1 allows seven */

struct ticket {
	struct span session; /* the TLS library's session data */
	struct span staple;  /* the OCSP response of the full handshake: resumed ones bring none */
	int64_t saved_ms;    /* boot clock; its keeper sets it */
};

/* Copies. */
enum res ticket_new(struct ticket **, struct span session, struct span staple);
void ticket_free(struct ticket *);

struct tickets {
	struct ticket *ticket[TICKETS_MAX]; /* oldest first */
	size_t n;
};

void tickets_put(struct tickets *, struct ticket *); /* taken; the oldest makes room */
struct ticket *tickets_take(struct tickets *,
			    int64_t now_ms); /* the newest, yours; NULL without one that still lives */
void tickets_clear(struct tickets *);

#endif
