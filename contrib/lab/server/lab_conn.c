#include "config.h"

#include "contrib/lab/server/lab_conn.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_STEP        (16 * 1024)
#define DRIBBLE_MS       1 /* the pause of a dribbling server ... */
#define DRIBBLE_BYTES    8 /* ... and how many bytes, a record each, come between two of them */
#define MANY_TICKETS     1000
#define MANY_KEY_UPDATES 1000

static void lab_conn_step(struct lab_conn *);

bool
lab_conn_fault(const struct lab_conn *conn, enum fault fault)
{
	return lab_fault_has(&conn->server->faults, fault);
}

static void
lab_conn_counted(struct lab_conn *conn)
{
	if (conn->server->on_count != NULL)
		conn->server->on_count(conn->server->count_ctx);
}

static struct timeval
timeval_ms(int64_t ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

void
lab_conn_held_free(struct lab_pending *pending)
{
	if (pending->timer != NULL)
		event_free(pending->timer);
	buf_free(&pending->message);
	buf_free(&pending->query);
	free(pending);
}

void
lab_conn_free(struct lab_conn *conn, const char *why)
{
	struct lab_pending *pending;

	log_event(LOG_INFO, "close", LOG_INT("conn", conn->id), LOG_STR("by", why),
		  LOG_INT("bytes", conn->bytes), LOG_INT("questions", conn->questions),
		  LOG_INT("answers", conn->answers));
	TAILQ_REMOVE(&conn->server->conns, conn, link);
	conn->server->n_conns--;
	while ((pending = TAILQ_FIRST(&conn->held)) != NULL) {
		TAILQ_REMOVE(&conn->held, pending, link);
		lab_conn_held_free(pending);
	}
	if (conn->session != NULL && conn->server->protocol->close != NULL)
		conn->server->protocol->close(conn);
	if (conn->event != NULL)
		event_free(conn->event);
	if (conn->timer != NULL)
		event_free(conn->timer);
	if (conn->idle != NULL)
		event_free(conn->idle);
	if (conn->tls != NULL)
		gnutls_deinit(conn->tls);
	close(conn->fd);
	buf_free(&conn->in);
	buf_free(&conn->out);
	lab_conn_counted(conn);
	free(conn);
}

static void
lab_conn_end(struct lab_conn *conn)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if (conn->end == END_RESET)
		(void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	else if (conn->end == END_CLOSE && conn->state == CONN_OPEN)
		(void)gnutls_bye(conn->tls, GNUTLS_SHUT_WR);
	lab_conn_free(conn, "server");
}

void
lab_conn_write(struct lab_conn *conn, struct span bytes)
{
	buf_put(&conn->out, bytes);
	if (!buf_ok(&conn->out))
		conn->end = END_RESET;
}

void
lab_conn_close(struct lab_conn *conn, enum lab_conn_end end)
{
	if (conn->end == END_NONE)
		conn->end = end;
}

static void
lab_conn_on_event(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	lab_conn_step(arg);
}

/* Waits for the socket. */
static void
lab_conn_wait(struct lab_conn *conn, short what)
{
	event_del(conn->event);
	if (event_assign(conn->event, conn->server->base, conn->fd, what, lab_conn_on_event, conn) < 0 ||
	    event_add(conn->event, NULL) < 0)
		lab_conn_free(conn, "trouble");
}

/* Replies to a ClientHello without TLS, for the faults before the handshake. */
static void
hello_answer(struct lab_conn *conn)
{
	static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 40}; /* fatal handshake_failure */
	static const uint8_t noise[] = {22, 3, 3, 0, 8, 2, 0, 0, 4, 0xde, 0xad, 0xbe, 0xef};
	static const char http[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
	struct span say = span_of(NULL, 0);

	if (lab_conn_fault(conn, FAULT_PLAIN_TEXT))
		say = span_str(http);
	else if (lab_conn_fault(conn, FAULT_ALERT))
		say = span_of(alert, sizeof alert);
	else if (lab_conn_fault(conn, FAULT_GARBAGE))
		say = span_of(noise, sizeof noise);
	if (say.n > 0)
		(void)send(conn->fd, say.p, say.n,
			   MSG_NOSIGNAL); /* a few bytes always fit into an empty socket buffer */
	conn->end = lab_conn_fault(conn, FAULT_RESET_HELLO) ? END_RESET : END_CUT;
}

static void
hello_step(struct lab_conn *conn)
{
	uint8_t bytes[READ_STEP];
	ssize_t n = recv(conn->fd, bytes, sizeof bytes, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		lab_conn_wait(conn, EV_READ);
		return;
	}
	if (n > 0)
		hello_answer(conn);
	else
		conn->end = END_CUT;
	lab_conn_end(conn);
}

/* Discards what arrives until the client leaves. */
static void
silent_step(struct lab_conn *conn)
{
	uint8_t bytes[READ_STEP];
	ssize_t n = recv(conn->fd, bytes, sizeof bytes, 0);

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		lab_conn_wait(conn, EV_READ);
	else
		lab_conn_free(conn, "client");
}

static void
lab_conn_on_idle(evutil_socket_t fd, short what, void *arg)
{
	struct lab_conn *conn = arg;

	(void)fd, (void)what;
	conn->end = END_CLOSE;
	lab_conn_end(conn);
}

static void
idle_restart(struct lab_conn *conn)
{
	struct timeval wait;

	if (!lab_conn_fault(conn, FAULT_IDLE_CLOSE))
		return;
	wait = timeval_ms(lab_fault_number(&conn->server->faults, FAULT_IDLE_CLOSE));
	if (conn->idle == NULL)
		conn->idle = evtimer_new(conn->server->base, lab_conn_on_idle, conn);
	if (conn->idle != NULL)
		event_add(conn->idle, &wait);
}

static void
opened_log(struct lab_conn *conn)
{
	gnutls_datum_t alpn = {0};
	char name[256] = "", protocol[32] = "";
	size_t n = sizeof name;
	unsigned type;

	if (gnutls_server_name_get(conn->tls, name, &n, &type, 0) < 0)
		name[0] = '\0';
	if (gnutls_alpn_get_selected_protocol(conn->tls, &alpn) == 0 && alpn.size < sizeof protocol)
		memcpy(protocol, alpn.data, alpn.size);
	log_event(LOG_INFO, "handshake", LOG_INT("conn", conn->id),
		  LOG_STR("version", gnutls_protocol_get_name(gnutls_protocol_get_version(conn->tls))),
		  LOG_STR("alpn", protocol), LOG_STR("sni", name),
		  LOG_STR("resumed", gnutls_session_is_resumed(conn->tls) ? "yes" : "no"));
}

static void
opened(struct lab_conn *conn)
{
	struct lab_server *server = conn->server;

	conn->state = CONN_OPEN;
	server->counts.handshakes++;
	server->counts.resumed += gnutls_session_is_resumed(conn->tls) != 0;
	opened_log(conn);
	idle_restart(conn);
	if (lab_conn_fault(conn, FAULT_MANY_TICKETS) &&
	    gnutls_protocol_get_version(conn->tls) == GNUTLS_TLS1_3)
		(void)gnutls_session_ticket_send(conn->tls, MANY_TICKETS, 0);
	for (int i = 0; i < MANY_KEY_UPDATES && lab_conn_fault(conn, FAULT_KEY_UPDATES); i++)
		(void)gnutls_session_key_update(conn->tls, GNUTLS_KU_PEER);
	if (server->protocol->open != NULL && server->protocol->open(conn) != RES_OK)
		lab_conn_close(conn, END_RESET);
	if (lab_conn_fault(conn, FAULT_CLOSE_HANDSHAKE))
		lab_conn_close(conn, END_CLOSE);
	if (lab_conn_fault(conn, FAULT_RESET_HANDSHAKE))
		lab_conn_close(conn, END_RESET);
	lab_conn_counted(conn);
}

static void
lab_handshake_failed(struct lab_conn *conn, int code)
{
	const char *alert = NULL;

	if (code == GNUTLS_E_FATAL_ALERT_RECEIVED || code == GNUTLS_E_WARNING_ALERT_RECEIVED)
		alert = gnutls_alert_get_name(gnutls_alert_get(conn->tls));
	conn->server->counts.refused++;
	conn->server->counts.bad_names += code == GNUTLS_E_RECEIVED_DISALLOWED_NAME;
	log_event(LOG_INFO, "refused", LOG_INT("conn", conn->id), LOG_STR("alert", alert),
		  LOG_STR("error", gnutls_strerror_name(code)));
	if (alert != NULL || gnutls_alert_send_appropriate(conn->tls, code) < 0 ||
	    shutdown(conn->fd, SHUT_WR) < 0) {
		lab_conn_free(conn, alert != NULL ? "client" : "handshake");
		return;
	}
	/* Closing with unread bytes would reset the connection, and the client might not see the alert. */
	conn->state = CONN_SILENT;
	lab_conn_counted(conn);
	lab_conn_wait(conn, EV_READ);
}

static void
handshake_step(struct lab_conn *conn)
{
	int code = gnutls_handshake(conn->tls);

	if (code == GNUTLS_E_SUCCESS) {
		opened(conn);
		lab_conn_step(conn);
	} else if (code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED) {
		if (lab_conn_fault(conn, FAULT_DRIBBLE_HANDSHAKE) && conn->timer != NULL &&
		    evtimer_pending(conn->timer, NULL))
			return; /* the timer wakes us for the next byte */
		lab_conn_wait(conn, gnutls_record_get_direction(conn->tls) == 0 ? EV_READ : EV_WRITE);
	} else if (!gnutls_error_is_fatal(code)) {
		lab_conn_wait(conn, EV_READ);
	} else {
		lab_handshake_failed(conn, code);
	}
}

/* Does a server that sends byte by byte pause now? *ms is set to how long. */
static bool
pauses(const struct lab_conn *conn, int64_t *ms)
{
	if (lab_conn_fault(conn, FAULT_TRICKLE)) {
		*ms = lab_fault_number(&conn->server->faults, FAULT_TRICKLE);
		return true;
	}
	*ms = DRIBBLE_MS;
	return conn->out.n % DRIBBLE_BYTES == 0;
}

/* True: everything is written. False: the connection waits, or is gone. */
static bool
lab_conn_flush(struct lab_conn *conn)
{
	bool dribble = lab_conn_fault(conn, FAULT_DRIBBLE) || lab_conn_fault(conn, FAULT_TRICKLE) ||
		       lab_conn_fault(conn, FAULT_SPLIT_HEADERS);
	struct timeval pause;
	int64_t ms;
	ssize_t n;

	while (conn->out.n > 0) {
		if (conn->sending)
			n = gnutls_record_send(conn->tls, NULL, 0);
		else
			n = gnutls_record_send(conn->tls, conn->out.p, dribble ? 1 : conn->out.n);
		conn->sending = n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED;
		if (conn->sending) {
			lab_conn_wait(conn, EV_READ | EV_WRITE);
			return false;
		}
		if (n < 0) {
			lab_conn_free(conn, "client");
			return false;
		}
		buf_drop(&conn->out, (size_t)n);
		if (dribble && conn->out.n > 0 && pauses(conn, &ms)) {
			pause = timeval_ms(ms);
			event_add(conn->timer, &pause);
			lab_conn_wait(conn, EV_READ);
			return false;
		}
	}
	return true;
}

/* Reads all there is. False: the connection is gone. */
static bool
lab_conn_fill(struct lab_conn *conn)
{
	ssize_t n;

	for (;;) {
		uint8_t *room = buf_room(&conn->in, READ_STEP);

		if (room == NULL) {
			lab_conn_free(conn, "limit");
			return false;
		}
		n = gnutls_record_recv(conn->tls, room, READ_STEP);
		if (n == GNUTLS_E_AGAIN)
			return true;
		if (n <= 0 && (n == 0 || gnutls_error_is_fatal((int)n))) {
			lab_conn_free(conn, "client");
			return false;
		}
		if (n < 0)
			continue; /* a warning alert or a key update */
		buf_added(&conn->in, (size_t)n);
		conn->bytes += (uint64_t)n;
		conn->server->counts.bytes += (uint64_t)n;
		lab_conn_counted(conn);
		idle_restart(conn);
		conn->server->protocol->on_data(conn);
		if (conn->end != END_NONE || conn->state == CONN_SILENT)
			return true;
	}
}

static void
open_step(struct lab_conn *conn)
{
	if (conn->end == END_NONE && !lab_conn_fill(conn))
		return;
	lab_conn_push(conn);
}

void
lab_conn_push(struct lab_conn *conn)
{
	if (conn->timer != NULL && evtimer_pending(conn->timer, NULL))
		return; /* dribbling: the timer sends the next byte */
	if (!lab_conn_flush(conn))
		return;
	if (conn->end != END_NONE)
		lab_conn_end(conn);
	else
		lab_conn_wait(conn, EV_READ);
}

static void
lab_conn_step(struct lab_conn *conn)
{
	switch (conn->state) {
	case CONN_HELLO:
		hello_step(conn);
		break;
	case CONN_HANDSHAKE:
		handshake_step(conn);
		break;
	case CONN_OPEN:
		open_step(conn);
		break;
	case CONN_SILENT:
		silent_step(conn);
		break;
	}
}

static void
lab_conn_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct lab_conn *conn = arg;

	(void)fd, (void)what;
	if (conn->state == CONN_OPEN)
		lab_conn_push(conn);
	else
		lab_conn_step(conn);
}

