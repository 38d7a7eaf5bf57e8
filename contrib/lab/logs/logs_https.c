#include "config.h"

#include "contrib/lab/logs/logs_https.h"

#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/abstract.h>

#define READ_STEP       16384
#define SLOW_STEP       10 /* bytes at a time */
#define SLOW_PAUSE_NS   50000000
#define HTTPS_CHAIN_MAX 4                    /* certificates that clients see; the lab's have two */
#define ENDLESS_BYTES   ((uint64_t)16 << 30) /* more than any client reads */

struct slot {
	struct logs_https *https;
	int fd; /* -1: free */
	bool started, over;
	pthread_t thread;
};

struct logs_https {
	struct lab_logs *logs;
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
	gnutls_pcert_st pcerts[HTTPS_CHAIN_MAX];
	unsigned n_pcerts;
	gnutls_privkey_t key; /* lent */
	int fd;
	bool events;
	struct slot slot[HTTPS_CONNECTIONS_MAX];
	pthread_mutex_t lock; /* of the slots' fd and over */
};

struct connection {
	gnutls_session_t tls;
	struct buf in, out;
};

/* ---- bytes */

static bool
connection_read(struct connection *conn)
{
	uint8_t *room = buf_room(&conn->in, READ_STEP);
	ssize_t n;

	if (room == NULL)
		return false;
	do
		n = gnutls_record_recv(conn->tls, room, READ_STEP);
	while (n == GNUTLS_E_INTERRUPTED);
	if (n <= 0)
		return false;
	buf_added(&conn->in, (size_t)n);
	return true;
}

static bool
connection_write(struct connection *conn, struct span bytes, bool slow)
{
	const struct timespec pause = {.tv_nsec = SLOW_PAUSE_NS};

	while (bytes.n > 0) {
		size_t step = slow && bytes.n > SLOW_STEP ? SLOW_STEP : bytes.n;
		ssize_t n = gnutls_record_send(conn->tls, bytes.p, step);

		if (n == GNUTLS_E_INTERRUPTED)
			continue;
		if (n <= 0)
			return false;
		bytes = span_slice(bytes, (size_t)n, bytes.n);
		if (slow)
			nanosleep(&pause, NULL);
	}
	return true;
}

/* ---- requests */

struct http_request {
	struct logs_request asked;
	bool close;
	size_t n; /* bytes of all of it */
};

enum http_read { HTTP_MORE, HTTP_DONE, HTTP_BAD };

static bool
header_is(struct span line, const char *name, struct span *value)
{
	size_t n = strlen(name);

	if (line.n <= n || line.p[n] != ':' || !ascii_case_equal(span_slice(line, 0, n), span_str(name)))
		return false;
	*value = span_slice(line, n + 1, line.n);
	while (value->n > 0 && value->p[0] == ' ')
		*value = span_slice(*value, 1, value->n);
	return true;
}

static bool
span_has(struct span text, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= text.n; i++)
		if (ascii_case_equal(span_slice(text, i, n), span_str(word)))
			return true;
	return false;
}

static bool
header_take(struct http_request *request, struct span line, uint64_t *length)
{
	struct span value;
	int64_t number;
	char text[24];

	if (header_is(line, "Accept-Encoding", &value))
		request->asked.gzip = span_has(value, "gzip");
	if (header_is(line, "Connection", &value))
		request->close = span_has(value, "close");
	if (header_is(line, "Transfer-Encoding", &value))
		return false;
	if (!header_is(line, "Content-Length", &value))
		return true;
	snprintf(text, sizeof text, "%.*s", (int)(value.n < sizeof text ? value.n : sizeof text - 1),
		 (const char *)value.p);
	if (number_read(&number, text) != RES_OK || number < 0 || number > LOGS_BODY_MAX)
		return false;
	*length = (uint64_t)number;
	return true;
}

static bool
request_line_take(struct http_request *request, struct span line)
{
	struct span method, path, version;

	if (!text_word_take(&line, &method) || !text_word_take(&line, &path) ||
	    !text_word_take(&line, &version) || path.n == 0 || path.p[0] != '/')
		return false;
	request->asked.post = span_equal(method, span_str("POST"));
	request->asked.path = path;
	return request->asked.post || span_equal(method, span_str("GET"));
}

/* RFC 9112, 2 to 6, as far as a client of logs needs it. */
static enum http_read
http_request_read(struct http_request *request, struct span bytes)
{
	struct span rest = bytes, line;
	uint64_t length = 0;
	bool first = true;

	*request = (struct http_request){.n = 0};
	if (bytes.n == 0 || memmem(bytes.p, bytes.n, "\r\n\r\n", 4) == NULL)
		return bytes.n > HTTPS_HEAD_MAX ? HTTP_BAD : HTTP_MORE;
	while (text_line_take(&rest, &line) && line.n > 0) {
		if (first ? !request_line_take(request, line) : !header_take(request, line, &length))
			return HTTP_BAD;
		first = false;
	}
	if (rest.n < length)
		return HTTP_MORE;
	request->asked.body = span_slice(rest, 0, (size_t)length);
	request->n = bytes.n - rest.n + (size_t)length;
	return first ? HTTP_BAD : HTTP_DONE;
}

