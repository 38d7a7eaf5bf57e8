/*
 * far.h - the far side of a connection: a DoT server in the test's own thread, with faults to choose from.
 */
#ifndef TESTS_UNIT_FAR_H
#define TESTS_UNIT_FAR_H

#include "base/addr.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#define FAR_CONNS_MAX 600

enum far_mood {
	FAR_SERVES,
	FAR_CLOSES_AT_ONCE,
	FAR_RESETS_AT_ONCE,
	FAR_SPEAKS_PLAIN,         /* sends `plain`, no TLS */
	FAR_IS_SILENT,            /* accepts, reads, says nothing */
	FAR_CUTS_THE_HANDSHAKE,   /* closes after the first bytes of its own */
	FAR_SPOILS_THE_HANDSHAKE, /* a bit of its first flight is turned */
	FAR_CLOSES_WHEN_READY,    /* FIN right after the handshake */
	FAR_CLOSES_ON_QUESTION,   /* FIN instead of an answer */
	FAR_RESETS_ON_QUESTION,
	FAR_CUTS_THE_ANSWER, /* half a message, then FIN without close_notify */
	FAR_DRIBBLES,        /* a record for each byte */
	FAR_HOLDS,           /* reads questions, answers when far_answer says so */
	FAR_FLOODS_TICKETS,
	FAR_UPDATES_KEYS,       /* once, and wants it answered; then serves */
	FAR_FLOODS_KEY_UPDATES, /* that need no answer */
	FAR_FLOODS_KEY_REQUESTS,
	FAR_FLOODS_EMPTY_RECORDS,
	FAR_FLOODS_WARNINGS, /* alerts that mean nothing; TLS 1.2 */
	FAR_RENEGOTIATES,    /* TLS 1.2 */
	FAR_TALKS_AFTER_CLOSE,
	FAR_LISTENS, /* keeps what comes in conn[].in, for the test to read */
};

struct far_conn {
	struct far *far;
	int fd;
	gnutls_session_t tls;
	bool ready, closed;
	unsigned pushes;
	struct buf in; /* application bytes that are no whole question yet */
};

struct far_question {
	unsigned conn; /* which connection, in order of accepting */
	uint16_t id;
	uint8_t message[256];
	size_t n;
};

struct far {
	int listen_fd;
	struct addr addr;
	enum far_mood mood;
	struct span plain;
	const char *priority;
	const char *alpn; /* NULL: none */
	bool alpn_mandatory, wants_client_cert;
	size_t chain_copies;      /* the leaf is sent so often; 0 and 1: once */
	const char *leaf_garbage; /* sent in place of the certificate's bytes */
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t ticket_key;
	gnutls_pcert_st pcert[40];
	gnutls_datum_t leaf; /* the certificate's own bytes */
	gnutls_privkey_t key;

	struct far_conn conn[FAR_CONNS_MAX];
	unsigned n_conn; /* accepted in all */
	unsigned handshakes, resumed, records, alerts;
	size_t app_bytes;
	char sni[64];
	bool client_cert;
	gnutls_alert_description_t alert;
	struct far_question question[1024];
	unsigned n_question, n_answered;
};

void far_start(struct far *);
void far_new_certificate(struct far *, const char *name); /* the ticket key stays */
void far_stop(struct far *);
/* One round of accepting, reading, answering. True when anything happened. */
bool far_pump(struct far *);
/* Answers a held question with n bytes in all (12 at least). */
void far_answer(struct far *, unsigned i, size_t n);
void far_send(struct far *, unsigned conn, struct span plain);
void far_close(struct far *, unsigned conn); /* orderly */
/* A certificate and key of a client in PEM, written to the two paths. */
void far_client_identity(const char *cert_path, const char *key_path);

#endif
