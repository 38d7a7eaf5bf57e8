#include "config.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static struct buf lines = {.max = 65536};
static int64_t now_ms;

static int64_t
scripted_ms(void)
{
	return now_ms;
}

static const struct clock_source scripted = {scripted_ms, scripted_ms, scripted_ms};

static void
keep_line(void *ctx, const char *line, size_t n)
{
	(void)ctx;
	buf_put(&lines, span_of(line, n));
}

static int
setup(void **state)
{
	(void)state;
	buf_clear(&lines);
	now_ms = 1795284000250;
	clock_use(&scripted);
	log_capture(keep_line, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_capture(NULL, NULL);
	clock_use(NULL);
	buf_free(&lines);
	return 0;
}

static void
a_line_is_an_event_with_keys(void **state)
{
	struct addr a = {.family = ADDR_V4, .ip = {1, 1, 1, 1}, .port = 853};

	(void)state;
	log_setup(LOG_INFO, LOG_TEXT);
	log_event(LOG_WARN, "refused", LOG_STR("upstream", "cloudflare"), LOG_IP("addr", &a),
	    LOG_STR("reason", "ct-too-few-scts"), LOG_INT("have", 1), LOG_INT("want", 2));
	assert_string_equal(buf_cstr(&lines), "warn refused upstream=cloudflare addr=1.1.1.1 reason=ct-too-few-scts have=1 want=2\n");
}

static void
json_lines_are_json(void **state)
{
	(void)state;
	log_setup(LOG_INFO, LOG_JSON);
	log_event(LOG_NOTICE, "x", LOG_STR("a", "q\"\\\n\xc3"), LOG_STR("b", NULL));
	assert_string_equal(buf_cstr(&lines), "{\"time\":\"2026-11-21T18:00:00.250Z\",\"level\":\"notice\",\"event\":\"x\","
	    "\"a\":\"q\\\"\\\\\\u000a\\u00c3\",\"b\":\"-\"}\n");
}

/* G09: a reader of JSON gets the characters that the configuration or the certificate has. */
static void
json_strings_are_characters(void **state)
{
	static const struct {
		const char *what, *text, *json;
	} rows[] = {
	    {"two bytes", "b\xc3\xbc" "cher", "b\\u00fccher"},
	    {"three bytes", "\xe2\x82\xac", "\\u20ac"},
	    {"four bytes are a pair of surrogates", "\xf0\x9f\x98\x80", "\\ud83d\\ude00"},
	    {"the last character", "\xf4\x8f\xbf\xbf", "\\udbff\\udfff"},
	    {"a control character of Latin-1", "\xc2\x9b", "\\u009b"},
	    {"text in the other direction", "\xe2\x80\xae", "\\u202e"},
	    {"delete", "\x7f", "\\u007f"},
	    {"no UTF-8", "\xff", "\\u00ff"},
	    {"no UTF-8 before UTF-8", "\xff\xc3\xbc", "\\u00ff\\u00fc"},
	    {"an overlong form", "\xc0\x80", "\\u00c0\\u0080"},
	    {"a surrogate", "\xed\xa0\x80", "\\u00ed\\u00a0\\u0080"},
	    {"cut off", "\xe2\x82", "\\u00e2\\u0082"},
	};

	(void)state;
	log_setup(LOG_INFO, LOG_JSON);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char want[128];

		buf_clear(&lines);
		log_event(LOG_NOTICE, "x", LOG_STR("a", rows[i].text));
		(void)snprintf(want, sizeof want, "\"event\":\"x\",\"a\":\"%s\"}\n", rows[i].json);
		if (strstr(buf_cstr(&lines), want) == NULL)
			fail_msg("%s: %s", rows[i].what, buf_cstr(&lines));
	}
}

