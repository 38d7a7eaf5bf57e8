#include "verify/anchor_limits.h"

#include "base/text.h"
#include "verify/data_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HASH_1 "0101010101010101010101010101010101010101010101010101010101010101"
#define HASH_2 "0202020202020202020202020202020202020202020202020202020202020202"

static struct cert
anchor(uint8_t cert_byte, uint8_t key_byte)
{
	struct cert c = {.version = 3};

	memset(c.sha256, cert_byte, 32);
	memset(c.spki_sha256, key_byte, 32);
	return c;
}

/* The limits of the anchor, valid until the next call; NULL: it has none. */
static const struct anchor_limit *
find(const struct anchor_limits *table, const struct cert *c)
{
	static struct anchor_limit limit;

	return anchor_limits_find(&limit, table, c) ? &limit : NULL;
}

static void
lines_are_read(void **state)
{
	static const char text[] = "# comment\n\n"
				   "cert-sha256 " HASH_1 " sct-not-after 2024-11-11T23:59:59Z not-before-max 2024-11-30T23:59:59Z # more\r\n"
				   "\tspki-sha256 " HASH_2 " permit-name .Example.COM permit-name b.example permit-ip 192.0.2.0/24 permit-ip 2001:db8::/32";
	struct anchor_limits *table = NULL;
	struct cert one = anchor(1, 9), two = anchor(9, 2), none = anchor(2, 1), both = anchor(1, 2);
	const struct anchor_limit *c;
	struct addr ip;

	(void)state;
	assert_int_equal(anchor_limits_new(&table), RES_OK);
	assert_null(find(table, &one));
	assert_int_equal(anchor_limits_add_file(table, NULL, span_str(text), NULL), RES_OK);
	assert_int_equal(anchor_limits_count(table), 2);
	c = find(table, &one);
	assert_non_null(c);
	assert_true(c->has_sct_not_after);
	assert_int_equal(c->sct_not_after_ms, 1731369599000);
	assert_true(c->has_not_before_max);
	assert_int_equal(c->not_before_max_ms, 1733011199000);
	assert_int_equal(c->n_permits, 0);
	assert_false(c->has_distrusted_since);
	c = find(table, &two);
	assert_non_null(c);
	assert_false(c->has_sct_not_after);
	assert_int_equal(c->n_permits, 1);
	assert_int_equal(c->permits[0]->n_name, 2);
	assert_string_equal(c->permits[0]->name[0], "example.com");
	assert_string_equal(c->permits[0]->name[1], "b.example");
	assert_int_equal(c->permits[0]->n_ip, 2);
	assert_int_equal(addr_read_ip(&ip, "192.0.2.7"), RES_OK);
	assert_true(prefix_has(&c->permits[0]->ip[0], &ip));
	assert_null(find(table, &none));
	assert_null(find(NULL, &one));
	c = find(table, &both);
	assert_true(c->has_sct_not_after); /* by its certificate */
	assert_int_equal(c->n_permits, 1); /* by its key */
	anchor_limits_free(table);
	anchor_limits_free(NULL);
}

