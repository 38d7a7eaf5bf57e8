#include "config.h"

#include "contrib/lab/server/lab_conn.h"
#include "contrib/lab/server/lab_server.h"
#include "base/descriptors.h"
#include "base/log.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 512

struct event_base *
lab_event_base_new(void)
{
	/* libevent would end the program */
	return descriptors_are_left(DESCRIPTORS_LIBEVENT) ? event_base_new() : NULL;
}

static void
certificates_prepare(struct lab_server *server)
{
	const struct site *site = server->site;

	memset(server->pcerts, 0, sizeof server->pcerts);
	for (size_t i = 0; i < site->n_chain; i++) {
		server->pcerts[i].type = GNUTLS_CRT_X509;
		server->pcerts[i].cert = (gnutls_datum_t){site->chain[i].p, (unsigned)site->chain[i].n};
		server->pcerts[i].pubkey = site->key->public;
	}
	server->staple = (gnutls_ocsp_data_st){.response = {site->staple.p, (unsigned)site->staple.n}};
}

/* GnuTLS asks for the chain here, so that it takes any bytes for a certificate. */
static int
on_certificate_wanted(gnutls_session_t tls, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **certs,
		      unsigned *n_certs, gnutls_ocsp_data_st **staples, unsigned *n_staples,
		      gnutls_privkey_t *key, unsigned *flags)
{
	struct lab_conn *conn = gnutls_session_get_ptr(tls);
	struct lab_server *server = conn->server;

	(void)info;
	*certs = server->pcerts;
	*n_certs = (unsigned)server->site->n_chain;
	*staples = server->site->staple.n > 0 ? &server->staple : NULL;
	*n_staples = server->site->staple.n > 0;
	*key = server->site->key->private;
	*flags = 0;
	return 0;
}

static void
accept_one(struct lab_server *server, int fd, const struct sockaddr *from)
{
	struct addr peer = {.family = ADDR_NONE};
	int on = 1;

	(void)addr_from_sockaddr(&peer, from); /* a peer without an address is shown as none */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (server->n_conns >= CONN_MAX || lab_conn_new(server, fd, &peer) != RES_OK)
		close(fd);
}

