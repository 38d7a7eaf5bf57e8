#include "transport/tls.h"

#include "transport/transport.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Never "@SYSTEM" or "NORMAL": what is offered must not depend on a file or a variable of the machine. SHA-1
 * is left out also where a certificate's signature is meant; GnuTLS only announces, the judge decides. */
static const char priorities[] =
    "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+AEAD:+SHA256"
    ":+AES-128-GCM:+CHACHA20-POLY1305:+AES-256-GCM"
    ":+ECDHE-ECDSA:+ECDHE-RSA:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1"
    ":+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SECP384R1-SHA384:+SIGN-ECDSA-SECP521R1-SHA512"
    ":+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SHA384:+SIGN-ECDSA-SHA512"
    ":+SIGN-EDDSA-ED25519:+SIGN-EDDSA-ED448"
    ":+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-RSAE-SHA384:+SIGN-RSA-PSS-RSAE-SHA512"
    ":+SIGN-RSA-PSS-SHA256:+SIGN-RSA-PSS-SHA384:+SIGN-RSA-PSS-SHA512"
    ":+SIGN-RSA-SHA256:+SIGN-RSA-SHA384:+SIGN-RSA-SHA512"
    ":+CTYPE-X509";

static gnutls_priority_t priority; /* written once, by tls_global_init */

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

	uint8_t first[3]; /* bytes that ever came: type and version of a record */
	size_t first_n;
	bool ready;       /* handshake done and peer accepted */
	bool judged;      /* on_peer was asked */
	bool refused;     /* on_peer said no */
	struct buf chain; /* the Certificate message as it came, until the handshake is done */
	struct buf staple;
	size_t idle_bytes; /* received since the last application data */
	unsigned after;    /* post-handshake messages */
	bool ticket_came;
	struct ticket *fresh[TLS_FRESH_MAX]; /* saved and not fetched yet */
	size_t n_fresh;
	char version[16], cipher[64], alpn[16];
	char detail[80];
};

static ssize_t
tls_on_pull(gnutls_transport_ptr_t ctx, void *p, size_t n)
{
	struct tls *tls = ctx;
	size_t have = tls->in_to - tls->in_from;

	if (have == 0) {
		if (tls->eof)
			return 0;
		gnutls_transport_set_errno(tls->session, EAGAIN);
		return -1;
	}
	if (n > have)
		n = have;
	memcpy(p, tls->in + tls->in_from, n);
	tls->in_from += n;
	if (tls->in_from == tls->in_to)
		tls->in_from = tls->in_to = 0;
	return (ssize_t)n;
}

static int
tls_on_pull_timeout(gnutls_transport_ptr_t ctx, unsigned ms)
{
	const struct tls *tls = ctx;

	(void)ms;
	return tls->in_to > tls->in_from || tls->eof;
}

static ssize_t
tls_on_push(gnutls_transport_ptr_t ctx, const void *p, size_t n)
{
	struct tls *tls = ctx;

	buf_put(&tls->out, span_of(p, n));
	if (buf_ok(&tls->out))
		return (ssize_t)n;
	tls->out_full = true;
	gnutls_transport_set_errno(tls->session, ENOBUFS);
	return -1;
}

/* What was agreed on, for those who look at the connection, also when the peer is refused. */
static void
session_describe(struct tls *tls)
{
	const char *suite = gnutls_ciphersuite_get(tls->session);
	gnutls_datum_t alpn = {NULL, 0};

	if (gnutls_alpn_get_selected_protocol(tls->session, &alpn) != 0)
		alpn.size = 0;
	(void)snprintf(tls->version, sizeof tls->version, "%s",
		       gnutls_protocol_get_name(gnutls_protocol_get_version(tls->session)));
	(void)snprintf(tls->cipher, sizeof tls->cipher, "%s",
		       suite != NULL ? suite : gnutls_cipher_get_name(gnutls_cipher_get(tls->session)));
	(void)snprintf(tls->alpn, sizeof tls->alpn, "%.*s", (int)alpn.size, (const char *)alpn.data);
}

