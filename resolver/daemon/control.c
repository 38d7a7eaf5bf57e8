#include "config.h"

#include "resolver/daemon/control.h"

#include "base/clock.h"
#include "resolver/daemon/control_json.h"
#include "transport/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_PAUSE_MS 1000 /* without a descriptor to spare the listener would be ready for ever */

struct connection {
	struct control *control;
	struct connection *next;
	int fd;
	uid_t uid;
	struct loop_fd watch;
	struct loop_timer timer; /* for the whole of it */
	struct buf in;
	char *out; /* the response, once it is known */
	size_t out_n, sent;
	struct control_request request;
	struct gather *gather; /* under way */
};

struct control {
	struct loop *loop;
	struct daemon *daemon;
	struct control_socket socket;
	struct loop_fd watch;
	struct loop_timer pause;
	struct connection *connections;
	unsigned n;
};

static bool
uid_is_privileged(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

static void
connection_close(struct connection *c)
{
	struct connection **at = &c->control->connections;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->control->n--;
	if (c->gather != NULL)
		gather_cancel(c->gather);
	loop_timer_stop(&c->timer);
	loop_fd_unwatch(&c->watch);
	(void)close(c->fd);
	buf_free(&c->in);
	free(c->out);
	free(c);
}

/* Writes what can be written; closes at the end. */
static void
connection_write(struct connection *c)
{
	while (c->sent < c->out_n) {
		ssize_t n = send(c->fd, c->out + c->sent, c->out_n - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && loop_fd_interest(&c->watch, LOOP_WRITE) == RES_OK)
			return;
		if (n <= 0)
			break;
		c->sent += (size_t)n;
	}
	connection_close(c);
}

/* response is taken; NULL: there was no memory for one. */
static void
connection_answer(struct connection *c, char *response)
{
	static const char no_memory[] = "{\"ok\":false,\"error\":\"no memory\"}\n";

	c->out = response != NULL ? response : strdup(no_memory);
	c->out_n = c->out == NULL ? 0 : strlen(c->out);
	connection_write(c);
}

static struct metrics
metrics_now(struct control *k, const struct gathered *v, unsigned n)
{
	const struct snapshot *s = daemon_plan(k->daemon)->snapshot;
	int64_t wall_ms = clock_wall_ms();
	struct metrics m = {.version = PACKAGE_VERSION,
			    .uptime_ms = wall_ms - daemon_started_ms(k->daemon),
			    .generation = s->generation,
			    .list_warnings = s->n_list_warning,
			    .ct_list_age_ms = -1,
			    .worker = v,
			    .n_worker = n,
			    .reload_failed = daemon_last_reload_error(k->daemon) != NULL,
			    .captive = daemon_captive(k->daemon) > clock_boot_ms()};

	if (m.uptime_ms < 0) /* the clock was set back */
		m.uptime_ms = 0;
	if (s->ctlogs != NULL) {
		int64_t age_ms = wall_ms - ctlogs_date_ms(s->ctlogs);

		m.ct_list_age_ms = age_ms < 0 ? 0 : age_ms;
		m.ct_list_stale = age_ms > s->settings->ct_list_max_age_ms;
	}
	metrics_sum(&m, k->daemon);
	return m;
}

/* Every worker has told: the verbs that need them end here. */
static void
connection_on_gathered(void *ctx, const struct gathered *v, unsigned n)
{
	struct connection *c = ctx;
	struct metrics m = metrics_now(c->control, v, n);
	uint64_t flushed = 0;

	c->gather = NULL;
	for (unsigned i = 0; i < n; i++)
		flushed += v[i].flushed;
	switch (c->request.verb) {
	case CONTROL_STATUS:
		connection_answer(c,
				  control_status(c->control->daemon, &m, clock_wall_ms(), clock_boot_ms()));
		return;
	case CONTROL_UPSTREAMS:
		connection_answer(c, control_upstreams(v, n));
		return;
	case CONTROL_STATS:
		connection_answer(c, c->request.prometheus ? control_stats_text(&m) : control_stats(&m));
		return;
	case CONTROL_FLUSH:
		log_event(LOG_NOTICE, "flushed", LOG_INT("entries", flushed), LOG_INT("uid", c->uid));
		connection_answer(c, control_number("flushed", flushed));
		return;
	case CONTROL_RELOAD:
	case CONTROL_LOG_LEVEL:
	case CONTROL_CAPTIVE:
		break;
	}
	connection_answer(c, control_error("internal error", NULL));
}

static void
connection_gather(struct connection *c, unsigned what)
{
	struct control *k = c->control;

	if (gather_start(&c->gather, k->loop, k->daemon, what, span_of(c->request.name, c->request.name_n),
			 connection_on_gathered, c) != RES_OK)
		connection_answer(c, NULL);
}

static void
connection_reload(struct connection *c)
{
	struct config_errors errors = {0};
	enum res res = daemon_reload(c->control->daemon, &errors);

	if (res == RES_OK)
		connection_answer(
		    c, control_number("generation", daemon_plan(c->control->daemon)->snapshot->generation));
	else
		connection_answer(c, control_error(errors.n > 0 ? errors.line[0] : res_text(res), &errors));
	config_errors_free(&errors);
}

static void
connection_captive(struct connection *c)
{
	unsigned minutes = c->request.minutes;

	daemon_captive_set(c->control->daemon, minutes == 0 ? 0 : clock_boot_ms() + (int64_t)minutes * 60000);
	connection_answer(c, control_number("minutes", minutes));
}

/* No reading from now on; the response decides the end. */
static void
connection_serve(struct connection *c, struct span line)
{
	const char *why = NULL;

	if (loop_fd_interest(&c->watch, 0) != RES_OK) {
		connection_close(c);
		return;
	}
	if (control_request_read(&c->request, line, &why) != RES_OK) {
		connection_answer(c, control_error(why, NULL));
		return;
	}
	if (control_verb_changes(c->request.verb) && !uid_is_privileged(c->uid)) {
		connection_answer(c, control_error("only root and the daemon's own user may do that", NULL));
		return;
	}
	switch (c->request.verb) {
	case CONTROL_STATUS:
	case CONTROL_UPSTREAMS:
		connection_gather(c, GATHER_REPORT);
		return;
	case CONTROL_STATS:
		connection_gather(c, GATHER_REPORT | GATHER_CACHE);
		return;
	case CONTROL_FLUSH:
		connection_gather(c, GATHER_FLUSH);
		return;
	case CONTROL_RELOAD:
		connection_reload(c);
		return;
	case CONTROL_LOG_LEVEL:
		log_level_set(c->request.level);
		log_event(LOG_NOTICE, "log-level", LOG_STR("level", log_level_text(c->request.level)),
			  LOG_INT("uid", c->uid));
		connection_answer(c, control_word("level", log_level_text(c->request.level)));
		return;
	case CONTROL_CAPTIVE:
		connection_captive(c);
		return;
	}
}

static void
connection_read(struct connection *c)
{
	uint8_t *to = buf_room(&c->in, CONTROL_REQUEST_MAX + 2 - c->in.n), *end;
	ssize_t n = to == NULL ? -1 : recv(c->fd, to, CONTROL_REQUEST_MAX + 2 - c->in.n, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR) && to != NULL)
		return;
	if (n < 0 || (n == 0 && c->in.n == 0)) {
		connection_close(c);
		return;
	}
	buf_added(&c->in, (size_t)n);
	end = memchr(c->in.p, '\n', c->in.n);
	/* The end of the stream ends the line too. What is too long is refused by its reader. */
	if (end == NULL && n > 0 && c->in.n <= CONTROL_REQUEST_MAX)
		return;
	connection_serve(c, span_slice(buf_span(&c->in), 0, end == NULL ? c->in.n : (size_t)(end - c->in.p)));
}

