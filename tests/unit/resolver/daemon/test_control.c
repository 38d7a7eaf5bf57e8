/* The control socket over a real socket, with real loops and threads, and fake workers. */
#include "resolver/daemon/control.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "resolver/daemon/fan_out.h"
#include "resolver/daemon/helper.h"
#include "transport/loop.h"

#define WORKERS 2

static const struct control_owner nobody = {.give = false};

struct worker {
	struct loop *loop;
	struct counters counters;
	pthread_t thread;
	unsigned number;
};

/* ---- the operations that the control socket is given */

struct stage {
	struct worker worker[WORKERS];
	struct worker *list[WORKERS];
	struct snapshot snapshot;
	struct vfy_policy policy;
	struct settings settings;
	struct cache *cache; /* for the store in it */
	int64_t captive_ms;
	bool reload_fails;
	struct loop *main_loop;
	pthread_t main_thread;
	struct control *control;
	char dir[32];
	char path[64];
};

static void
status_fill(void *ctx, struct status *status)
{
	const struct stage *s = ctx;

	status->snapshot = &s->snapshot;
	status->started_ms = clock_wall_ms() - 90500; /* half a second for a slow machine */
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
		config_errors_add(errors, (struct place){"a.conf", 3}, "nonsense, expected sense");
		config_errors_add(errors, (struct place){"a.conf", 4}, "more nonsense");
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

static const struct control_ops ops = {op_status, fan_out_cancel, op_flush, op_reload, op_captive_set};

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

static int
setup(void **state)
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
	assert_int_equal(control_new(&s->control, s->main_loop, &ops, s, s->path, &nobody, &why), RES_OK);
	assert_int_equal(pthread_create(&s->main_thread, NULL, run_loop, s->main_loop), 0);
	for (unsigned i = 0; i < WORKERS; i++)
		assert_int_equal(
		    pthread_create(&s->worker[i].thread, NULL, run_loop, s->worker[i].loop), 0);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct stage *s = *state;

	loop_stop(s->main_loop);
	assert_int_equal(pthread_join(s->main_thread, NULL), 0);
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

static int
connect_to(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	assert_int_equal(connect(fd, (const struct sockaddr *)&sun, sizeof sun), 0);
	return fd;
}

/* Everything up to the end that the daemon makes. Yours. */
static char *
ask(const struct stage *s, const char *request)
{
	struct buf b = buf_max(CONTROL_RESPONSE_MAX);
	int fd = connect_to(s->path);
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

static json_t *
ask_json(const struct stage *s, const char *request)
{
	char *text = ask(s, request);
	json_t *o = json_loads(text, 0, NULL);

	if (o == NULL)
		fail_msg("%s gave %s", request, text);
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1); /* one line */
	free(text);
	return o;
}

static void
expect_int(const json_t *o, const char *key, long long want)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_integer(v) || json_integer_value(v) != want)
		fail_msg("%s is %lld, not %lld", key, (long long)json_integer_value(v), want);
}

static void
expect_text(const json_t *o, const char *key, const char *want)
{
	const char *v = json_string_value(json_object_get(o, key));

	if (v == NULL || strcmp(v, want) != 0)
		fail_msg("%s is %s, not %s", key, v == NULL ? "no string" : v, want);
}

static enum res
no_seal(bool kill, char **why)
{
	(void)kill;
	(void)why;
	return RES_OK;
}

/* In the helper: what it is asked to send to the control socket, it sends, and hands back the response. */
static void
helper_asks(int socket, void *ctx)
{
	static uint8_t room[HELPER_MESSAGE_MAX];
	ssize_t n = helper_receive(socket, room);
	char *response;

	if (n <= 0)
		return;
	room[n] = '\0';
	response = ask(ctx, (const char *)room);
	(void)helper_send(socket, span_str(response));
	free(response);
}

static json_t *
ask_by_helper(struct stage *s, const char *request)
{
	static uint8_t room[HELPER_MESSAGE_MAX];
	const struct helper_setup setup = {.name = "asks", .user = "", .seal = no_seal, .run = helper_asks, .ctx = s};
	char *why = NULL;
	int fd = helper_start(&setup, &why);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;
	json_t *o;

	assert_true(fd >= 0);
	assert_true(helper_send(fd, span_str(request)));
	assert_int_equal(poll(&p, 1, 10000), 1);
	n = helper_receive(fd, room);
	assert_true(n > 0);
	o = json_loadb((const char *)room, (size_t)n, JSON_DISABLE_EOF_CHECK, NULL);
	assert_non_null(o);
	helper_end(fd);
	return o;
}

