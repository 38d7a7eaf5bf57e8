/*
 * dot_server.h - the server side of a connection: a DoT server in the test's own thread, with faults to choose from.
 */
#ifndef TESTS_UNIT_DOT_SERVER_H
#define TESTS_UNIT_DOT_SERVER_H

#include "base/addr.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#define DOT_SERVER_CONNS_MAX 600

enum dot_server_mood {
	DOT_SERVER_SERVES,
	DOT_SERVER_CLOSES_AT_ONCE,
	DOT_SERVER_RESETS_AT_ONCE,
	DOT_SERVER_SPEAKS_PLAIN,         /* sends `plain`, no TLS */
	DOT_SERVER_IS_SILENT,            /* accepts and reads, sends nothing */
	DOT_SERVER_CUTS_THE_HANDSHAKE,   /* closes after the first bytes of its own */
	DOT_SERVER_SPOILS_THE_HANDSHAKE, /* a bit of its first flight is flipped */
	DOT_SERVER_CLOSES_WHEN_READY,    /* FIN right after the handshake */
	DOT_SERVER_ENDS_FIRST, /* `plain` or, without it, close_notify right after its Finished, before the client's */
	DOT_SERVER_CLOSES_ON_QUESTION,   /* FIN instead of an answer */
	DOT_SERVER_RESETS_ON_QUESTION,
	DOT_SERVER_CUTS_THE_ANSWER, /* half a message, then FIN without close_notify */
	DOT_SERVER_DRIBBLES,        /* a record for each byte */
	DOT_SERVER_HOLDS,           /* reads questions, answers when dot_server_answer says so */
	DOT_SERVER_FLOODS_TICKETS,
	DOT_SERVER_UPDATES_KEYS,       /* once, and asks for an update in return; then serves */
	DOT_SERVER_FLOODS_KEY_UPDATES, /* that need no answer */
	DOT_SERVER_FLOODS_KEY_REQUESTS,
	DOT_SERVER_FLOODS_EMPTY_RECORDS,
	DOT_SERVER_FLOODS_WARNINGS, /* alerts without an effect; TLS 1.2 */
	DOT_SERVER_RENEGOTIATES,    /* TLS 1.2 */
	DOT_SERVER_TALKS_AFTER_CLOSE,
	DOT_SERVER_LISTENS, /* keeps what comes in conn[].in, for the test to read */
};

struct dot_server_conn {
	struct dot_server *server;
	int fd;
	gnutls_session_t tls;
	bool ready, closed;
	unsigned pushes;
	struct buf in; /* application bytes that do not make a whole question yet */
};

struct dot_server_question {
	unsigned conn; /* which connection, in order of accepting */
	uint16_t id;
	uint8_t message[256];
	size_t n;
};

struct dot_server {
	int listen_fd;
	struct addr addr;
	enum dot_server_mood mood;
	struct span plain;
	const char *priority;
	const char *alpn; /* NULL: none */
	bool alpn_mandatory, wants_client_cert;
	size_t chain_copies;      /* how often the leaf is sent; 0 and 1: once */
	const char *leaf_garbage; /* sent in place of the certificate's bytes */
	const char *staple;       /* sent as the OCSP response; NULL: none */
	gnutls_ocsp_data_st ocsp;
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t ticket_key;
	gnutls_pcert_st pcert[40];
	gnutls_datum_t leaf; /* the certificate's own bytes */
	gnutls_privkey_t key;

	struct dot_server_conn conn[DOT_SERVER_CONNS_MAX];
	unsigned n_conn; /* accepted in all */
	unsigned handshakes, resumed, records, alerts;
	size_t app_bytes;
	char sni[64];
	bool client_cert;
	gnutls_alert_description_t alert;
	struct dot_server_question question[1024];
	unsigned n_question, n_answered;
};

void dot_server_start(struct dot_server *);
void dot_server_new_certificate(struct dot_server *, const char *name); /* the ticket key stays */
void dot_server_lose_key(struct dot_server *); /* signs with another key than that of its certificate */
void dot_server_stop(struct dot_server *);
/* One round of accepting, reading, answering. True when anything happened. */
bool dot_server_pump(struct dot_server *);
/* Answers a held question with n bytes in all (12 at least). */
void dot_server_answer(struct dot_server *, unsigned i, size_t n);
void dot_server_send(struct dot_server *, unsigned conn, struct span plain);
void dot_server_close(struct dot_server *, unsigned conn); /* orderly */
void dot_server_alert(struct dot_server *, unsigned conn, gnutls_alert_level_t, gnutls_alert_description_t);
/* A certificate and key of a client in PEM, written to the two paths. */
void dot_server_client_identity(const char *cert_path, const char *key_path);

#endif