static const struct {
	const char *what;
	const char *text;
	size_t line;
	const char *says;
} bad[] = {
    {"an unknown word at the start", "# x\nroot " HASH_1 " sct-not-after 2024-11-11T23:59:59Z\n", 2, "expected cert-sha256 or spki-sha256"},
    {"a quote at the start without its end", "\"cert-sha256 " HASH_1 " permit-name a\n", 1, "not a line of text"},
    {"an overlong word at the start", HASH_1 HASH_1 HASH_1 HASH_1 " permit-name a\n", 1, "not a line of text"},
    {"no hash", "cert-sha256\n", 1, "64 hex digits"},
    {"a short hash", "cert-sha256 0101 permit-name a\n", 1, "64 hex digits"},
    {"no limit", "cert-sha256 " HASH_1 "\n", 1, "no limit"},
    {"an unknown limit", "cert-sha256 " HASH_1 " expires 2024-11-11T23:59:59Z\n", 1, "expected distrusted-since"},
    {"a limit without value", "cert-sha256 " HASH_1 " sct-not-after\n", 1, "needs a value"},
    {"an invalid date", "cert-sha256 " HASH_1 " sct-not-after 2024-11-31T00:00:00Z\n", 1, "RFC 3339"},
    {"a date without time", "cert-sha256 " HASH_1 " not-before-max 2024-11-30\n", 1, "RFC 3339"},
    {"a date twice", "cert-sha256 " HASH_1 " sct-not-after 2024-11-11T23:59:59Z sct-not-after 2025-11-11T23:59:59Z\n", 1, "twice"},
    {"an anchor twice", "cert-sha256 " HASH_1 " permit-name a\n\ncert-sha256 " HASH_1 " permit-name b\n", 3, "a line already, all its limits were expected on one"},
    {"a name with an empty label", "cert-sha256 " HASH_1 " permit-name a..b\n", 1, "not a DNS name"},
    {"a name that is only a dot", "cert-sha256 " HASH_1 " permit-name .\n", 1, "not a DNS name"},
    {"a name with a dot at the end", "cert-sha256 " HASH_1 " permit-name a.\n", 1, "not a DNS name"},
    {"a name with a wildcard", "cert-sha256 " HASH_1 " permit-name *.a\n", 1, "not a DNS name"},
    {"a label of 64", "cert-sha256 " HASH_1 " permit-name aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b\n", 1, "not a DNS name"},
    {"a prefix with host bits", "cert-sha256 " HASH_1 " permit-ip 192.0.2.1/24\n", 1, "host bits"},
    {"an address without length", "cert-sha256 " HASH_1 " permit-ip 192.0.2.0\n", 1, "prefix"},
    {"a source alone", "cert-sha256 " HASH_1 " source x\n", 1, "no limit"},
    {"a source without its closing quote", "cert-sha256 " HASH_1 " source \"x permit-name a\n", 1, "value"},
    {"text after a source", "cert-sha256 " HASH_1 " source \"x\"y permit-name a\n", 1, "value"},
    {"an empty source", "cert-sha256 " HASH_1 " source \"\" permit-name a\n", 1, "value"},
    {"a date without its closing quote", "cert-sha256 " HASH_1 " permit-name a \"distrusted-since\n", 1, "quote"},
    {"a hash cut in the middle", "cert-sha256 01 01 01 sct-not-after 2024-11-11T23:59:59Z\n", 1, "64 hex digits"},
    {"a hash with a digit too many", "cert-sha256 " HASH_1 "0 permit-name a\n", 1, "64 hex digits"},
    {"an overlong word", "cert-sha256 " HASH_1 " permit-name " HASH_1 HASH_1 HASH_1 HASH_1 "\n", 1, "value"},
};

static void
bad_lines_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct anchor_limits *table = NULL;
		struct faults faults = {.n = 0};
		enum res res;

		assert_int_equal(anchor_limits_new(&table), RES_OK);
		res = anchor_limits_add_file(table, NULL, span_str(bad[i].text), &faults);
		if (res != RES_MALFORMED || faults.n != 1 || faults.shown[0].line != bad[i].line ||
		    faults.shown[0].why == NULL || strstr(faults.shown[0].why, bad[i].says) == NULL)
			fail_msg("%s: %s: %s", bad[i].what, res_text(res), faults_text(&faults, 0, "table"));
		faults_clear(&faults);
		anchor_limits_free(table);
	}
}

