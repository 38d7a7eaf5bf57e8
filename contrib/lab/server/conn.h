/*
 * conn.h - one client's connection to a server of the lab, and what its parts know of each other.
 *
 * server.c accepts; conn.c moves bytes through TLS; a protocol (dot.c, doh.c) finds questions in them and frames answers;
 * answer.c answers, on time or late, right or wrong. The protocols know a connection and no other protocol; a connection
 * knows its protocol only as a table of operations. A connection is freed in one place, conn_free, called by conn.c
 * and server.c only: the others ask for it with conn_close.
 */
#ifndef CONTRIB_LAB_SERVER_CONN_H
#define CONTRIB_LAB_SERVER_CONN_H

#include "contrib/lab/server/server.h"

#include <sys/queue.h>

#include <gnutls/gnutls.h>

#define CONN_IN_MAX  (256 * 1024) /* plaintext waiting to be understood: a few of the largest DNS messages */
#define CONN_OUT_MAX (64 * 1024 * 1024) /* floods are written at once */
#define CONN_MAX     20000              /* connections at a time */
#define PENDING_MAX  65536              /* answers that a connection holds back */

enum conn_state {
	CONN_HELLO, /* waits for the first bytes, to answer them without TLS */
	CONN_HANDSHAKE,
	CONN_OPEN,
	CONN_SILENT, /* neither reads nor writes until the client leaves */
};

enum conn_end { END_NONE, END_CLOSE, END_CUT, END_RESET }; /* with close_notify; without; with RST */

struct conn;

/* What a protocol does; all of it is called by conn.c and answer.c. */
struct lab_protocol {
	const char *alpn;
	enum res (*open)(struct conn *); /* after the handshake; NULL: nothing to do */
	void (*on_data)(struct conn *);  /* takes whole questions out of conn->in */
	void (*send)(struct conn *, int32_t stream, struct span message); /* frames one answer */
	void (*close)(struct conn *); /* frees conn->session; NULL: there is none */
	bool takes_unasked;           /* an answer that nobody asked for can be sent */
};
extern const struct lab_protocol lab_dot, lab_doh;

/* An answer that is not sent yet. */
struct pending {
	TAILQ_ENTRY(pending) link;
	struct conn *conn;
	struct event *timer; /* NULL: waits for company (reverse, swap) */
	int32_t stream;      /* DoH */
	struct buf message;
	struct buf query; /* its own question, for swap */
};
TAILQ_HEAD(pending_list, pending);

struct conn {
	TAILQ_ENTRY(conn) link;
	struct server *server;
	uint64_t id;
	int fd;
	struct addr peer;
	struct event *event; /* read or write, as the state wants */
	struct event *timer; /* idle-close, dribble, gathering */
	struct event *idle;
	gnutls_session_t tls;
	enum conn_state state;
	enum conn_end end; /* once everything is written */
	bool sending;      /* a record is half written: it must be sent again as it was */
	struct buf in, out;
	size_t pushed;            /* bytes of handshake written, for silent-hello */
	void *session;            /* the protocol's own */
	struct pending_list held; /* waiting for company or for their time */
	size_t n_held;
	uint64_t bytes, questions, answers;
};

TAILQ_HEAD(conn_list, conn);

struct server {
	struct event_base *base;
	const struct lab_protocol *protocol;
	struct addr listen;
	const struct site *site;
	struct faults faults;
	int fd;
	struct event *accept;
	int stuffing[4]; /* our own connections that fill a black hole's queue */
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t ticket_key;
	gnutls_pcert_st pcerts[SITE_CHAIN_MAX]; /* over the site's chain */
	gnutls_ocsp_data_st staple;
	struct conn_list conns;
	size_t n_conns;
	uint64_t last_id;
	struct server_counts counts;
	void (*on_count)(void *ctx);
	void *count_ctx;
};

bool conn_fault(const struct conn *, enum fault);
enum res conn_new(struct server *, int fd, const struct addr *peer);
void conn_free(struct conn *, const char *why); /* logs the close */

/* For the protocols and answer.c: bytes to send, and the end behind them. The connection lives until control
 * returns to conn.c. */
void conn_write(struct conn *, struct span);
void conn_close(struct conn *, enum conn_end);
/* Sends what was written outside of a call from conn.c (timers). The connection may be gone afterwards. */
void conn_push(struct conn *);

void conn_held_free(struct pending *);

/* answer.c: a question came; its answer leaves now, later, or never. stream: the protocol's, 0 without. */
void question_take(struct conn *, struct span query, int32_t stream);

#endif
