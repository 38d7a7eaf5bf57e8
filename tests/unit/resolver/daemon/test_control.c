/* The control socket: the response to each verb, the requests that are refused, and clients that must not affect others. */
#include "tests/unit/resolver/daemon/control_stage.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "resolver/daemon/helper.h"
#include "transport/loop.h"

static enum res
no_seal(bool kill, char **why)
{
	(void)kill;
	(void)why;
	return RES_OK;
}

/* In the helper: sends the message to the control socket, and gives back the response. */
static void
helper_asks(int socket, void *ctx)
{
	static uint8_t room[HELPER_MESSAGE_MAX];
	ssize_t n = helper_receive(socket, room);
	char *response;

	if (n <= 0)
		return;
	room[n] = '\0';
	response = stage_ask(ctx, (const char *)room);
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
	const struct helper_ending ending = {.socket = fd, .until_ms = clock_mono_ms() + 20000};
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
	assert_true(helper_end(&ending));
	return o;
}

/* The helper runs as the daemon's user, but may do only what any other user may. */
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
	o = stage_ask_json(s, "{\"verb\": \"flush\"}\n"); /* the same user, another process */
	assert_true(json_is_true(json_object_get(o, "ok")));
	json_decref(o);
}

static void
status_reports_the_daemon(void **state)
{
	struct stage *s = *state;
	json_t *o = stage_ask_json(s, "{\"verb\": \"status\"}\n"), *up;

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
	expect_int(up, "good", 1); /* one worker reports it good */
	expect_int(up, "refused", 1);
	expect_int(up, "failing", 0);
	json_decref(o);
}

static void
upstreams_are_reported_by_worker(void **state)
{
	struct stage *s = *state;
	json_t *o = stage_ask_json(s, "{\"verb\":\"upstreams\"}\n"), *list = json_object_get(o, "upstreams"), *u;

	assert_int_equal(json_array_size(list), 2 * WORKERS);
	u = json_array_get(list, 0);
	expect_text(u, "upstream", "one\\xff"); /* not UTF-8, so escaped */
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
	json_t *o = stage_ask_json(s, "{\"verb\":\"stats\"}\n");

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
	json_t *o = stage_ask_json(s, "{\"verb\":\"stats\",\"format\":\"prometheus\"}\n");
	const char *text = json_string_value(json_object_get(o, "text"));

	assert_non_null(text);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (strstr(text, lines[i]) == NULL)
			fail_msg("missing: %s", lines[i]);
	json_decref(o);
}

static void
flush_takes_a_name_or_all(void **state)
{
	struct stage *s = *state;
	json_t *o = stage_ask_json(s, "{\"verb\":\"flush\",\"name\":\"Example.COM\"}\n");

	expect_int(o, "flushed", 2);
	json_decref(o);
	o = stage_ask_json(s, "{\"verb\":\"flush\"}\n");
	expect_int(o, "flushed", 1);
	json_decref(o);
}

static void
reload_reports_errors(void **state)
{
	struct stage *s = *state;
	json_t *o = stage_ask_json(s, "{\"verb\":\"reload\"}\n");

	expect_int(o, "generation", 6);
	assert_int_equal(json_array_size(json_object_get(o, "changes")), 1);
	expect_text(json_array_get(json_object_get(o, "changes"), 0), "text", "CT logs: 1 -> 2");
	json_decref(o);
	s->reload_fails = true;
	o = stage_ask_json(s, "{\"verb\":\"reload\"}\n");
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
	json_t *o = stage_ask_json(s, "{\"verb\":\"log-level\",\"level\":\"error\"}\n");

	expect_text(o, "level", "error");
	assert_int_equal(log_level(), LOG_ERROR);
	log_level_set(before);
	json_decref(o);
	o = stage_ask_json(s, "{\"verb\":\"captive\",\"minutes\":5}\n");
	expect_int(o, "minutes", 5);
	assert_true(s->captive_ms > clock_boot_ms() + 4 * 60000);
	json_decref(o);
	o = stage_ask_json(s, "{\"verb\":\"captive\",\"minutes\":0}\n");
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
		json_t *o = stage_ask_json(s, bad[i].request);
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
	o = stage_ask_json(s, request);
	expect_text(o, "error", "the request is too long");
	json_decref(o);
	/* as long as may be */
	memcpy(request, "{\"verb\":\"status\"}", 17);
	request[CONTROL_REQUEST_MAX] = '\n';
	o = stage_ask_json(s, request);
	assert_true(json_is_true(json_object_get(o, "ok")));
	json_decref(o);
}

