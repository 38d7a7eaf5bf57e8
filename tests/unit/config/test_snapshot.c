/* Settings compiled into a snapshot: the files that are read, the errors when they cannot be read, and what each upstream gets. */
#include "base/clock.h"
#include "config/load.h"
#include "config/reader.h"
#include "config/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char anchor_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBeTCCAR+gAwIBAgIUGTyD7tfhG2AbEIbQDLqp5IsqfHowCgYIKoZIzj0EAwIw\n"
    "ETEPMA0GA1UEAwwGQW5jaG9yMCAXDTI2MTEyMTE5MDY1MVoYDzIxMjYxMDI4MTkw\n"
    "NjUxWjARMQ8wDQYDVQQDDAZBbmNob3IwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n"
    "AASM0kZxftd/N6t+6FEmERjjHVJK3D+F058m7/omc05NM/87CPH9VytrYt3Dl4e6\n"
    "hGFLoKsSckXaypBUDcox/5z2o1MwUTAdBgNVHQ4EFgQUji7qaQDXV/jLumqySf49\n"
    "vL87D0YwHwYDVR0jBBgwFoAUji7qaQDXV/jLumqySf49vL87D0YwDwYDVR0TAQH/\n"
    "BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAwwGT/pcVHeeKJ+vpQO8MQg1WU+MV\n"
    "4ydHhNntZscNK9MCIFFzhCQ+0f5V+dfLwjmz6DBT5Sb3HByw7Ls+qTUWKmCp\n"
    "-----END CERTIFICATE-----\n"    ;
#define SERIAL "serial 01 issuer CN=x\n"

/* Every test has its own folder, with these files in it. */
struct folder {
	char path[64];
};

static const char *const names[] = {"anchor.pem", "good.list", "bad.list", "open.list", "bad.json", "empty.pem",
    "bad.constraints", "anchors/a.pem", "anchors/note.txt", "state/ct-logs.json", "state/watch/disallow.txt",
    "state/watch/feed.txt"};

