/*
 * ctstub metrics: the daemon's numbers for Prometheus, from a process of its own, so that the daemon holds no
 * web server.
 *
 * One request a connection, bounded in size and time; a request is not read beyond its first line. Clients that are slow
 * with it do not keep others waiting. Every scrape is one question over the control socket.
 */
#include "config.h"
#include "cli/control.h"
#include "cli/watch_status.h"

#include "base/clock.h"
#include "base/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX     8192
#define REQUEST_WAIT_MS 3000 /* for a whole request, and for taking the whole response */
#define LISTEN_BACKLOG  16
#define WAITING_MAX     16 /* clients whose requests are not whole; for one more the oldest is closed */

static const char verb[] = "metrics";

const struct cli_option metrics_options[] = {
    {"listen", CONTROL_OPTION_LISTEN, "ADDR:PORT", "the address on which the counters are served"},
    {"config", 'c', "FILE",
     "the configuration, which names the control socket; the daemon's own\nwithout it"},
    {"socket", CONTROL_OPTION_SOCKET, "PATH", "the control socket"},
    {"json", CONTROL_OPTION_JSON, NULL, "print a failure as one JSON object"},
    {"help", 'h', NULL, "print this"},
    {NULL, 0, NULL, NULL},
};

static volatile sig_atomic_t ended;
/* The signals that end the program are unblocked only while it waits, so that none is missed. */
static sigset_t while_waiting;

static void
metrics_on_signal(int signo)
{
	(void)signo;
	ended = 1;
}

/* The signals end it: a descriptor that is readable while one of them waits, and is never read; -1: there is none. */
static int
metrics_signals_begin(void)
{
	struct sigaction end = {.sa_handler = metrics_on_signal};
	sigset_t ours;

	(void)sigemptyset(&ours);
	(void)sigaddset(&ours, SIGTERM);
	(void)sigaddset(&ours, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &ours, &while_waiting);
	(void)sigaction(SIGTERM, &end, NULL);
	(void)sigaction(SIGINT, &end, NULL);
	signals_ignore_unused();
	return signalfd(-1, &ours, SFD_CLOEXEC);
}

