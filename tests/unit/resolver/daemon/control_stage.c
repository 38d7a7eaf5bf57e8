#include "tests/unit/resolver/daemon/control_stage.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "resolver/daemon/fan_out.h"
#include "transport/loop.h"

const struct control_owner stage_nobody = {.give = false};

/* ---- the operations that the control socket is given */

static void
status_fill(void *ctx, struct status *status)
{
	const struct stage *s = ctx;

	status->snapshot = &s->snapshot;
	status->listen = &s->snapshot.settings->listen;
	status->started_ms = clock_wall_ms() - 90500;
	status->started_boot_ms = clock_boot_ms() - 90500; /* half a second of room for a slow machine */
	status->captive_until_ms = s->captive_ms;
	cache_stats(s->cache, &status->cache);
}

static enum res
op_status(void *ctx, struct fan_out **out, void (*done)(void *, const struct status *), void *done_ctx)
{
	struct stage *s = ctx;
	const struct fan_out_setup setup = {.loop = s->main_loop,
					    .worker = s->list,
					    .n_worker = WORKERS,
					    .fill = status_fill,
					    .fill_ctx = s,
					    .done = done,
					    .done_ctx = done_ctx};

	return fan_out_start(out, &setup);
}

static uint64_t
op_flush(void *ctx, struct span name)
{
	struct stage *s = ctx;

	return cache_flush(s->cache, name);
}

static enum res
op_reload(void *ctx, struct config_errors *errors, struct changes *changes, uint64_t *generation)
{
	struct stage *s = ctx;

	if (s->reload_fails) {
		config_errors_add(errors, (struct place){.file = "a.conf", .line = 3}, "nonsense, expected sense");
		config_errors_add(errors, (struct place){.file = "a.conf", .line = 4}, "more nonsense");
		return RES_MALFORMED;
	}
	changes_add_number(changes, "CT logs", 1, 2);
	*generation = ++s->snapshot.generation;
	return RES_OK;
}

static bool
op_captive_set(void *ctx, int64_t until_ms)
{
	struct stage *s = ctx;

	s->captive_ms = until_ms;
	return until_ms != 0;
}

const struct control_ops stage_ops = {op_status, fan_out_cancel, op_flush, op_reload, op_captive_set};

/* ---- fake workers */

struct posted {
	struct worker *worker;
	void (*fn)(struct worker *, void *);
	void *arg;
};

static void
on_posted(void *arg)
{
	struct posted p = *(struct posted *)arg;

	free(arg);
	p.fn(p.worker, p.arg);
}

enum res
worker_post(struct worker *w, void (*fn)(struct worker *, void *arg), void *arg)
{
	struct posted *p = malloc(sizeof *p);

	assert_non_null(p);
	*p = (struct posted){w, fn, arg};
	return loop_post(w->loop, on_posted, p);
}

const struct counters *
worker_counters(const struct worker *w)
{
	return &w->counters;
}

int
worker_portal_error(const struct worker *w)
{
	(void)w;
	return 0;
}

enum res
worker_report(struct worker *w, struct upstreams_report *out)
{
	struct upstream_report *v = calloc(2, sizeof *v);

	assert_non_null(v);
	v[0] = (struct upstream_report){.upstream = strdup("one\xff"),
					.health = w->number == 0 ? HEALTH_FAILING : HEALTH_GOOD,
					.reason = w->number == 0 ? REASON_CLOSED : REASON_NONE,
					.retry_in_ms = 1500,
					.stats = {.srtt_us = 12345, .answers = 7}};
	assert_int_equal(addr_read(&v[0].addr, "192.0.2.1:853", 0), RES_OK);
	v[1] = (struct upstream_report){.upstream = strdup("two"),
					.health = HEALTH_REFUSED,
					.reason = REASON_CT_NO_SCTS,
					.protocol = TP_DOH,
					.verdict_json = strdup("{\"outcome\":\"refused\"}"),
					.stats = {.srtt_us = -1}};
	assert_int_equal(addr_read(&v[1].addr, "[2001:db8::1]:443", 0), RES_OK);
	*out = (struct upstreams_report){v, 2};
	return RES_OK;
}

/* ---- the stage */

static void *
run_loop(void *loop)
{
	loop_run(loop);
	return NULL;
}