/* ---- replies */

static const char *
logs_status_text(int status)
{
	return status == 200   ? "OK"
	       : status == 429 ? "Too Many Requests"
	       : status >= 500 ? "Error"
			       : "Refused";
}

static void
head_write(struct buf *out, const struct logs_reply *reply)
{
	uint64_t n = reply->endless ? ENDLESS_BYTES : reply->body.n;

	buf_format(out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %llu\r\n", reply->status,
		   logs_status_text(reply->status), reply->type, (unsigned long long)n);
	if (reply->gzip)
		buf_text(out, "Content-Encoding: gzip\r\n");
	if (reply->retry_after_s > 0)
		buf_format(out, "Retry-After: %d\r\n", reply->retry_after_s);
	buf_text(out, "\r\n");
}

static bool
logs_reply_write(struct connection *conn, const struct logs_reply *reply)
{
	static const uint8_t spaces[READ_STEP] = {' '};
	struct buf head = buf_max(1024);
	uint64_t sent = reply->body.n;
	bool ok;

	head_write(&head, reply);
	ok = connection_write(conn, buf_span(&head), false) &&
	     connection_write(conn, buf_span(&reply->body), reply->slow);
	for (; ok && reply->endless && sent < ENDLESS_BYTES; sent += sizeof spaces)
		ok = connection_write(conn, span_of(spaces, sizeof spaces), false);
	buf_free(&head);
	return ok && !reply->endless;
}

static void
event_write(const struct logs_https *https, const struct http_request *request,
	    const struct logs_reply *reply)
{
	struct buf path = buf_max(4096);

	text_escape(&path, request->asked.path);
	if (https->events)
		log_event(LOG_INFO, "request", LOG_STR("method", request->asked.post ? "POST" : "GET"),
			  LOG_STR("path", buf_cstr(&path)), LOG_INT("status", reply->status),
			  LOG_INT("bytes", reply->body.n));
	buf_free(&path);
}

/* One request and its answer. False: the connection ends. */
static bool
request_serve(struct logs_https *https, struct connection *conn)
{
	struct logs_reply reply = {.status = 0};
	struct http_request request;
	enum http_read read;
	bool ok;

	while ((read = http_request_read(&request, buf_span(&conn->in))) == HTTP_MORE)
		if (!connection_read(conn))
			return false;
	if (read == HTTP_BAD)
		return false;
	buf_clear(&conn->out);
	reply.body = conn->out;
	lab_logs_answer(https->logs, &request.asked, &reply);
	event_write(https, &request, &reply);
	ok = logs_reply_write(conn, &reply);
	conn->out = reply.body;
	buf_drop(&conn->in, request.n);
	return ok && !request.close;
}

/* ---- connections */

static bool
session_open(struct logs_https *https, struct connection *conn, int fd)
{
	int code;

	if (gnutls_init(&conn->tls, GNUTLS_SERVER | GNUTLS_NO_SIGNAL) < 0)
		return false;
	gnutls_session_set_ptr(conn->tls, https);
	gnutls_priority_set(conn->tls, https->priority);
	gnutls_credentials_set(conn->tls, GNUTLS_CRD_CERTIFICATE, https->credentials);
	gnutls_transport_set_int(conn->tls, fd);
	gnutls_handshake_set_timeout(conn->tls, HTTPS_IDLE_S * 1000);
	gnutls_record_set_timeout(conn->tls, HTTPS_IDLE_S * 1000);
	do
		code = gnutls_handshake(conn->tls);
	while (code < 0 && !gnutls_error_is_fatal(code));
	return code == GNUTLS_E_SUCCESS;
}

static void *
slot_run(void *arg)
{
	struct slot *slot = arg;
	struct connection conn = {.in = buf_max(LOGS_BODY_MAX + HTTPS_HEAD_MAX + READ_STEP),
				  .out = buf_max(LOGS_REPLY_MAX)};

	if (session_open(slot->https, &conn, slot->fd))
		while (request_serve(slot->https, &conn))
			;
	if (conn.tls != NULL)
		gnutls_deinit(conn.tls);
	buf_free(&conn.in);
	buf_free(&conn.out);
	pthread_mutex_lock(&slot->https->lock);
	slot->over = true;
	pthread_mutex_unlock(&slot->https->lock);
	return NULL;
}

static void
slot_end(struct slot *slot)
{
	if (!slot->started)
		return;
	pthread_join(slot->thread, NULL);
	close(slot->fd);
	*slot = (struct slot){.https = slot->https, .fd = -1};
}