static void
limits_hold(void **state)
{
	struct anchor_limits *table = NULL;
	struct buf text = buf_max(ANCHOR_LIMITS_FILE_MAX + 1);
	struct faults faults = {.n = 0};

	(void)state;
	assert_int_equal(anchor_limits_new(&table), RES_OK);
	buf_text(&text, "cert-sha256 " HASH_1);
	for (size_t i = 0; i <= ANCHOR_LIMITS_PERMIT_MAX; i++)
		buf_text(&text, " permit-name a");
	assert_int_equal(anchor_limits_add_file(table, NULL, buf_span(&text), &faults), RES_MALFORMED);
	faults_clear(&faults);
	buf_clear(&text);
	for (unsigned i = 0; i <= ANCHOR_LIMITS_ENTRIES_MAX + 1; i++)
		buf_format(&text, "cert-sha256 %064x permit-name a\n", i);
	assert_int_equal(anchor_limits_add_file(table, NULL, buf_span(&text), &faults), RES_LIMIT);
	assert_int_equal(faults.n, 1); /* a full table is reported once */
	assert_int_equal(faults.shown[0].line, ANCHOR_LIMITS_ENTRIES_MAX + 1);
	assert_int_equal(anchor_limits_count(table), ANCHOR_LIMITS_ENTRIES_MAX);
	faults_clear(&faults);
	while (text.n <= ANCHOR_LIMITS_FILE_MAX)
		buf_u8(&text, '\n');
	assert_int_equal(anchor_limits_add_file(table, NULL, buf_span(&text), &faults), RES_LIMIT);
	assert_int_equal(faults.shown[0].line, 0);
	faults_clear(&faults);
	buf_free(&text);
	anchor_limits_free(table);
}

#define COLONS "01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01:01"
#define SPACES "01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01"

static void
hashes_are_read_as_people_paste_them(void **state)
{
	static const char *const lines[] = {"cert-sha256 " COLONS " permit-name a", "cert-sha256 " SPACES " permit-name a",
					    "cert-sha256   " SPACES "\tpermit-name a", "spki-sha256 0x" HASH_1 " permit-name a"};
	struct cert root = anchor(1, 1);

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct anchor_limits *table = NULL;

		assert_int_equal(anchor_limits_new(&table), RES_OK);
		if (anchor_limits_add_file(table, NULL, span_str(lines[i]), NULL) != RES_OK)
			fail_msg("%s", lines[i]);
		assert_non_null(find(table, &root));
		anchor_limits_free(table);
	}
}

/* All lines for an anchor apply, whichever of its hashes they name and wherever they are in the file. */
static void
the_strictest_of_all_lines_holds(void **state)
{
	static const char text[] =
	    "cert-sha256 " HASH_1 " sct-not-after 2024-01-01T00:00:00Z not-before-max 2025-01-01T00:00:00Z permit-name a\n"
	    "spki-sha256 " HASH_2 " sct-not-after 2025-01-01T00:00:00Z not-before-max 2024-01-01T00:00:00Z permit-ip ::/0\n";
	struct anchor_limits *table = NULL;
	struct cert root = anchor(1, 2);
	const struct anchor_limit *c;

	(void)state;
	assert_int_equal(anchor_limits_new(&table), RES_OK);
	assert_int_equal(anchor_limits_add_file(table, NULL, span_str(text), NULL), RES_OK);
	c = find(table, &root);
	assert_int_equal(c->sct_not_after_ms, 1704067200000);
	assert_int_equal(c->not_before_max_ms, 1704067200000);
	assert_non_null(strstr(c->sct_not_after_text, "line 1 of a constraints file"));
	assert_non_null(strstr(c->not_before_max_text, "line 2 of a constraints file"));
	assert_int_equal(c->n_permits, 2);
	anchor_limits_free(table);

	assert_int_equal(anchor_limits_new(&table), RES_OK); /* the same, of a file whose name is known */
	assert_int_equal(anchor_limits_add_file(table, "/etc/a\x1b", span_str(text), NULL), RES_OK);
	c = find(table, &root);
	assert_non_null(strstr(c->sct_not_after_text, "(sct-not-after, /etc/a\\x1b:1)"));
	assert_non_null(strstr(c->not_before_max_text, "(not-before-max, /etc/a\\x1b:2)"));
	assert_non_null(strstr(c->permits[0]->name_text, "(permit-name, /etc/a\\x1b:1)"));
	anchor_limits_free(table);
}