/* It has the daemon's user, and may do what any user may. */
static void
a_helper_changes_nothing(void **state)
{
	struct stage *s = *state;
	json_t *o = ask_by_helper(s, "{\"verb\": \"flush\"}\n");

	assert_true(json_is_false(json_object_get(o, "ok")));
	json_decref(o);
	o = ask_by_helper(s, "{\"verb\": \"status\"}\n");
	assert_true(json_is_true(json_object_get(o, "ok")));
	json_decref(o);
	o = ask_json(s, "{\"verb\": \"flush\"}\n"); /* the same user, another process */
	assert_true(json_is_true(json_object_get(o, "ok")));
	json_decref(o);
}

static void
status_reports_the_daemon(void **state)
{
	struct stage *s = *state;
	json_t *o = ask_json(s, "{\"verb\": \"status\"}\n"), *up;

	assert_true(json_is_true(json_object_get(o, "ok")));
	expect_int(o, "pid", getpid());
	expect_int(o, "generation", 5);
	expect_int(o, "workers", WORKERS);
	expect_int(o, "uptime_s", 90);
	expect_text(o, "log_level", "info");
	assert_true(json_is_null(json_object_get(o, "reload_error")));
	assert_true(json_is_false(json_object_get(json_object_get(o, "captive"), "active")));
	assert_true(json_is_true(json_object_get(json_object_get(o, "clock"), "set")));
	assert_string_equal(json_string_value(json_array_get(json_object_get(o, "files"), 0)),
			    "/etc/ctstub/ctstub.conf");
	up = json_object_get(o, "upstreams");
	expect_int(up, "total", 2);
	expect_int(up, "good", 1); /* one worker finds it so */
	expect_int(up, "refused", 1);
	expect_int(up, "failing", 0);
	json_decref(o);
}

static void
upstreams_are_reported_by_worker(void **state)
{
	struct stage *s = *state;
	json_t *o = ask_json(s, "{\"verb\":\"upstreams\"}\n"), *list = json_object_get(o, "upstreams"), *u;

	assert_int_equal(json_array_size(list), 2 * WORKERS);
	u = json_array_get(list, 0);
	expect_text(u, "upstream", "one\\xff"); /* no UTF-8, so escaped */
	expect_text(u, "address", "192.0.2.1:853");
	expect_text(u, "protocol", "dot");
	expect_text(u, "health", "failing");
	expect_text(u, "reason", "closed");
	expect_int(u, "retry_in_ms", 1500);
	expect_int(u, "srtt_us", 12345);
	expect_int(u, "answers", 7);
	assert_true(json_is_null(json_object_get(u, "verdict")));
	u = json_array_get(list, 3);
	expect_int(u, "worker", 1);
	expect_text(u, "reason", "ct-no-scts");
	expect_text(json_object_get(u, "verdict"), "outcome", "refused");
	assert_true(json_is_null(json_object_get(u, "srtt_us")));
	json_decref(o);
}

static void
stats_add_up(void **state)
{
	struct stage *s = *state;
	json_t *o = ask_json(s, "{\"verb\":\"stats\"}\n");

	expect_int(json_object_get(o, "counters"), "questions_udp", 21);
	expect_int(json_object_get(o, "counters"), "questions_tcp", 0);
	expect_int(json_object_get(o, "reasons"), "ct-no-scts", 4);
	assert_int_equal(json_object_size(json_object_get(o, "reasons")), 1);
	expect_int(json_object_get(o, "cache"), "entries", 3);
	json_decref(o);
}

static void
prometheus_reads_the_same(void **state)
{
	static const char *lines[] = {
	    "\n# TYPE ctstub_questions_udp_total counter\nctstub_questions_udp_total 21\n",
	    "\nctstub_upstream_problems_total{reason=\"ct-no-scts\",stage=\"ct\"} 4\n",
	    "\nctstub_cache_entries 3\n",
	    "\nctstub_upstream_up{upstream=\"one?\",address=\"192.0.2.1:853\",protocol=\"dot\",worker=\"1\"} "
	    "1\n",
	    "\nctstub_upstream_refused{upstream=\"two\",address=\"[2001:db8::1]:443\",protocol=\"doh\","
	    "worker=\"0\"} 1\n",
	    "\nctstub_configuration_generation 5\n",
	};
	struct stage *s = *state;
	json_t *o = ask_json(s, "{\"verb\":\"stats\",\"format\":\"prometheus\"}\n");
	const char *text = json_string_value(json_object_get(o, "text"));

	assert_non_null(text);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (strstr(text, lines[i]) == NULL)
			fail_msg("not there: %s", lines[i]);
	json_decref(o);
}

