/* lab_conn_tls.c - the TLS session of a connection: versions, protocols, tickets, and a transport that
 * can be slow or stop. */
#include "config.h"

#include "contrib/lab/server/lab_conn.h"

#include <errno.h>
#include <string.h>

#define SILENT_HELLO_BYTES 20 /* a record header and a little of the ServerHello */

/* GnuTLS writes through here, so that a handshake can be slow or stop. */
static ssize_t
lab_conn_on_tls_write(gnutls_transport_ptr_t arg, const void *bytes, size_t n)
{
	struct lab_conn *conn = arg;
	const struct timeval second = {.tv_sec = 1};
	bool handshake = conn->state == CONN_HANDSHAKE;
	ssize_t sent;

	if (handshake && lab_conn_fault(conn, FAULT_SILENT_HELLO)) {
		if (conn->pushed >= SILENT_HELLO_BYTES)
			return (ssize_t)n; /* discarded */
		n = n < SILENT_HELLO_BYTES ? n : SILENT_HELLO_BYTES;
	}
	if (handshake && lab_conn_fault(conn, FAULT_DRIBBLE_HANDSHAKE)) {
		if (evtimer_pending(conn->timer, NULL)) {
			gnutls_transport_set_errno(conn->tls, EAGAIN);
			return -1;
		}
		n = 1;
		event_add(conn->timer, &second);
	}
	sent = send(conn->fd, bytes, n, MSG_NOSIGNAL);
	if (sent < 0)
		gnutls_transport_set_errno(conn->tls, errno);
	else
		conn->pushed += (size_t)sent;
	return sent;
}

static ssize_t
lab_conn_on_tls_read(gnutls_transport_ptr_t arg, void *bytes, size_t n)
{
	struct lab_conn *conn = arg;
	ssize_t got = recv(conn->fd, bytes, n, 0);

	if (got < 0)
		gnutls_transport_set_errno(conn->tls, errno);
	return got;
}

static const char *
priorities(const struct lab_conn *conn)
{
	if (lab_conn_fault(conn, FAULT_TLS10))
		return "LEGACY:-VERS-ALL:+VERS-TLS1.0";
	if (lab_conn_fault(conn, FAULT_TLS11))
		return "LEGACY:-VERS-ALL:+VERS-TLS1.1";
	if (lab_conn_fault(conn, FAULT_TLS12))
		return "NORMAL:-VERS-ALL:+VERS-TLS1.2";
	if (lab_conn_fault(conn, FAULT_TLS13))
		return "NORMAL:-VERS-ALL:+VERS-TLS1.3";
	return "NORMAL";
}

static int
alpn_set(struct lab_conn *conn)
{
	const char *name = lab_conn_fault(conn, FAULT_ALPN_OTHER) ? "ftp1" : conn->server->protocol->alpn;
	gnutls_datum_t protocol = {(unsigned char *)(uintptr_t)name, (unsigned)strlen(name)};

	if (lab_conn_fault(conn, FAULT_ALPN_NONE))
		return 0;
	return gnutls_alpn_set_protocols(conn->tls, &protocol, 1, GNUTLS_ALPN_MANDATORY);
}

enum res
lab_conn_tls_open(struct lab_conn *conn)
{
	struct lab_server *server = conn->server;

	if (gnutls_init(&conn->tls, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0)
		return RES_NOMEM;
	gnutls_session_set_ptr(conn->tls, conn);
	if (gnutls_priority_set_direct(conn->tls, priorities(conn), NULL) < 0 ||
	    gnutls_credentials_set(conn->tls, GNUTLS_CRD_CERTIFICATE, server->credentials) < 0 ||
	    alpn_set(conn) < 0)
		return RES_NOMEM;
	if (!lab_conn_fault(conn, FAULT_NO_TICKETS) &&
	    gnutls_session_ticket_enable_server(conn->tls, &server->ticket_key) < 0)
		return RES_NOMEM;
	if (lab_conn_fault(conn, FAULT_CLIENT_CERTIFICATE))
		gnutls_certificate_server_set_request(conn->tls, GNUTLS_CERT_REQUIRE);
	gnutls_transport_set_ptr(conn->tls, conn);
	gnutls_transport_set_push_function(conn->tls, lab_conn_on_tls_write);
	gnutls_transport_set_pull_function(conn->tls, lab_conn_on_tls_read);
	gnutls_handshake_set_timeout(conn->tls, GNUTLS_INDEFINITE_TIMEOUT);
	return RES_OK;
}
