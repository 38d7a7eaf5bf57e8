/*
 * tls.h - one TLS client session: bytes in, bytes out. The transport's only interface to GnuTLS.
 *
 * It does no input or output of its own: the owner receives into tls_room, calls a step, and sends what
 * tls_out holds. TLS 1.2 and 1.3 only; no early data, no renegotiation, no compression, no resumption without
 * a key exchange in TLS 1.3, no TLS extension 18 (with SCTs in the handshake GnuTLS 3.7 ends TLS 1.3
 * connections). The name is sent as SNI; an address never is (RFC 6066, 3).
 *
 * What it does not know: sockets, time, policy. The peer is judged by its owner, through on_peer, exactly
 * once in a handshake: while it runs (the server sees an alert) or, when a session was resumed and GnuTLS
 * calls no verify function, at its end. TLS_DONE is never returned before on_peer returned true.
 *
 * What a server can make ctstub compute before its certificate is verified is bounded: one key share and, when it asks for another
 * group, a second one (P-521 at most; no finite fields); one signature with a key of a kind and size that spki.h
 * allows, over a Certificate message of TLS_HANDSHAKE_MAX at most. A chain whose first key is another is judged as
 * soon as it is read, and refused before GnuTLS looks at it. Compressed certificates (RFC 8879) are not offered.
 */
#ifndef TRANSPORT_TLS_H
#define TRANSPORT_TLS_H

#include "base/bytes.h"
#include "base/res.h"
#include "transport/ticket.h"
#include "verify/verdict.h"

#define TLS_IN_MAX     (16 * 1024 + 512) /* one record and its overhead (RFC 8446, 5.2) */
#define TLS_RECORD_MAX (16 * 1024)
#define TLS_OUT_MAX    (1024 * 1024) /* encrypted bytes that the socket did not take yet */
/* One handshake message. The chains of public resolvers have 2 to 5 KiB, a staple of OCSP 3 KiB at most. */
#define TLS_HANDSHAKE_MAX  (32 * 1024)
#define TLS_CHAIN_MAX      64           /* certificates that are handed to the judge, who refuses above 16 */
#define TLS_IDLE_BYTES_MAX (256 * 1024) /* received without any application data */
#define TLS_AFTER_MAX      64           /* tickets and key updates after the handshake of one connection */
#define TLS_FRESH_MAX      2            /* sessions that are kept until they are fetched */

struct tls;
struct tp_identity;

/* What the peer presented; lent for the duration of the call. */
struct tls_peer {
	struct span cert[TLS_CHAIN_MAX]; /* DER, as presented */
	size_t n_cert;
	size_t larger_than; /* the Certificate message has more bytes than this and was not read; 0: it was */
	struct span staple; /* of the handshake, or saved with the session; n is 0 without one */
	/* The handshake failed before a staple could be read: nobody knows whether there is one. Whatever on_peer returns, it
	 * ends. */
	bool staple_unread;
	bool resumed;
};

struct tls_want {
	const char *alpn;                                    /* "dot", "h2" */
	bool alpn_required;                                  /* a server that chooses none is refused */
	const char *name;                                    /* SNI; NULL or "": none */
	const struct tp_identity *identity;                  /* NULL: none */
	const struct ticket *ticket;                         /* NULL: a full handshake; lent for the call */
	bool (*on_peer)(void *ctx, const struct tls_peer *); /* false ends the handshake */
	void *ctx;
};

/* Why a step failed. The detail is constant or lives as long as the session. */
struct tls_trouble {
	enum reason reason; /* REASON_NONE: on_peer returned false, its owner knows why */
	const char *detail;
};

enum tls_status { TLS_GOES_ON, TLS_DONE, TLS_FAILED };

enum res tls_new(struct tls **, const struct tls_want *);
void tls_free(struct tls *);

/* Where received bytes go; *n is the room, 0 when nothing was consumed since. */
uint8_t *tls_room(struct tls *, size_t *n);
void tls_received(struct tls *, size_t n); /* 0: the peer closed */

enum tls_status tls_handshake(struct tls *, struct tls_trouble *);
/* TLS_DONE: *n application bytes (> 0) are in p. TLS_GOES_ON: all was read. TLS_FAILED: closed or broken. */
enum tls_status tls_read(struct tls *, uint8_t *p, size_t room, size_t *n, struct tls_trouble *);
/* Encrypts into the output, one record for each TLS_RECORD_MAX bytes. */
enum tls_status tls_write(struct tls *, struct span plain, struct tls_trouble *);
void tls_bye(struct tls *); /* close_notify into the output */

struct span tls_out(const struct tls *); /* to be sent; lent until the next call */
void tls_sent(struct tls *, size_t n);

/* The certificates in a Certificate message (RFC 8446, 4.4.2; RFC 5246, 7.4.2), as far as it can be read, and the staple
 * that TLS 1.3 has there; in TLS 1.2 another message follows with it. GnuTLS does not return a chain that it cannot parse,
 * but verification reports the reason. False: it is malformed. */
bool tls_peer_read(struct tls_peer *, struct span message, bool v13);
/* May anything be computed with the key of the peer's own certificate (spki.h)? GnuTLS checks the handshake's own
 * signature with it before on_peer can be called. */
bool tls_peer_computable(const struct tls_peer *);
/* The chain and staple of the finished handshake. */
void tls_peer(struct tls *, struct tls_peer *);
/* A session that arrived and may be resumed; NULL: no more. Yours. */
struct ticket *tls_ticket(struct tls *, int64_t now_ms);

bool tls_resumed(const struct tls *);
const char *tls_version(const struct tls *); /* "TLS1.3" */
const char *tls_cipher(const struct tls *);
const char *tls_group(const struct tls *); /* of the key exchange: "X25519"; "" when there was none */
const char *tls_alpn(const struct tls *);  /* "" when the peer chose none */

/* The priorities, once for the process (see transport.h). */
enum res tls_global_init(void);

#endif
