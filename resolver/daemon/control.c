#include "config.h"

#include "resolver/daemon/control.h"

#include "base/clock.h"
#include "base/log.h"
#include "resolver/daemon/helper.h"
#include "transport/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEER_GROUPS_MAX 65536 /* NGROUPS_MAX of Linux: with less room the kernel returns none */
#define ACCEPT_PAUSE_MS 1000  /* without a descriptor to spare the listener would be ready forever */

enum peer {
	PEER_USER,
	PEER_MEMBER, /* of control-group: may change something */
	PEER_OWNER,  /* root or the daemon's own user: may, and nobody keeps them out */
};

struct control_conn {
	struct control *control;
	LIST_ENTRY(control_conn) link;
	int fd;
	uid_t uid;
	enum peer peer;
	struct loop_fd watch;
	struct loop_timer timer; /* for the whole of it */
	struct buf in;
	char *out; /* the response, once it is known */
	size_t out_n, sent;
	struct control_request request;
	struct fan_out *pending; /* a status that is being collected for it */
};

struct control {
	struct loop *loop;
	const struct control_ops *ops;
	void *ctx;
	struct control_socket socket;
	bool has_group; /* its members are privileged */
	gid_t group;
	struct loop_fd watch;
	struct loop_timer pause;
	LIST_HEAD(, control_conn) connections; /* the newest first */
	unsigned n;
};

/* The supplementary groups of a peer; its effective one is in SO_PEERCRED. */
static bool
peer_has_group(int fd, gid_t group)
{
	socklen_t n = PEER_GROUPS_MAX * sizeof(gid_t);
	gid_t *list = calloc(PEER_GROUPS_MAX, sizeof *list);
	bool found = false;

	if (list != NULL && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, list, &n) == 0)
		for (size_t i = 0; i < n / sizeof *list && !found; i++)
			found = list[i] == group;
	free(list);
	return found;
}

/* A helper has the daemon's user, but does not need this socket: a helper that was taken over may read like any user, and
 * change nothing. */
static enum peer
peer_of(const struct control *k, int fd, const struct ucred *peer)
{
	if (helper_has_pid(peer->pid))
		return PEER_USER;
	if (peer->uid == 0 || peer->uid == geteuid())
		return PEER_OWNER;
	return k->has_group && (peer->gid == k->group || peer_has_group(fd, k->group)) ? PEER_MEMBER
										       : PEER_USER;
}

static void
control_conn_close(struct control_conn *c)
{
	LIST_REMOVE(c, link);
	c->control->n--;
	if (c->pending != NULL)
		c->control->ops->status_cancel(c->pending);
	loop_timer_stop(&c->timer);
	loop_fd_unwatch(&c->watch);
	(void)close(c->fd);
	buf_free(&c->in);
	free(c->out);
	free(c);
}

/* Writes what can be written; closes at the end. */
static void
control_conn_write(struct control_conn *c)
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
	control_conn_close(c);
}

/* response is taken; NULL: there was no memory for one. */
static void
control_conn_answer(struct control_conn *c, char *response)
{
	static const char no_memory[] = "{\"ok\":false,\"error\":\"no memory\"}\n";

	c->out = response != NULL ? response : strdup(no_memory);
	c->out_n = c->out == NULL ? 0 : strlen(c->out);
	control_conn_write(c);
}

/* The status is there: the verbs that need it end here. */
static void
control_conn_on_status(void *ctx, const struct status *s)
{
	struct control_conn *c = ctx;

	c->pending = NULL;
	switch (c->request.verb) {
	case CONTROL_STATUS:
		control_conn_answer(c, control_json_status(s));
		return;
	case CONTROL_UPSTREAMS:
		control_conn_answer(c, control_json_upstreams(s));
		return;
	case CONTROL_STATS:
		control_conn_answer(c, c->request.prometheus ? control_json_stats_text(s)
							     : control_json_stats(s));
		return;
	case CONTROL_FLUSH:
	case CONTROL_RELOAD:
	case CONTROL_LOG_LEVEL:
	case CONTROL_CAPTIVE:
		break;
	}
	control_conn_answer(c, control_json_error("internal error", NULL));
}

static void
control_conn_status(struct control_conn *c)
{
	struct control *k = c->control;

	if (k->ops->status(k->ctx, &c->pending, control_conn_on_status, c) != RES_OK)
		control_conn_answer(c, NULL);
}

static void
control_conn_flush(struct control_conn *c)
{
	const struct control *k = c->control;
	uint64_t flushed = k->ops->flush(k->ctx, span_of(c->request.name, c->request.name_n));

	log_event(LOG_NOTICE, "flushed", LOG_INT("entries", flushed), LOG_INT("uid", c->uid));
	control_conn_answer(c, control_json_number("flushed", flushed));
}

