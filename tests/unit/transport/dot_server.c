#include "tests/unit/transport/dot_server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <gnutls/x509.h>

#define TLS_PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
/* Certificates are valid from a month before the scripted day, 2026-11-21, until a year after it. */
#define NOT_BEFORE 1792584000
#define NOT_AFTER  1826800000

static void
key_new(gnutls_x509_privkey_t *key)
{
	assert_int_equal(gnutls_x509_privkey_init(key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(*key, GNUTLS_PK_ECDSA,
						      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
			 0);
}

static void
crt_new(gnutls_x509_crt_t *crt, gnutls_x509_privkey_t key, const char *name)
{
	assert_int_equal(gnutls_x509_crt_init(crt), 0);
	assert_int_equal(gnutls_x509_crt_set_version(*crt, 3), 0);
	assert_int_equal(gnutls_x509_crt_set_serial(*crt, "\1", 1), 0);
	assert_int_equal(
	    gnutls_x509_crt_set_dn_by_oid(*crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name)),
	    0);
	assert_int_equal(gnutls_x509_crt_set_activation_time(*crt, NOT_BEFORE), 0);
	assert_int_equal(gnutls_x509_crt_set_expiration_time(*crt, NOT_AFTER), 0);
	assert_int_equal(gnutls_x509_crt_set_key(*crt, key), 0);
	assert_int_equal(gnutls_x509_crt_sign2(*crt, *crt, key, GNUTLS_DIG_SHA256, 0), 0);
}

/* The chain is written here, so that it can also be one that no library would send. */
static int
dot_server_on_retrieve(gnutls_session_t tls, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **certs,
		unsigned *n, gnutls_ocsp_data_st **ocsp, unsigned *n_ocsp, gnutls_privkey_t *key,
		unsigned *flags)
{
	struct dot_server *server = ((struct dot_server_conn *)gnutls_session_get_ptr(tls))->server;

	(void)info;
	server->pcert[0].cert = server->leaf;
	for (size_t i = 1; i < server->chain_copies; i++)
		server->pcert[i] = server->pcert[0];
	if (server->leaf_garbage != NULL)
		server->pcert[0].cert = (gnutls_datum_t){(unsigned char *)(uintptr_t)server->leaf_garbage,
						      (unsigned)strlen(server->leaf_garbage)};
	*certs = server->pcert;
	*n = server->chain_copies > 0 ? (unsigned)server->chain_copies : 1;
	server->ocsp.response = (gnutls_datum_t){(unsigned char *)(uintptr_t)server->staple,
						 (unsigned)strlen(server->staple != NULL ? server->staple : "")};
	*ocsp = server->staple != NULL ? &server->ocsp : NULL;
	*n_ocsp = server->staple != NULL ? 1 : 0;
	*key = server->key;
	*flags = 0;
	return 0;
}

static void
certificate_drop(struct dot_server *server)
{
	if (server->key == NULL)
		return;
	server->pcert[0].cert = server->leaf;
	gnutls_pcert_deinit(&server->pcert[0]);
	gnutls_privkey_deinit(server->key);
}

void
dot_server_new_certificate(struct dot_server *server, const char *name)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;

	certificate_drop(server);
	key_new(&key);
	crt_new(&crt, key, name);
	assert_int_equal(gnutls_pcert_import_x509(&server->pcert[0], crt, 0), 0);
	server->leaf = server->pcert[0].cert;
	assert_int_equal(gnutls_privkey_init(&server->key), 0);
	assert_int_equal(gnutls_privkey_import_x509(server->key, key, GNUTLS_PRIVKEY_IMPORT_COPY), 0);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

void
dot_server_lose_key(struct dot_server *server)
{
	gnutls_x509_privkey_t key;

	key_new(&key);
	gnutls_privkey_deinit(server->key);
	assert_int_equal(gnutls_privkey_init(&server->key), 0);
	assert_int_equal(gnutls_privkey_import_x509(server->key, key, GNUTLS_PRIVKEY_IMPORT_COPY), 0);
	gnutls_x509_privkey_deinit(key);
}

void
dot_server_client_identity(const char *cert_path, const char *key_path)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_datum_t pem;
	FILE *f;

	key_new(&key);
	crt_new(&crt, key, "client");
	assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), 0);
	assert_non_null(f = fopen(cert_path, "w"));
	assert_int_equal(fwrite(pem.data, 1, pem.size, f), pem.size);
	fclose(f);
	gnutls_free(pem.data);
	assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), 0);
	assert_non_null(f = fopen(key_path, "w"));
	assert_int_equal(fwrite(pem.data, 1, pem.size, f), pem.size);
	fclose(f);
	gnutls_free(pem.data);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