/* One door for both kinds of handshake. */
static bool
peer_judge(struct tls *tls, const struct tls_peer *peer)
{
	session_describe(tls);
	tls->judged = true;
	tls->refused = !tls->want.on_peer(tls->want.ctx, peer);
	return !tls->refused;
}

void
tls_peer(struct tls *tls, struct tls_peer *peer)
{
	unsigned n = 0;
	const gnutls_datum_t *certs = gnutls_certificate_get_peers(tls->session, &n);
	gnutls_datum_t staple;

	memset(peer, 0, sizeof *peer);
	peer->resumed = gnutls_session_is_resumed(tls->session) != 0;
	for (unsigned i = 0; certs != NULL && i < n && i < TLS_CHAIN_MAX; i++)
		peer->cert[peer->n_cert++] = span_of(certs[i].data, certs[i].size);
	if (tls->staple.n == 0 && !peer->resumed &&
	    gnutls_ocsp_status_request_get2(tls->session, 0, &staple) == 0)
		buf_put(&tls->staple, span_of(staple.data, staple.size));
	peer->staple = buf_span(&tls->staple);
}

/* Called by GnuTLS in a full handshake only; a return other than 0 sends an alert and ends it. */
static int
tls_on_verify(gnutls_session_t session)
{
	struct tls *tls = gnutls_session_get_ptr(session);
	struct tls_peer *peer = malloc(sizeof *peer);
	bool accepted;

	if (peer == NULL)
		return GNUTLS_E_CERTIFICATE_ERROR;
	buf_free(&tls->staple); /* one that was saved with a session that is not resumed after all */
	tls_peer(tls, peer);
	accepted = peer_judge(tls, peer);
	free(peer);
	return accepted ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

/*
 * The Certificate message, before GnuTLS has parsed it: later it would check the handshake's own signature with
 * whatever key is in it, and only then ask the judge. A chain that nothing may be computed with is judged here.
 */
static int
certificate_message_take(struct tls *tls, struct span message)
{
	struct tls_peer *peer;
	bool read = message.n <= TLS_HANDSHAKE_MAX, computable;

	buf_clear(&tls->chain);
	if (read)
		buf_put(&tls->chain, message);
	peer = calloc(1, sizeof *peer);
	if (peer == NULL || !buf_ok(&tls->chain)) {
		free(peer);
		return GNUTLS_E_MEMORY_ERROR;
	}
	if (!read) /* GnuTLS has limits of its own, which are wider */
		peer->larger_than = TLS_HANDSHAKE_MAX;
	computable =
	    read &&
	    tls_peer_read(peer, message, gnutls_protocol_get_version(tls->session) == GNUTLS_TLS1_3) &&
	    tls_peer_computable(peer);
	if (!computable)
		(void)peer_judge(tls, peer); /* yes is no answer to such a chain */
	free(peer);
	return computable ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

static int
tls_on_handshake_message(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
			 const gnutls_datum_t *message)
{
	struct tls *tls = gnutls_session_get_ptr(session);

	(void)when;
	if (!incoming)
		return 0;
	if (type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT && !tls->judged)
		return certificate_message_take(tls, span_of(message->data, message->size));
	if (type == GNUTLS_HANDSHAKE_NEW_SESSION_TICKET)
		tls->ticket_came = true;
	if (tls->ready && ++tls->after > TLS_AFTER_MAX)
		return GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS;
	return 0;
}

static enum res
credentials_new(gnutls_certificate_credentials_t *out)
{
	if (gnutls_certificate_allocate_credentials(out) != 0)
		return RES_NOMEM;
	gnutls_certificate_set_verify_function(*out, tls_on_verify);
	return RES_OK;
}

static bool
session_configure(struct tls *tls)
{
	const struct tls_want *want = &tls->want;
	gnutls_datum_t alpn = {(unsigned char *)(uintptr_t)want->alpn, (unsigned)strlen(want->alpn)};
	gnutls_session_t s = tls->session;

	gnutls_session_set_ptr(s, tls);
	gnutls_transport_set_ptr(s, tls);
	gnutls_transport_set_pull_function(s, tls_on_pull);
	gnutls_transport_set_pull_timeout_function(s, tls_on_pull_timeout);
	gnutls_transport_set_push_function(s, tls_on_push);
	gnutls_handshake_set_timeout(s, GNUTLS_INDEFINITE_TIMEOUT); /* its owner keeps the time */
	gnutls_handshake_set_max_packet_length(s, TLS_HANDSHAKE_MAX);
	gnutls_handshake_set_hook_function(s, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_PRE,
					   tls_on_handshake_message);
	if (priority == NULL || gnutls_priority_set(s, priority) != 0)
		return false;
	if (gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE,
				   want->identity != NULL ? want->identity->credentials : tls->own) != 0)
		return false;
	if (gnutls_alpn_set_protocols(s, &alpn, 1, 0) != 0)
		return false;
	if (tls->name[0] != '\0' &&
	    gnutls_server_name_set(s, GNUTLS_NAME_DNS, tls->name, strlen(tls->name)) != 0)
		return false;
	if (want->ticket != NULL &&
	    gnutls_session_set_data(s, want->ticket->session.p, want->ticket->session.n) == 0)
		buf_put(&tls->staple, want->ticket->staple);
	return true;
}

enum res
tls_new(struct tls **out, const struct tls_want *want)
{
	struct tls *tls = calloc(1, sizeof *tls);
	unsigned flags = GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL;

	if (tls == NULL)
		return RES_NOMEM;
	tls->want = *want;
	tls->out = buf_max(TLS_OUT_MAX);
	tls->chain = buf_max(TLS_HANDSHAKE_MAX);
	tls->staple = buf_max(STAPLE_MAX);
	tls->name = strdup(want->name != NULL ? want->name : "");
	if (tls->name == NULL)
		goto fail;
	if (want->identity != NULL)
		flags |=
		    GNUTLS_FORCE_CLIENT_CERT; /* also when the server's list of issuers does not name ours */
	else if (credentials_new(&tls->own) != RES_OK)
		goto fail;
	if (gnutls_init(&tls->session, flags) != 0)
		goto fail;
	if (!session_configure(tls))
		goto fail;
	tls->want.ticket = NULL;
	*out = tls;
	return RES_OK;

fail:
	tls_free(tls);
	return RES_NOMEM;
}

void
tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	if (tls->session != NULL)
		gnutls_deinit(tls->session);
	if (tls->own != NULL)
		gnutls_certificate_free_credentials(tls->own);
	buf_free(&tls->out);
	buf_free(&tls->chain);
	buf_free(&tls->staple);
	while (tls->n_fresh > 0)
		ticket_free(tls->fresh[--tls->n_fresh]);
	free(tls->name);
	free(tls);
}