static void
file_write(const struct folder *f, const char *name, const char *text, mode_t mode)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", f->path, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fputs(text, file) >= 0, 1);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static int
folder_make(void **state)
{
	struct folder *f = calloc(1, sizeof *f);
	char path[256];

	(void)snprintf(f->path, sizeof f->path, "%s", "/tmp/ctstub-test-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	(void)snprintf(path, sizeof path, "%s/anchors", f->path);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof path, "%s/state", f->path);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof path, "%s/state/watch", f->path);
	assert_int_equal(mkdir(path, 0755), 0);
	file_write(f, "anchor.pem", anchor_pem, 0644);
	file_write(f, "good.list", "# comment\n" SERIAL, 0644);
	file_write(f, "bad.list", "# comment\n" SERIAL "serial zz issuer CN=x\n", 0644);
	file_write(f, "open.list", SERIAL, 0666);
	file_write(f, "bad.json", "{", 0644);
	file_write(f, "empty.pem", "nothing here\n", 0644);
	file_write(f, "bad.constraints", "\n\ncert-sha256 00\n", 0644);
	file_write(f, "anchors/a.pem", anchor_pem, 0644);
	file_write(f, "anchors/note.txt", "a note\n", 0644);
	*state = f;
	return 0;
}

static int
folder_remove(void **state)
{
	struct folder *f = *state;
	char path[256];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", f->path, names[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof path, "%s/anchors", f->path);
	(void)rmdir(path);
	(void)snprintf(path, sizeof path, "%s/state/watch", f->path);
	(void)rmdir(path);
	(void)snprintf(path, sizeof path, "%s/state", f->path);
	(void)rmdir(path);
	assert_int_equal(rmdir(f->path), 0);
	free(f);
	return 0;
}

/* "@" in text stands for the folder. */
static char *
fill(const struct folder *f, const char *text)
{
	struct buf b = buf_max(65536);

	for (; *text != '\0'; text++) {
		if (*text == '@')
			buf_text(&b, f->path);
		else
			buf_u8(&b, (uint8_t)*text);
	}
	return buf_take_cstr(&b);
}

static enum res
compile(struct snapshot **out, const struct folder *f, const char *text, struct config_errors *errors)
{
	char *filled = fill(f, text);
	struct settings *s = NULL;
	enum res res = settings_read_text(&s, "f", span_str(filled), errors);

	for (size_t i = 0; i < errors->n; i++)
		print_message("%s\n", errors->line[i]);
	assert_int_equal(res, RES_OK);
	free(filled);
	return snapshot_compile(out, s, 7, errors);
}

#define STATE "state-dir = \"@/state\" trust { anchors = \"@/anchor.pem\" }\n"
#define UP    "upstream \"u\" { address = {\"192.0.2.1\"}\n "

static const struct {
	const char *what, *text, *error;
} wrong[] = {
    {"anchors that do not exist", "state-dir = \"\"\ntrust { anchors = \"@/none.pem\" }",
	"f:2: option \"anchors\": cannot read @/none.pem: No such file or directory"},
    {"a file without a certificate", "trust { anchors = \"@/empty.pem\" }", "f:1: option \"anchors\": @/empty.pem: "},
    {"anchors of an upstream that do not exist", STATE UP "trust-anchors = \"@/none.pem\" }",
	"f:3: option \"trust-anchors\": cannot read @/none.pem"},
    {"an unreadable disallow file is an error, not an empty list", STATE UP "disallow-file = {\"@/good.list\",\n\"@/none.list\"} }",
	"f:4: option \"disallow-file\": cannot read @/none.list"},
    {"a bad line of a disallow file has its file and line", STATE UP "disallow-file = {\"@/bad.list\"} }",
	"f:3: option \"disallow-file\": @/bad.list:3: "},
    {"G05 a disallow file that others can write", STATE UP "disallow-file = {\"@/open.list\"} }",
	"f:3: option \"disallow-file\": @/open.list can be written by others"},
    {"a bad disallow entry has its own line", STATE UP "disallow = {\"issuer CN=a\",\n \"serial 1\"} }",
	"f:4: option \"disallow\": "},
    {"an invalid log list", STATE "ct { log-list = \"@/bad.json\" }", "f:2: option \"log-list\": @/bad.json: "},
    {"an invalid log list of an upstream", STATE UP "ct-logs = \"@/bad.json\" }", "f:3: option \"ct-logs\": @/bad.json: "},
    {"bad constraints have their line", "state-dir = \"\" trust { anchors = \"@/anchor.pem\"\nconstraints-file = {\"@/bad.constraints\"} }",
	"f:2: option \"constraints-file\": @/bad.constraints:3: "},
    {"an invalid CRL", STATE UP "crl-file = {\"@/bad.list\"} }", "f:3: option \"crl-file\": @/bad.list: "},
    {"a key that does not fit its certificate", STATE UP "client-cert = \"@/anchor.pem\" client-key = \"@/bad.list\" }",
	"f:3: option \"client-cert\": "},
    {"two forwards for the same names", STATE UP "}\nforward \"10.0.0.0/8\" { upstream = {} }\nforward \"10.in-addr.arpa\" { upstream = {} }",
	"f:5: forward \"10.in-addr.arpa\" is for names that another forward has"},
};

static void
unreadable_files_are_reported(void **state)
{
	const struct folder *f = *state;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct config_errors errors = {0};
		struct snapshot *snap = NULL;
		char *error = fill(f, wrong[i].error);

		if (compile(&snap, f, wrong[i].text, &errors) != RES_MALFORMED)
			fail_msg("%s: was accepted", wrong[i].what);
		if (errors.n != 1 || strncmp(errors.line[0], error, strlen(error)) != 0)
			fail_msg("%s: %zu errors: %s", wrong[i].what, errors.n, errors.n > 0 ? errors.line[0] : "");
		config_errors_free(&errors);
		free(error);
	}
}

