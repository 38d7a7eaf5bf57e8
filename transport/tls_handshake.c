/* The handshake: it ends with a peer that its owner accepted, or with the reason why not. */
#include "transport/tls_session.h"

#include <stdlib.h>
#include <string.h>

/* Used by full handshakes and resumptions alike. */
static bool
tls_judge(struct tls *tls, const struct tls_peer *peer)
{
	tls_describe(tls);
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

	if (peer == NULL) {
		tls->starved = true; /* GnuTLS makes a certificate error of whatever is returned */
		return GNUTLS_E_MEMORY_ERROR;
	}
	buf_free(&tls->staple); /* it was saved with a session that is not resumed after all */
	tls_peer(tls, peer);
	accepted = tls_judge(tls, peer);
	free(peer);
	return accepted ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

enum res
tls_credentials_new(gnutls_certificate_credentials_t *out)
{
	if (gnutls_certificate_allocate_credentials(out) != 0)
		return RES_NOMEM;
	gnutls_certificate_set_verify_function(*out, tls_on_verify);
	return RES_OK;
}

/*
 * Takes the chain from the Certificate message before GnuTLS parses it: GnuTLS would verify the handshake's own signature
 * with whatever key is in the certificate, and only then ask the judge. A chain whose keys must not be computed with is
 * judged here.
 */
static int
tls_take_chain(struct tls *tls, struct span message)
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
		(void)tls_judge(tls, peer); /* such a chain is refused whatever on_peer returns */
	free(peer);
	return computable ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

/* RFC 8446, 4.1.3; RFC 5246, 7.4.1.3. */
static void
tls_take_suite(struct tls *tls, struct span hello)
{
	struct cursor in = cursor_over(hello);

	cursor_take(&in, 2 + 32); /* version, random */
	cursor_vec8(&in);         /* session id */
	tls->suite = cursor_u16(&in);
}

int
tls_on_handshake_message(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
			 const gnutls_datum_t *message)
{
	struct tls *tls = gnutls_session_get_ptr(session);

	(void)when;
	if (!incoming)
		return 0;
	if (type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT && !tls->judged)
		return tls_take_chain(tls, span_of(message->data, message->size));
	if (type == GNUTLS_HANDSHAKE_SERVER_HELLO)
		tls_take_suite(tls, span_of(message->data, message->size));
	if (type == GNUTLS_HANDSHAKE_NEW_SESSION_TICKET)
		tls->ticket_came = true;
	if (tls->ready && ++tls->after > TLS_AFTER_MAX)
		return GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS;
	return 0;
}

/* The handshake failed before its chain was judged: the judge may have a better reason than GnuTLS. */
static enum tls_status
tls_handshake_failed(struct tls *tls, int code, struct tls_trouble *t)
{
	struct tls_peer *peer;
	bool chain = tls->chain.n > 0;
	bool too_large = code == GNUTLS_E_HANDSHAKE_TOO_LARGE &&
			 gnutls_handshake_get_last_in(tls->session) == GNUTLS_HANDSHAKE_CERTIFICATE_PKT;

	if (tls->refused)
		return tls_trouble_set(t, REASON_NONE, NULL);
	if (code == GNUTLS_E_FATAL_ALERT_RECEIVED || tls->judged || (!chain && !too_large))
		return tls_trouble_of(tls, code, t);
	peer = calloc(1, sizeof *peer);
	if (peer == NULL)
		return tls_trouble_set(t, REASON_OUT_OF_MEMORY, NULL);
	if (chain)
		tls_peer_read(peer, buf_span(&tls->chain),
			      gnutls_protocol_get_version(tls->session) == GNUTLS_TLS1_3);
	else
		peer->larger_than = TLS_HANDSHAKE_MAX;
	(void)tls_judge(tls, peer);
	free(peer);
	return tls->refused ? tls_trouble_set(t, REASON_NONE, NULL) : tls_trouble_of(tls, code, t);
}

static enum tls_status
tls_handshake_finish(struct tls *tls, struct tls_trouble *t)
{
	gnutls_protocol_t version = gnutls_protocol_get_version(tls->session);
	gnutls_datum_t alpn = {NULL, 0};

	tls_describe(tls);
	if (version != GNUTLS_TLS1_2 && version != GNUTLS_TLS1_3)
		return tls_trouble_set(t, REASON_TLS_VERSION, gnutls_protocol_get_name(version));
	if (gnutls_alpn_get_selected_protocol(tls->session, &alpn) != 0)
		alpn.size = 0;
	if (alpn.size == 0 ? tls->want.alpn_required
			   : !span_equal(span_of(alpn.data, alpn.size), span_str(tls->want.alpn)))
		return tls_trouble_set(t, REASON_ALPN_MISMATCH,
				       alpn.size == 0 ? "the server chose none" : "another was chosen");
	if (!tls->judged) {
		struct tls_peer *peer = malloc(sizeof *peer);

		if (peer == NULL)
			return tls_trouble_set(t, REASON_OUT_OF_MEMORY, NULL);
		tls_peer(tls, peer);
		(void)tls_judge(tls, peer);
		free(peer);
	}
	if (tls->refused) {
		gnutls_alert_send(tls->session, GNUTLS_AL_FATAL, GNUTLS_A_CERTIFICATE_UNKNOWN);
		return tls_trouble_set(t, REASON_NONE, NULL);
	}
	buf_free(&tls->chain);
	tls->ready = true;
	return TLS_DONE;
}

enum tls_status
tls_handshake(struct tls *tls, struct tls_trouble *t)
{
	int code;

	if (!tls_first_is_tls(tls))
		return tls_trouble_set(t, REASON_PLAIN_TEXT, "the first bytes are not a TLS record");
	do {
		code = gnutls_handshake(tls->session);
	} while (code == GNUTLS_E_INTERRUPTED || code == GNUTLS_E_WARNING_ALERT_RECEIVED);
	if (code == 0)
		return tls_handshake_finish(tls, t);
	if (code == GNUTLS_E_AGAIN) {
		if (tls->idle_bytes > 2 * TLS_IDLE_BYTES_MAX)
			return tls_trouble_set(t, REASON_TLS_FAILED, "too many handshake bytes");
		return TLS_GOES_ON;
	}
	if (tls->refused || !gnutls_error_is_fatal(code))
		gnutls_alert_send_appropriate(tls->session, code);
	return tls_handshake_failed(tls, code, t);
}