static int
metrics_listen_on(const struct addr *a)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sockaddr(a, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (bind(fd, (const struct sockaddr *)&ss, n) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
		int saved = errno;

		(void)close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static bool
metrics_wait_for(int fd, short events, int64_t until_ms)
{
	int64_t left = until_ms - clock_mono_ms();
	struct timespec t = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
	struct pollfd p = {.fd = fd, .events = events};

	return left > 0 && ppoll(&p, 1, &t, &while_waiting) == 1;
}

static void
metrics_send_span(int fd, struct span bytes, int64_t until_ms)
{
	while (bytes.n > 0 && metrics_wait_for(fd, POLLOUT, until_ms)) {
		ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return;
		if (n > 0)
			bytes = span_slice(bytes, (size_t)n, bytes.n);
	}
}

#define METHOD_NOT_ALLOWED "405 Method Not Allowed\r\nAllow: GET, HEAD" /* RFC 9110, 15.5.6 */

/* Header fields may follow the status. */
static void
metrics_respond(int fd, const char *status, const char *type, struct span body, bool head, int64_t until_ms)
{
	struct buf out = buf_max(body.n + 512);

	buf_format(&out,
		   "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
		   status, type, body.n);
	if (!head)
		buf_put(&out, body);
	metrics_send_span(fd, buf_span(&out), until_ms);
	buf_free(&out);
}

/* Where a scrape looks. */
struct sources {
	const char *socket;
	struct control_end *end;
	char *watch; /* the folder of ctstub-watch; NULL: none */
};

static void
metrics_scrape(int fd, const struct sources *from, bool head, int64_t until_ms)
{
	static const char question[] = "{\"verb\":\"stats\",\"format\":\"prometheus\"}";
	const char *why = NULL, *text = NULL;
	struct buf line = {0}, body = buf_max(CONTROL_ANSWER_MAX);
	json_t *answer = NULL;

	if (control_exchange(&line, from->socket, question, from->end, &why) == RES_OK) {
		answer = json_loadb((const char *)line.p, line.n, JSON_DISABLE_EOF_CHECK, NULL);
		text = json_string_value(json_object_get(answer, "text"));
	}
	buf_text(&body, text != NULL ? text : "");
	if (text != NULL && from->watch != NULL)
		watch_metrics_put(&body, from->watch);
	if (text != NULL && buf_ok(&body))
		metrics_respond(fd, "200 OK", "text/plain; version=0.0.4; charset=utf-8", buf_span(&body),
				head, until_ms);
	else
		metrics_respond(fd, "503 Service Unavailable", "text/plain",
				span_str("the daemon does not answer\n"), head, until_ms);
	json_decref(answer);
	buf_free(&line);
	buf_free(&body);
}

static bool
metrics_starts_with(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* What Prometheus adds to the path (params) changes nothing. */
static bool
metrics_is_path(const char *path)
{
	return metrics_starts_with(path, "/metrics ") || metrics_starts_with(path, "/metrics?") ||
	       metrics_starts_with(path, "/ ");
}

static void
metrics_serve(int fd, const char *request, const struct sources *from)
{
	bool head = metrics_starts_with(request, "HEAD ");

	if (!head && !metrics_starts_with(request, "GET "))
		metrics_respond(fd, METHOD_NOT_ALLOWED, "text/plain", span_str("GET\n"), false,
				clock_mono_ms() + REQUEST_WAIT_MS);
	else if (metrics_is_path(request + (head ? 5 : 4)))
		metrics_scrape(fd, from, head, clock_mono_ms() + CONTROL_WAIT_MS + REQUEST_WAIT_MS);
	else
		metrics_respond(fd, "404 Not Found", "text/plain", span_str("/metrics\n"), head,
				clock_mono_ms() + REQUEST_WAIT_MS);
}

/* ---- clients */

/* One whose request is not whole yet. */
struct waiting {
	int fd;
	int64_t until_ms;
	size_t n;
	char request[REQUEST_MAX];
};

struct exporter {
	int fd; /* listens */
	struct sources from;
	size_t n;
	struct waiting *waiting[WAITING_MAX]; /* the oldest first */
};

enum request { REQUEST_PART, REQUEST_WHOLE, REQUEST_BAD };

/* Up to the empty line. */
static enum request
waiting_receive(struct waiting *w)
{
	ssize_t got = recv(w->fd, w->request + w->n, REQUEST_MAX - 1 - w->n, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return REQUEST_PART;
	if (got <= 0)
		return REQUEST_BAD;
	w->n += (size_t)got;
	w->request[w->n] = '\0';
	if (strlen(w->request) != w->n)
		return REQUEST_BAD;
	if (strstr(w->request, "\r\n\r\n") != NULL)
		return REQUEST_WHOLE;
	return w->n < REQUEST_MAX - 1 ? REQUEST_PART : REQUEST_BAD;
}

static void
exporter_drop(struct exporter *e, size_t i)
{
	(void)close(e->waiting[i]->fd);
	free(e->waiting[i]);
	e->n--;
	memmove(&e->waiting[i], &e->waiting[i + 1], (e->n - i) * sizeof e->waiting[0]);
}

static void
exporter_accept(struct exporter *e)
{
	int fd = accept4(e->fd, NULL, NULL, SOCK_CLOEXEC);
	struct waiting *w;

	if (fd < 0) {
		if (errno != EINTR && errno != EAGAIN && errno != ECONNABORTED)
			(void)poll(NULL, 0, 100); /* out of descriptors: tries again a little later */
		return;
	}
	if (e->n == WAITING_MAX)
		exporter_drop(e, 0);
	w = malloc(sizeof *w);
	if (w == NULL) {
		(void)close(fd);
		return;
	}
	w->fd = fd;
	w->until_ms = clock_mono_ms() + REQUEST_WAIT_MS;
	w->n = 0;
	e->waiting[e->n++] = w;
}

static void
exporter_read(struct exporter *e, size_t i)
{
	switch (waiting_receive(e->waiting[i])) {
	case REQUEST_PART:
		return;
	case REQUEST_WHOLE:
		metrics_serve(e->waiting[i]->fd, e->waiting[i]->request, &e->from);
		break;
	case REQUEST_BAD:
		break;
	}
	exporter_drop(e, i);
}

/* Waits until there is something to do, and does it. */
static void
exporter_turn(struct exporter *e)
{
	struct pollfd p[1 + WAITING_MAX] = {{.fd = e->fd, .events = POLLIN}};
	int64_t left = e->n > 0 ? e->waiting[0]->until_ms - clock_mono_ms() : 0;
	struct timespec t = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
	size_t n = e->n;

	if (left < 0)
		t = (struct timespec){0};
	for (size_t i = 0; i < n; i++)
		p[1 + i] = (struct pollfd){.fd = e->waiting[i]->fd, .events = POLLIN};
	if (ppoll(p, 1 + n, n > 0 ? &t : NULL, &while_waiting) < 0)
		return;
	for (size_t i = n; i-- > 0;) /* backwards: some are dropped */
		if (p[1 + i].revents != 0)
			exporter_read(e, i);
	while (e->n > 0 && e->waiting[0]->until_ms <= clock_mono_ms())
		exporter_drop(e, 0);
	if (p[0].revents != 0)
		exporter_accept(e);
}

enum exit_code
cmd_metrics(int argc, char **argv)
{
	struct control_args args;
	struct addr listen_at;
	struct exporter e = {.n = 0};
	struct control_end end = {.came = false};
	enum exit_code code;

	if (!control_args_read(&args, argc, argv, 0, 0, &code))
		return code;
	if (args.listen == NULL || addr_read(&listen_at, args.listen, 0) != RES_OK || listen_at.port == 0)
		return cli_complain(EXIT_USAGE, verb, "--listen ADDR:PORT was expected");
	end.fd = metrics_signals_begin();
	e.fd = metrics_listen_on(&listen_at);
	if (e.fd < 0)
		return cli_complain(EXIT_TROUBLE, verb, "cannot listen on %s: %s", args.listen,
				    strerror(errno));
	e.from = (struct sources){args.socket, &end, watch_folder(&args)};
	while (!ended && !end.came)
		exporter_turn(&e);
	while (e.n > 0)
		exporter_drop(&e, 0);
	free(e.from.watch);
	(void)close(e.fd);
	(void)close(end.fd);
	return EXIT_GOOD;
}