/* Each of the two files of an identity has its error, in one run. */
static void
both_files_of_an_identity_are_reported(void **state)
{
	const struct folder *f = *state;
	struct config_errors errors = {0};
	struct snapshot *snap = NULL;
	char *cert = fill(f, "f:3: option \"client-cert\": cannot read @/none.pem: No such file or directory"),
	     *key = fill(f, "f:4: option \"client-key\": cannot read @/none.key: No such file or directory");

	assert_int_equal(compile(&snap, f, STATE UP "client-cert = \"@/none.pem\"\nclient-key = \"@/none.key\" }", &errors),
			 RES_MALFORMED);
	assert_int_equal(errors.n, 2);
	assert_string_equal(errors.line[0], cert);
	assert_string_equal(errors.line[1], key);
	config_errors_free(&errors);
	free(cert);
	free(key);
}

/* A folder of anchors with too many files: the message names it. */
static void
too_many_files_are_reported_with_their_folder(void **state)
{
	const struct folder *f = *state;
	struct config_errors errors = {0};
	struct snapshot *snap = NULL;
	char path[256], *error = fill(f, "f:1: option \"anchors\": @/many: more than 4096 files");
	int many;

	(void)snprintf(path, sizeof path, "%s/many", f->path);
	assert_int_equal(mkdir(path, 0755), 0);
	many = open(path, O_RDONLY | O_DIRECTORY);
	for (int i = 0; i <= ANCHOR_FILES_MAX; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "%d", i);
		assert_int_equal(close(openat(many, name, O_WRONLY | O_CREAT, 0644)), 0);
	}
	assert_int_equal(compile(&snap, f, "trust { anchors = \"@/many\" }", &errors), RES_MALFORMED);
	assert_int_equal(errors.n, 1);
	assert_string_equal(errors.line[0], error);
	for (int i = 0; i <= ANCHOR_FILES_MAX; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "%d", i);
		(void)unlinkat(many, name, 0);
	}
	(void)close(many);
	assert_int_equal(rmdir(path), 0);
	config_errors_free(&errors);
	free(error);
}

static struct snapshot *
compile_good(const struct folder *f, const char *text)
{
	struct config_errors errors = {0};
	struct snapshot *snap = NULL;
	enum res res = compile(&snap, f, text, &errors);

	for (size_t i = 0; i < errors.n; i++)
		print_message("%s\n", errors.line[i]);
	assert_int_equal(res, RES_OK);
	return snap;
}

static void
an_upstream_has_a_target_for_each_address(void **state)
{
	struct snapshot *snap = compile_good(*state, STATE
	    "upstream \"a\" { address = {\"192.0.2.1\", \"2001:db8::1\"} protocol = \"doh\" name = \"dns.example\" method = \"get\"\n"
	    " path = \"/q\" also-address = {\"192.0.2.9\"} trust-ad = false }\n"
	    "upstream \"b\" { address = {\"192.0.2.2:8853\"} trust-anchors = \"@/anchors\" ct = \"off\" ct-policy = \"apple\"\n"
	    " disallow-file = {\"@/good.list\"} pin = {\"spki-sha256 0000000000000000000000000000000000000000000000000000000000000000\"} }\n");
	const struct upstream_plan *a = snapshot_upstream(snap, "a"), *b = snapshot_upstream(snap, "b");

	assert_int_equal(snap->n_upstream, 2);
	assert_null(snapshot_upstream(snap, "c"));
	assert_int_equal(a->n_target, 2);
	assert_int_equal(a->target[1].addr.port, 443);
	assert_int_equal(a->target[1].protocol, TP_DOH);
	assert_int_equal(a->target[0].method, TP_GET);
	assert_string_equal(a->target[0].path, "/q");
	assert_string_equal(a->target[0].name, "dns.example");
	assert_int_equal(a->target[0].n_also, 1);
	assert_int_equal(a->target[0].generation, 7);
	assert_ptr_equal(a->target[0].policy, a->policy);
	assert_false(a->trust_ad);
	assert_int_equal(a->policy->ct_mode, CT_REQUIRE);
	assert_int_equal(a->policy->n_disallow, 1);
	assert_null(a->policy->pins);
	assert_null(a->policy->allow_issuer);
	assert_non_null(a->policy->ctlogs);
	assert_ptr_equal(a->policy->trust, snap->policy->trust);
	assert_int_equal(a->n_warning, 1); /* also-address */
	assert_int_equal(b->target[0].addr.port, 8853);
	assert_int_equal(b->policy->ct_mode, CT_OFF);
	assert_int_equal(b->policy->ct_policy, CT_APPLE);
	assert_int_equal(b->policy->n_disallow, 2);
	assert_int_equal(trust_count(b->policy->trust), 1);
	assert_ptr_not_equal(b->policy->trust, snap->policy->trust);
	assert_non_null(b->policy->pins);
	assert_int_equal(b->n_warning, 2); /* a set of one, and CT off */
	snapshot_unref(snap);
}