static void
control_conn_reload(struct control_conn *c)
{
	const struct control *k = c->control;
	struct config_errors errors = {0};
	struct changes *changes = calloc(1, sizeof *changes); /* large for a stack */
	uint64_t generation = 0;
	enum res res = changes == NULL ? RES_NOMEM : k->ops->reload(k->ctx, &errors, changes, &generation);

	if (res == RES_OK)
		control_conn_answer(c, control_json_reload(generation, changes));
	else
		control_conn_answer(
		    c, control_json_error(errors.n > 0 ? errors.line[0] : res_text(res), &errors));
	config_errors_free(&errors);
	if (changes != NULL)
		changes_free(changes);
	free(changes);
}

static void
control_conn_log_level(struct control_conn *c)
{
	const char *level = log_level_text(c->request.level);

	log_level_set(c->request.level);
	log_event(LOG_NOTICE, "log-level", LOG_STR("level", level), LOG_INT("uid", c->uid));
	control_conn_answer(c, control_json_word("level", level));
}

static void
control_conn_captive(struct control_conn *c)
{
	const struct control *k = c->control;
	unsigned minutes = c->request.minutes;

	int64_t until_ms = minutes == 0 ? 0 : clock_boot_ms() + (int64_t)minutes * 60000;

	control_conn_answer(c, control_json_captive(minutes, k->ops->captive_set(k->ctx, until_ms)));
}

/* Reads no more; the connection closes after the response. */
static void
control_conn_serve(struct control_conn *c, struct span line)
{
	const char *why = NULL;

	if (loop_fd_interest(&c->watch, 0) != RES_OK) {
		control_conn_close(c);
		return;
	}
	if (control_request_read(&c->request, line, &why) != RES_OK) {
		control_conn_answer(c, control_json_error(why, NULL));
		return;
	}
	if (control_verb_changes(c->request.verb) && c->peer == PEER_USER) {
		control_conn_answer(c, control_json_error("only root, the daemon's own user and the members "
							  "of control-group may do that: run with sudo",
							  NULL));
		return;
	}
	switch (c->request.verb) {
	case CONTROL_UPSTREAMS:
	case CONTROL_STATUS:
	case CONTROL_STATS:
		control_conn_status(c);
		return;
	case CONTROL_FLUSH:
		control_conn_flush(c);
		return;
	case CONTROL_RELOAD:
		control_conn_reload(c);
		return;
	case CONTROL_LOG_LEVEL:
		control_conn_log_level(c);
		return;
	case CONTROL_CAPTIVE:
		control_conn_captive(c);
		return;
	}
}

static void
control_conn_read(struct control_conn *c)
{
	uint8_t *to = buf_room(&c->in, CONTROL_REQUEST_MAX + 2 - c->in.n), *end;
	ssize_t n = to == NULL ? -1 : recv(c->fd, to, CONTROL_REQUEST_MAX + 2 - c->in.n, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR) && to != NULL)
		return;
	if (n < 0 || (n == 0 && c->in.n == 0)) {
		control_conn_close(c);
		return;
	}
	buf_added(&c->in, (size_t)n);
	end = memchr(c->in.p, '\n', c->in.n);
	/* The end of the stream ends the line too. The reader refuses a line that is too long. */
	if (end == NULL && n > 0 && c->in.n <= CONTROL_REQUEST_MAX)
		return;
	control_conn_serve(c,
			   span_slice(buf_span(&c->in), 0, end == NULL ? c->in.n : (size_t)(end - c->in.p)));
}

static void
control_conn_on_ready(void *ctx, unsigned ready)
{
	struct control_conn *c = ctx;

	(void)ready;
	if (c->out != NULL)
		control_conn_write(c);
	else
		control_conn_read(c);
}

static void
control_conn_on_time(void *ctx)
{
	control_conn_close(ctx);
}

/* ---- places: how the connections are divided among users */

/* How many connections a user has. */
static unsigned
control_places_of(const struct control *k, uid_t uid)
{
	const struct control_conn *c;
	unsigned n = 0;

	LIST_FOREACH(c, &k->connections, link)
	n += c->uid == uid;
	return n;
}

/* How many places there are for such peers. */
static unsigned
control_places_for(enum peer peer)
{
	switch (peer) {
	case PEER_USER:
		return CONTROL_CONNECTIONS_MAX - CONTROL_CONNECTIONS_KEPT;
	case PEER_MEMBER:
		return CONTROL_CONNECTIONS_MAX - CONTROL_CONNECTIONS_OWNERS;
	case PEER_OWNER:
		break;
	}
	return CONTROL_CONNECTIONS_MAX;
}