/* A slot whose connection is over counts as free. */
static struct slot *
slot_find(struct logs_https *https)
{
	for (size_t i = 0; i < HTTPS_CONNECTIONS_MAX; i++) {
		struct slot *slot = &https->slot[i];
		bool over;

		pthread_mutex_lock(&https->lock);
		over = slot->over;
		pthread_mutex_unlock(&https->lock);
		if (over)
			slot_end(slot);
		if (!slot->started)
			return slot;
	}
	return NULL;
}

static void
connection_accept(struct logs_https *https)
{
	const int on = 1;
	int fd = accept4(https->fd, NULL, NULL, SOCK_CLOEXEC);
	struct slot *slot = fd >= 0 ? slot_find(https) : NULL;

	if (slot != NULL) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		slot->fd = fd;
		slot->started = pthread_create(&slot->thread, NULL, slot_run, slot) == 0;
	}
	if (fd >= 0 && (slot == NULL || !slot->started))
		close(fd);
}

enum res
logs_https_run(struct logs_https *https, struct lab_logs *logs, int stop)
{
	struct pollfd watched[] = {{.fd = https->fd, .events = POLLIN}, {.fd = stop, .events = POLLIN}};

	https->logs = logs;
	while (watched[1].revents == 0) {
		if (poll(watched, 2, -1) < 0 && errno != EINTR)
			return RES_IO;
		if (watched[0].revents != 0)
			connection_accept(https);
	}
	return RES_OK;
}

/* GnuTLS asks for the chain here, so that keys and certificates of the lab are taken as they are. */
static int
logs_on_certificate_wanted(gnutls_session_t tls, const struct gnutls_cert_retr_st *info,
			   gnutls_pcert_st **certs, unsigned *n_certs, gnutls_ocsp_data_st **staples,
			   unsigned *n_staples, gnutls_privkey_t *key, unsigned *flags)
{
	struct logs_https *https = gnutls_session_get_ptr(tls);

	(void)info;
	*certs = https->pcerts;
	*n_certs = https->n_pcerts;
	*staples = NULL;
	*n_staples = 0;
	*key = https->key;
	*flags = 0;
	return 0;
}

static enum res
credentials_open(struct logs_https *https, const struct site *site)
{
	https->key = site->key->private;
	for (; https->n_pcerts < site->n_chain && https->n_pcerts < HTTPS_CHAIN_MAX; https->n_pcerts++)
		https->pcerts[https->n_pcerts] = (gnutls_pcert_st){
		    .type = GNUTLS_CRT_X509,
		    .cert = {site->chain[https->n_pcerts].p, (unsigned)site->chain[https->n_pcerts].n},
		    .pubkey = site->key->public,
		};
	if (gnutls_certificate_allocate_credentials(&https->credentials) < 0 ||
	    gnutls_priority_init(&https->priority, "NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3", NULL) < 0)
		return RES_NOMEM;
	gnutls_certificate_set_retrieve_function3(https->credentials, logs_on_certificate_wanted);
	return RES_OK;
}

static enum res
logs_listener_open(struct logs_https *https, struct addr *listen_at)
{
	struct sockaddr_storage at;
	socklen_t n = addr_to_sockaddr(listen_at, &at), room = sizeof at;
	int on = 1;

	https->fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (https->fd < 0)
		return RES_IO;
	(void)setsockopt(https->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(https->fd, (struct sockaddr *)&at, n) < 0 || listen(https->fd, HTTPS_CONNECTIONS_MAX) < 0 ||
	    getsockname(https->fd, (struct sockaddr *)&at, &room) < 0)
		return RES_IO;
	return addr_from_sockaddr(listen_at, (struct sockaddr *)&at);
}

enum res
logs_https_new(struct logs_https **out, const struct site *site, struct addr *listen_at, bool events)
{
	struct logs_https *https = calloc(1, sizeof *https);
	enum res res;

	if (https == NULL)
		return RES_NOMEM;
	https->events = events;
	https->fd = -1;
	pthread_mutex_init(&https->lock, NULL);
	for (size_t i = 0; i < HTTPS_CONNECTIONS_MAX; i++)
		https->slot[i] = (struct slot){.https = https, .fd = -1};
	res = credentials_open(https, site);
	if (res == RES_OK)
		res = logs_listener_open(https, listen_at);
	if (res != RES_OK) {
		logs_https_free(https);
		return res;
	}
	*out = https;
	return RES_OK;
}

void
logs_https_free(struct logs_https *https)
{
	if (https == NULL)
		return;
	if (https->fd >= 0)
		close(https->fd);
	pthread_mutex_lock(&https->lock);
	for (size_t i = 0; i < HTTPS_CONNECTIONS_MAX; i++)
		if (https->slot[i].started)
			(void)shutdown(https->slot[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&https->lock);
	for (size_t i = 0; i < HTTPS_CONNECTIONS_MAX; i++)
		slot_end(&https->slot[i]);
	if (https->credentials != NULL)
		gnutls_certificate_free_credentials(https->credentials);
	if (https->priority != NULL)
		gnutls_priority_deinit(https->priority);
	pthread_mutex_destroy(&https->lock);
	free(https);
}
