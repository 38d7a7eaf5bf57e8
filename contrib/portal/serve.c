#include "config.h"

#include "contrib/portal/serve.h"

#include "base/log.h"
#include "base/replace.h"
#include "config/portal_names.h"
#include "contrib/portal/asking.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOG_BURST  10 /* lines about what was refused, in LOG_PER_MS: a broken daemon can cause them at will */
#define LOG_PER_MS 60000

struct session;

struct flight {
	struct session *session;
	LIST_ENTRY(flight) link;
	struct asking *asking;
	uint32_t id; /* the daemon's */
};

struct session {
	struct serve *serve;
	LIST_ENTRY(session) link;
	int fd;
	struct loop_fd watch;
	struct loop_timer end; /* of the window */
	bool open;             /* OPEN was read */
	uint64_t asked;
	unsigned n_flights;
	LIST_HEAD(, flight) flights;
};

struct serve {
	struct loop *loop;
	int fd;
	const struct settings *settings;
	void (*find)(void *ctx, struct resolvers *);
	void *find_ctx;
	void (*on_idle)(void *ctx);
	void *idle_ctx;
	struct loop_fd watch;
	struct loop_timer idle;
	LIST_HEAD(, session) sessions;
	unsigned n_sessions;
	int64_t count_since_ms; /* the questions since then */
	unsigned count;
	struct log_limit refused;
};

/* ---- ends */

static void
flight_free(struct flight *f)
{
	LIST_REMOVE(f, link);
	f->session->n_flights--;
	asking_free(f->asking);
	free(f);
}

static void
session_close(struct session *s, const char *why)
{
	struct serve *serve = s->serve;

	if (s->open)
		log_event(LOG_NOTICE, "portal-window-closed", LOG_STR("why", why),
			  LOG_INT("questions", s->asked));
	while (!LIST_EMPTY(&s->flights))
		flight_free(LIST_FIRST(&s->flights));
	loop_timer_stop(&s->end);
	loop_fd_unwatch(&s->watch);
	(void)close(s->fd);
	LIST_REMOVE(s, link);
	free(s);
	if (--serve->n_sessions == 0)
		loop_timer_set(&serve->idle, SERVE_IDLE_MS);
}

static void
session_on_end(void *ctx)
{
	session_close(ctx, "time is up");
}

/* ---- answers */

/* A daemon that does not read misses answers; it waits no longer for them than for the network. */
static void
session_answer(struct session *s, uint32_t id, const struct portal_message *answer)
{
	uint8_t room[PORTAL_MESSAGE_MAX];
	struct buf out = {.p = room, .cap = sizeof room, .max = sizeof room};
	struct portal_message m = *answer;

	m.id = id;
	portal_message_write(&out, &m);
	if (!file_message_send(s->fd, buf_span(&out), MSG_DONTWAIT))
		log_event(LOG_DEBUG, "portal-answer-lost", LOG_STR("error", strerror(errno)));
}

static void
session_fail(struct session *s, const struct portal_message *ask)
{
	const struct portal_message failed = {
	    .kind = PORTAL_ANSWER, .type = ask->type, .outcome = PORTAL_FAILED};

	session_answer(s, ask->id, &failed);
}

static void
flight_on_done(void *ctx, const struct portal_message *answer)
{
	struct flight *f = ctx;
	struct session *s = f->session;
	uint32_t id = f->id;

	flight_free(f);
	session_answer(s, id, answer);
}

/* ---- questions */

static const char *
ask_name(struct span name, struct buf *b)
{
	const char *text;

	msg_name_text(b, name);
	text = buf_cstr(b);
	return text != NULL ? text : "-";
}

/* Of all sessions together. */
static bool
serve_count(struct serve *s)
{
	int64_t now = loop_now_ms(s->loop);

	if (now - s->count_since_ms >= SERVE_QUESTIONS_MS) {
		s->count_since_ms = now;
		s->count = 0;
	}
	return s->count++ < SERVE_QUESTIONS_MAX;
}

/* NULL: it may go out. */
static const char *
ask_refusal(struct session *s, const struct portal_message *ask, struct resolvers *resolvers)
{
	if (!portal_names_have(s->serve->settings, ask->name))
		return "the name is not on the list";
	if (s->n_flights >= SERVE_ASKINGS_MAX)
		return "too many queries in flight";
	if (!serve_count(s->serve))
		return "too many queries";
	s->serve->find(s->serve->find_ctx, resolvers);
	return resolvers->n == 0 ? "the network names no resolver" : NULL;
}

