#include "tests/unit/transport/far.h"

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
/* Of the scripted day, 2026-11-21: a month before, a year after. */
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

/* What is sent as the chain is ours to say: also what no library would send. */
static int
far_on_retrieve(gnutls_session_t tls, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **certs,
		unsigned *n, gnutls_ocsp_data_st **ocsp, unsigned *n_ocsp, gnutls_privkey_t *key,
		unsigned *flags)
{
	struct far *far = ((struct far_conn *)gnutls_session_get_ptr(tls))->far;

	(void)info;
	far->pcert[0].cert = far->leaf;
	for (size_t i = 1; i < far->chain_copies; i++)
		far->pcert[i] = far->pcert[0];
	if (far->leaf_garbage != NULL)
		far->pcert[0].cert = (gnutls_datum_t){(unsigned char *)(uintptr_t)far->leaf_garbage,
						      (unsigned)strlen(far->leaf_garbage)};
	*certs = far->pcert;
	*n = far->chain_copies > 0 ? (unsigned)far->chain_copies : 1;
	*ocsp = NULL;
	*n_ocsp = 0;
	*key = far->key;
	*flags = 0;
	return 0;
}

static void
certificate_drop(struct far *far)
{
	if (far->key == NULL)
		return;
	far->pcert[0].cert = far->leaf;
	gnutls_pcert_deinit(&far->pcert[0]);
	gnutls_privkey_deinit(far->key);
}

void
far_new_certificate(struct far *far, const char *name)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;

	certificate_drop(far);
	key_new(&key);
	crt_new(&crt, key, name);
	assert_int_equal(gnutls_pcert_import_x509(&far->pcert[0], crt, 0), 0);
	far->leaf = far->pcert[0].cert;
	assert_int_equal(gnutls_privkey_init(&far->key), 0);
	assert_int_equal(gnutls_privkey_import_x509(far->key, key, GNUTLS_PRIVKEY_IMPORT_COPY), 0);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

void
far_client_identity(const char *cert_path, const char *key_path)
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
far_start(struct far *far)
{
	struct sockaddr_storage ss;
	socklen_t n;

	memset(far, 0, sizeof *far);
	assert_int_equal(addr_read_ip(&far->addr, "127.0.0.1"), RES_OK);
	far->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(far->listen_fd >= 0);
	n = addr_to_sockaddr(&far->addr, &ss);
	assert_int_equal(bind(far->listen_fd, (struct sockaddr *)&ss, n), 0);
	assert_int_equal(listen(far->listen_fd, 64), 0);
	n = sizeof ss;
	assert_int_equal(getsockname(far->listen_fd, (struct sockaddr *)&ss, &n), 0);
	assert_int_equal(addr_from_sockaddr(&far->addr, (struct sockaddr *)&ss), RES_OK);
	far->priority = TLS_PRIORITY;
	far->alpn = "dot";
	assert_int_equal(gnutls_session_ticket_key_generate(&far->ticket_key), 0);
	assert_int_equal(gnutls_certificate_allocate_credentials(&far->credentials), 0);
	gnutls_certificate_set_retrieve_function3(far->credentials, far_on_retrieve);
	far_new_certificate(far, "far");
}