/* A client that sends nothing, one that leaves, one above the limit: the others are served. */
static void
clients_do_not_affect_each_other(void **state)
{
	struct stage *s = *state;
	int fd[CONTROL_CONNECTIONS_MAX], one_more;
	char byte;
	json_t *o;

	for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
		fd[i] = stage_connect(s->path);
		assert_int_equal(send(fd[i], "{", 1, MSG_NOSIGNAL), 1);
	}
	one_more = stage_connect(s->path);
	assert_int_equal(recv(one_more, &byte, 1, 0), 0); /* closed at once */
	(void)close(one_more);
	assert_int_equal(send(fd[0], "\"verb\":\"status\"}\n", 17, MSG_NOSIGNAL), 17);
	(void)close(fd[0]);                            /* gone before the workers have reported */
	assert_int_equal(shutdown(fd[1], SHUT_WR), 0); /* half a request */
	assert_int_equal(recv(fd[1], &byte, 1, MSG_PEEK), 1);
	for (size_t i = 1; i < CONTROL_CONNECTIONS_MAX; i++)
		(void)close(fd[i]);
	do {
		char *text = stage_ask(s, "{\"verb\":\"status\"}\n");

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

	assert_int_equal(control_new(&k, s->main_loop, &stage_ops, s, s->path, &stage_nobody, &why), RES_IO);
	assert_non_null(strstr(why, "another daemon answers on it"));
	free(why);
	assert_int_equal(stat(s->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);

	(void)snprintf(path, sizeof path, "%s/file", s->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fclose(f);
	assert_int_equal(control_new(&k, s->main_loop, &stage_ops, s, path, &stage_nobody, &why), RES_IO);
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
		assert_int_equal(control_new(&k, own, &stage_ops, s, path, &stage_nobody, &why), RES_OK);
		control_free(k);
		loop_free(own);
	}
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(control_new(&k, s->main_loop, &stage_ops, s,
				     "/tmp/"
				     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				     "aaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				     "aaaaaaaaaaaaaaaaaaa",
				     &stage_nobody, &why),
			 RES_IO);
	assert_non_null(strstr(why, "too long"));
	free(why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_helper_changes_nothing, stage_set, stage_strike),
	    cmocka_unit_test_setup_teardown(status_reports_the_daemon, stage_set, stage_strike),
	    cmocka_unit_test_setup_teardown(upstreams_are_reported_by_worker, stage_set, stage_strike),
	    cmocka_unit_test_setup_teardown(stats_add_up, stage_set, stage_strike),
	    cmocka_unit_test_setup_teardown(prometheus_reads_the_same, stage_set, stage_strike),
	    cmocka_unit_test_setup_teardown(flush_takes_a_name_or_all, stage_set, stage_strike),
	    cmocka_unit_test_setup_teardown(reload_reports_errors, stage_set, stage_strike),
	    cmocka_unit_test_setup_teardown(levels_and_captive_mode_are_set, stage_set, stage_strike),
	    cmocka_unit_test_setup_teardown(bad_requests_get_errors, stage_set, stage_strike),
	    cmocka_unit_test_setup_teardown(requests_have_a_maximum_length, stage_set, stage_strike),
	    cmocka_unit_test_setup_teardown(clients_do_not_affect_each_other, stage_set, stage_strike),
	    cmocka_unit_test_setup_teardown(a_live_socket_is_an_error_and_a_dead_one_is_replaced, stage_set, stage_strike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
