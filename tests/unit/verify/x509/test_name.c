#include "verify/x509/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum res
key_of(struct buf *key, const char *text)
{
	*key = buf_max(65536);
	return name_key_from_text(key, text);
}

struct pair {
	const char *what;
	const char *a, *b;
	bool same;
};

static const struct pair pairs[] = {
    {"the same name", "CN=Fina RDC 2015,O=Financijska agencija,C=HR", "CN=Fina RDC 2015,O=Financijska agencija,C=HR", true},
    {"case and inner spaces do not matter", "cn=fina  rdc 2015,o=FINANCIJSKA AGENCIJA,c=hr", "CN=Fina RDC 2015,O=Financijska agencija,C=HR", true},
    {"spaces around separators", " CN = Fina RDC 2015 , O=Financijska agencija,C = HR ", "CN=Fina RDC 2015,O=Financijska agencija,C=HR", true},
    {"the order of RDNs matters", "C=HR,O=Financijska agencija,CN=Fina RDC 2015", "CN=Fina RDC 2015,O=Financijska agencija,C=HR", false},
    {"attributes of one RDN are a set", "CN=a+OU=b,C=HR", "OU=b+CN=a,C=HR", true},
    {"one RDN of two attributes differs from two RDNs", "CN=a+OU=b", "CN=a,OU=b", false},
    {"a dotted OID and its name", "2.5.4.97=VATHR-1,C=HR", "organizationIdentifier=VATHR-1,C=HR", true},
    {"emailAddress and E", "emailAddress=a@b.example", "E=A@b.example", true},
    {"a value in hex", "CN=#0c0161", "CN=a", true},
    {"a PrintableString in hex", "CN=#130161", "CN=A", true},
    {"escaped comma", "O=Entrust\\, Inc.", "O=Entrust\\2c Inc.", true},
    {"quoted comma", "O=\"Entrust, Inc.\"", "O=Entrust\\, Inc.", true},
    {"UTF-8 as pairs", "L=Vara\\c5\\bedin", "L=Vara\xc5\xbe" "din", true},
    {"only ASCII case is folded", "L=\xc3\x84", "L=\xc3\xa4", false},
    {"an escaped space at the end is kept", "CN=a\\ ", "CN=a", true},
    {"equals sign in a value", "CN=a=b", "CN=a\\=b", true},
    {"different OID", "CN=a", "OU=a", false},
    {"DC and UID", "UID=x,DC=Example,DC=com", "0.9.2342.19200300.100.1.1=x,dc=example,dc=COM", true},
    {"an empty value", "CN=,C=HR", "CN=\\ ,C=HR", true},
};

static void
pairs_compare(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		struct buf a, b;

		if (key_of(&a, pairs[i].a) != RES_OK || key_of(&b, pairs[i].b) != RES_OK)
			fail_msg("%s: not read", pairs[i].what);
		if (span_equal(buf_span(&a), buf_span(&b)) != pairs[i].same)
			fail_msg("%s: expected %s", pairs[i].what, pairs[i].same ? "same" : "different");
		buf_free(&a);
		buf_free(&b);
	}
}

static const struct {
	const char *what;
	const char *text;
	enum res want;
} bad[] = {
    {"no equals sign", "CN", RES_MALFORMED},
    {"a comma at the end", "CN=a,", RES_MALFORMED},
    {"a comma at the start", ",CN=a", RES_MALFORMED},
    {"an unknown type", "FOO=a", RES_MALFORMED},
    {"a semicolon", "CN=a;O=b", RES_MALFORMED},
    {"a bare quote", "CN=a\"b", RES_MALFORMED},
    {"an open quote", "CN=\"a", RES_MALFORMED},
    {"text after a quote", "CN=\"a\"b", RES_MALFORMED},
    {"a lone backslash", "CN=a\\", RES_MALFORMED},
    {"half a pair", "CN=a\\2", RES_MALFORMED},
    {"an escape of a letter", "CN=a\\zz", RES_MALFORMED},
    {"bytes that are not UTF-8", "CN=\\ff", RES_MALFORMED},
    {"odd hex", "CN=#0c016", RES_MALFORMED},
    {"hex that is not one element", "CN=#0c0261", RES_MALFORMED},
    {"an OID of one arc", "2=a", RES_MALFORMED},
    {"an OID with a leading zero", "2.05.4=a", RES_MALFORMED},
    {"an OID that begins with 3", "3.1.2=a", RES_MALFORMED},
    {"an OID with a second arc of 40", "1.40.2=a", RES_MALFORMED},
    {"a dot at the end of an OID", "2.5.=a", RES_MALFORMED},
    {"two plus signs", "CN=a++OU=b", RES_MALFORMED},
};

