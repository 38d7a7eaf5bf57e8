#include "config.h"

#include "resolver/filter.h"
#include "resolver/rebinding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/dns/nameset.h"
#include "tests/unit/base/dns/dnswire.h"

static bool
has(const struct filter *f, const char *text)
{
	uint8_t name[MSG_NAME_MAX], n = 0;

	assert_int_equal(msg_name_read(name, &n, text), RES_OK);
	return filter_has(f, span_of(name, n));
}

static enum res
read_list(struct filter **f, const char *text, struct faults *left_out)
{
	assert_int_equal(filter_new(f), RES_OK);
	return filter_read(*f, span_str(text), left_out);
}

static const struct {
	const char *what;
	const char *list;
	const char *name;
	bool refused;
} rows[] = {
    {"a plain name", "ads.example\n", "ads.example", true},
    {"a name below", "ads.example\n", "x.y.ads.example", true},
    {"a name above", "ads.example\n", "example", false},
    {"a suffix that is not at a label", "ads.example\n", "bads.example", false},
    {"any case", "ADS.Example\n", "ads.example", true},
    {"a dot at the end", "ads.example.\n", "ads.example", true},
    {"a comment", "# ads.example\nother.example # x\n", "ads.example", false},
    {"a name before a comment", "# ads.example\nother.example # x\n", "other.example", true},
    {"CR LF, blanks and a last line without its end", "  one.example \r\n\r\n\ttwo.example", "two.example", true},
    {"a hosts line", "0.0.0.0 ads.example more.example\n", "more.example", true},
    {"a hosts line by IPv6", ":: ads.example\n", "ads.example", true},
    {"a hosts line with a zone", "fe80::1%lo0 localhost\n0.0.0.0 0.0.0.0\n0.0.0.0 ads.example\n", "ads.example", true},
    {"single labels of a hosts file mean that host",
     "127.0.0.1 localhost local\n255.255.255.255 broadcasthost\n", "printer.local", false},
    {"a top-level domain in a plain list", "zip\n", "x.zip", true},
    {"all below", "*.example.com\n", "a.b.example.com", true},
    {"a wildcard refuses the names below, not the name itself", "*.example.com\n", "example.com", false},
    {"a name that another entry covers", "a.example\nb.a.example\n", "b.a.example", true},
    {"an underscore", "_dmarc.ads.example\n", "_dmarc.ads.example", true},
    {"the root is never listed", "ads.example\n", ".", false},
    {"an empty list", "\n#\n\n", "ads.example", false},
    {"a byte order mark before a name", "\xef\xbb\xbf" "ads.example\n", "ads.example", true},
    {"a byte order mark before an address", "\xef\xbb\xbf" "0.0.0.0 ads.example\n", "ads.example", true},
    {"a byte order mark before a comment", "\xef\xbb\xbf# x\nads.example\n", "ads.example", true},
    {"a name in another script", "b\xc3\xbc" "cher.example\n", "xn--bcher-kva.example", true},
    {"a name in capitals of another script", "0.0.0.0 B\xc3\x9c" "CHER.example\n", "xn--bcher-kva.example", true},
    {"a wildcard at a name in another script", "*.b\xc3\xbc" "cher.example\n", "a.xn--bcher-kva.example", true},
    {"a top-level domain in another script", "x.\xe4\xb8\xad\xe5\x9b\xbd\n", "x.xn--fiqs8s", true},
    {"the form of ad blockers", "! title\n||ads.example^\n", "x.ads.example", true},
    {"a comment of ad blockers", "! ads.example\n", "ads.example", false},
    {"a comment directly after the name", "0.0.0.0 ads.example#gone\n", "ads.example", true},
};

static void
names_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct faults left_out = {.n = 0};
		struct filter *f;

		if (read_list(&f, rows[i].list, &left_out) != RES_OK || left_out.n != 0)
			fail_msg("%s: %s", rows[i].what, left_out.n == 0 ? "not read" : left_out.shown[0].why);
		if (has(f, rows[i].name) != rows[i].refused)
			fail_msg("%s", rows[i].what);
		filter_free(f);
	}
}