static void
cache_fill(struct cache *c)
{
	static const char *names[] = {"a.example.com", "b.example.com", "example.org"};

	for (size_t i = 0; i < 3; i++) {
		uint8_t name[MSG_NAME_MAX], n;
		struct cache_key k = {.type = TYPE_A, .class = CLASS_IN};

		assert_int_equal(msg_name_read(name, &n, names[i]), RES_OK);
		k.name = span_of(name, n);
		cache_put_failure(c, &k, RCODE_SERVFAIL, NULL, 60000, clock_boot_ms());
	}
}

int
stage_set(void **state)
{
	static const struct cache_limits limits = {.bytes = 1 << 20, .max_ttl_ms = 86400000};
	static char *files[] = {(char *)(uintptr_t) "/etc/ctstub/ctstub.conf"};
	struct stage *s = calloc(1, sizeof *s);
	char *why = NULL;

	assert_non_null(s);
	s->settings.file = files;
	s->settings.n_file = 1;
	s->snapshot.settings = &s->settings;
	s->snapshot.policy = &s->policy;
	s->snapshot.generation = 5;
	assert_int_equal(cache_new(&s->cache, &limits), RES_OK);
	cache_fill(s->cache);
	for (unsigned i = 0; i < WORKERS; i++) {
		struct worker *w = &s->worker[i];

		w->number = i;
		s->list[i] = w;
		assert_int_equal(loop_new(&w->loop), RES_OK);
		counter_add(&w->counters, COUNTER_QUESTIONS_UDP, 10 + i);
		atomic_store(&w->counters.by_reason[REASON_CT_NO_SCTS], 2);
	}
	(void)strcpy(s->dir, "/tmp/ctstub-control-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	(void)snprintf(s->path, sizeof s->path, "%s/control", s->dir);
	assert_int_equal(loop_new(&s->main_loop), RES_OK);
	assert_int_equal(control_new(&s->control, s->main_loop, &stage_ops, s, s->path, &stage_nobody, &why), RES_OK);
	assert_int_equal(pthread_create(&s->main_thread, NULL, run_loop, s->main_loop), 0);
	for (unsigned i = 0; i < WORKERS; i++)
		assert_int_equal(
		    pthread_create(&s->worker[i].thread, NULL, run_loop, s->worker[i].loop), 0);
	*state = s;
	return 0;
}

void
stage_loop_end(struct stage *s)
{
	if (s->ended)
		return;
	s->ended = true;
	loop_stop(s->main_loop);
	assert_int_equal(pthread_join(s->main_thread, NULL), 0);
	loop_end(s->main_loop);
}

int
stage_strike(void **state)
{
	struct stage *s = *state;

	stage_loop_end(s);
	control_free(s->control);
	for (unsigned i = 0; i < WORKERS; i++) {
		loop_stop(s->worker[i].loop);
		assert_int_equal(pthread_join(s->worker[i].thread, NULL), 0);
		loop_free(s->worker[i].loop);
	}
	cache_free(s->cache);
	loop_free(s->main_loop);
	assert_int_equal(access(s->path, F_OK), -1); /* the socket is gone */
	assert_int_equal(rmdir(s->dir), 0);
	free(s);
	return 0;
}

int
stage_connect(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	assert_int_equal(connect(fd, (const struct sockaddr *)&sun, sizeof sun), 0);
	return fd;
}

char *
stage_ask(const struct stage *s, const char *request)
{
	struct buf b = buf_max(CONTROL_RESPONSE_MAX);
	int fd = stage_connect(s->path);
	ssize_t n;

	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
	do {
		n = recv(fd, buf_room(&b, 4096), 4096, 0);
		if (n > 0)
			buf_added(&b, (size_t)n);
	} while (n > 0);
	(void)close(fd);
	return buf_take_cstr(&b);
}

json_t *
stage_ask_json(const struct stage *s, const char *request)
{
	char *text = stage_ask(s, request);
	json_t *o = json_loads(text, 0, NULL);

	if (o == NULL)
		fail_msg("%s gave %s", request, text);
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1); /* one line */
	free(text);
	return o;
}

void
expect_int(const json_t *o, const char *key, long long want)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_integer(v) || json_integer_value(v) != want)
		fail_msg("%s is %lld, not %lld", key, (long long)json_integer_value(v), want);
}

void
expect_text(const json_t *o, const char *key, const char *want)
{
	const char *v = json_string_value(json_object_get(o, key));

	if (v == NULL || strcmp(v, want) != 0)
		fail_msg("%s is %s, not %s", key, v == NULL ? "no string" : v, want);
}
