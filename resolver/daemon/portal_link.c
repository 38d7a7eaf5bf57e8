#include "config.h"

#include "resolver/daemon/portal_link.h"

#include "base/log.h"
#include "base/replace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void
link_disconnect(struct portal_link *l)
{
	if (l->fd < 0)
		return;
	loop_fd_unwatch(&l->watch);
	(void)close(l->fd);
	l->fd = -1;
}

static void
link_report(struct portal_link *l, int error)
{
	if (!l->reported)
		log_event(LOG_WARN, "portal-helper-unreachable", LOG_STR("socket", l->path),
			  LOG_STR("error", strerror(error)));
	l->reported = true;
}

static bool
link_send(struct portal_link *l, const struct portal_message *m)
{
	uint8_t room[PORTAL_MESSAGE_MAX];
	struct buf b = {.p = room, .cap = sizeof room, .max = sizeof room};

	portal_message_write(&b, m);
	return file_message_send(l->fd, buf_span(&b), MSG_DONTWAIT);
}

static void
link_on_ready(void *ctx, unsigned ready)
{
	struct portal_link *l = ctx;
	uint8_t wire[PORTAL_MESSAGE_MAX + 1];
	struct portal_message m;
	ssize_t n = recv(l->fd, wire, sizeof wire, MSG_DONTWAIT);

	(void)ready;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && portal_message_read(&m, span_of(wire, (size_t)n)) == RES_OK && m.kind == PORTAL_ANSWER) {
		portal_answer(l->portal, &m);
		return;
	}
	log_event(LOG_WARN, "portal-helper-gone",
		  LOG_STR("why", n > 0 ? "a malformed message" : "it closed the connection"));
	link_disconnect(l);
	portal_helper_gone(l->portal);
}

/* 0, or errno. The helper of systemd's socket accepts later: its backlog takes the connection and its first messages. */
static int
link_connect(struct portal_link *l)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int64_t left_s = (l->until_ms - loop_now_ms(l->loop) + 999) / 1000;
	const struct portal_message open = {.kind = PORTAL_OPEN,
					    .window_s = left_s < PORTAL_WINDOW_MAX_S ? (uint32_t)left_s
										     : PORTAL_WINDOW_MAX_S};
	int error;

	if (strlen(l->path) >= sizeof sun.sun_path)
		return ENAMETOOLONG;
	memcpy(sun.sun_path, l->path, strlen(l->path) + 1);
	l->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return errno;
	if (connect(l->fd, (const struct sockaddr *)&sun, sizeof sun) == 0 &&
	    loop_fd_watch(&l->watch, l->loop, l->fd, link_on_ready, l) == RES_OK && link_send(l, &open))
		return 0;
	error = errno;
	link_disconnect(l);
	return error;
}

static bool
link_is_up(struct portal_link *l)
{
	int64_t now = loop_now_ms(l->loop);
	int error;

	if (l->fd >= 0)
		return true;
	if (l->path == NULL || now >= l->until_ms || now < l->retry_ms)
		return false;
	l->retry_ms = now + PORTAL_LINK_RETRY_MS;
	error = l->error = link_connect(l);
	if (error != 0)
		link_report(l, error);
	return error == 0;
}

/* A helper that has gone is noticed by link_on_ready: clients must not be called back from here. */
static bool
link_ask(void *ctx, const struct portal_message *m)
{
	struct portal_link *l = ctx;

	return link_is_up(l) && link_send(l, m);
}

static void
link_on_end(void *ctx)
{
	portal_link_close(ctx);
}

void
portal_link_init(struct portal_link *l, struct loop *loop, struct portal *portal)
{
	*l = (struct portal_link){.loop = loop, .portal = portal, .fd = -1};
	loop_timer_init(&l->end, loop, link_on_end, l);
}

void
portal_link_open(struct portal_link *l, const char *path, int64_t until_ms)
{
	const struct portal_helper helper = {link_ask, l};
	char *copy;

	if (l->path != NULL && l->until_ms == until_ms && strcmp(l->path, path) == 0)
		return; /* a reload that changes nothing here */
	copy = strdup(path);

	portal_link_close(l);
	if (copy == NULL)
		return;
	l->path = copy;
	l->until_ms = until_ms;
	loop_timer_set(&l->end, until_ms - loop_now_ms(l->loop));
	portal_open(l->portal, &helper, until_ms);
	(void)link_is_up(l);
}

void
portal_link_close(struct portal_link *l)
{
	if (l->path == NULL)
		return;
	link_disconnect(l);
	loop_timer_stop(&l->end);
	free(l->path);
	*l = (struct portal_link){
	    .loop = l->loop, .portal = l->portal, .fd = -1, .end = l->end, .error = l->error};
	portal_close(l->portal);
}

void
portal_link_reset(struct portal_link *l)
{
	if (l->path == NULL)
		return;
	link_disconnect(l);
	portal_helper_gone(l->portal);
	l->retry_ms = 0;
}