uint8_t *
tls_room(struct tls *tls, size_t *n)
{
	if (tls->in_from > 0 && tls->in_to == sizeof tls->in) {
		memmove(tls->in, tls->in + tls->in_from, tls->in_to - tls->in_from);
		tls->in_to -= tls->in_from;
		tls->in_from = 0;
	}
	*n = sizeof tls->in - tls->in_to;
	return tls->in + tls->in_to;
}

void
tls_received(struct tls *tls, size_t n)
{
	for (size_t i = 0; i < n && tls->first_n < sizeof tls->first; i++)
		tls->first[tls->first_n++] = tls->in[tls->in_to + i];
	tls->in_to += n;
	tls->idle_bytes += n;
	if (n == 0)
		tls->eof = true;
}

static enum tls_status
trouble(struct tls_trouble *t, enum reason reason, const char *detail)
{
	*t = (struct tls_trouble){reason, detail};
	return TLS_FAILED;
}

/* An alert in a record of TLS 1.1 or older. */
static bool
first_is_old(const struct tls *tls)
{
	return tls->first_n == sizeof tls->first && tls->first[0] == 0x15 && tls->first[2] < 3;
}

static enum tls_status
trouble_alert(struct tls *tls, struct tls_trouble *t)
{
	gnutls_alert_description_t alert = gnutls_alert_get(tls->session);
	const char *name = gnutls_alert_get_name(alert);
	enum reason reason = REASON_TLS_ALERT;

	(void)snprintf(tls->detail, sizeof tls->detail, "%.72s", name != NULL ? name : "unknown alert");
	/* A server that knows only old versions and passes over our list of versions finds no cipher suite
	 * for its own. */
	if (alert == GNUTLS_A_PROTOCOL_VERSION || (alert == GNUTLS_A_HANDSHAKE_FAILURE && first_is_old(tls)))
		reason = REASON_TLS_VERSION;
	else if (alert == GNUTLS_A_NO_APPLICATION_PROTOCOL)
		reason = REASON_ALPN_MISMATCH;
	return trouble(t, reason, tls->detail);
}