#define MIDNIGHT ((int64_t)1803945600000) /* after 2027-03-01 */

static int64_t wall;

static int64_t
wall_set(void)
{
	return wall;
}

static const struct {
	const char *what;
	const char *options;
	enum vfy_mode mode[VFY_RULE_COUNT]; /* pin, allow-issuer, disallow, limits, revocation */
	int64_t until_ms;
	int64_t wall_ms;
	const char *warning; /* part of the only one; NULL: there is none */
} modes[] = {
    {"no option: everything is required", "", {0}, 0, 0, NULL},
    {"one rule", "pin-mode = \"report\"", {VFY_REPORT}, 0, 0, "in report mode: pin-mode; their findings refuse nothing"},
    {"two rules", "limits-mode = \"report\" revocation-mode = \"report\"", {0, 0, 0, VFY_REPORT, VFY_REPORT}, 0, 0,
        "in report mode: limits-mode, revocation-mode; their"},
    {"the others", "allow-issuer-mode = \"report\" disallow-mode = \"report\"", {0, VFY_REPORT, VFY_REPORT}, 0, 0,
        "in report mode: allow-issuer-mode, disallow-mode; their"},
    {"require is the default", "pin-mode = \"require\" limits-mode = \"require\"", {0}, 0, 0, NULL},
    {"a day is included", "pin-mode = \"report\" report-until = \"2027-03-01\"", {VFY_REPORT}, MIDNIGHT, MIDNIGHT - 1,
        "refuse nothing until the end of 2027-03-01 (UTC)"},
    {"a day that has passed", "pin-mode = \"report\" report-until = \"2027-03-01\"", {VFY_REPORT}, MIDNIGHT, MIDNIGHT,
        "report-until, 2027-03-01, has passed: their findings refuse"},
    {"a day until which CT only reports, in one warning", "ct = \"report\" report-until = \"2027-03-01\"", {0}, MIDNIGHT, MIDNIGHT - 1,
        "in report mode: ct; their findings refuse nothing until the end of 2027-03-01 (UTC)"},
    {"a day that has passed, after which CT refuses", "ct = \"report\" report-until = \"2027-03-01\"", {0}, MIDNIGHT, MIDNIGHT,
        "in report mode: ct; report-until, 2027-03-01, has passed: their findings refuse"},
    {"CT that only reports, without a day", "ct = \"report\"", {0}, 0, 0, "certificates that were never logged are not refused (ct)"},
    {"a leap day", "pin-mode = \"report\" report-until = \"2028-02-29\"", {VFY_REPORT}, 1835481600000, 0, "until the end of 2028-02-29"},
    {"a report-until without a mode", "report-until = \"2027-03-01\"", {0}, MIDNIGHT, 0, "report-until has no effect"},
};

