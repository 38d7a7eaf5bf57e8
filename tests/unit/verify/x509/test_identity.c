#include "verify/x509/identity.h"
#include "verify/x509/altname.h"
#include "verify/x509/oid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NAMES_MAX 70000

/* A certificate with nothing but n alternative names, each a tag and bytes. */
struct given {
	uint8_t tag;
	const char *value;
	size_t n;
};

static struct buf ext_bytes;

static struct cert
cert_with(const struct given *names, size_t n)
{
	struct buf list = buf_max(NAMES_MAX);
	struct cert c = {.n_ext = 1};

	for (size_t i = 0; i < n; i++) {
		der_header(&list, names[i].tag, names[i].n);
		buf_put(&list, span_of(names[i].value, names[i].n));
	}
	buf_free(&ext_bytes);
	ext_bytes = buf_max(NAMES_MAX);
	der_header(&ext_bytes, DER_SEQUENCE, list.n);
	buf_put(&ext_bytes, buf_span(&list));
	buf_free(&list);
	c.ext[0] = (struct cert_ext){OID_SUBJECT_ALT_NAME, false, buf_span(&ext_bytes)};
	return c;
}

#define DNS(text)   {DER_CONTEXT(2), (text), sizeof(text) - 1}
#define IP(bytes)   {DER_CONTEXT(7), (bytes), sizeof(bytes) - 1}
#define URI(text)   {DER_CONTEXT(6), (text), sizeof(text) - 1}
#define MAPPED      "\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x01\x01\x01"