void
dot_server_start(struct dot_server *server)
{
	struct sockaddr_storage ss;
	socklen_t n;

	memset(server, 0, sizeof *server);
	assert_int_equal(addr_read_ip(&server->addr, "127.0.0.1"), RES_OK);
	server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(server->listen_fd >= 0);
	n = addr_to_sockaddr(&server->addr, &ss);
	assert_int_equal(bind(server->listen_fd, (struct sockaddr *)&ss, n), 0);
	assert_int_equal(listen(server->listen_fd, 64), 0);
	n = sizeof ss;
	assert_int_equal(getsockname(server->listen_fd, (struct sockaddr *)&ss, &n), 0);
	assert_int_equal(addr_from_sockaddr(&server->addr, (struct sockaddr *)&ss), RES_OK);
	server->priority = TLS_PRIORITY;
	server->alpn = "dot";
	assert_int_equal(gnutls_session_ticket_key_generate(&server->ticket_key), 0);
	assert_int_equal(gnutls_certificate_allocate_credentials(&server->credentials), 0);
	gnutls_certificate_set_retrieve_function3(server->credentials, dot_server_on_retrieve);
	dot_server_new_certificate(server, "server");
}

static void
conn_drop(struct dot_server_conn *c)
{
	if (c->closed)
		return;
	c->closed = true;
	if (c->tls != NULL)
		gnutls_deinit(c->tls);
	c->tls = NULL;
	close(c->fd);
	buf_free(&c->in);
}

static void
conn_reset(struct dot_server_conn *c)
{
	const struct linger now = {1, 0};

	(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	conn_drop(c);
}

void
dot_server_stop(struct dot_server *server)
{
	for (unsigned i = 0; i < server->n_conn; i++)
		conn_drop(&server->conn[i]);
	close(server->listen_fd);
	certificate_drop(server);
	gnutls_certificate_free_credentials(server->credentials);
	gnutls_free(server->ticket_key.data);
}

static ssize_t
dot_server_on_push(gnutls_transport_ptr_t ctx, const void *p, size_t n)
{
	struct dot_server_conn *c = ctx;
	uint8_t copy[32768];
	ssize_t sent;

	assert_true(n <= sizeof copy);
	memcpy(copy, p, n);
	c->pushes++;
	if (c->server->mood == DOT_SERVER_SPOILS_THE_HANDSHAKE && c->pushes > 1 && n > 60)
		copy[n - 1] ^= 1;
	if (c->server->mood == DOT_SERVER_CUTS_THE_HANDSHAKE) {
		if (c->pushes == 1)
			(void)!send(c->fd, copy, 20, MSG_NOSIGNAL);
		return (ssize_t)n;
	}
	sent = send(c->fd, copy, n, MSG_NOSIGNAL);
	if (sent < 0)
		gnutls_transport_set_errno(c->tls, errno);
	return sent;
}

static ssize_t
dot_server_on_pull(gnutls_transport_ptr_t ctx, void *p, size_t n)
{
	struct dot_server_conn *c = ctx;
	ssize_t got = recv(c->fd, p, n, 0);

	if (got < 0)
		gnutls_transport_set_errno(c->tls, errno);
	return got;
}

static void
conn_start(struct dot_server *server, int fd)
{
	struct dot_server_conn *c = &server->conn[server->n_conn];
	const int one = 1;
	unsigned flags = GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL;
	gnutls_datum_t alpn;

	assert_true(server->n_conn < DOT_SERVER_CONNS_MAX);
	server->n_conn++;
	*c = (struct dot_server_conn){.server = server, .fd = fd, .in = buf_max(1 << 20)};
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), 0);
	switch (server->mood) {
	case DOT_SERVER_CLOSES_AT_ONCE:
		conn_drop(c);
		return;
	case DOT_SERVER_RESETS_AT_ONCE:
		conn_reset(c);
		return;
	case DOT_SERVER_SPEAKS_PLAIN:
		assert_int_equal(send(fd, server->plain.p, server->plain.n, MSG_NOSIGNAL), server->plain.n);
		return;
	default:
		break;
	}
	if (server->mood == DOT_SERVER_ENDS_FIRST)
		flags |= GNUTLS_ENABLE_EARLY_START;
	assert_int_equal(gnutls_init(&c->tls, flags), 0);
	gnutls_session_set_ptr(c->tls, c);
	gnutls_transport_set_ptr(c->tls, c);
	gnutls_transport_set_push_function(c->tls, dot_server_on_push);
	gnutls_transport_set_pull_function(c->tls, dot_server_on_pull);
	assert_int_equal(gnutls_priority_set_direct(c->tls, server->priority, NULL), 0);
	assert_int_equal(gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, server->credentials), 0);
	if (server->mood != DOT_SERVER_ENDS_FIRST) /* resumed, a client of TLS 1.2 is the last to speak */
		assert_int_equal(gnutls_session_ticket_enable_server(c->tls, &server->ticket_key), 0);
	if (server->wants_client_cert)
		gnutls_certificate_server_set_request(c->tls, GNUTLS_CERT_REQUIRE);
	if (server->alpn != NULL) {
		alpn = (gnutls_datum_t){(unsigned char *)(uintptr_t)server->alpn, (unsigned)strlen(server->alpn)};
		assert_int_equal(gnutls_alpn_set_protocols(c->tls, &alpn, 1,
							   server->alpn_mandatory ? GNUTLS_ALPN_MANDATORY : 0),
				 0);
	}
}