static void
lab_server_on_accept(evutil_socket_t listener, short what, void *arg)
{
	struct lab_server *server = arg;
	struct sockaddr_storage from;
	socklen_t n = sizeof from;
	int fd;

	(void)what;
	while ((fd = accept4(listener, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		accept_one(server, fd, (struct sockaddr *)&from);
		n = sizeof from;
		if (server->accept == NULL)
			break; /* switched to one that does not listen */
	}
}

static void
listener_close(struct lab_server *server)
{
	if (server->accept != NULL)
		event_free(server->accept);
	server->accept = NULL;
	if (server->fd >= 0)
		close(server->fd);
	server->fd = -1;
	for (size_t i = 0; i < sizeof server->stuffing / sizeof server->stuffing[0]; i++) {
		if (server->stuffing[i] >= 0)
			close(server->stuffing[i]);
		server->stuffing[i] = -1;
	}
}

/* A queue of one, which our own connections fill: the kernel drops every further SYN. */
static void
black_hole_fill(struct lab_server *server)
{
	struct sockaddr_storage to;
	socklen_t n = addr_to_sockaddr(&server->listen, &to);

	for (size_t i = 0; i < sizeof server->stuffing / sizeof server->stuffing[0]; i++) {
		int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		if (fd >= 0)
			(void)connect(fd, (struct sockaddr *)&to,
				      n); /* the last ones never finish, as intended */
		server->stuffing[i] = fd;
	}
}

/* Takes the port. While nothing listens on it, connections are refused, and nobody else is given it. */
static enum res
listener_hold(struct lab_server *server)
{
	struct sockaddr_storage at;
	socklen_t n = addr_to_sockaddr(&server->listen, &at);
	int on = 1;

	if (server->fd >= 0)
		return RES_OK;
	server->fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (server->fd < 0)
		return RES_IO;
	(void)setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(server->fd, (struct sockaddr *)&at, n) < 0)
		return RES_IO;
	n = sizeof at;
	if (getsockname(server->fd, (struct sockaddr *)&at, &n) < 0 ||
	    addr_from_sockaddr(&server->listen, (struct sockaddr *)&at) != RES_OK)
		return RES_IO;
	return RES_OK;
}

static enum res
listener_start(struct lab_server *server)
{
	bool hole = lab_fault_has(&server->faults, FAULT_BLACK_HOLE);

	if (server->accept != NULL)
		return RES_OK;
	if (listen(server->fd, hole ? 0 : BACKLOG) < 0)
		return RES_IO;
	if (hole) {
		black_hole_fill(server);
		return RES_OK;
	}
	server->accept =
	    event_new(server->base, server->fd, EV_READ | EV_PERSIST, lab_server_on_accept, server);
	return server->accept != NULL && event_add(server->accept, NULL) == 0 ? RES_OK : RES_NOMEM;
}

/* Listens, or only holds the port, as the faults say. */
static enum res
listener_settle(struct lab_server *server)
{
	bool refuse = lab_fault_has(&server->faults, FAULT_REFUSE),
	     hole = lab_fault_has(&server->faults, FAULT_BLACK_HOLE);
	enum res res;

	if (refuse || hole || server->accept == NULL)
		listener_close(server);
	res = listener_hold(server);
	return res == RES_OK && !refuse ? listener_start(server) : res;
}

static enum res
tickets_renew(struct lab_server *server)
{
	gnutls_free(server->ticket_key.data);
	server->ticket_key = (gnutls_datum_t){0};
	return gnutls_session_ticket_key_generate(&server->ticket_key) == 0 ? RES_OK : RES_NOMEM;
}

enum res
lab_server_new(struct lab_server **out, struct event_base *base, const struct addr *listen,
	       enum lab_server_protocol protocol, const struct site *site, const struct lab_faults *faults)
{
	struct lab_server *server = calloc(1, sizeof *server);
	enum res res = RES_NOMEM;

	if (server == NULL)
		return RES_NOMEM;
	server->base = base;
	server->protocol = protocol == SERVER_DOH ? &lab_doh : &lab_dot;
	server->listen = *listen;
	server->fd = -1;
	for (size_t i = 0; i < sizeof server->stuffing / sizeof server->stuffing[0]; i++)
		server->stuffing[i] = -1;
	TAILQ_INIT(&server->conns);
	server->site = site;
	server->faults = *faults;
	certificates_prepare(server);
	if (gnutls_certificate_allocate_credentials(&server->credentials) < 0 ||
	    tickets_renew(server) != RES_OK)
		goto fail;
	gnutls_certificate_set_retrieve_function3(server->credentials, on_certificate_wanted);
	res = listener_settle(server);
	if (res != RES_OK)
		goto fail;
	*out = server;
	return RES_OK;
fail:
	lab_server_free(server);
	return res;
}

void
lab_server_free(struct lab_server *server)
{
	struct lab_conn *conn;
	int saved = errno;

	if (server == NULL)
		return;
	while ((conn = TAILQ_FIRST(&server->conns)) != NULL)
		lab_conn_free(conn, "server");
	listener_close(server);
	if (server->credentials != NULL)
		gnutls_certificate_free_credentials(server->credentials);
	gnutls_free(server->ticket_key.data);
	free(server);
	errno = saved;
}

uint16_t
lab_server_port(const struct lab_server *server)
{
	return server->listen.port;
}

const struct lab_server_counts *
lab_server_counts(const struct lab_server *server)
{
	return &server->counts;
}

void
lab_server_on_count(struct lab_server *server, void (*on_count)(void *ctx), void *ctx)
{
	server->on_count = on_count;
	server->count_ctx = ctx;
}

enum res
lab_server_switch(struct lab_server *server, const struct site *site, const struct lab_faults *faults,
		  bool keep_tickets)
{
	enum res res = keep_tickets ? RES_OK : tickets_renew(server);

	server->site = site;
	server->faults = *faults;
	certificates_prepare(server);
	if (res == RES_OK)
		res = listener_settle(server);
	log_event(LOG_INFO, "switched", LOG_STR("scenario", site->scenario->name));
	return res;
}

void
lab_server_drop_connections(struct lab_server *server)
{
	struct lab_conn *conn, *next;

	for (conn = TAILQ_FIRST(&server->conns); conn != NULL; conn = next) {
		next = TAILQ_NEXT(conn, link);
		if (conn->state == CONN_OPEN)
			(void)gnutls_bye(conn->tls, GNUTLS_SHUT_WR);
		lab_conn_free(conn, "server");
	}
}