static void
rules_have_their_modes(void **state)
{
	const struct clock_source source = {wall_set, clock_boot_ms, clock_mono_ms};

	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		char text[512];
		const struct upstream_plan *u;
		struct snapshot *snap;

		(void)snprintf(text, sizeof text, STATE "upstream \"u\" { address = {\"192.0.2.1\"} %s }\n", modes[i].options);
		wall = modes[i].wall_ms;
		clock_use(&source);
		snap = compile_good(*state, text);
		clock_use(NULL);
		u = snapshot_upstream(snap, "u");
		if (u->policy->report_until_ms != modes[i].until_ms || u->n_warning != (modes[i].warning != NULL) ||
		    (u->n_warning > 0 && strstr(u->warning[0], modes[i].warning) == NULL) ||
		    memcmp(u->policy->mode, modes[i].mode, sizeof modes[i].mode) != 0)
			fail_msg("%s: %lld, %s", modes[i].what, (long long)u->policy->report_until_ms,
			    u->n_warning > 0 ? u->warning[0] : "no warning");
		assert_int_equal(u->policy->n_disallow_always, 1); /* what is compiled in */
		snapshot_unref(snap);
	}
}

static void
invalid_days_are_errors(void **state)
{
	static const char *const days[] = {"2027-02-29", "2027-3-1", "2027-03-01T00:00:00Z", "tomorrow", "01.03.2027", "2027-13-01",
	    "2027-00-10", "1969-12-31", "9999-12-31", "20270301", " 2027-03-01", "2027-03-01 ", "-027-03-01"};

	for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
		struct config_errors errors = {0};
		struct settings *s = NULL;
		char text[256];

		(void)state;
		(void)snprintf(text, sizeof text, "upstream \"u\" { address = {\"192.0.2.1\"} report-until = \"%s\" }\n", days[i]);
		if (settings_read_text(&s, "f", span_str(text), &errors) == RES_OK || strstr(errors.line[0], "a day (\"2027-03-01\") or \"\" was expected") == NULL)
			fail_msg("%s: %s", days[i], errors.n > 0 ? errors.line[0] : "taken");
		settings_free(s);
		config_errors_free(&errors);
	}
}

static void
anchors_and_lists_are_read_once(void **state)
{
	struct snapshot *snap = compile_good(*state, STATE
	    "upstream \"a\" { address = {\"192.0.2.1\"} trust-anchors = \"@/anchors\" }\n"
	    "upstream \"b\" { address = {\"192.0.2.2\"} trust-anchors = \"@/anchors\" }\n");

	assert_ptr_equal(snap->upstream[0].policy->trust, snap->upstream[1].policy->trust);
	assert_ptr_equal(snap->upstream[0].policy->disallow[0], snap->upstream[1].policy->disallow[0]);
	snapshot_unref(snapshot_ref(snap));
	snapshot_unref(snap);
}

static void
an_upstream_of_a_forward_serves_nothing_else(void **state)
{
	struct snapshot *snap = compile_good(*state, STATE
	    "upstream \"all\" { address = {\"192.0.2.1\"} }\nupstream \"corp\" { address = {\"192.0.2.2\"} }\n"
	    "upstream \"both\" { address = {\"192.0.2.3\"} }\n"
	    "forward \"Corp.Example.\" { upstream = {\"corp\", \"both\"} }\n"
	    "forward \".\" { upstream = {\"both\"} }\n"
	    "forward \"172.16.0.0/12\" { upstream = {} }\nforward \"2001:db8::/33\" { upstream = {\"corp\"} }\n");
	static const uint8_t corp[] = "\4corp\7example", ten[] = "\2" "17\3" "172\7in-addr\4arpa";
	static const uint8_t six[] = "\1" "7\1" "8\1" "b\1" "d\1" "0\1" "1\1" "0\1" "0\1" "2\3ip6\4arpa";

	assert_true(snapshot_upstream(snap, "all")->general);
	assert_false(snapshot_upstream(snap, "corp")->general);
	assert_true(snapshot_upstream(snap, "both")->general);
	assert_int_equal(snap->n_forward, 2 + 16 + 8);
	assert_true(span_equal(snap->forward[0].suffix, span_of(corp, sizeof corp)));
	assert_int_equal(snap->forward[0].n_upstream, 2);
	assert_int_equal(snap->forward[0].upstream[1], 2);
	assert_true(span_equal(snap->forward[1].suffix, span_of("", 1)));
	assert_true(span_equal(snap->forward[3].suffix, span_of(ten, sizeof ten)));
	assert_int_equal(snap->forward[3].n_upstream, 0);
	assert_true(span_equal(snap->forward[25].suffix, span_of(six, sizeof six)));
	snapshot_unref(snap);
}

