/*
 * tls_session.h - the inside of a TLS session, shared by the files that implement tls.h. They alone know GnuTLS.
 *
 * tls_session.c moves bytes, tls_handshake.c leads to a peer that was accepted, tls_trouble.c names failures,
 * tls_identity.c holds the client's own certificate, tls_peer.c reads a chain before GnuTLS does.
 */
#ifndef TRANSPORT_TLS_SESSION_H
#define TRANSPORT_TLS_SESSION_H

#include "transport/tls.h"

#include <gnutls/gnutls.h>

struct tp_identity {
	gnutls_certificate_credentials_t credentials;
};

struct tls {
	gnutls_session_t session;
	gnutls_certificate_credentials_t own; /* without an identity */
	struct tls_want want;                 /* its ticket is not used after tls_new */
	char *name;

	uint8_t in[TLS_IN_MAX];
	size_t in_from, in_to; /* received and not read yet */
	bool eof;
	struct buf out;
	size_t out_from; /* sent already */
	bool out_full;   /* the output met its limit */
	bool starved;    /* there was no memory for the output, or to judge */

	uint8_t first[3]; /* bytes that ever came: type and version of a record */
	size_t first_n;
	bool ready;       /* handshake done and peer accepted */
	bool judged;      /* on_peer was called */
	bool refused;     /* on_peer returned false */
	struct buf chain; /* the Certificate message as it came, until the handshake is done */
	struct buf staple;
	size_t idle_bytes; /* received since the last application data */
	unsigned after;    /* post-handshake messages */
	bool ticket_came;
	struct ticket *fresh[TLS_FRESH_MAX]; /* saved and not fetched yet */
	size_t n_fresh;
	uint16_t suite; /* of the ServerHello; 0: none came */
	const char *cipher;
	char version[16], alpn[16], group[24];
	char detail[80];
};

/* Credentials without a certificate; the peer is verified by us. */
enum res tls_credentials_new(gnutls_certificate_credentials_t *);
/* Keeps the negotiated version, cipher and protocol for reports about the connection, also when the peer is refused. */
void tls_describe(struct tls *);
/* GnuTLS calls it for every handshake message, before it reads the message itself. */
int tls_on_handshake_message(gnutls_session_t, unsigned type, unsigned when, unsigned incoming,
			     const gnutls_datum_t *message);

/* Sets *t; always TLS_FAILED. */
enum tls_status tls_trouble_set(struct tls_trouble *t, enum reason, const char *detail);
/* What an error of GnuTLS means. */
enum tls_status tls_trouble_of(struct tls *, int code, struct tls_trouble *);
/* A TLS server begins with a handshake record or an alert (RFC 8446, 5.1); anything else is another protocol. */
bool tls_first_is_tls(const struct tls *);

#endif