/* A file can add limits to those of the table that is compiled in. */
static void
files_add_to_the_table(void **state)
{
	static const char text[] = "cert-sha256 43df5774b03e7fef5fe40d931a7bedf1bb2e6b42738c4e6d3841103d3aa7f339 "
				   "source \"our security team, 2020\" sct-not-after 2020-01-01T00:00:00Z "
				   "not-before-max 2030-01-01T00:00:00Z";
	struct anchor_limits *table = NULL;
	struct cert root = anchor(0, 0);
	const struct anchor_limit *c;

	(void)state;
	assert_int_equal(hex_read(root.sha256, 32, span_slice(span_str(text), 12, 64)), RES_OK);
	assert_int_equal(anchor_limits_new(&table), RES_OK);
	assert_int_equal(anchor_limits_add_builtin(table), RES_OK);
	assert_int_equal(anchor_limits_add_file(table, NULL, span_str(text), NULL), RES_OK);
	c = find(table, &root);
	assert_string_equal(c->sct_not_after_text, "it is trusted only for certificates logged until 2020-01-01T00:00:00Z "
						   "(sct-not-after, our security team, 2020)");
	assert_int_equal(c->not_before_max_ms, 1733011199000);
	assert_int_equal(anchor_limits_add_file(table, NULL, span_str(text), NULL), RES_MALFORMED);
	anchor_limits_free(table);
}

#define DAY ((int64_t)86400000)

/* A leaf of day 100 with its SCT of day 101, judged on day 110. */
static const struct {
	const char *what;
	const char *limits;
	bool logged;
	size_t faults;
	const char *says;
} cases[] = {
    {"distrusted since the moment of the judgement", "distrusted-since 1970-04-21T00:00:00Z", true, 1, "since 1970-04-21T00:00:00Z"},
    {"distrusted since long before the certificate", "distrusted-since 1970-01-02T00:00:00Z", true, 1, "distrusted-since"},
    {"distrusted from a moment later on", "distrusted-since 1970-04-21T00:00:01Z", true, 0, NULL},
    {"begins at the last moment", "not-before-max 1970-04-11T00:00:00Z", true, 0, NULL},
    {"begins a second too late", "not-before-max 1970-04-10T23:59:59Z", true, 1, "not-before-max"},
    {"logged at the last moment", "sct-not-after 1970-04-12T00:00:00Z", true, 0, NULL},
    {"logged a second too late", "sct-not-after 1970-04-11T23:59:59Z", true, 1, "sct-not-after"},
    {"no valid SCT: not judged here", "sct-not-after 1970-04-11T23:59:59Z", false, 0, NULL},
    {"every kind of date together", "distrusted-since 1970-01-02T00:00:00Z sct-not-after 1970-01-02T00:00:00Z not-before-max 1970-01-02T00:00:00Z",
     true, 3, "since"},
};

static void
limits_are_compared(void **state)
{
	struct cert leaf = {.version = 3, .not_before_ms = 100 * DAY, .not_after_ms = 200 * DAY}, root = anchor(1, 2);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct anchor_case c = {.leaf = &leaf, .now_ms = 110 * DAY, .issued = cases[i].logged, .issued_ms = 101 * DAY};
		const char *fault[ANCHOR_LIMIT_FAULTS_MAX];
		struct anchor_limits *table = NULL;
		char text[512];

		snprintf(text, sizeof text, "cert-sha256 " HASH_1 " %s", cases[i].limits);
		assert_int_equal(anchor_limits_new(&table), RES_OK);
		assert_int_equal(anchor_limits_add_file(table, NULL, span_str(text), NULL), RES_OK);
		if (anchor_limit_faults(fault, find(table, &root), &c) != cases[i].faults)
			fail_msg("%s", cases[i].what);
		if (cases[i].says != NULL && strstr(fault[0], cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].what, fault[0]);
		anchor_limits_free(table);
	}
}