#define LABEL_64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *what;
	const char *list;
	const char *warning;
	enum res res; /* RES_MALFORMED: nothing in it has the form of a list */
} bad[] = {
    {"a URL", "http://ads.example/\n", "list:1: \"http://ads.example/\": left out: not a domain name", RES_MALFORMED},
    {"a page", "<html>\n", "list:1: \"<html>\": left out: not a domain name", RES_MALFORMED},
    {"a sentence", "Service unavailable\n", "list:1: \"unavailable\": left out: a second word", RES_MALFORMED},
    {"a list of addresses", "# bad ones\n192.0.2.1\n", "list:2: \"192.0.2.1\": left out: an address alone", RES_MALFORMED},
    {"an address whose name was commented out", "0.0.0.0 ok.example\n0.0.0.0  #[gone]\n", "list:2: \"0.0.0.0\": left out: an address alone", RES_OK},
    {"an empty label", "\n\na..example\n", "list:3: \"a..example\": left out: not a domain name", RES_OK},
    {"an empty first label", "ok.example\n.a.example\n", "list:2: \".a.example\": left out: not a domain name", RES_OK},
    {"a label of 64", "ok.example\n" LABEL_64 ".example\n", "list:2: \"" LABEL_64 ".example\": left out: not a domain name", RES_OK},
    {"a script without a name", "ok.example\n\xff\xfe.example\n", "list:2: \"\\xff\\xfe.example\": left out: no A-label", RES_OK},
    {"a star in the middle", "ok.example\na.*.example\n", "list:2: \"a.*.example\": left out: not a domain name", RES_OK},
    {"a star alone", "*\n", "list:1: \"*\": left out: not a domain name", RES_MALFORMED},
    {"a dot alone", "ok.example\n.\n", "list:2: \".\": left out: not a domain name", RES_OK},
    {"two plain names", "ok.example\na.example b.example\n", "list:2: \"b.example\": left out: a second word", RES_OK},
    {"an escape", "ok.example\na\\000.example\n", "list:2: \"a\\x5c000.example\": left out: not a domain name", RES_OK},
    {"an exception of ad blockers", "ok.example\n@@||a.example^\n", "list:2: \"@@||a.example^\": left out: not a domain name", RES_OK},
    {"a rule of ad blockers with a limit", "ok.example\n||a.example^$third-party\n", "list:2: \"||a.example^$third-party\": left out", RES_OK},
    {"one bad name of a hosts line", "0.0.0.0 a..example ok.example\n", "list:1: \"a..example\": left out", RES_OK},
};

static void
bad_items_are_left_out_with_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct faults left_out = {.n = 0};
		struct filter *f;
		enum res res = read_list(&f, bad[i].list, &left_out);
		char *text = faults_text(&left_out, 0, "list");

		if (res != bad[i].res || left_out.n != 1 || text == NULL ||
		    strncmp(text, bad[i].warning, strlen(bad[i].warning)) != 0)
			fail_msg("%s: %s", bad[i].what, text == NULL ? "no warning" : text);
		if (strstr(bad[i].list, "ok.example") != NULL && !has(f, "ok.example"))
			fail_msg("%s: the other name is not in the list", bad[i].what);
		if (has(f, "a.example"))
			fail_msg("%s: it is refused all the same", bad[i].what);
		free(text);
		faults_clear(&left_out);
		filter_free(f);
	}
}

static void
warnings_are_bounded(void **state)
{
	struct buf text = buf_max(65536);
	struct faults left_out = {.n = 0};
	struct filter *f;
	char *last;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_text(&text, "a..example\n");
	assert_int_equal(read_list(&f, buf_cstr(&text), &left_out), RES_OK);
	assert_int_equal(left_out.n, 1000);
	assert_int_equal(faults_lines(&left_out), FAULTS_SHOWN_MAX + 1);
	last = faults_text(&left_out, FAULTS_SHOWN_MAX, "list");
	assert_string_equal(last, "list: and 980 more");
	assert_null(faults_text(&left_out, FAULTS_SHOWN_MAX + 1, "list"));
	free(last);
	faults_clear(&left_out);
	buf_free(&text);
	filter_free(f);
}