static void
ask_log(struct session *s, const struct portal_message *ask, const char *refusal, const struct resolvers *r)
{
	struct buf name = buf_max(4 * MSG_NAME_MAX);
	char type[16], resolver[RESOLVER_TEXT_MAX];
	uint32_t left_out = 0;

	if (refusal == NULL)
		log_event(LOG_NOTICE, "portal-question", LOG_STR("name", ask_name(ask->name, &name)),
			  LOG_STR("type", msg_type_text(ask->type, type)),
			  LOG_STR("resolver", resolver_text(&r->v[0], resolver)), LOG_INT("resolvers", r->n));
	else if (log_limit_ok(&s->serve->refused, LOG_BURST, LOG_PER_MS, &left_out))
		log_event(LOG_WARN, "portal-question-refused", LOG_STR("name", ask_name(ask->name, &name)),
			  LOG_STR("why", refusal), LOG_INT("left_out", left_out));
	buf_free(&name);
}

static void
session_ask(struct session *s, const struct portal_message *ask)
{
	struct resolvers resolvers = {.n = 0};
	struct asking_setup setup = {.loop = s->serve->loop,
				     .resolvers = &resolvers,
				     .type = ask->type,
				     .name = ask->name,
				     .on_done = flight_on_done};
	const char *refusal = ask_refusal(s, ask, &resolvers);
	struct flight *f = NULL;

	ask_log(s, ask, refusal, &resolvers);
	if (refusal == NULL)
		f = calloc(1, sizeof *f);
	setup.ctx = f;
	if (f == NULL || asking_start(&f->asking, &setup) != RES_OK) {
		free(f);
		session_fail(s, ask);
		return;
	}
	f->session = s;
	f->id = ask->id;
	LIST_INSERT_HEAD(&s->flights, f, link);
	s->n_flights++;
	s->asked++;
}

static void
session_open(struct session *s, uint32_t window_s)
{
	s->open = true;
	loop_timer_set(&s->end, (int64_t)window_s * 1000);
	log_event(LOG_NOTICE, "portal-window-open", LOG_INT("for_s", window_s));
}

static void
session_on_ready(void *ctx, unsigned ready)
{
	struct session *s = ctx;
	uint8_t wire[PORTAL_MESSAGE_MAX + 1];
	struct portal_message m;
	ssize_t n = recv(s->fd, wire, sizeof wire, MSG_DONTWAIT);

	(void)ready;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		session_close(s, "the daemon closed it");
	else if (portal_message_read(&m, span_of(wire, (size_t)n)) != RES_OK || m.kind == PORTAL_ANSWER ||
		 (m.kind == PORTAL_OPEN) == s->open)
		session_close(s, "a malformed message");
	else if (m.kind == PORTAL_OPEN)
		session_open(s, m.window_s);
	else
		session_ask(s, &m);
}

/* ---- connections */

static void
serve_on_ready(void *ctx, unsigned ready)
{
	struct serve *serve = ctx;
	int fd = accept4(serve->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct session *s;

	(void)ready;
	if (fd < 0)
		return;
	s = serve->n_sessions < SERVE_SESSIONS_MAX ? calloc(1, sizeof *s) : NULL;
	if (s == NULL || loop_fd_watch(&s->watch, serve->loop, fd, session_on_ready, s) != RES_OK) {
		free(s);
		(void)close(fd);
		return;
	}
	s->serve = serve;
	s->fd = fd;
	loop_timer_init(&s->end, serve->loop, session_on_end, s);
	loop_timer_set(&s->end, SERVE_OPEN_MS);
	LIST_INSERT_HEAD(&serve->sessions, s, link);
	serve->n_sessions++;
	loop_timer_stop(&serve->idle);
}

static void
serve_on_idle(void *ctx)
{
	struct serve *s = ctx;

	s->on_idle(s->idle_ctx);
}

enum res
serve_new(struct serve **out, const struct serve_setup *setup)
{
	struct serve *s = calloc(1, sizeof *s);

	if (s == NULL) {
		(void)close(setup->fd);
		return RES_NOMEM;
	}
	s->loop = setup->loop;
	s->fd = setup->fd;
	s->settings = setup->settings;
	s->find = setup->find;
	s->find_ctx = setup->find_ctx;
	s->on_idle = setup->on_idle;
	s->idle_ctx = setup->idle_ctx;
	loop_timer_init(&s->idle, s->loop, serve_on_idle, s);
	if (loop_fd_watch(&s->watch, s->loop, s->fd, serve_on_ready, s) != RES_OK) {
		serve_free(s);
		return RES_NOMEM;
	}
	loop_timer_set(&s->idle, SERVE_IDLE_MS);
	*out = s;
	return RES_OK;
}

void
serve_free(struct serve *s)
{
	if (s == NULL)
		return;
	while (!LIST_EMPTY(&s->sessions))
		session_close(LIST_FIRST(&s->sessions), "the helper ends");
	loop_timer_stop(&s->idle);
	loop_fd_unwatch(&s->watch);
	(void)close(s->fd);
	free(s);
}