static void
an_object_is_in_json_lines_only(void **state)
{
	(void)state;
	log_setup(LOG_INFO, LOG_JSON);
	log_event(LOG_WARN, "x", LOG_VALUE("none", NULL), LOG_VALUE("verdict", "{\"reasons\":[]}"));
	assert_string_equal(buf_cstr(&lines), "{\"time\":\"2026-11-21T18:00:00.250Z\",\"level\":\"warn\",\"event\":\"x\","
	    "\"verdict\":{\"reasons\":[]}}\n");
	buf_clear(&lines);
	log_setup(LOG_INFO, LOG_TEXT);
	log_event(LOG_WARN, "x", LOG_VALUE("verdict", "{\"reasons\":[]}"), LOG_INT("n", 1));
	assert_string_equal(buf_cstr(&lines), "warn x n=1\n");
}

static void
g09_values_cannot_forge_lines(void **state)
{
	(void)state;
	log_setup(LOG_INFO, LOG_TEXT);
	log_event(LOG_INFO, "x", LOG_STR("name", "a\nerror forged=1 \x1b[2J"), LOG_STR("empty", ""));
	assert_string_equal(buf_cstr(&lines), "info x name=\"a\\x0aerror forged=1 \\x1b[2J\" empty=\"\"\n");
}

static void
levels_are_kept(void **state)
{
	(void)state;
	log_setup(LOG_WARN, LOG_TEXT);
	log_event(LOG_NOTICE, "quiet", LOG_INT("n", 1));
	assert_int_equal(lines.n, 0);
	log_level_set((enum log_level)log_level_read("debug"));
	log_event(LOG_DEBUG, "loud", LOG_INT("n", 1));
	assert_string_equal(buf_cstr(&lines), "debug loud n=1\n");
	assert_int_equal(log_level_read("verbose"), -1);
}

static void
a_long_line_stays_well_formed(void **state)
{
	char big[9000];

	(void)state;
	memset(big, 'a', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	log_setup(LOG_INFO, LOG_JSON);
	log_event(LOG_INFO, "x", LOG_INT("n", 1), LOG_STR("big", big), LOG_INT("after", 2));
	assert_string_equal(buf_cstr(&lines), "{\"time\":\"2026-11-21T18:00:00.250Z\",\"level\":\"info\",\"event\":\"x\",\"n\":1}\n");
}

static void
r10_a_storm_is_counted_not_written(void **state)
{
	struct log_limit limit = {0};
	uint32_t left_out, written = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		written += log_limit_ok(&limit, 5, 1000, &left_out);
	assert_int_equal(written, 5);
	now_ms += 1000;
	assert_true(log_limit_ok(&limit, 5, 1000, &left_out));
	assert_int_equal(left_out, 995);
	assert_true(log_limit_ok(&limit, 5, 1000, &left_out));
	assert_int_equal(left_out, 0);
}

/* Makes fd standard error, until stderr_back. Gives the standard error that was replaced. */
static int
stderr_replace(int fd)
{
	int kept = dup(STDERR_FILENO);

	assert_true(kept >= 0 && dup2(fd, STDERR_FILENO) == STDERR_FILENO);
	log_capture(NULL, NULL);
	log_setup(LOG_INFO, LOG_TEXT);
	return kept;
}

static void
stderr_back(int kept)
{
	(void)dup2(kept, STDERR_FILENO);
	(void)close(kept);
}

static void
r11_lines_that_a_full_pipe_does_not_take_are_all_counted(void **state)
{
	static const unsigned rows[] = {1, 2, 3, 100};
	char bytes[65536];
	int pipes[2], kept, size;

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	size = fcntl(pipes[1], F_SETPIPE_SZ, 8192);
	assert_true(size > 0 && size <= (int)sizeof bytes);
	memset(bytes, 'x', sizeof bytes);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char want[64];
		ssize_t n;

		assert_int_equal(write(pipes[1], bytes, (size_t)size), size);
		kept = stderr_replace(pipes[1]);
		for (unsigned k = 0; k < rows[i]; k++)
			log_event(LOG_WARN, "lost", LOG_INT("n", k));
		assert_int_equal(read(pipes[0], bytes, (size_t)size), size);
		log_event(LOG_WARN, "written", LOG_INT("n", 1));
		stderr_back(kept);
		n = read(pipes[0], bytes, sizeof bytes - 1);
		bytes[n < 0 ? 0 : n] = '\0';
		(void)snprintf(want, sizeof want, "warn log-lines-lost lines=%u\nwarn written n=1\n", rows[i]);
		assert_string_equal(bytes, want);
	}
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}

