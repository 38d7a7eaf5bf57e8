/* What a new configuration changes in the old one. */
#include "config/changes.h"
#include "config/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UP       "upstream \"u\" { address = {\"192.0.2.1\"} }\n"
#define UP_V     "upstream \"v\" { address = {\"192.0.2.2\"} }\n"
#define PIN      "spki-sha256 0000000000000000000000000000000000000000000000000000000000000000"
#define TEN      "\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\", \"i\", \"j\""

static const struct {
	const char *what, *before, *after;
	const char *line[6];
} rows[] = {
    {"the same", UP "workers = 2", "workers = 2 # the same\n" UP, {NULL}},
    {"a default that is written out", UP, UP "hedge = true\nlog-level = \"info\"", {NULL}},
    {"another form of the same value", UP "cache { size = \"1MiB\" }", UP "cache { size = \"1024KiB\" }", {NULL}},
    {"an option outside sections", UP, UP "log-level = \"debug\"", {"log-level: \"info\" -> \"debug\""}},
    {"a boolean", UP, UP "hedge = false", {"hedge: true -> false"}},
    {"a size in a section", UP, UP "cache { size = \"8MiB\" }", {"cache: size: \"16MiB\" -> \"8MiB\""}},
    {"a duration", UP, UP "ct { list-max-age = \"30d\" }", {"ct: list-max-age: \"70d\" -> \"30d\""}},
    {"two sections", UP, UP "ct { mode = \"report\" } trust { builtin-disallow = false }",
     {"ct: mode: \"require\" -> \"report\"", "trust: builtin-disallow: true -> false"}},
    {"listen cannot change while the daemon runs", UP, UP "listen = {\"127.0.0.1:5353\"}",
     {"listen: removed {\"127.0.0.1:53\", \"[::1]:53\"}, added {\"127.0.0.1:5353\"} (needs a restart)"}},
    {"nor can workers, user and control-socket", UP, UP "workers = 3\nuser = \"\"\ncontrol-socket = \"/run/c\"",
     {"workers: 1 -> 3 (needs a restart)", "user: \"ctstub\" -> \"\" (needs a restart)",
      "control-socket: \"/run/ctstub/control\" -> \"/run/c\" (needs a restart)"}},
    {"an upstream that was added", UP, UP UP_V, {"upstream \"v\": added"}},
    {"an upstream that was removed", UP UP_V, UP, {"upstream \"v\": removed"}},
    {"one upstream replaced by another", UP, UP_V, {"upstream \"u\": removed", "upstream \"v\": added"}},
    {"upstreams in another order", UP UP_V, UP_V UP, {"upstream: another order"}},
    {"an address that was added", UP, "upstream \"u\" { address = {\"192.0.2.1\", \"192.0.2.3\"} }",
     {"upstream \"u\": address: added {\"192.0.2.3:853\"}"}},
    {"an address that was removed", "upstream \"u\" { address = {\"192.0.2.1\", \"192.0.2.3\"} }", UP,
     {"upstream \"u\": address: removed {\"192.0.2.3:853\"}"}},
    {"addresses in another order", "upstream \"u\" { address = {\"192.0.2.1\", \"192.0.2.3\"} }",
     "upstream \"u\" { address = {\"192.0.2.3\", \"192.0.2.1\"} }", {"upstream \"u\": address: another order"}},
    {"one port that was written in two ways", "upstream \"u\" { address = {\"192.0.2.1:853\"} }", UP, {NULL}},
    {"a port", UP, "upstream \"u\" { address = {\"192.0.2.1\"} port = 8853 }",
     {"upstream \"u\": port: 853 -> 8853"}},
    {"a name", UP, "upstream \"u\" { address = {\"192.0.2.1\"} name = \"dns.example\" }",
     {"upstream \"u\": name: \"\" -> \"dns.example\""}},
    {"an entry added to a list of strings", UP "trust { disallow = {\"issuer CN=a\"} }", UP "trust { disallow = {\"issuer CN=a\", \"issuer CN=b\"} }",
     {"trust: disallow: added {\"issuer CN=b\"}"}},
    {"many entries are counted", UP, UP "rebinding { allow = {" TEN "} }",
     {"rebinding: allow: added {\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\" and 2 more}"}},
    {"a quote in a value", UP, UP "trust { anchors = \"/a\\\"b\" }", {"trust: anchors: \"system\" -> \"/a\\\"b\""}},
    {"a forward that was added", UP, UP "forward \"corp.example\" { upstream = {\"u\"} }", {"forward \"corp.example\": added"}},
    {"a forward to another upstream", UP UP_V "forward \"corp.example\" { upstream = {\"u\"} }",
     UP UP_V "forward \"corp.example\" { upstream = {\"v\"} }", {"forward \"corp.example\": upstream: removed {\"u\"}, added {\"v\"}"}},
    {"an upstream in the file replaces those compiled in", "", UP,
     {"upstream \"cloudflare\": removed", "upstream \"quad9\": removed", "upstream \"google\": removed", "upstream \"u\": added"}},
};