static void
flush_takes_a_name_or_all(void **state)
{
	struct stage *s = *state;
	json_t *o = ask_json(s, "{\"verb\":\"flush\",\"name\":\"Example.COM\"}\n");

	expect_int(o, "flushed", 2);
	json_decref(o);
	o = ask_json(s, "{\"verb\":\"flush\"}\n");
	expect_int(o, "flushed", 1);
	json_decref(o);
}

static void
reload_says_what_is_wrong(void **state)
{
	struct stage *s = *state;
	json_t *o = ask_json(s, "{\"verb\":\"reload\"}\n");

	expect_int(o, "generation", 6);
	assert_int_equal(json_array_size(json_object_get(o, "changes")), 1);
	expect_text(json_array_get(json_object_get(o, "changes"), 0), "text", "CT logs: 1 -> 2");
	json_decref(o);
	s->reload_fails = true;
	o = ask_json(s, "{\"verb\":\"reload\"}\n");
	assert_true(json_is_false(json_object_get(o, "ok")));
	expect_text(o, "error", "a.conf:3: nonsense, expected sense");
	assert_int_equal(json_array_size(json_object_get(o, "errors")), 2);
	json_decref(o);
}

static void
levels_and_captive_mode_are_set(void **state)
{
	struct stage *s = *state;
	enum log_level before = log_level();
	json_t *o = ask_json(s, "{\"verb\":\"log-level\",\"level\":\"error\"}\n");

	expect_text(o, "level", "error");
	assert_int_equal(log_level(), LOG_ERROR);
	log_level_set(before);
	json_decref(o);
	o = ask_json(s, "{\"verb\":\"captive\",\"minutes\":5}\n");
	expect_int(o, "minutes", 5);
	assert_true(s->captive_ms > clock_boot_ms() + 4 * 60000);
	json_decref(o);
	o = ask_json(s, "{\"verb\":\"captive\",\"minutes\":0}\n");
	assert_int_equal(s->captive_ms, 0);
	json_decref(o);
}

static const struct {
	const char *what;
	const char *request;
	const char *error;
} bad[] = {
    {"no JSON", "status\n", "expected one JSON object"},
    {"an empty line", "\n", "expected one JSON object"},
    {"an array", "[1]\n", "expected one JSON object"},
    {"two objects", "{\"verb\":\"status\"}{}\n", "expected one JSON object"},
    {"a member twice", "{\"verb\":\"status\",\"verb\":\"reload\"}\n", "expected one JSON object"},
    {"no verb", "{}\n", "expected an object with a \"verb\""},
    {"a verb that is not a string", "{\"verb\":1}\n", "expected an object with a \"verb\""},
    {"an unknown verb", "{\"verb\":\"stop\"}\n",
     "\"verb\": expected status, upstreams, stats, flush, reload, log-level or captive"},
    {"an unknown member", "{\"verb\":\"status\",\"name\":\"x\"}\n", "a member that this verb does not know"},
    {"a bad format", "{\"verb\":\"stats\",\"format\":\"xml\"}\n",
     "\"format\": expected \"json\" or \"prometheus\""},
    {"a bad name", "{\"verb\":\"flush\",\"name\":\"a..b\"}\n", "\"name\": expected a domain name"},
    {"a name that is not a string", "{\"verb\":\"flush\",\"name\":null}\n", "\"name\": expected a domain name"},
    {"a bad level", "{\"verb\":\"log-level\",\"level\":\"loud\"}\n",
     "\"level\": expected error, warn, notice, info or debug"},
    {"no level", "{\"verb\":\"log-level\"}\n", "\"level\": expected error, warn, notice, info or debug"},
    {"too many minutes", "{\"verb\":\"captive\",\"minutes\":61}\n",
     "\"minutes\": expected a number from 0 to 60"},
    {"minutes as text", "{\"verb\":\"captive\",\"minutes\":\"5\"}\n",
     "\"minutes\": expected a number from 0 to 60"},
    {"no minutes", "{\"verb\":\"captive\"}\n", "\"minutes\": expected a number from 0 to 60"},
};

static void
bad_requests_get_errors(void **state)
{
	struct stage *s = *state;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		json_t *o = ask_json(s, bad[i].request);
		const char *error = json_string_value(json_object_get(o, "error"));

		if (!json_is_false(json_object_get(o, "ok")) || error == NULL ||
		    strcmp(error, bad[i].error) != 0)
			fail_msg("%s: %s", bad[i].what, error == NULL ? "-" : error);
		json_decref(o);
	}
}