static void
r11_a_line_that_a_full_disk_cuts_does_not_damage_the_next(void **state)
{
	int fd = memfd_create("log", MFD_CLOEXEC), kept;
	struct rlimit before, small;
	char bytes[256];
	ssize_t n;

	(void)state;
	assert_true(fd >= 0 && getrlimit(RLIMIT_FSIZE, &before) == 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	small = (struct rlimit){5, before.rlim_max};
	kept = stderr_replace(fd);
	(void)setrlimit(RLIMIT_FSIZE, &small);
	log_event(LOG_WARN, "torn", LOG_INT("n", 1));
	log_event(LOG_WARN, "lost", LOG_INT("n", 2));
	(void)setrlimit(RLIMIT_FSIZE, &before);
	log_event(LOG_WARN, "written", LOG_INT("n", 3));
	log_event(LOG_WARN, "after", LOG_INT("n", 4));
	stderr_back(kept);
	n = pread(fd, bytes, sizeof bytes - 1, 0);
	(void)close(fd);
	bytes[n < 0 ? 0 : n] = '\0';
	assert_string_equal(bytes, "warn \nwarn log-lines-lost lines=2\nwarn written n=3\nwarn after n=4\n");
}

static void
r14_the_hash_is_keyed(void **state)
{
	struct hash_key a = {{1, 2}}, b = {{1, 3}};

	(void)state;
	assert_true(hash_keyed(&a, span_str("example")) == hash_keyed(&a, span_str("example")));
	assert_true(hash_keyed(&a, span_str("example")) != hash_keyed(&b, span_str("example")));
	assert_true(hash_keyed(&a, span_str("example")) != hash_keyed(&a, span_str("examplf")));
	assert_true(hash_keyed(&a, span_str("")) != hash_keyed(&a, span_of("\0", 1)));
}

static void
random_numbers_stay_below_their_bound(void **state)
{
	unsigned seen[3] = {0};

	(void)state;
	for (int i = 0; i < 3000; i++) {
		uint32_t v = random_below(3);

		assert_true(v < 3);
		seen[v]++;
	}
	for (int i = 0; i < 3; i++)
		assert_true(seen[i] > 600); /* 1,000 expected; 600 is 15 standard deviations away */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_line_is_an_event_with_keys, setup, teardown),
	    cmocka_unit_test_setup_teardown(json_lines_are_json, setup, teardown),
	    cmocka_unit_test_setup_teardown(json_strings_are_characters, setup, teardown),
	    cmocka_unit_test_setup_teardown(an_object_is_in_json_lines_only, setup, teardown),
	    cmocka_unit_test_setup_teardown(g09_values_cannot_forge_lines, setup, teardown),
	    cmocka_unit_test_setup_teardown(levels_are_kept, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_long_line_stays_well_formed, setup, teardown),
	    cmocka_unit_test_setup_teardown(r10_a_storm_is_counted_not_written, setup, teardown),
	    cmocka_unit_test_setup_teardown(r11_lines_that_a_full_pipe_does_not_take_are_all_counted, setup, teardown),
	    cmocka_unit_test_setup_teardown(r11_a_line_that_a_full_disk_cuts_does_not_damage_the_next, setup, teardown),
	    cmocka_unit_test(r14_the_hash_is_keyed),
	    cmocka_unit_test(random_numbers_stay_below_their_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