static void
bad_text_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct buf key;
		enum res res = key_of(&key, bad[i].text);

		if (res != bad[i].want || key.n != 0)
			fail_msg("%s: %s", bad[i].what, res_text(res));
		buf_free(&key);
	}
}

static void
limits_hold(void **state)
{
	char text[NAME_TEXT_MAX + 100];
	struct buf key;

	(void)state;
	memset(text, 'a', sizeof text);
	memcpy(text, "CN=", 3);
	text[NAME_TEXT_MAX] = '\0';
	assert_int_equal(key_of(&key, text), RES_OK);
	buf_free(&key);
	text[NAME_TEXT_MAX] = 'a';
	text[NAME_TEXT_MAX + 1] = '\0';
	assert_int_equal(key_of(&key, text), RES_LIMIT);
	for (size_t i = 0; i <= NAME_RDNS_MAX; i++)
		memcpy(text + 4 * i, "C=a,", 4);
	text[4 * (NAME_RDNS_MAX + 1) - 1] = '\0';
	assert_int_equal(key_of(&key, text), RES_LIMIT);
	text[4 * NAME_RDNS_MAX - 1] = '\0';
	assert_int_equal(key_of(&key, text), RES_OK);
	buf_free(&key);
}

/* A Name of one RDN: SET { SEQUENCE { OID 2.5.4.3, value } }. */
static struct span
name_der(uint8_t out[128], uint8_t tag, const char *value, size_t n)
{
	uint8_t head[] = {0x30, (uint8_t)(n + 11), 0x31, (uint8_t)(n + 9), 0x30, (uint8_t)(n + 7), 0x06, 0x03, 0x55, 0x04, 0x03, tag, (uint8_t)n};

	memcpy(out, head, sizeof head);
	memcpy(out + sizeof head, value, n);
	return span_of(out, sizeof head + n);
}

