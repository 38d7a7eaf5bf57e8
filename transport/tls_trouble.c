/* Why a session failed, as a reason of the transport. */
#include "transport/tls_session.h"

#include <stdio.h>

enum tls_status
tls_trouble_set(struct tls_trouble *t, enum reason reason, const char *detail)
{
	*t = (struct tls_trouble){reason, detail};
	return TLS_FAILED;
}

/* An alert in a record of TLS 1.1 or older. */
static bool
tls_first_is_old(const struct tls *tls)
{
	return tls->first_n == sizeof tls->first && tls->first[0] == 0x15 && tls->first[2] < 3;
}

static enum tls_status
tls_trouble_alert(struct tls *tls, struct tls_trouble *t)
{
	gnutls_alert_description_t alert = gnutls_alert_get(tls->session);
	const char *name = gnutls_alert_get_name(alert);
	enum reason reason = REASON_TLS_ALERT;

	/* It announces the close_notify that follows (RFC 8446, 6.1), and GnuTLS ends a session of TLS 1.3 with it. To
	 * GnuTLS a close_notify is one only at the level of a warning. */
	if ((alert == GNUTLS_A_USER_CANCELED && tls->ready) || alert == GNUTLS_A_CLOSE_NOTIFY)
		return tls_trouble_set(t, REASON_CLOSED, "closed by the peer");
	(void)snprintf(tls->detail, sizeof tls->detail, "%.72s", name != NULL ? name : "unknown alert");
	/* A server that knows only old versions, and ignores our list of versions, finds no cipher suite for its own. */
	if (alert == GNUTLS_A_PROTOCOL_VERSION ||
	    (alert == GNUTLS_A_HANDSHAKE_FAILURE && tls_first_is_old(tls)))
		reason = REASON_TLS_VERSION;
	else if (alert == GNUTLS_A_NO_APPLICATION_PROTOCOL)
		reason = REASON_ALPN_MISMATCH;
	return tls_trouble_set(t, reason, tls->detail);
}

enum tls_status
tls_trouble_of(struct tls *tls, int code, struct tls_trouble *t)
{
	if (tls->starved)
		return tls_trouble_set(t, REASON_OUT_OF_MEMORY, NULL);
	switch (code) {
	case GNUTLS_E_MEMORY_ERROR:
		return tls_trouble_set(t, REASON_OUT_OF_MEMORY, NULL);
	case GNUTLS_E_FATAL_ALERT_RECEIVED:
		return tls_trouble_alert(tls, t);
	case GNUTLS_E_WARNING_ALERT_RECEIVED:
		if (gnutls_alert_get(tls->session) == GNUTLS_A_USER_CANCELED)
			return tls_trouble_alert(tls, t);
		return tls_trouble_set(t, REASON_TLS_FAILED, gnutls_strerror(code));
	case GNUTLS_E_UNEXPECTED_PACKET_LENGTH: /* also for a record that the close cut short */
		if (!tls->eof)
			return tls_trouble_set(t, REASON_TLS_FAILED, gnutls_strerror(code));
		return tls_trouble_set(t, REASON_CLOSED, "closed by the peer");
	case GNUTLS_E_PREMATURE_TERMINATION:
	case GNUTLS_E_SESSION_EOF:
		return tls_trouble_set(t, REASON_CLOSED, "closed by the peer");
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
		return tls_trouble_set(t, REASON_TLS_VERSION, gnutls_strerror(code));
	case GNUTLS_E_REHANDSHAKE:
		return tls_trouble_set(t, REASON_TLS_FAILED, "renegotiation");
	default: /* GnuTLS has hundreds */
		return tls_trouble_set(t, REASON_TLS_FAILED, gnutls_strerror(code));
	}
}

bool
tls_first_is_tls(const struct tls *tls)
{
	const uint8_t *p = tls->first;

	return (tls->first_n < 1 || p[0] == 0x16 || p[0] == 0x15) && (tls->first_n < 2 || p[1] == 3);
}