static void
t04_only_exactly_the_address_matches(void **state)
{
	static const struct {
		const char *what;
		struct given san;
		bool v4; /* 1.1.1.1 is expected, else ::ffff:1.1.1.1 */
		bool matches;
	} rows[] = {
	    {"the address", IP("\x01\x01\x01\x01"), true, true},
	    {"another address", IP("\x01\x01\x01\x02"), true, false},
	    {"the IPv4-mapped form", IP(MAPPED), true, false},
	    {"the mapped form for the mapped form", IP(MAPPED), false, true},
	    {"an IPv4 address for its mapped form", IP("\x01\x01\x01\x01"), false, false},
	    {"an address with a mask", IP("\x01\x01\x01\x01\xff\xff\xff\xff"), true, false},
	    {"three bytes", IP("\x01\x01\x01"), true, false},
	    {"the text as dNSName", DNS("1.1.1.1"), true, false},
	    {"a wildcard as dNSName", DNS("*.1.1.1"), true, false},
	    {"the text as iPAddress", IP("1.1.1.1"), true, false},
	    {"a URI", URI("https://1.1.1.1/"), true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cert c = cert_with(&rows[i].san, 1);
		struct span ip = rows[i].v4 ? span_of("\x01\x01\x01\x01", 4) : span_of(MAPPED, 16);

		if (identity_has_ip(&c, ip) != rows[i].matches)
			fail_msg("%s", rows[i].what);
	}
}

static void
names_match_by_rfc_9525(void **state)
{
	static const struct {
		const char *what;
		const char *wanted;
		struct given san;
		bool matches;
	} rows[] = {
	    {"the name", "dns.e.test", DNS("dns.e.test"), true},
	    {"T06 upper case expected", "DNS.E.test", DNS("dns.e.test"), true},
	    {"T06 upper case presented", "dns.e.test", DNS("DNS.e.TEST"), true},
	    {"T06 the root's dot expected", "dns.e.test.", DNS("dns.e.test"), true},
	    {"two dots expected", "dns.e.test..", DNS("dns.e.test"), false},
	    {"the root's dot presented", "dns.e.test", DNS("dns.e.test."), false},
	    {"T06 an A-label", "xn--dn-mja.test", DNS("xn--dn-mja.test"), true},
	    {"T06 a U-label", "d\xc3\xbc.test", DNS("d\xc3\xbc.test"), false},
	    {"T06 empty", "", DNS(""), false},
	    {"the root", ".", DNS("."), false},
	    {"one label", "localhost", DNS("localhost"), true},
	    {"a parent", "e.test", DNS("dns.e.test"), false},
	    {"a child", "a.dns.e.test", DNS("dns.e.test"), false},
	    {"a suffix that is not a parent", "dns.e.test", DNS("ns.e.test"), false},
	    {"T05 a wildcard label", "dns.e.test", DNS("*.e.test"), true},
	    {"T05 a wildcard label and its parent", "e.test", DNS("*.e.test"), false},
	    {"T05 a wildcard for two levels", "a.dns.e.test", DNS("*.e.test"), false},
	    {"T05 a wildcard below a top level", "e.test", DNS("*.test"), false},
	    {"T05 part of a label", "dns.e.test", DNS("d*.e.test"), false},
	    {"T05 part of an A-label", "xn--dn-mja.e.test", DNS("xn--*.e.test"), false},
	    {"T05 two wildcards", "a.b.test", DNS("*.*.test"), false},
	    {"T05 a wildcard further on", "dns.e.test", DNS("dns.*.test"), false},
	    {"T05 a wildcard alone", "test", DNS("*"), false},
	    {"a wildcard expected", "*.e.test", DNS("*.e.test"), false},
	    {"a wildcard over a registry", "example.co.uk", DNS("*.co.uk"), false},
	    {"a wildcard below one", "dns.example.co.uk", DNS("*.example.co.uk"), true},
	    {"a wildcard over two labels that are not a registry", "dns.co.test", DNS("*.co.test"), true},
	    {"T07 a NUL after", "dns.e.test", DNS("dns.e.test\0.evil.test"), false},
	    {"T07 a NUL at the end", "dns.e.test", DNS("dns.e.test\0"), false},
	    {"T07 a space", "dns.e.test", DNS("dns.e.test "), false},
	    {"an underscore", "foo_bar.e.test", DNS("foo_bar.e.test"), false},
	    {"a hyphen in front", "-a.test", DNS("-a.test"), false},
	    {"a hyphen after", "a-.test", DNS("a-.test"), false},
	    {"an address in the form of a name", "9.9.9.9", DNS("9.9.9.9"), false},
	    {"an address in the form of a name, below a wildcard", "9.9.9.9", DNS("*.9.9.9"), false},
	    {"digits in front are fine", "1dot1.test", DNS("1dot1.test"), true},
	    {"a label of digits is fine, unless it is the last", "9.9.test", DNS("9.9.test"), true},
	    {"another kind of name", "dns.e.test", URI("dns.e.test"), false},
	    {"a label of 63",
	        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test",
	        DNS("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test"), true},
	    {"a label of 64",
	        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test",
	        DNS("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test"), false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cert c = cert_with(&rows[i].san, 1);

		if (identity_has_name(&c, rows[i].wanted, NULL) != rows[i].matches)
			fail_msg("%s", rows[i].what);
	}
}

static bool
suffix_of_strangers(const char *domain)
{
	return strcmp(domain, "hosting.e.test") == 0;
}

static void
no_wildcard_spans_the_names_of_strangers(void **state)
{
	struct given over = DNS("*.Hosting.E.test"), below = DNS("*.a.hosting.e.test"), itself = DNS("a.hosting.e.test");
	struct cert c = cert_with(&over, 1);

	(void)state;
	assert_true(identity_has_name(&c, "a.hosting.e.test", NULL));
	assert_false(identity_has_name(&c, "a.hosting.e.test", suffix_of_strangers));
	c = cert_with(&below, 1);
	assert_true(identity_has_name(&c, "dns.a.hosting.e.test", suffix_of_strangers));
	c = cert_with(&itself, 1);
	assert_true(identity_has_name(&c, "a.hosting.e.test", suffix_of_strangers));
}

static void
t03_nothing_matches_without_alternative_names(void **state)
{
	struct cert c = {.n_ext = 0};

	(void)state;
	assert_false(identity_has_name(&c, "dns.e.test", NULL));
	assert_false(identity_has_ip(&c, span_of("\x01\x01\x01\x01", 4)));
	assert_false(identity_has_ip(&c, span_of("", 0)));
	assert_true(identity_readable(&c));
}

static void
the_last_of_many_is_found(void **state)
{
	static struct given names[2001];
	struct cert c;

	(void)state;
	for (size_t i = 0; i < 2000; i++)
		names[i] = (struct given)DNS("a-name-that-nobody-asked.test");
	names[2000] = (struct given)IP("\x01\x01\x01\x01");
	c = cert_with(names, 2001);
	assert_true(identity_has_ip(&c, span_of("\x01\x01\x01\x01", 4)));
	assert_true(identity_readable(&c));
}

static void
malformed_names_are_reported(void **state)
{
	static const struct given bad[] = {
	    {0x1e, "x", 1},                /* no tag of GeneralName */
	    {DER_CONTEXT_CONS(4), "x", 1}, /* an invalid directoryName */
	    {DER_CONTEXT_CONS(2), "", 0},  /* a constructed dNSName */
	};
	struct cert c;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		c = cert_with(&bad[i], 1);
		assert_false(identity_readable(&c));
	}
	c = cert_with(NULL, 0); /* SIZE (1..MAX) */
	assert_false(identity_readable(&c));
}

static void
names_of_the_certificate_are_shown(void **state)
{
	static const struct given names[] = {DNS("dns.e.test"), DNS("*.e.test"), IP("\x01\x01\x01\x01"), DNS("a\x1b[31m.test"),
	    IP("\x01\x01"), DNS("b.test"), DNS("c.test"), DNS("d.test"), DNS("e.test"), DNS("f.test")};
	const struct {
		size_t n;
		const char *text;
	} rows[] = {
	    {1, "dns.e.test"},
	    {5, "dns.e.test, *.e.test, 1.1.1.1"}, /* without control characters, and without names that match nothing */
	    {8, "dns.e.test, *.e.test, 1.1.1.1, b.test, c.test, d.test"},
	    {10, "dns.e.test, *.e.test, 1.1.1.1, b.test, c.test, d.test and 2 more"},
	};
	struct buf text = buf_max(4096);
	struct cert c = {.n_ext = 0};

	(void)state;
	identity_text(&text, &c);
	assert_true(span_equal(buf_span(&text), span_str("nothing")));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		c = cert_with(names, rows[i].n);
		buf_clear(&text);
		identity_text(&text, &c);
		if (!span_equal(buf_span(&text), span_str(rows[i].text)))
			fail_msg("%.*s", (int)text.n, (const char *)text.p);
	}
	buf_free(&text);
}

static int
end(void **state)
{
	(void)state;
	buf_free(&ext_bytes);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(t04_only_exactly_the_address_matches),
	    cmocka_unit_test(names_match_by_rfc_9525),
	    cmocka_unit_test(no_wildcard_spans_the_names_of_strangers),
	    cmocka_unit_test(t03_nothing_matches_without_alternative_names),
	    cmocka_unit_test(the_last_of_many_is_found),
	    cmocka_unit_test(malformed_names_are_reported),
	    cmocka_unit_test(names_of_the_certificate_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