#define PLAIN "upstream \"u\" { address = {\"192.0.2.1\"} }\n"
#define LINK "upstream \"l\" { address = {\"192.0.2.2\"} forward-only = true }\nforward \"l.example\" { upstream = {\"l\"} }\n"

/* Titles of the upstreams that serve the names without a forward. */
static void
upstreams_of_forwards_do_not_serve_other_names(void **state)
{
	static const struct { const char *text, *general; } rows[] = {
	    {LINK, "cloudflare quad9 google "},
	    {PLAIN LINK, "u "},
	    {LINK "forward \".\" { upstream = {\"l\"} }\n", "l cloudflare quad9 google "},
	    {PLAIN "forward \"l.example\" { upstream = {\"u\"} shared = true }\n", "u "},
	    {PLAIN "forward \"l.example\" { upstream = {\"u\"} shared = false }\n", ""},
	    {PLAIN "forward \"l.example\" { upstream = {\"u\"} shared = true }\nforward \"m.example\" { upstream = {\"u\"} }\n", ""},
	    {LINK "forward \"m.example\" { upstream = {\"quad9\", \"l\"} shared = true }\n", "cloudflare quad9 google "},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[2048], general[256] = "";
		struct snapshot *snap;

		(void)snprintf(text, sizeof text, STATE "%s", rows[i].text);
		snap = compile_good(*state, text);
		for (size_t k = 0; k < snap->n_upstream; k++)
			if (snap->upstream[k].general) {
				(void)strcat(general, snap->upstream[k].title);
				(void)strcat(general, " ");
			}
		assert_string_equal(general, rows[i].general);
		snapshot_unref(snap);
	}
}

static void
an_upstream_for_forwards_cannot_change_one_that_is_compiled_in(void **state)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;

	(void)state;
	assert_int_equal(settings_read_text(&s, "f", span_str("\nupstream \"google\" { address = {\"192.0.2.1\"} forward-only = true }\n"), &errors),
	    RES_MALFORMED);
	assert_int_equal(errors.n, 1);
	assert_string_equal(errors.line[0], "f:2: upstream \"google\" has forward-only and the title of a compiled-in upstream, another title was expected");
	settings_free(s);
	config_errors_free(&errors);
}

/* A log list of one log, as of a date. */
static char *
log_list(const char *date)
{
	struct buf b = buf_max(4096);

	buf_format(&b,
	    "{\"version\":\"1\",\"log_list_timestamp\":\"%s\",\"operators\":[{\"name\":\"Op\",\"logs\":[{\"description\":\"Log\","
	    "\"log_id\":\"KUnVSAH5gmp10S0JEQ7TFlXqArSueJ7HfZiuvJDTrFA=\",\"key\":\"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEjNJGcX7XfzerfuhRJhEY4x1S"
	    "Stw/hdOfJu/6JnNOTTP/Owjx/Vcra2Ldw5eHuoRhS6CrEnJF2sqQVA3KMf+c9g==\",\"state\":{\"usable\":{\"timestamp\":\"2020-01-01T00:00:00Z\"}},\"mmd\":86400}]}]}", date);
	return buf_take_cstr(&b);
}