static void
connection_on_ready(void *ctx, unsigned ready)
{
	struct connection *c = ctx;

	(void)ready;
	if (c->out != NULL)
		connection_write(c);
	else
		connection_read(c);
}

static void
connection_on_time(void *ctx)
{
	connection_close(ctx);
}

/* ---- places */

/* How many connections somebody has. */
static unsigned
places_of(const struct control *k, uid_t uid)
{
	unsigned n = 0;

	for (const struct connection *c = k->connections; c != NULL; c = c->next)
		n += c->uid == uid;
	return n;
}

/* The oldest connection of whoever has most among those without privileges; NULL: there is none. */
static struct connection *
place_to_clear(const struct control *k)
{
	struct connection *worst = NULL;
	unsigned most = 0;

	for (struct connection *c = k->connections; c != NULL; c = c->next) { /* the newest first */
		unsigned n = uid_is_privileged(c->uid) ? 0 : places_of(k, c->uid);

		if (n >= most && n > 0) {
			most = n;
			worst = c;
		}
	}
	return worst;
}

/* A place for one more of this user. Who has most of the places of all gives one up for who has fewer. */
static bool
place_make(struct control *k, uid_t uid)
{
	unsigned max = CONTROL_CONNECTIONS_MAX - (uid_is_privileged(uid) ? 0 : CONTROL_CONNECTIONS_KEPT);
	struct connection *worst;

	if (k->n < max)
		return true;
	worst = place_to_clear(k);
	if (worst == NULL || (!uid_is_privileged(uid) && places_of(k, uid) >= places_of(k, worst->uid)))
		return false;
	connection_close(worst);
	return true;
}