/* Every line that is compiled in gives the source of each limit, with a date. */
static void
builtin_lines_have_sources(void **state)
{
	const char *text = data_text_anchors;
	struct span rest = span_str(text), line;
	size_t lines = 0;

	(void)state;
	while (text_line_take(&rest, &line)) {
		struct span hash = span_slice(line, 12, 64);
		struct anchor_limits *table = NULL;
		struct cert root = anchor(0, 0);
		const struct anchor_limit *c;

		if (line.n == 0 || line.p[0] == '#')
			continue;
		lines++;
		assert_int_equal(hex_read(root.sha256, 32, hash), RES_OK);
		memcpy(root.spki_sha256, root.sha256, 32);
		assert_int_equal(anchor_limits_new(&table), RES_OK);
		assert_int_equal(anchor_limits_add_builtin(table), RES_OK);
		c = find(table, &root);
		assert_non_null(c);
		for (size_t i = 0; i < 3; i++) {
			const char *says = i == 0   ? c->distrusted_since_text
					   : i == 1 ? c->sct_not_after_text
						    : c->not_before_max_text;

			if (says != NULL && (strstr(says, "a constraints file)") != NULL || strstr(says, ", 20") == NULL))
				fail_msg("%.*s: %s", (int)hash.n, (const char *)hash.p, says);
		}
		anchor_limits_free(table);
	}
	assert_true(lines > 100);
}

/* Roots of every kind, with the limits that browsers have announced for them and their dates. */
static const struct {
	const char *what;
	const char *sha256;
	const char *distrusted, *sct, *not_before; /* NULL: no such limit */
	size_t permits;
} builtin[] = {
    {"Entrust EC1", "02ed0eb28c14da45165c566791700d6451d7fb56f0b2ab1d3b8eb070e56edff5", "2026-11-17T00:00:00Z", "2024-11-11T23:59:59Z",
     "2024-11-30T23:59:59Z", 0},
    {"Entrust G4", "db3517d1f6732a2d5ab97c533ec70779ee3270a62fb4ac4238372460e6f01e88", "2025-03-28T00:00:00Z", "2024-11-11T23:59:59Z",
     "2024-11-30T23:59:59Z", 0},
    {"AffirmTrust Premium ECC", "bd71fdf6da97e4cf62d1647add2581b07d79adf8397eb4ecba9c5e8488821423", "2026-11-17T00:00:00Z",
     "2024-11-11T23:59:59Z", "2024-11-30T23:59:59Z", 0},
    {"Buypass Class 2", "9a114025197c5bb95d94e63d55cd43790847b646b23cdf11ada4a00eff15fb48", NULL, "2025-10-31T23:59:59Z", NULL, 0},
    {"ePKI", "c0a6f4dc63a24bfdcf54ef2a6a082a0a72de35803e2ff5ff527ae5d87206dfd5", "2026-11-17T00:00:00Z", "2025-07-31T23:59:59Z",
     "2025-04-15T23:59:59Z", 0},
    {"GLOBALTRUST 2020", "9a296a5182d1d451a2e37f439b74daafa267523329f90f9a0d2007c334e23c9a", "2026-11-17T00:00:00Z", "2024-06-30T23:59:59Z",
     "2024-06-30T00:00:00Z", 0},
    {"Izenpe.com", "2530cc8e98321502bad96f9b1fba1b099e2d299e0f4548bb914f363bc0d4531f", NULL, "2026-04-14T23:59:59Z", "2026-04-15T23:59:59Z", 0},
    {"DigiCert Trusted Root G4", "552f7bdcf1a7af9e6ce672017f4f12abf77240c78e761ac203d1d9d20ac89988", NULL, "2026-06-30T23:59:59Z", NULL, 0},
    {"D-TRUST EV 1 2020, a date to come", "08170d1aa36453901a2f959245e347db0c8d37abaabc56b81aa100dc958970db", NULL, "2027-08-30T23:59:59Z", NULL, 0},
    {"GlobalSign R1", "ebd41040e4bb3ec742c9e381d31ef2a41a48b6685c96e7cef3c1df6cd4331c99", "2026-11-17T00:00:00Z", NULL, NULL, 0},
    {"DigiCert Global Root CA", "4348a0e9444c78cb265e058d5e8944b4d84f9662bd26db257f8934a443c70161", "2026-11-17T00:00:00Z", NULL, NULL, 0},
    {"TrustCor RootCert CA-1", "d40e9c86cd8fe468c1776959f49ea774fa548684b6c406f3909261f4dce2575c", "2025-03-28T00:00:00Z", NULL,
     "2022-11-30T00:00:00Z", 0},
    {"CommScope ECC-01", "11437cda7bb45e41365f45b39a38986b0de00def348e0c7bb0873633800bc38b", "2026-11-17T00:00:00Z", NULL, NULL, 0},
    {"TUBITAK", "46edc3689046d53a453fb3104ab80dcaec658b2660ea1629dd7e867990648716", NULL, NULL, NULL, 1},
    {"ISRG Root X1 has no limit", "96bcec06264976f37460779acf28c5a7cfe8a3c0aae11a8ffcee05c0bddf08c6", NULL, NULL, NULL, 0},
    {"GTS Root R1 has no limit", "d947432abde7b7fa90fc2e6b59101b1280e0e1c7e4e40fa3c6887fff57a7f4cf", NULL, NULL, NULL, 0},
    {"DigiCert Global Root G2 has no limit", "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f", NULL, NULL, NULL, 0},
    {"DigiCert Global Root G3 has no limit", "31ad6648f8104138c738f39ea4320133393e3a18cc02296ef97c2ac9ef6731d0", NULL, NULL, NULL, 0},
};