/* The error for a file without any valid name comes first, at the option that names the file; then its lines. */
static void
a_list_without_a_name_is_an_error(void **state)
{
	char file[] = "/tmp/test_filter.XXXXXX", want[128], *files[] = {file};
	struct place places[] = {{.file = "a.conf", .line = 9}};
	struct settings settings = {.filter_list_file = {files, places, 1}};
	struct config_errors errors = {0}, warnings = {0};
	struct filter *f;
	int fd = mkstemp(file);

	(void)state;
	assert_int_equal(write(fd, "<html>\n", 7), 7);
	(void)close(fd);
	(void)snprintf(want, sizeof want, "a.conf:9: filter.list-file: %s: it has no name to refuse", file);
	assert_int_not_equal(filter_compile(&f, &settings, &errors, &warnings), RES_OK);
	assert_null(f);
	assert_int_equal(errors.n, 2);
	assert_string_equal(errors.line[0], want);
	assert_non_null(strstr(errors.line[1], "test_filter."));
	config_errors_free(&errors);
	config_errors_free(&warnings);
	(void)unlink(file);
}

static void
a_missing_list_is_an_error(void **state)
{
	char *files[] = {(char *)(uintptr_t) "/nonexistent/list"};
	struct place places[] = {{.file = "a.conf", .line = 9}};
	struct settings settings = {.filter_list_file = {files, places, 1}};
	struct config_errors errors = {0}, warnings = {0};
	struct filter *f;

	(void)state;
	assert_int_not_equal(filter_compile(&f, &settings, &errors, &warnings), RES_OK);
	assert_null(f);
	assert_int_equal(errors.n, 1);
	assert_int_equal(strncmp(errors.line[0], "a.conf:9: filter.list-file: ", 28), 0);
	config_errors_free(&errors);
	settings.serve_without = true; /* at boot: a warning, and the daemon serves without the list */
	errors = (struct config_errors){0};
	assert_int_equal(filter_compile(&f, &settings, &errors, &warnings), RES_OK);
	assert_int_equal(errors.n, 0);
	assert_int_equal(warnings.n, 1);
	config_errors_free(&warnings);
	filter_free(f);
	settings.filter_list_file.n = 0;
	assert_int_equal(filter_compile(&f, &settings, &errors, &warnings), RES_OK);
	assert_null(f);
	assert_false(has(NULL, "ads.example"));
}

/* A million names in little memory. */
static void
names_cost_about_thirty_bytes(void **state)
{
	enum { N = 200000 };
	struct nameset *s;
	uint8_t name[MSG_NAME_MAX], n;
	char text[64];

	(void)state;
	assert_int_equal(nameset_new(&s), RES_OK);
	for (unsigned i = 0; i < N; i++) {
		(void)snprintf(text, sizeof text, "ads%u.example.com", i);
		assert_int_equal(msg_name_read(name, &n, text), RES_OK);
		assert_int_equal(nameset_add(s, span_of(name, n), i), RES_OK);
	}
	nameset_seal(s);
	assert_int_equal(nameset_count(s), N);
	assert_true(nameset_bytes(s) < (size_t)N * 40);
	for (unsigned i = 0; i < N; i++) {
		uint32_t value = 0;

		(void)snprintf(text, sizeof text, "x.ads%u.example.com", i);
		assert_int_equal(msg_name_read(name, &n, text), RES_OK);
		assert_int_equal(nameset_find_above(s, span_of(name, n), &value), n - 2);
		assert_int_equal(value, i);
		assert_false(nameset_find(s, span_of(name, n), NULL));
	}
	nameset_free(s);
}