/* fd is taken. */
static void
connection_open(struct control *k, int fd)
{
	struct connection *c;
	struct ucred peer;
	socklen_t n = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0 || !place_make(k, peer.uid) ||
	    (c = calloc(1, sizeof *c)) == NULL) {
		(void)close(fd);
		return;
	}
	c->control = k;
	c->fd = fd;
	c->uid = peer.uid;
	c->in = buf_max(CONTROL_REQUEST_MAX + 2);
	c->next = k->connections;
	k->connections = c;
	k->n++;
	loop_timer_init(&c->timer, k->loop, connection_on_time, c);
	loop_timer_set(&c->timer, CONTROL_TIMEOUT_MS);
	if (loop_fd_watch(&c->watch, k->loop, fd, connection_on_ready, c) != RES_OK)
		connection_close(c);
}

/* ---- the socket */

static void
control_on_ready(void *ctx, unsigned ready)
{
	struct control *k = ctx;
	int fd;

	(void)ready;
	while ((fd = accept4(k->socket.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		connection_open(k, fd);
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		(void)loop_fd_interest(&k->watch, 0);
		loop_timer_set(&k->pause, ACCEPT_PAUSE_MS);
	}
}

static void
control_on_pause_over(void *ctx)
{
	struct control *k = ctx;

	(void)loop_fd_interest(&k->watch, LOOP_READ);
}

enum res
control_new(struct control **out, struct loop *loop, struct daemon *daemon, const char *path,
	    const struct control_owner *owner, char **why)
{
	struct control *k = calloc(1, sizeof *k);
	struct buf text = buf_max(CONTROL_REQUEST_MAX);
	const char *failed;

	if (k == NULL)
		return RES_NOMEM;
	k->loop = loop;
	k->daemon = daemon;
	failed = control_socket_open(&k->socket, path, owner);
	loop_timer_init(&k->pause, loop, control_on_pause_over, k);
	if (failed == NULL && loop_fd_watch(&k->watch, loop, k->socket.fd, control_on_ready, k) != RES_OK)
		failed = strerror(errno);
	if (failed != NULL) {
		buf_format(&text, "control-socket %s: %s", path, failed);
		*why = buf_take_cstr(&text);
		control_free(k);
		return RES_IO;
	}
	*out = k;
	return RES_OK;
}

void
control_free(struct control *k)
{
	if (k == NULL)
		return;
	while (k->connections != NULL)
		connection_close(k->connections);
	loop_timer_stop(&k->pause);
	loop_fd_unwatch(&k->watch);
	control_socket_close(&k->socket);
	free(k);
}