static bool
same_date(const char *want, bool has, int64_t ms)
{
	char text[TIME_TEXT_MAX];

	return want == NULL ? !has : has && strcmp(want, time_text(ms, text)) == 0;
}

static void
builtin_limits_what_browsers_limit(void **state)
{
	struct anchor_limits *table = NULL;

	(void)state;
	assert_int_equal(anchor_limits_new(&table), RES_OK);
	assert_int_equal(anchor_limits_add_builtin(table), RES_OK);
	for (size_t i = 0; i < sizeof builtin / sizeof builtin[0]; i++) {
		struct cert root = anchor(0, 0);
		struct anchor_limit c;

		assert_int_equal(hex_read(root.sha256, 32, span_str(builtin[i].sha256)), RES_OK);
		(void)anchor_limits_find(&c, table, &root);
		if (!same_date(builtin[i].distrusted, c.has_distrusted_since, c.distrusted_since_ms) ||
		    !same_date(builtin[i].sct, c.has_sct_not_after, c.sct_not_after_ms) ||
		    !same_date(builtin[i].not_before, c.has_not_before_max, c.not_before_max_ms) || c.n_permits != builtin[i].permits)
			fail_msg("%s", builtin[i].what);
	}
	anchor_limits_free(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_are_read),
	    cmocka_unit_test(bad_lines_are_refused),
	    cmocka_unit_test(limits_hold),
	    cmocka_unit_test(hashes_are_read_as_people_paste_them),
	    cmocka_unit_test(the_strictest_of_all_lines_holds),
	    cmocka_unit_test(files_add_to_the_table),
	    cmocka_unit_test(limits_are_compared),
	    cmocka_unit_test(builtin_lines_have_sources),
	    cmocka_unit_test(builtin_limits_what_browsers_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