static const struct {
	const char *what;
	const char *answer; /* for a.test */
	bool refused;
} answers[] = {
    {"a public address", "c00c 0001 0001 0000012c 0004 08080808", false},
    {"RFC 1918", "c00c 0001 0001 0000012c 0004 c0a80101", true},
    {"loopback", "c00c 0001 0001 0000012c 0004 7f000001", true},
    {"nothing", "c00c 0001 0001 0000012c 0004 00000000", true},
    {"unique local IPv6", "c00c 001c 0001 0000012c 0010 fd000000000000000000000000000001", true},
    {"a mapped private address", "c00c 001c 0001 0000012c 0010 00000000000000000000ffff0a000001", true},
    {"a public IPv6 address", "c00c 001c 0001 0000012c 0010 20014860486000000000000000008888", false},
    {"an HTTPS hint", "c00c 0041 0001 0000012c 0012 0001 00 0001 0003 02 'h2' 0004 0004 0a000001", true},
    {"a public HTTPS hint", "c00c 0041 0001 0000012c 0012 0001 00 0001 0003 02 'h2' 0004 0004 08080808",
     false},
    {"an SVCB hint by IPv6, the second",
     "c00c 0040 0001 0000012c 0027 0001 00 0006 0020 20014860486000000000000000008888 "
     "fe800000000000000000000000000001",
     true},
    {"a hint of half an address", "c00c 0041 0001 0000012c 0009 0001 00 0004 0002 0808", true},
    {"a parameter cut short", "c00c 0041 0001 0000012c 0007 0001 00 0004 0008", true},
    {"a compressed target", "c00c 0041 0001 0000012c 0004 0001 c00c", true},
    {"another type", "c00c 0010 0001 0000012c 0005 04 0a000001", false},
};

static void
private_addresses_are_refused(void **state)
{
	char *allow[] = {(char *)(uintptr_t) "plex.direct"};
	struct place places[] = {{.file = "a.conf", .line = 1}};
	struct settings settings = {.rebinding_protect = true, .rebinding_allow = {allow, places, 1}};
	static uint16_t ttl_at[MSG_RRS_MAX];
	struct config_errors errors = {0};
	uint8_t name[MSG_NAME_MAX], n, other[MSG_NAME_MAX], other_n;
	struct rebinding *r;

	(void)state;
	assert_int_equal(rebinding_compile(&r, &settings, &errors), RES_OK);
	assert_int_equal(msg_name_read(name, &n, "a.test"), RES_OK);
	assert_int_equal(msg_name_read(other, &other_n, "x.plex.direct"), RES_OK);
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct buf b = buf_max(MSG_MAX);
		struct msg_answer a;

		wire_make(&b, "0000 8180 0001 0001 0000 0000 (a.test) 0001 0001");
		wire_make(&b, answers[i].answer);
		if (msg_answer_read(&a, buf_span(&b), ttl_at) != RES_OK)
			fail_msg("%s: malformed", answers[i].what);
		if (rebinding_refuses(r, span_of(name, n), &a) != answers[i].refused)
			fail_msg("%s", answers[i].what);
		assert_false(rebinding_refuses(r, span_of(other, other_n), &a));
		assert_false(rebinding_refuses(NULL, span_of(name, n), &a));
		buf_free(&b);
	}
	rebinding_free(r);
	allow[0] = (char *)(uintptr_t) "a..b";
	assert_int_equal(rebinding_compile(&r, &settings, &errors), RES_MALFORMED);
	assert_string_equal(errors.line[0], "a.conf:1: rebinding.allow: \"a..b\" is not a domain name");
	settings.rebinding_protect = false; /* the list is checked all the same */
	assert_int_equal(rebinding_compile(&r, &settings, &errors), RES_MALFORMED);
	allow[0] = (char *)(uintptr_t) "a.b";
	assert_int_equal(rebinding_compile(&r, &settings, &errors), RES_OK);
	assert_null(r);
	config_errors_free(&errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_refused),
	    cmocka_unit_test(bad_items_are_left_out_with_their_place), cmocka_unit_test(warnings_are_bounded),
	    cmocka_unit_test(a_list_without_a_name_is_an_error),
	    cmocka_unit_test(a_missing_list_is_an_error),
	    cmocka_unit_test(names_cost_about_thirty_bytes),
	    cmocka_unit_test(private_addresses_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