static enum tls_status
trouble_of(struct tls *tls, int code, struct tls_trouble *t)
{
	switch (code) {
	case GNUTLS_E_FATAL_ALERT_RECEIVED:
		return trouble_alert(tls, t);
	case GNUTLS_E_UNEXPECTED_PACKET_LENGTH: /* also for a record that the close cut short */
		if (!tls->eof)
			return trouble(t, REASON_TLS_FAILED, gnutls_strerror(code));
		return trouble(t, REASON_CLOSED, "closed by the peer");
	case GNUTLS_E_PREMATURE_TERMINATION:
	case GNUTLS_E_SESSION_EOF:
		return trouble(t, REASON_CLOSED, "closed by the peer");
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
		return trouble(t, REASON_TLS_VERSION, gnutls_strerror(code));
	case GNUTLS_E_REHANDSHAKE:
		return trouble(t, REASON_TLS_FAILED, "renegotiation");
	default: /* GnuTLS has hundreds */
		return trouble(t, REASON_TLS_FAILED, gnutls_strerror(code));
	}
}

/* A TLS server begins with a handshake record or an alert (RFC 8446, 5.1); anything else is another protocol.
 */
static bool
first_is_tls(const struct tls *tls)
{
	const uint8_t *p = tls->first;

	return (tls->first_n < 1 || p[0] == 0x16 || p[0] == 0x15) && (tls->first_n < 2 || p[1] == 3);
}

/* A handshake that failed over a chain nobody has judged: the judge may know better than GnuTLS what is
 * wrong. */
static enum tls_status
handshake_failed(struct tls *tls, int code, struct tls_trouble *t)
{
	struct tls_peer *peer;
	bool chain = tls->chain.n > 0;

	if (tls->refused)
		return trouble(t, REASON_NONE, NULL);
	if (code == GNUTLS_E_FATAL_ALERT_RECEIVED || tls->judged ||
	    (!chain && code != GNUTLS_E_HANDSHAKE_TOO_LARGE))
		return trouble_of(tls, code, t);
	peer = calloc(1, sizeof *peer);
	if (peer == NULL)
		return trouble(t, REASON_OUT_OF_MEMORY, NULL);
	if (chain)
		tls_peer_read(peer, buf_span(&tls->chain),
			      gnutls_protocol_get_version(tls->session) == GNUTLS_TLS1_3);
	else /* no other message of a server comes near the limit */
		peer->larger_than = TLS_HANDSHAKE_MAX;
	(void)peer_judge(tls, peer);
	free(peer);
	return tls->refused ? trouble(t, REASON_NONE, NULL) : trouble_of(tls, code, t);
}