/* The first state of a connection, as the faults want. */
static enum lab_conn_state
first_state(struct lab_conn *conn)
{
	if (lab_conn_fault(conn, FAULT_SILENT_ACCEPT))
		return CONN_SILENT;
	if (lab_conn_fault(conn, FAULT_PLAIN_TEXT) || lab_conn_fault(conn, FAULT_GARBAGE) ||
	    lab_conn_fault(conn, FAULT_ALERT) || lab_conn_fault(conn, FAULT_CLOSE_HELLO) ||
	    lab_conn_fault(conn, FAULT_RESET_HELLO))
		return CONN_HELLO;
	return CONN_HANDSHAKE;
}

enum res
lab_conn_new(struct lab_server *server, int fd, const struct addr *peer)
{
	struct lab_conn *conn = calloc(1, sizeof *conn);

	if (conn == NULL)
		return RES_NOMEM;
	conn->server = server;
	conn->fd = fd;
	conn->peer = *peer;
	conn->id = ++server->last_id;
	conn->in = buf_max(CONN_IN_MAX);
	conn->out = buf_max(CONN_OUT_MAX);
	TAILQ_INIT(&conn->held);
	TAILQ_INSERT_TAIL(&server->conns, conn, link);
	server->n_conns++;
	server->counts.connections++;
	log_event(LOG_INFO, "connect", LOG_INT("conn", conn->id), LOG_ADDR("from", &conn->peer));
	conn->state = first_state(conn);
	conn->event = event_new(server->base, fd, EV_READ, lab_conn_on_event, conn);
	conn->timer = evtimer_new(server->base, lab_conn_on_timer, conn);
	lab_conn_counted(conn);
	if (conn->event == NULL || conn->timer == NULL || lab_conn_tls_open(conn) != RES_OK) {
		lab_conn_free(conn, "trouble");
		return RES_OK; /* the descriptor is gone with it */
	}
	if (lab_conn_fault(conn, FAULT_CLOSE_ACCEPT) || lab_conn_fault(conn, FAULT_RESET_ACCEPT)) {
		conn->end = lab_conn_fault(conn, FAULT_RESET_ACCEPT) ? END_RESET : END_CUT;
		lab_conn_end(conn);
		return RES_OK;
	}
	lab_conn_wait(conn, EV_READ);
	return RES_OK;
}