static void
conn_drop(struct far_conn *c)
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
conn_reset(struct far_conn *c)
{
	const struct linger now = {1, 0};

	(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	conn_drop(c);
}

void
far_stop(struct far *far)
{
	for (unsigned i = 0; i < far->n_conn; i++)
		conn_drop(&far->conn[i]);
	close(far->listen_fd);
	certificate_drop(far);
	gnutls_certificate_free_credentials(far->credentials);
	gnutls_free(far->ticket_key.data);
}

static ssize_t
far_on_push(gnutls_transport_ptr_t ctx, const void *p, size_t n)
{
	struct far_conn *c = ctx;
	uint8_t copy[32768];
	ssize_t sent;

	assert_true(n <= sizeof copy);
	memcpy(copy, p, n);
	c->pushes++;
	if (c->far->mood == FAR_SPOILS_THE_HANDSHAKE && c->pushes > 1 && n > 60)
		copy[n - 1] ^= 1;
	if (c->far->mood == FAR_CUTS_THE_HANDSHAKE) {
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
far_on_pull(gnutls_transport_ptr_t ctx, void *p, size_t n)
{
	struct far_conn *c = ctx;
	ssize_t got = recv(c->fd, p, n, 0);

	if (got < 0)
		gnutls_transport_set_errno(c->tls, errno);
	return got;
}

static void
conn_start(struct far *far, int fd)
{
	struct far_conn *c = &far->conn[far->n_conn];
	const int one = 1;
	gnutls_datum_t alpn;

	assert_true(far->n_conn < FAR_CONNS_MAX);
	far->n_conn++;
	*c = (struct far_conn){.far = far, .fd = fd, .in = buf_max(1 << 20)};
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), 0);
	switch (far->mood) {
	case FAR_CLOSES_AT_ONCE:
		conn_drop(c);
		return;
	case FAR_RESETS_AT_ONCE:
		conn_reset(c);
		return;
	case FAR_SPEAKS_PLAIN:
		assert_int_equal(send(fd, far->plain.p, far->plain.n, MSG_NOSIGNAL), far->plain.n);
		return;
	default:
		break;
	}
	assert_int_equal(gnutls_init(&c->tls, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL), 0);
	gnutls_session_set_ptr(c->tls, c);
	gnutls_transport_set_ptr(c->tls, c);
	gnutls_transport_set_push_function(c->tls, far_on_push);
	gnutls_transport_set_pull_function(c->tls, far_on_pull);
	assert_int_equal(gnutls_priority_set_direct(c->tls, far->priority, NULL), 0);
	assert_int_equal(gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, far->credentials), 0);
	assert_int_equal(gnutls_session_ticket_enable_server(c->tls, &far->ticket_key), 0);
	if (far->wants_client_cert)
		gnutls_certificate_server_set_request(c->tls, GNUTLS_CERT_REQUIRE);
	if (far->alpn != NULL) {
		alpn = (gnutls_datum_t){(unsigned char *)(uintptr_t)far->alpn, (unsigned)strlen(far->alpn)};
		assert_int_equal(gnutls_alpn_set_protocols(c->tls, &alpn, 1,
							   far->alpn_mandatory ? GNUTLS_ALPN_MANDATORY : 0),
				 0);
	}
}

void
far_send(struct far *far, unsigned conn, struct span plain)
{
	size_t step = far->mood == FAR_DRIBBLES ? 1 : plain.n;

	for (size_t at = 0; at < plain.n && !far->conn[conn].closed; at += step)
		(void)gnutls_record_send(far->conn[conn].tls, plain.p + at, step);
}

void
far_close(struct far *far, unsigned conn)
{
	if (far->conn[conn].closed)
		return;
	(void)gnutls_bye(far->conn[conn].tls, GNUTLS_SHUT_WR);
	conn_drop(&far->conn[conn]);
}

void
far_answer(struct far *far, unsigned i, size_t n)
{
	const struct far_question *q = &far->question[i % 1024];
	uint8_t answer[4096] = {(uint8_t)(n >> 8), (uint8_t)n};

	assert_true(n >= 12 && n + 2 <= sizeof answer);
	memcpy(answer + 2, q->message, q->n < n ? q->n : n);
	answer[4] |= 0x80;
	far->n_answered++;
	far_send(far, q->conn, span_of(answer, n + 2));
}

static void
question_serve(struct far *far, struct far_conn *c)
{
	unsigned i = far->n_question - 1;
	size_t n = far->question[i % 1024].n;

	switch (far->mood) {
	case FAR_CLOSES_ON_QUESTION:
		conn_drop(c);
		return;
	case FAR_RESETS_ON_QUESTION:
		conn_reset(c);
		return;
	case FAR_CUTS_THE_ANSWER:
		far_send(far, (unsigned)(c - far->conn), span_of("\0\100half", 6));
		conn_drop(c);
		return;
	case FAR_HOLDS:
		return;
	default:
		far_answer(far, i, n);
	}
}

static void
questions_read(struct far *far, struct far_conn *c)
{
	while (!c->closed && far->mood != FAR_LISTENS && c->in.n >= 2 && c->in.n - 2 >= be16_read(c->in.p)) {
		struct far_question *q = &far->question[far->n_question++ % 1024];
		size_t n = be16_read(c->in.p);

		assert_true(n >= 12 && n <= sizeof q->message);
		q->conn = (unsigned)(c - far->conn);
		q->id = be16_read(c->in.p + 2);
		q->n = n;
		memcpy(q->message, c->in.p + 2, n);
		buf_drop(&c->in, 2 + n);
		question_serve(far, c);
	}
}