static struct settings *
read_good(const char *text)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;

	assert_int_equal(settings_read_text(&s, "f", span_str(text), &errors), RES_OK);
	return s;
}

static void
changes_are_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct settings *before = read_good(rows[i].before), *after = read_good(rows[i].after);
		struct changes *c = calloc(1, sizeof *c);
		size_t n = 0;

		changes_find(c, before, after, NULL);
		while (n < c->n && n < 6 && rows[i].line[n] != NULL && strcmp(c->v[n].text, rows[i].line[n]) == 0)
			n++;
		if (n != c->n || (n < 6 && rows[i].line[n] != NULL))
			fail_msg("%s: line %zu of %zu is %s", rows[i].what, n, c->n, n < c->n ? c->v[n].text : "missing");
		assert_false(c->more || c->nomem);
		changes_free(c);
		free(c);
		settings_free(before);
		settings_free(after);
	}
}

/* With the largest values, and with the most upstreams, the list of changes stays small. */
static void
changes_are_bounded(void **state)
{
	struct buf text = buf_max(16 * 1024 * 1024);
	struct changes *c = calloc(1, sizeof *c);
	struct settings *before = read_good(UP), *after;

	(void)state;
	buf_text(&text, "trust { anchors = \"");
	for (size_t i = 0; i < 1000; i++)
		buf_text(&text, "\xc3\xa4\xc3\xb6"); /* two-byte characters: none is cut in two */
	buf_text(&text, "\" }\n");
	for (unsigned i = 0; i < CONFIG_UPSTREAMS_MAX; i++)
		buf_format(&text, "upstream \"n%u\" { address = {\"192.0.2.1\"} }\n", i);
	after = read_good(buf_cstr(&text));
	changes_find(c, before, after, NULL);
	assert_int_equal(c->n, CHANGES_MAX);
	assert_true(c->more);
	assert_true(strlen(c->v[0].after) <= CHANGE_VALUE_MAX + 3);
	assert_string_equal(c->v[0].after + strlen(c->v[0].after) - 3, "...");
	assert_int_equal((unsigned char)c->v[0].after[strlen(c->v[0].after) - 5] & 0xfe, 0xc2);
	changes_free(c);
	free(c);
	settings_free(before);
	settings_free(after);
	buf_free(&text);
}

static void
numbers_that_differ_are_changes(void **state)
{
	struct changes *c = calloc(1, sizeof *c);

	(void)state;
	changes_add_number(c, "CT logs", 5, 5);
	assert_int_equal(c->n, 0);
	changes_add_number(c, "CT logs", 5, 7);
	assert_int_equal(c->n, 1);
	assert_string_equal(c->v[0].text, "CT logs: 5 -> 7");
	changes_free(c);
	free(c);
}

/* Against the values of the start, whatever a reload before brought. */
static void
values_of_the_start_are_compared(void **state)
{
	static const struct {
		const char *now;
		const char *line[3];
	} rows_of_start[] = {
	    {UP, {NULL}},
	    {UP "log-level = \"debug\" cache { size = \"8MiB\" }", {NULL}},
	    {UP "workers = 3 query-log { to = \"/q\" }", {"workers: 2 -> 3 (needs a restart)", "query-log: to: \"\" -> \"/q\" (needs a restart)"}},
	    {UP "workers = 2 listen = {\"127.0.0.1:5353\"}", {"listen: {\"127.0.0.1:53\", \"[::1]:53\"} -> {\"127.0.0.1:5353\"} (needs a restart)"}},
	    {UP "workers = 2", {NULL}},
	};
	struct settings *s = read_good(UP "workers = 2");
	struct start_values values = {0};

	(void)state;
	assert_int_equal(changes_start_take(&values, s), RES_OK);
	settings_free(s);
	for (size_t i = 0; i < sizeof rows_of_start / sizeof *rows_of_start; i++) {
		struct changes *c = calloc(1, sizeof *c);
		size_t n = 0;

		s = read_good(rows_of_start[i].now);
		if (strstr(rows_of_start[i].now, "workers") == NULL)
			s->workers = 2;
		changes_start_compare(c, &values, s);
		while (n < c->n && rows_of_start[i].line[n] != NULL && strcmp(c->v[n].text, rows_of_start[i].line[n]) == 0)
			n++;
		if (n != c->n || rows_of_start[i].line[n] != NULL || c->nomem)
			fail_msg("%s: line %zu of %zu is %s", rows_of_start[i].now, n, c->n, n < c->n ? c->v[n].text : "missing");
		changes_free(c);
		free(c);
		settings_free(s);
	}
	changes_start_free(&values);
}