static const struct {
	const char *what;
	uint8_t tag;
	const char *value;
	size_t n;
	const char *same_as; /* NULL: only a text in #hex has the same compared form */
	const char *text;
} values[] = {
    {"PrintableString", 0x13, "Fina RDC", 8, "CN=fina rdc", "CN=Fina RDC"},
    {"UTF8String", 0x0c, "Fina RDC", 8, "CN=fina rdc", "CN=Fina RDC"},
    {"IA5String", 0x16, " Fina   RDC ", 12, "CN=fina rdc", "CN=\\ Fina   RDC\\ "},
    {"T61String is read as Latin-1", 0x14, "\xe4", 1, "CN=\xc3\xa4", "CN=\xc3\xa4"},
    {"BMPString", 0x1e, "\0F\0i\0n\0a", 8, "CN=Fina", "CN=Fina"},
    {"BMPString with a pair of surrogates", 0x1e, "\xd8\x3d\xde\x00", 4, "CN=\xf0\x9f\x98\x80", "CN=\xf0\x9f\x98\x80"},
    {"BMPString with a character of three bytes", 0x1e, "\x20\xac", 2, "CN=\xe2\x82\xac", "CN=\xe2\x82\xac"},
    {"BMPString with half a pair of surrogates is its bytes", 0x1e, "\xd8\x3d\0F", 4, "CN=#1e04d83d0046", "CN=#1e04d83d0046"},
    {"UniversalString", 0x1c, "\0\0\0F\0\0\1\x7e", 8, "CN=f\xc5\xbe", "CN=F\xc5\xbe"},
    {"odd BMPString is its bytes", 0x1e, "\0FF", 3, "CN=#1e03004646", "CN=#1e03004646"},
    {"UTF8String that is not UTF-8 is its bytes", 0x0c, "\xff", 1, "CN=#0c01ff", "CN=#0c01ff"},
    {"an INTEGER is its bytes", 0x02, "\x05", 1, "CN=#020105", "CN=#020105"},
    {"a # after a space, which would begin a comment in a file", 0x0c, "a #1 b#2", 8, "CN=A \\#1 B#2", "CN=a \\#1 b#2"},
    {"specials are escaped", 0x0c, "#a,b+c\"d\\e<f>g;h", 16, "CN=\\#a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h", "CN=\\#a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h"},
    {"a control character is escaped as a pair", 0x0c, "a\x1b[2J", 5, "CN=a\\1b[2j", "CN=a\\1b[2J"},
    {"a NUL is a pair", 0x0c, "a\0b", 3, "CN=a\\00b", "CN=a\\00b"},
    {"a mark that changes the direction of text is escaped in pairs", 0x0c, "\xe2\x80\xae", 3, "CN=\\e2\\80\\ae", "CN=\\e2\\80\\ae"},
};

static void
values_match_their_text(void **state)
{
	uint8_t der[128];

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		struct span name = name_der(der, values[i].tag, values[i].value, values[i].n);
		struct buf a = buf_max(4096), b, text = buf_max(4096);

		assert_int_equal(name_key_from_der(&a, name), RES_OK);
		assert_int_equal(key_of(&b, values[i].same_as), RES_OK);
		if (!span_equal(buf_span(&a), buf_span(&b)))
			fail_msg("%s: not the same as %s", values[i].what, values[i].same_as);
		assert_int_equal(name_text(&text, name), RES_OK);
		if (strcmp(buf_cstr(&text), values[i].text) != 0)
			fail_msg("%s: written %s", values[i].what, buf_cstr(&text));
		buf_free(&a);
		buf_free(&b);
		buf_free(&text);
	}
}

static void
rdns_are_written_in_reverse_order(void **state)
{
	/* C=HR, CN=x in DER order */
	static const uint8_t der[] = {0x30, 25, 0x31, 11, 0x30, 9, 6, 3, 0x55, 4, 6, 0x13, 2, 'H', 'R',
	    0x31, 10, 0x30, 8, 6, 3, 0x55, 4, 3, 0x0c, 1, 'x'};
	struct buf a = buf_max(4096), b, text = buf_max(4096);

	(void)state;
	assert_int_equal(name_key_from_der(&a, span_of(der, sizeof der)), RES_OK);
	assert_int_equal(key_of(&b, "CN=x,C=HR"), RES_OK);
	assert_true(span_equal(buf_span(&a), buf_span(&b)));
	assert_int_equal(name_text(&text, span_of(der, sizeof der)), RES_OK);
	assert_string_equal(buf_cstr(&text), "CN=x,C=HR");
	/* cut anywhere it is no name */
	for (size_t n = 0; n < sizeof der; n++) {
		size_t before = a.n;

		assert_int_equal(name_key_from_der(&a, span_of(der, n)), RES_MALFORMED);
		assert_int_equal(a.n, before);
		assert_int_equal(name_text(&text, span_of(der, n)), RES_MALFORMED);
	}
	buf_free(&a);
	buf_free(&b);
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pairs_compare),
	    cmocka_unit_test(bad_text_is_refused),
	    cmocka_unit_test(limits_hold),
	    cmocka_unit_test(values_match_their_text),
	    cmocka_unit_test(rdns_are_written_in_reverse_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