static void
requests_have_a_maximum_length(void **state)
{
	struct stage *s = *state;
	char request[CONTROL_REQUEST_MAX + 2] = {0};
	json_t *o;

	memset(request, ' ', CONTROL_REQUEST_MAX + 1);
	o = ask_json(s, request);
	expect_text(o, "error", "the request is too long");
	json_decref(o);
	/* as long as may be */
	memcpy(request, "{\"verb\":\"status\"}", 17);
	request[CONTROL_REQUEST_MAX] = '\n';
	o = ask_json(s, request);
	assert_true(json_is_true(json_object_get(o, "ok")));
	json_decref(o);
}

/* A client that says nothing, one that leaves, one too many: the others are served. */
static void
clients_do_not_affect_each_other(void **state)
{
	struct stage *s = *state;
	int fd[CONTROL_CONNECTIONS_MAX], one_more;
	char byte;
	json_t *o;

	for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
		fd[i] = connect_to(s->path);
		assert_int_equal(send(fd[i], "{", 1, MSG_NOSIGNAL), 1);
	}
	one_more = connect_to(s->path);
	assert_int_equal(recv(one_more, &byte, 1, 0), 0); /* closed at once */
	(void)close(one_more);
	assert_int_equal(send(fd[0], "\"verb\":\"status\"}\n", 17, MSG_NOSIGNAL), 17);
	(void)close(fd[0]);                            /* gone before the workers have told */
	assert_int_equal(shutdown(fd[1], SHUT_WR), 0); /* half a request */
	assert_int_equal(recv(fd[1], &byte, 1, MSG_PEEK), 1);
	for (size_t i = 1; i < CONTROL_CONNECTIONS_MAX; i++)
		(void)close(fd[i]);
	do {
		char *text = ask(s, "{\"verb\":\"status\"}\n");

		o = json_loads(text, 0, NULL); /* until the daemon has seen that they left */
		free(text);
	} while (o == NULL);
	assert_true(json_is_true(json_object_get(o, "ok")));
	json_decref(o);
}

static void
a_live_socket_is_an_error_and_a_dead_one_is_replaced(void **state)
{
	struct stage *s = *state;
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct control *k = NULL;
	struct stat st;
	char *why = NULL, path[96];
	FILE *f;
	int fd;

	assert_int_equal(control_new(&k, s->main_loop, &ops, s, s->path, &nobody, &why), RES_IO);
	assert_non_null(strstr(why, "another daemon answers on it"));
	free(why);
	assert_int_equal(stat(s->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);

	(void)snprintf(path, sizeof path, "%s/file", s->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fclose(f);
	assert_int_equal(control_new(&k, s->main_loop, &ops, s, path, &nobody, &why), RES_IO);
	assert_non_null(strstr(why, "another file is in its place"));
	free(why);
	assert_int_equal(unlink(path), 0);

	(void)snprintf(path, sizeof path, "%s/dead", s->dir);
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&sun, sizeof sun), 0);
	(void)close(fd);
	{
		struct loop *own;

		assert_int_equal(loop_new(&own), RES_OK);
		assert_int_equal(control_new(&k, own, &ops, s, path, &nobody, &why), RES_OK);
		control_free(k);
		loop_free(own);
	}
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(control_new(&k, s->main_loop, &ops, s,
				     "/tmp/"
				     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				     "aaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				     "aaaaaaaaaaaaaaaaaaa",
				     &nobody, &why),
			 RES_IO);
	assert_non_null(strstr(why, "too long"));
	free(why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_helper_changes_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(status_reports_the_daemon, setup, teardown),
	    cmocka_unit_test_setup_teardown(upstreams_are_reported_by_worker, setup, teardown),
	    cmocka_unit_test_setup_teardown(stats_add_up, setup, teardown),
	    cmocka_unit_test_setup_teardown(prometheus_reads_the_same, setup, teardown),
	    cmocka_unit_test_setup_teardown(flush_takes_a_name_or_all, setup, teardown),
	    cmocka_unit_test_setup_teardown(reload_says_what_is_wrong, setup, teardown),
	    cmocka_unit_test_setup_teardown(levels_and_captive_mode_are_set, setup, teardown),
	    cmocka_unit_test_setup_teardown(bad_requests_get_errors, setup, teardown),
	    cmocka_unit_test_setup_teardown(requests_have_a_maximum_length, setup, teardown),
	    cmocka_unit_test_setup_teardown(clients_do_not_affect_each_other, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_live_socket_is_an_error_and_a_dead_one_is_replaced, setup,
					    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