/* What a server may say after the handshake, and far too often. */
static void
far_says_more(struct far_conn *c, enum far_mood mood)
{
	switch (mood) {
	case FAR_CLOSES_WHEN_READY:
		conn_drop(c);
		break;
	case FAR_FLOODS_TICKETS:
		for (int i = 0; i < 40; i++)
			(void)gnutls_session_ticket_send(c->tls, 4, 0);
		break;
	case FAR_UPDATES_KEYS:
		assert_int_equal(gnutls_session_key_update(c->tls, GNUTLS_KU_PEER), 0);
		break;
	case FAR_FLOODS_KEY_UPDATES:
	case FAR_FLOODS_KEY_REQUESTS:
		for (int i = 0; i < 5000; i++)
			(void)gnutls_session_key_update(c->tls,
							mood == FAR_FLOODS_KEY_REQUESTS ? GNUTLS_KU_PEER : 0);
		break;
	case FAR_FLOODS_EMPTY_RECORDS:
		for (int i = 0; i < 50000; i++)
			(void)gnutls_record_send2(c->tls, "", 0, 1, 0); /* nothing but padding */
		break;
	case FAR_FLOODS_WARNINGS:
		for (int i = 0; i < 20000; i++)
			(void)gnutls_alert_send(c->tls, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED);
		break;
	case FAR_RENEGOTIATES:
		(void)gnutls_rehandshake(c->tls);
		break;
	case FAR_TALKS_AFTER_CLOSE:
		(void)gnutls_bye(c->tls, GNUTLS_SHUT_WR);
		(void)!send(c->fd, "\27\3\3\0\4abcd", 9, MSG_NOSIGNAL);
		break;
	default:
		break;
	}
}

static void
handshake_done(struct far *far, struct far_conn *c)
{
	size_t n = sizeof far->sni;
	unsigned type, certs;

	c->ready = true;
	far->handshakes++;
	far->resumed += gnutls_session_is_resumed(c->tls) != 0;
	far->sni[0] = '\0';
	(void)gnutls_server_name_get(c->tls, far->sni, &n, &type, 0);
	far->client_cert = gnutls_certificate_get_peers(c->tls, &certs) != NULL && certs > 0;
	far_says_more(c, far->mood);
}

static bool
conn_pump(struct far *far, struct far_conn *c)
{
	uint8_t plain[16384];
	ssize_t n;

	if (far->mood == FAR_IS_SILENT || c->tls == NULL) {
		if (recv(c->fd, plain, sizeof plain, MSG_DONTWAIT) == 0)
			conn_drop(c);
		return false;
	}
	if (!c->ready) {
		n = gnutls_handshake(c->tls);
		if (n == 0)
			handshake_done(far, c);
		else if (n == GNUTLS_E_FATAL_ALERT_RECEIVED) {
			far->alerts++;
			far->alert = gnutls_alert_get(c->tls);
		}
		if (n < 0 && gnutls_error_is_fatal((int)n)) {
			(void)gnutls_alert_send_appropriate(c->tls, (int)n);
			conn_drop(c);
		} else if (far->mood == FAR_CUTS_THE_HANDSHAKE && c->pushes > 0) {
			conn_drop(c);
		}
		return n != GNUTLS_E_AGAIN;
	}
	n = gnutls_record_recv(c->tls, plain, sizeof plain);
	if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
		return false;
	if (n <= 0) {
		if (n == GNUTLS_E_FATAL_ALERT_RECEIVED) {
			far->alerts++;
			far->alert = gnutls_alert_get(c->tls);
		}
		conn_drop(c);
		return true;
	}
	far->records++;
	far->app_bytes += (size_t)n;
	buf_put(&c->in, span_of(plain, (size_t)n));
	questions_read(far, c);
	return true;
}

bool
far_pump(struct far *far)
{
	bool any = false;
	int fd;

	while ((fd = accept(far->listen_fd, NULL, NULL)) >= 0) {
		conn_start(far, fd);
		any = true;
	}
	for (unsigned i = 0; i < far->n_conn; i++)
		if (!far->conn[i].closed)
			any |= conn_pump(far, &far->conn[i]);
	return any;
}