static enum tls_status
handshake_finish(struct tls *tls, struct tls_trouble *t)
{
	gnutls_protocol_t version = gnutls_protocol_get_version(tls->session);
	gnutls_datum_t alpn = {NULL, 0};

	session_describe(tls);
	if (version != GNUTLS_TLS1_2 && version != GNUTLS_TLS1_3)
		return trouble(t, REASON_TLS_VERSION, gnutls_protocol_get_name(version));
	if (gnutls_alpn_get_selected_protocol(tls->session, &alpn) != 0)
		alpn.size = 0;
	if (alpn.size == 0 ? tls->want.alpn_required
			   : !span_equal(span_of(alpn.data, alpn.size), span_str(tls->want.alpn)))
		return trouble(t, REASON_ALPN_MISMATCH,
			       alpn.size == 0 ? "the server chose none" : "another was chosen");
	if (!tls->judged) {
		struct tls_peer *peer = malloc(sizeof *peer);

		if (peer == NULL)
			return trouble(t, REASON_OUT_OF_MEMORY, NULL);
		tls_peer(tls, peer);
		(void)peer_judge(tls, peer);
		free(peer);
	}
	if (tls->refused) {
		gnutls_alert_send(tls->session, GNUTLS_AL_FATAL, GNUTLS_A_CERTIFICATE_UNKNOWN);
		return trouble(t, REASON_NONE, NULL);
	}
	buf_free(&tls->chain);
	tls->ready = true;
	return TLS_DONE;
}

enum tls_status
tls_handshake(struct tls *tls, struct tls_trouble *t)
{
	int code;

	if (!first_is_tls(tls))
		return trouble(t, REASON_PLAIN_TEXT, "the first bytes are not a TLS record");
	do {
		code = gnutls_handshake(tls->session);
	} while (code == GNUTLS_E_INTERRUPTED || code == GNUTLS_E_WARNING_ALERT_RECEIVED);
	if (code == 0)
		return handshake_finish(tls, t);
	if (code == GNUTLS_E_AGAIN) {
		if (tls->idle_bytes > 2 * TLS_IDLE_BYTES_MAX)
			return trouble(t, REASON_TLS_FAILED, "too much handshake");
		return TLS_GOES_ON;
	}
	if (tls->refused || !gnutls_error_is_fatal(code))
		gnutls_alert_send_appropriate(tls->session, code);
	return handshake_failed(tls, code, t);
}

/* Takes the session as it is after a ticket came: the next ticket takes the place of this one in GnuTLS. */
static void
ticket_save(struct tls *tls)
{
	gnutls_datum_t data;

	if (!tls->ticket_came || !tls->ready)
		return;
	tls->ticket_came = false;
	if (tls->n_fresh == TLS_FRESH_MAX ||
	    !(gnutls_session_get_flags(tls->session) & GNUTLS_SFLAGS_SESSION_TICKET) ||
	    gnutls_session_get_data2(tls->session, &data) != 0)
		return;
	if (ticket_new(&tls->fresh[tls->n_fresh], span_of(data.data, data.size), buf_span(&tls->staple)) ==
	    RES_OK)
		tls->n_fresh++;
	gnutls_memset(data.data, 0, data.size);
	gnutls_free(data.data);
}

enum tls_status
tls_read(struct tls *tls, uint8_t *p, size_t room, size_t *n, struct tls_trouble *t)
{
	ssize_t got;

	do {
		got = gnutls_record_recv(tls->session, p, room);
		ticket_save(tls);
		if (got > 0) {
			tls->idle_bytes = 0;
			*n = (size_t)got;
			return TLS_DONE;
		}
		if (tls->idle_bytes > TLS_IDLE_BYTES_MAX)
			return trouble(t, REASON_TLS_FAILED, "records without data");
		/* GNUTLS_E_AGAIN also follows each ticket and key update: more may lie in the input. */
	} while (got == GNUTLS_E_INTERRUPTED ||
		 (got == GNUTLS_E_AGAIN && tls->in_to > tls->in_from && !tls->eof));
	if (got == GNUTLS_E_AGAIN)
		return TLS_GOES_ON;
	if (got == 0)
		return trouble(t, REASON_CLOSED, "closed by the peer");
	return trouble_of(tls, (int)got, t);
}

