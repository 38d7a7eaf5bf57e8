/*
 * lab_conn.h - one client's connection to a server of the lab, as its parts share it.
 *
 * lab_server.c accepts; lab_conn.c moves bytes through TLS; a protocol (lab_dot.c, lab_doh.c) finds
 * questions in them and frames answers; answer.c answers, on time or late, right or wrong. The protocols
 * know a connection and no other protocol; a connection knows its protocol only as a table of
 * operations. A connection is freed in one place, lab_conn_free, called by lab_conn.c and lab_server.c
 * only: the others ask for it with lab_conn_close.
 */
#ifndef CONTRIB_LAB_SERVER_LAB_CONN_H
#define CONTRIB_LAB_SERVER_LAB_CONN_H

#include "base/addr.h"
#include "base/bytes.h"
#include "contrib/lab/scenarios/site.h"
#include "contrib/lab/server/lab_counts.h"
#include "contrib/lab/server/lab_fault.h"

#include <sys/queue.h>

#include <event2/event.h>
#include <gnutls/gnutls.h>

#define CONN_IN_MAX  (256 * 1024)       /* unprocessed plaintext: a few of the largest DNS messages */
#define CONN_OUT_MAX (64 * 1024 * 1024) /* floods are written at once */
#define CONN_MAX     20000              /* connections at a time */
#define PENDING_MAX  65536              /* answers that a connection holds back */

enum lab_conn_state {
	CONN_HELLO, /* waits for the first bytes, to answer them without TLS */
	CONN_HANDSHAKE,
	CONN_OPEN,
	CONN_SILENT, /* neither reads nor writes until the client leaves */
};

enum lab_conn_end { END_NONE, END_CLOSE, END_CUT, END_RESET }; /* with close_notify; without; with RST */

struct lab_conn;

/* What a protocol does; all of it is called by lab_conn.c and answer.c. */
struct lab_protocol {
	const char *alpn;
	enum res (*open)(struct lab_conn *); /* after the handshake; NULL: nothing to do */
	void (*on_data)(struct lab_conn *);  /* takes whole questions out of conn->in */
	void (*send)(struct lab_conn *, int32_t stream, struct span message); /* frames one answer */
	void (*close)(struct lab_conn *); /* frees conn->session; NULL: there is none */
	bool takes_unasked;               /* an unsolicited answer can be sent */
};
extern const struct lab_protocol lab_dot, lab_doh;

/* An answer that is not sent yet. */
struct lab_pending {
	TAILQ_ENTRY(lab_pending) link;
	struct lab_conn *conn;
	struct event *timer; /* NULL: it is being collected (reverse, swap) */
	int32_t stream;      /* DoH */
	struct buf message;
	struct buf query; /* its own question, for swap */
};
TAILQ_HEAD(lab_pending_list, lab_pending);

struct lab_conn {
	TAILQ_ENTRY(lab_conn) link;
	struct lab_server *server;
	uint64_t id;
	int fd;
	struct addr peer;
	struct event *event; /* read or write, as the state wants */
	struct event *timer; /* idle-close, dribble, gathering */
	struct event *idle;
	gnutls_session_t tls;
	enum lab_conn_state state;
	enum lab_conn_end end; /* once everything is written */
	bool sending;          /* a record is partly written: the same bytes must be sent again */
	struct buf in, out;
	size_t pushed;                /* bytes of handshake written, for silent-hello */
	void *session;                /* the protocol's own */
	struct lab_pending_list held; /* being collected, or waiting for their time */
	size_t n_held;
	uint64_t bytes, questions, answers;
};

TAILQ_HEAD(lab_conn_list, lab_conn);

struct lab_server {
	struct event_base *base;
	const struct lab_protocol *protocol;
	struct addr listen;
	const struct site *site;
	struct lab_faults faults;
	int fd;
	struct event *accept;
	int stuffing[4]; /* our own connections that fill a black hole's queue */
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t ticket_key;
	gnutls_pcert_st pcerts[SITE_CHAIN_MAX]; /* over the site's chain */
	gnutls_ocsp_data_st staple;
	struct lab_conn_list conns;
	size_t n_conns;
	uint64_t last_id;
	struct lab_server_counts counts;
	void (*on_count)(void *ctx);
	void *count_ctx;
};

bool lab_conn_fault(const struct lab_conn *, enum fault);
enum res lab_conn_new(struct lab_server *, int fd, const struct addr *peer);
void lab_conn_free(struct lab_conn *, const char *why); /* logs the close */

/* For the protocols and answer.c: queue bytes to send, and how to end after them. The connection lives
 * until control returns to lab_conn.c. */
void lab_conn_write(struct lab_conn *, struct span);
void lab_conn_close(struct lab_conn *, enum lab_conn_end);
/* Sends queued bytes outside a call from lab_conn.c (timers). The connection may be gone afterwards. */
void lab_conn_push(struct lab_conn *);

/* lab_conn_tls.c: makes conn->tls, ready for the handshake. On an error lab_conn_free takes what there
 * is. */
enum res lab_conn_tls_open(struct lab_conn *);

void lab_conn_held_free(struct lab_pending *);

/* answer.c: a question came; its answer leaves now, later, or never. stream: the protocol's, 0 without. */
void lab_conn_question(struct lab_conn *, struct span query, int32_t stream);

#endif