static void
the_newer_log_list_is_used(void **state)
{
	static const struct {
		const char *what, *date; /* NULL: a broken file */
		mode_t mode;
		bool used;
		size_t warnings;
	} rows[] = {
	    {"a newer list in state-dir", "2099-01-01T00:00:00Z", 0644, true, 0},
	    {"an older list in state-dir", "2020-01-01T00:00:00Z", 0644, false, 0},
	    {"G07 a broken list in state-dir", NULL, 0644, false, 1},
	    {"G05 a list in state-dir that others can write", "2099-01-01T00:00:00Z", 0666, false, 1},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *text = rows[i].date != NULL ? log_list(rows[i].date) : strdup("{");
		struct snapshot *snap;

		file_write(*state, "state/ct-logs.json", text, rows[i].mode);
		snap = compile_good(*state, STATE);
		if ((strcmp(snap->ctlogs_from, "compiled in") != 0) != rows[i].used || snap->n_warning != rows[i].warnings)
			fail_msg("%s: from %s, %zu warnings %s", rows[i].what, snap->ctlogs_from, snap->n_warning,
			    snap->n_warning > 0 ? snap->warning[0] : "");
		snapshot_unref(snap);
		free(text);
	}
}

static void
entries_of_the_watcher_apply_to_every_upstream(void **state)
{
	static const struct {
		const char *what, *file, *text;
		mode_t mode;
		size_t entries;
		bool error;
	} rows[] = {
	    {"no file", NULL, NULL, 0, 0, false},
	    {"an empty file", "state/watch/disallow.txt", "# none yet\n", 0644, 0, false},
	    {"the watcher's own file", "state/watch/disallow.txt", SERIAL, 0644, 1, false},
	    {"an organisation's file", "state/watch/feed.txt", SERIAL "serial 02 issuer CN=x\n", 0644, 2, false},
	    {"a bad line", "state/watch/feed.txt", SERIAL "serial zz issuer CN=x\n", 0644, 0, true},
	    {"a file that others can write", "state/watch/disallow.txt", SERIAL, 0666, 0, true},
	    {"a file of that name beside the folder", "state/ct-logs.json", SERIAL, 0644, 0, false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct config_errors errors = {0};
		struct snapshot *snap = NULL;
		size_t found = 0;
		char path[256];

		if (rows[i].file != NULL)
			file_write(*state, rows[i].file, rows[i].text, rows[i].mode);
		if ((compile(&snap, *state, "trust { builtin-disallow = false }" STATE UP "}", &errors) != RES_OK) != rows[i].error)
			fail_msg("%s", rows[i].what);
		for (size_t k = 0; snap != NULL && k < snap->upstream[0].policy->n_disallow; k++)
			found += cert_match_count(snap->upstream[0].policy->disallow[k]);
		if (found != rows[i].entries)
			fail_msg("%s: %zu entries", rows[i].what, found);
		config_errors_free(&errors);
		snapshot_unref(snap);
		if (rows[i].file != NULL) {
			(void)snprintf(path, sizeof path, "%s/%s", ((struct folder *)*state)->path, rows[i].file);
			assert_int_equal(unlink(path), 0);
		}
	}
}

static const struct {
	const char *what, *uri;
	const char *address; /* NULL: refused */
	enum tp_protocol protocol;
	const char *path, *name;
} uris[] = {
    {"DoT", "dot://192.0.2.1", "192.0.2.1:853", TP_DOT, "/dns-query", ""},
    {"DoT with a port and a name", "dot://192.0.2.1:8853#dns.example", "192.0.2.1:8853", TP_DOT, "/dns-query", "dns.example"},
    {"DoH with every part", "doh://[2001:db8::1]:8443/q/x#dns.example", "[2001:db8::1]:8443", TP_DOH, "/q/x", "dns.example"},
    {"DoH with an IPv6 address alone", "doh://[2001:db8::1]", "[2001:db8::1]:443", TP_DOH, "/dns-query", ""},
    {"an address alone is DoT", "2001:db8::1", "[2001:db8::1]:853", TP_DOT, "/dns-query", ""},
    {"another scheme", "https://192.0.2.1", NULL, TP_DOT, NULL, NULL},
    {"a name instead of an address", "dot://dns.example", NULL, TP_DOT, NULL, NULL},
    {"a path without DoH", "dot://192.0.2.1/x", NULL, TP_DOT, NULL, NULL},
    {"a quote in the argument", "dot://192.0.2.1\"", NULL, TP_DOT, NULL, NULL},
    {"an empty name", "dot://192.0.2.1#", NULL, TP_DOT, NULL, NULL},
    {"an empty name after a path", "doh://192.0.2.1/q#", NULL, TP_DOT, NULL, NULL},
    {"port 0", "dot://192.0.2.1:0", NULL, TP_DOT, NULL, NULL},
    {"nothing", "", NULL, TP_DOT, NULL, NULL},
};

static void
an_argument_of_probe_gives_an_upstream(void **state)
{
	for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
		char *filled = fill(*state, STATE "ct { policy = \"apple\" }");
		struct config_errors errors = {0};
		struct settings *s = NULL;
		struct snapshot *snap = NULL;
		char text[ADDR_TEXT_MAX];
		enum res res;

		assert_int_equal(settings_read_text(&s, "f", span_str(filled), &errors), RES_OK);
		res = settings_for_probe(&s, uris[i].uri, &errors);
		if (res == RES_OK)
			res = snapshot_compile(&snap, s, 1, &errors);
		if ((res == RES_OK) != (uris[i].address != NULL) || (res != RES_OK && errors.n == 0))
			fail_msg("%s: %s %s", uris[i].what, res_text(res), errors.n > 0 ? errors.line[0] : "");
		if (res == RES_OK) {
			const struct tp_target *target = &snap->upstream[0].target[0];

			assert_int_equal(snap->n_upstream, 1);
			assert_string_equal(addr_text(&target->addr, text), uris[i].address);
			assert_int_equal(target->protocol, uris[i].protocol);
			assert_string_equal(target->path, uris[i].path);
			assert_string_equal(target->name, uris[i].name);
			assert_int_equal(target->policy->ct_policy, CT_APPLE);
		}
		snapshot_unref(snap);
		config_errors_free(&errors);
		free(filled);
	}
}