void
dot_server_send(struct dot_server *server, unsigned conn, struct span plain)
{
	size_t step = server->mood == DOT_SERVER_DRIBBLES ? 1 : plain.n;

	for (size_t at = 0; at < plain.n && !server->conn[conn].closed; at += step)
		(void)gnutls_record_send(server->conn[conn].tls, plain.p + at, step);
}

void
dot_server_close(struct dot_server *server, unsigned conn)
{
	if (server->conn[conn].closed)
		return;
	(void)gnutls_bye(server->conn[conn].tls, GNUTLS_SHUT_WR);
	conn_drop(&server->conn[conn]);
}

void
dot_server_alert(struct dot_server *server, unsigned conn, gnutls_alert_level_t level, gnutls_alert_description_t alert)
{
	assert_int_equal(gnutls_alert_send(server->conn[conn].tls, level, alert), 0);
}

void
dot_server_answer(struct dot_server *server, unsigned i, size_t n)
{
	const struct dot_server_question *q = &server->question[i % 1024];
	uint8_t answer[4096] = {(uint8_t)(n >> 8), (uint8_t)n};

	assert_true(n >= 12 && n + 2 <= sizeof answer);
	memcpy(answer + 2, q->message, q->n < n ? q->n : n);
	answer[4] |= 0x80;
	server->n_answered++;
	dot_server_send(server, q->conn, span_of(answer, n + 2));
}

static void
question_serve(struct dot_server *server, struct dot_server_conn *c)
{
	unsigned i = server->n_question - 1;
	size_t n = server->question[i % 1024].n;

	switch (server->mood) {
	case DOT_SERVER_CLOSES_ON_QUESTION:
		conn_drop(c);
		return;
	case DOT_SERVER_RESETS_ON_QUESTION:
		conn_reset(c);
		return;
	case DOT_SERVER_CUTS_THE_ANSWER:
		dot_server_send(server, (unsigned)(c - server->conn), span_of("\0\100half", 6));
		conn_drop(c);
		return;
	case DOT_SERVER_HOLDS:
		return;
	default:
		dot_server_answer(server, i, n);
	}
}

static void
questions_read(struct dot_server *server, struct dot_server_conn *c)
{
	while (!c->closed && server->mood != DOT_SERVER_LISTENS && c->in.n >= 2 && c->in.n - 2 >= be16_read(c->in.p)) {
		struct dot_server_question *q = &server->question[server->n_question++ % 1024];
		size_t n = be16_read(c->in.p);

		assert_true(n >= 12 && n <= sizeof q->message);
		q->conn = (unsigned)(c - server->conn);
		q->id = be16_read(c->in.p + 2);
		q->n = n;
		memcpy(q->message, c->in.p + 2, n);
		buf_drop(&c->in, 2 + n);
		question_serve(server, c);
	}
}