enum tls_status
tls_write(struct tls *tls, struct span plain, struct tls_trouble *t)
{
	while (plain.n > 0) {
		size_t n = plain.n < TLS_RECORD_MAX ? plain.n : TLS_RECORD_MAX;
		ssize_t put = gnutls_record_send(tls->session, plain.p, n);

		if (put <= 0)
			return trouble(t, REASON_TLS_FAILED,
				       tls->out_full ? "the peer does not read" : gnutls_strerror((int)put));
		plain = span_slice(plain, (size_t)put, plain.n);
	}
	return TLS_DONE;
}

void
tls_bye(struct tls *tls)
{
	if (tls->ready)
		(void)gnutls_bye(tls->session, GNUTLS_SHUT_WR);
}

struct span
tls_out(const struct tls *tls)
{
	return span_slice(buf_span(&tls->out), tls->out_from, tls->out.n);
}

void
tls_sent(struct tls *tls, size_t n)
{
	tls->out_from += n;
	if (tls->out_from < tls->out.n) {
		if (tls->out_from > tls->out.n / 2) {
			buf_drop(&tls->out, tls->out_from);
			tls->out_from = 0;
		}
		return;
	}
	tls->out_from = 0;
	if (tls->out.cap > 4 * TLS_RECORD_MAX)
		buf_free(&tls->out);
	else
		buf_clear(&tls->out);
}

struct ticket *
tls_ticket(struct tls *tls, int64_t now_ms)
{
	struct ticket *ticket;

	if (tls->n_fresh == 0)
		return NULL;
	ticket = tls->fresh[--tls->n_fresh];
	ticket->saved_ms = now_ms;
	return ticket;
}

bool
tls_resumed(const struct tls *tls)
{
	return gnutls_session_is_resumed(tls->session) != 0;
}

const char *
tls_version(const struct tls *tls)
{
	return tls->version;
}

const char *
tls_cipher(const struct tls *tls)
{
	return tls->cipher;
}

const char *
tls_alpn(const struct tls *tls)
{
	return tls->alpn;
}

enum res
tls_global_init(void)
{
	if (priority != NULL)
		return RES_OK;
	if (gnutls_check_version("3.7.9") == NULL)
		return RES_UNSUPPORTED;
	return gnutls_priority_init(&priority, priorities, NULL) == 0 ? RES_OK : RES_NOMEM;
}

enum res
tls_identity_new(struct tp_identity **out, struct span cert, struct span key, const char **why)
{
	gnutls_datum_t c = {(unsigned char *)(uintptr_t)cert.p, (unsigned)cert.n};
	gnutls_datum_t k = {(unsigned char *)(uintptr_t)key.p, (unsigned)key.n};
	struct tp_identity *identity = calloc(1, sizeof *identity);
	int code;

	*why = res_text(RES_NOMEM);
	if (identity == NULL || credentials_new(&identity->credentials) != RES_OK) {
		tp_identity_free(identity);
		return RES_NOMEM;
	}
	code =
	    gnutls_certificate_set_x509_key_mem2(identity->credentials, &c, &k, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (code < 0) {
		*why = gnutls_strerror(code);
		tp_identity_free(identity);
		return RES_MALFORMED;
	}
	*out = identity;
	return RES_OK;
}

void
tp_identity_free(struct tp_identity *identity)
{
	if (identity == NULL)
		return;
	if (identity->credentials != NULL)
		gnutls_certificate_free_credentials(identity->credentials);
	free(identity);
}