/* The oldest connection of the user with the most, among those that such a peer may displace; NULL: there is none. */
static struct control_conn *
control_place_to_clear(const struct control *k, enum peer by)
{
	struct control_conn *c, *worst = NULL;
	unsigned most = 0;

	LIST_FOREACH(c, &k->connections, link)
	{
		unsigned n = c->peer == PEER_OWNER || c->peer > by ? 0 : control_places_of(k, c->uid);

		if (n >= most && n > 0) {
			most = n;
			worst = c;
		}
	}
	return worst;
}

/* Makes a place for one more connection of this user. The user with the most gives one up for a user with fewer. */
static bool
control_place_make(struct control *k, uid_t uid, enum peer peer)
{
	struct control_conn *worst;

	if (k->n < control_places_for(peer))
		return true;
	worst = control_place_to_clear(k, peer);
	if (worst == NULL ||
	    (worst->peer == peer && control_places_of(k, uid) >= control_places_of(k, worst->uid)))
		return false;
	control_conn_close(worst);
	return true;
}

/* fd is taken. */
static void
control_conn_open(struct control *k, int fd)
{
	struct control_conn *c;
	struct ucred cred;
	socklen_t n = sizeof cred;
	bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0;
	enum peer peer = known ? peer_of(k, fd, &cred) : PEER_USER;

	if (!known || !control_place_make(k, cred.uid, peer) || (c = calloc(1, sizeof *c)) == NULL) {
		(void)close(fd);
		return;
	}
	c->control = k;
	c->fd = fd;
	c->uid = cred.uid;
	c->peer = peer;
	c->in = buf_max(CONTROL_REQUEST_MAX + 2);
	LIST_INSERT_HEAD(&k->connections, c, link);
	k->n++;
	loop_timer_init(&c->timer, k->loop, control_conn_on_time, c);
	loop_timer_set(&c->timer, CONTROL_TIMEOUT_MS);
	if (loop_fd_watch(&c->watch, k->loop, fd, control_conn_on_ready, c) != RES_OK)
		control_conn_close(c);
}

/* ---- the socket */

static void
control_on_ready(void *ctx, unsigned ready)
{
	struct control *k = ctx;
	int fd;

	(void)ready;
	while ((fd = accept4(k->socket.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		control_conn_open(k, fd);
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
control_new(struct control **out, struct loop *loop, const struct control_ops *ops, void *ctx,
	    const char *path, const struct control_owner *owner, char **why)
{
	struct control *k = calloc(1, sizeof *k);
	struct buf text = buf_max(CONTROL_REQUEST_MAX);
	const char *failed;

	if (k == NULL)
		return RES_NOMEM;
	k->loop = loop;
	k->ops = ops;
	k->ctx = ctx;
	k->has_group = owner->group;
	k->group = owner->gid;
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

const char *
control_group_trouble(const struct control *k)
{
	return k->socket.group_trouble;
}

/* Of the clients whose response was sent in part; how many there are. */
static nfds_t
control_unsent(const struct control *k, struct pollfd p[CONTROL_CONNECTIONS_MAX])
{
	const struct control_conn *c;
	nfds_t n = 0;

	LIST_FOREACH(c, &k->connections, link)
	if (c->sent < c->out_n)
		p[n++] = (struct pollfd){.fd = c->fd, .events = POLLOUT};
	return n;
}

/* The loop has ended, so the rest of a long response is sent here: a client could not read a part of one. */
static void
control_send_rest(struct control *k)
{
	const int64_t until_ms = clock_mono_ms() + CONTROL_END_MS;
	struct pollfd p[CONTROL_CONNECTIONS_MAX];
	struct control_conn *c, *next;
	int64_t left_ms;
	nfds_t n;

	while ((n = control_unsent(k, p)) > 0 && (left_ms = until_ms - clock_mono_ms()) > 0) {
		if (poll(p, n, (int)left_ms) < 0 && errno != EINTR)
			return;
		for (c = LIST_FIRST(&k->connections); c != NULL; c = next) {
			next = LIST_NEXT(c, link);
			if (c->sent < c->out_n)
				control_conn_write(c);
		}
	}
}

void
control_free(struct control *k)
{
	if (k == NULL)
		return;
	control_send_rest(k);
	while (!LIST_EMPTY(&k->connections))
		control_conn_close(LIST_FIRST(&k->connections));
	loop_timer_stop(&k->pause);
	loop_fd_unwatch(&k->watch);
	control_socket_close(&k->socket);
	free(k);
}