/* Messages that a server may send after the handshake, but sends too often. */
static void
dot_server_has_more(struct dot_server_conn *c, enum dot_server_mood mood)
{
	switch (mood) {
	case DOT_SERVER_CLOSES_WHEN_READY:
		conn_drop(c);
		break;
	case DOT_SERVER_ENDS_FIRST:
		if (c->server->plain.n > 0)
			dot_server_send(c->server, (unsigned)(c - c->server->conn), c->server->plain);
		else
			dot_server_close(c->server, (unsigned)(c - c->server->conn));
		break;
	case DOT_SERVER_FLOODS_TICKETS:
		for (int i = 0; i < 40; i++)
			(void)gnutls_session_ticket_send(c->tls, 4, 0);
		break;
	case DOT_SERVER_UPDATES_KEYS:
		assert_int_equal(gnutls_session_key_update(c->tls, GNUTLS_KU_PEER), 0);
		break;
	case DOT_SERVER_FLOODS_KEY_UPDATES:
	case DOT_SERVER_FLOODS_KEY_REQUESTS:
		for (int i = 0; i < 5000; i++)
			(void)gnutls_session_key_update(c->tls,
							mood == DOT_SERVER_FLOODS_KEY_REQUESTS ? GNUTLS_KU_PEER : 0);
		break;
	case DOT_SERVER_FLOODS_EMPTY_RECORDS:
		for (int i = 0; i < 50000; i++)
			(void)gnutls_record_send2(c->tls, "", 0, 1, 0); /* nothing but padding */
		break;
	case DOT_SERVER_FLOODS_WARNINGS:
		for (int i = 0; i < 20000; i++)
			(void)gnutls_alert_send(c->tls, GNUTLS_AL_WARNING, GNUTLS_A_UNRECOGNIZED_NAME);
		break;
	case DOT_SERVER_RENEGOTIATES:
		(void)gnutls_rehandshake(c->tls);
		break;
	case DOT_SERVER_TALKS_AFTER_CLOSE:
		(void)gnutls_bye(c->tls, GNUTLS_SHUT_WR);
		(void)!send(c->fd, "\27\3\3\0\4abcd", 9, MSG_NOSIGNAL);
		break;
	default:
		break;
	}
}

static void
handshake_done(struct dot_server *server, struct dot_server_conn *c)
{
	size_t n = sizeof server->sni;
	unsigned type, certs;

	c->ready = true;
	server->handshakes++;
	server->resumed += gnutls_session_is_resumed(c->tls) != 0;
	server->sni[0] = '\0';
	(void)gnutls_server_name_get(c->tls, server->sni, &n, &type, 0);
	server->client_cert = gnutls_certificate_get_peers(c->tls, &certs) != NULL && certs > 0;
	dot_server_has_more(c, server->mood);
}

static bool
conn_pump(struct dot_server *server, struct dot_server_conn *c)
{
	uint8_t plain[16384];
	ssize_t n;

	if (server->mood == DOT_SERVER_IS_SILENT || c->tls == NULL) {
		if (recv(c->fd, plain, sizeof plain, MSG_DONTWAIT) == 0)
			conn_drop(c);
		return false;
	}
	if (!c->ready) {
		n = gnutls_handshake(c->tls);
		if (n == 0)
			handshake_done(server, c);
		else if (n == GNUTLS_E_FATAL_ALERT_RECEIVED) {
			server->alerts++;
			server->alert = gnutls_alert_get(c->tls);
		}
		if (n < 0 && gnutls_error_is_fatal((int)n)) {
			(void)gnutls_alert_send_appropriate(c->tls, (int)n);
			conn_drop(c);
		} else if (server->mood == DOT_SERVER_CUTS_THE_HANDSHAKE && c->pushes > 0) {
			conn_drop(c);
		}
		return n != GNUTLS_E_AGAIN;
	}
	n = gnutls_record_recv(c->tls, plain, sizeof plain);
	if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
		return false;
	if (n <= 0) {
		if (n == GNUTLS_E_FATAL_ALERT_RECEIVED) {
			server->alerts++;
			server->alert = gnutls_alert_get(c->tls);
		}
		conn_drop(c);
		return true;
	}
	server->records++;
	server->app_bytes += (size_t)n;
	buf_put(&c->in, span_of(plain, (size_t)n));
	questions_read(server, c);
	return true;
}

bool
dot_server_pump(struct dot_server *server)
{
	bool any = false;
	int fd;

	while ((fd = accept(server->listen_fd, NULL, NULL)) >= 0) {
		conn_start(server, fd);
		any = true;
	}
	for (unsigned i = 0; i < server->n_conn; i++)
		if (!server->conn[i].closed)
			any |= conn_pump(server, &server->conn[i]);
	return any;
}