/* Of those options, only those whose new value is not the one that the daemon runs with need a restart. */
static void
a_reload_back_to_the_start_needs_no_restart(void **state)
{
	static const struct {
		const char *before, *after;
		const char *line[2];
	} reloads[] = {
	    {UP "workers = 2", UP "workers = 3", {"workers: 2 -> 3 (needs a restart)"}},
	    {UP "workers = 3", UP "workers = 4", {"workers: 3 -> 4 (needs a restart)"}},
	    {UP "workers = 3", UP "workers = 2", {"workers: 3 -> 2"}},
	    {UP "workers = 2 listen = {\"127.0.0.1:5353\"}", UP "workers = 2",
	     {"listen: removed {\"127.0.0.1:5353\"}, added {\"127.0.0.1:53\", \"[::1]:53\"}"}},
	    {UP "workers = 3 query-log { to = \"/q\" }", UP "workers = 2 query-log { to = \"/r\" }",
	     {"workers: 3 -> 2", "query-log: to: \"/q\" -> \"/r\" (needs a restart)"}},
	};
	struct settings *s = read_good(UP "workers = 2");
	struct start_values values = {0};

	(void)state;
	assert_int_equal(changes_start_take(&values, s), RES_OK);
	settings_free(s);
	for (size_t i = 0; i < sizeof reloads / sizeof *reloads; i++) {
		struct settings *before = read_good(reloads[i].before), *after = read_good(reloads[i].after);
		struct changes *c = calloc(1, sizeof *c);

		changes_find(c, before, after, &values);
		for (size_t n = 0; n < 2; n++)
			if (strcmp(n < c->n ? c->v[n].text : "", reloads[i].line[n] != NULL ? reloads[i].line[n] : "") != 0)
				fail_msg("%s: line %zu is %s", reloads[i].after, n, n < c->n ? c->v[n].text : "missing");
		changes_free(c);
		free(c);
		settings_free(before);
		settings_free(after);
	}
	changes_start_free(&values);
}

/* Each option of an upstream is one of the rules, or of the connection. */
static void
rules_of_two_upstreams_are_compared(void **state)
{
	static const struct {
		const char *option;
		bool rule;
	} options[] = {
	    {"protocol = \"doh\"", false}, {"address = {\"192.0.2.9\"}", false}, {"port = 8853", false},
	    {"protocol = \"doh\" path = \"/q\"", false}, {"protocol = \"doh\" method = \"get\"", false}, {"trust-ad = false", false}, {"forward-only = true", false},
	    {"client-cert = \"/c\" client-key = \"/k\"", false},
	    {"name = \"dns.example\"", true}, {"trust-anchors = \"/a\"", true}, {"ct = \"off\"", true}, {"ct-policy = \"chrome\"", true},
	    {"ct-logs = \"/l\"", true}, {"disallow = {\"issuer CN=a\"}", true}, {"disallow-file = {\"/d\"}", true},
	    {"allow-issuer = {\"issuer CN=a\"}", true}, {"pin = {\"" PIN "\"}", true}, {"crl-file = {\"/c\"}", true},
	    {"pin-mode = \"report\"", true}, {"allow-issuer-mode = \"report\"", true}, {"disallow-mode = \"report\"", true},
	    {"limits-mode = \"report\"", true}, {"revocation-mode = \"report\"", true}, {"report-until = \"2030-01-01\"", true},
	    {"also-address = {\"192.0.2.8\"}", true},
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		const char *address = strncmp(options[i].option, "address", 7) == 0 ? "" : "address = {\"192.0.2.1\"}";
		struct settings *s;

		(void)snprintf(text, sizeof text, UP "upstream \"other\" { %s %s }", address, options[i].option);
		s = read_good(text);
		if (upstream_rules_equal(&s->upstream[0], &s->upstream[1]) == options[i].rule)
			fail_msg("%s", options[i].option);
		settings_free(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(changes_are_lines),
	    cmocka_unit_test(changes_are_bounded),
	    cmocka_unit_test(numbers_that_differ_are_changes),
	    cmocka_unit_test(values_of_the_start_are_compared),
	    cmocka_unit_test(a_reload_back_to_the_start_needs_no_restart),
	    cmocka_unit_test(rules_of_two_upstreams_are_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