static void
wildcards_span_no_public_suffix(void **state)
{
	static const struct {
		const char *domain;
		bool is_suffix;
	} rows[] = {
	    {"co.uk", true}, {"s3.amazonaws.com", true}, {"kawasaki.jp", true},      /* "*.kawasaki.jp" */
	    {"city.kawasaki.jp", false}, {"quad9.net", false}, {"amazonaws.com", false}, {"dns.example", false},
	};
	struct snapshot *snap = compile_good(*state, STATE "upstream \"a\" { address = {\"192.0.2.1\"} }\n");

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (snap->upstream[0].policy->is_public_suffix(rows[i].domain) != rows[i].is_suffix)
			fail_msg("%s", rows[i].domain);
	assert_ptr_equal(snap->policy->is_public_suffix, snap->upstream[0].policy->is_public_suffix);
	snapshot_unref(snap);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unreadable_files_are_reported),
	    cmocka_unit_test(both_files_of_an_identity_are_reported),
	    cmocka_unit_test(too_many_files_are_reported_with_their_folder),
	    cmocka_unit_test(an_upstream_has_a_target_for_each_address),
	    cmocka_unit_test(rules_have_their_modes),
	    cmocka_unit_test(invalid_days_are_errors),
	    cmocka_unit_test(anchors_and_lists_are_read_once),
	    cmocka_unit_test(an_upstream_of_a_forward_serves_nothing_else),
	    cmocka_unit_test(upstreams_of_forwards_do_not_serve_other_names),
	    cmocka_unit_test(an_upstream_for_forwards_cannot_change_one_that_is_compiled_in),
	    cmocka_unit_test(the_newer_log_list_is_used),
	    cmocka_unit_test(entries_of_the_watcher_apply_to_every_upstream),
	    cmocka_unit_test(an_argument_of_probe_gives_an_upstream),
	    cmocka_unit_test(wildcards_span_no_public_suffix),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
