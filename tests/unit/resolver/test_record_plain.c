#include "resolver/record_plain.h"

#include <ldns/ldns.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TTL 3600

/* What ldns makes of the text. False: ldns rejects it. */
static bool
ldns_reads(struct buf *wire, const char *text)
{
	ldns_rdf *root = NULL;
	ldns_rr *rr = NULL;
	uint8_t *bytes = NULL;
	size_t n = 0;
	bool ok;

	assert_int_equal(ldns_str2rdf_dname(&root, "."), LDNS_STATUS_OK);
	ok = ldns_rr_new_frm_str(&rr, text, TTL, root, NULL) == LDNS_STATUS_OK &&
	     ldns_rr2wire(&bytes, rr, LDNS_SECTION_ANSWER, &n) == LDNS_STATUS_OK;
	if (ok)
		buf_put(wire, span_of(bytes, n));
	free(bytes);
	ldns_rr_free(rr);
	ldns_rdf_deep_free(root);
	return ok;
}

/* A text that is read here must be read by ldns too, with the same bytes. Returns whether it is read here. */
static bool
is_read_alike(const char *text)
{
	struct buf ours = buf_max(70000), theirs = buf_max(70000);
	bool is_plain = record_plain_read(&ours, text, TTL);

	if (is_plain && !ldns_reads(&theirs, text))
		fail_msg("\"%s\": ldns rejects it", text);
	if (is_plain && !span_equal(buf_span(&ours), buf_span(&theirs))) {
		for (size_t i = 0; i < ours.n; i++)
			fprintf(stderr, "%02x", ours.p[i]);
		fprintf(stderr, "\n");
		for (size_t i = 0; i < theirs.n; i++)
			fprintf(stderr, "%02x", theirs.p[i]);
		fprintf(stderr, "\n");
		fail_msg("\"%s\": other bytes than ldns", text);
	}
	buf_free(&ours);
	buf_free(&theirs);
	return is_plain;
}

#define LABEL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* 63 */

static const struct {
	const char *sentence, *text;
	bool plain;
} rows[] = {
    {"an address", "printer.lan. 60 IN A 192.0.2.9", true},
    {"a name relative to the root", "printer.lan 60 IN A 192.0.2.9", true},
    {"the root", ". 60 IN A 192.0.2.9", true},
    {"without a TTL", "printer.lan. IN A 192.0.2.9", true},
    {"without a class", "printer.lan. 60 A 192.0.2.9", true},
    {"with neither", "printer.lan. A 192.0.2.9", true},
    {"tabs and blanks", "printer.lan.\t60  IN\tA\t 192.0.2.9", true},
    {"blanks at the end", "printer.lan. A 192.0.2.9  ", true},
    {"a type and a class in lower case", "printer.lan. in a 192.0.2.9", true},
    {"a TTL of 0", "printer.lan. 0 A 192.0.2.9", true},
    {"the longest TTL", "printer.lan. 2147483647 A 192.0.2.9", true},
    {"an owner that is a number", "60 60 A 192.0.2.9", true},
    {"an owner that is a class", "IN A 192.0.2.9", true},
    {"an owner with capitals, an underscore and a star", "*._Tcp.Printer.LAN. A 192.0.2.9", true},
    {"the longest label", LABEL ".lan. A 192.0.2.9", true},
    {"an IPv6 address", "printer.lan. AAAA 2001:db8::9", true},
    {"an IPv6 address in full", "printer.lan. AAAA 2001:0DB8:0:0:0:0:0:9", true},
    {"an alias with capitals", "www.lan. CNAME Printer.LAN.", true},
    {"an alias to the root", "www.lan. CNAME .", true},
    {"a name server", "lan. NS ns.lan.", true},
    {"a pointer", "9.2.0.192.in-addr.arpa. PTR printer.lan", true},
    {"a mail server", "lan. MX 10 mail.lan.", true},
    {"a service", "_ipp._tcp.lan. SRV 0 5 631 printer.lan.", true},
    {"a start of authority", "lan. SOA ns.lan. root.lan. 2026112801 3600 600 86400 60", true},
    {"a serial of 32 bits", "lan. SOA ns.lan. root.lan. 4294967295 1 2 3 4", true},
    {"a text", "lan. TXT \"v=spf1 -all\"", true},
    {"texts", "lan. TXT \"one\" \"two\" three", true},
    {"an empty text", "lan. TXT \"\"", true},
    {"a text with what is special elsewhere", "lan. TXT \"v=DKIM1; k=rsa; (p=MIGf)\"", true},
    {"a word as a text", "lan. TXT site=abc/def+1", true},
    {"no text at all", "", false},
    {"a blank in front", " A 192.0.2.9", false},
    {"only an owner", "printer.lan.", false},
    {"only an owner and a TTL", "printer.lan. 60", false},
    {"no address", "printer.lan. A", false},
    {"two addresses", "printer.lan. A 192.0.2.9 192.0.2.10", false},
    {"a short address", "printer.lan. A 192.0.2", false},
    {"an IPv6 address of an A", "printer.lan. A 2001:db8::9", false},
    {"a mapped address", "printer.lan. AAAA ::ffff:192.0.2.9", false},
    {"a TTL with a unit", "printer.lan. 1h A 192.0.2.9", false},
    {"a TTL beyond 31 bits", "printer.lan. 2147483648 A 192.0.2.9", false},
    {"a TTL beyond 32 bits", "printer.lan. 99999999999 A 192.0.2.9", false},
    {"the class before the TTL", "printer.lan. IN 60 A 192.0.2.9", false},
    {"another class", "printer.lan. CH A 192.0.2.9", false},
    {"a comment", "printer.lan. A 192.0.2.9 ; ours", false},
    {"parentheses", "lan. SOA ns.lan. root.lan. ( 1 2 3 4 5 )", false},
    {"an escaped owner", "pr\\105nter.lan. A 192.0.2.9", false},
    {"the origin as owner", "@ A 192.0.2.9", false},
    {"a label that is too long", LABEL "a.lan. A 192.0.2.9", false},
    {"an empty label", "printer..lan. A 192.0.2.9", false},
    {"an empty label in front", ".printer.lan. A 192.0.2.9", false},
    {"an owner in UTF-8", "dr\xc3\xbc" "cker.lan. A 192.0.2.9", false},
    {"a text that does not end", "lan. TXT \"one", false},
    {"texts without a blank between", "lan. TXT \"one\"\"two\"", false},
    {"escapes in a text", "lan. TXT \"a\\\"b\\\\c\\065\\255\"", true},
    {"an escaped quote at the end", "lan. TXT \"\\\"\"", true},
    {"an invalid escape", "lan. TXT \"a\\bc\"", false},
    {"an escape beyond an octet", "lan. TXT \"\\256\"", false},
    {"an escape of two digits", "lan. TXT \"\\25\"", false},
    {"an escaped quote and no end", "lan. TXT \"a\\\"", false},
    {"the longest text", "lan. TXT \"" LABEL LABEL LABEL LABEL "abc\"", true},
    {"a text that is too long", "lan. TXT \"" LABEL LABEL LABEL LABEL "abcd\"", false},
    {"an authorization of a CA", "lan. CAA 128 issue \"ca.example; policy=ev\"", true},
    {"an empty authorization", "lan. CAA 0 iodef \"\"", true},
    {"an authorization with a blank after it", "lan. CAA 0 issue \"ca\" ", false},
    {"a tag with a hyphen", "lan. CAA 0 is-sue \"ca\"", false},
    {"an authorization without quotes", "lan. CAA 0 issue ca", false},
    {"flags beyond an octet", "lan. CAA 256 issue \"ca\"", false},
    {"a rule", "lan. NAPTR 10 20 \"u\" \"E2U+sip\" \"!^.*$!sip:x@lan!\" .", true},
    {"a key of SSH", "lan. SSHFP 4 2 AAbb09", true},
    {"a certificate", "_853._tcp.lan. TLSA 3 1 1 aabb ccdd", true},
    {"half an octet", "lan. TLSA 3 1 1 aab", false},
    {"no octets", "lan. TLSA 3 1 1", false},
    {"a digest of a key", "lan. DS 12345 13 2 00ff", true},
    {"an alias of a service", "lan. HTTPS 0 www.lan.", true},
    {"a service with parameters", "lan. HTTPS 1 . alpn=h2,http/1.1 port=8443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1", true},
    {"parameters in another order", "lan. HTTPS 1 . port=8443 alpn=h2", false},
    {"a parameter twice", "lan. HTTPS 1 . port=1 port=2", false},
    {"a parameter without a value", "lan. HTTPS 1 . alpn=", false},
    {"a comma at the end", "lan. HTTPS 1 . alpn=h2,", false},
    {"an address of the other family", "lan. HTTPS 1 . ipv4hint=2001:db8::1", false},
    {"a key that ldns reads", "lan. SVCB 1 . key667=x", false},
    {"a control character in a text", "lan. TXT \"a\tb\"", false},
    {"no text", "lan. TXT", false},
    {"a preference beyond 16 bits", "lan. MX 65536 mail.lan.", false},
    {"a preference below 0", "lan. MX -1 mail.lan.", false},
    {"a period with a unit", "lan. SOA ns.lan. root.lan. 1 1h 600 86400 60", false},
    {"a type that ldns reads", "lan. LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m", false},
    {"a type by its number", "lan. TYPE1 \\# 4 c0000209", false},
    {"an unknown type", "lan. BOGUS 1", false},
    {"a line break", "lan. A\n192.0.2.9", false},
};

static void
records_are_read_as_ldns_reads_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (is_read_alike(rows[i].text) != rows[i].plain)
			fail_msg("%s: \"%s\"", rows[i].sentence, rows[i].text);
}

/* ---- texts that are put together at random */

static uint32_t seed = 15;

static uint32_t
dice(uint32_t sides)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % sides;
}

#define PICK(list) list[dice(sizeof list / sizeof *list)]

static const char *const owners[] = {"a", "a.lan.", ".", "*.b", "60", "IN", "A", "@", "a..b", "-", "_x.y", "A.B.C.D.E.F.", "1.2.3.4", "a\\.b"};
static const char *const middles[] = {"", "60 ", "IN ", "60 IN ", "IN 60 ", "0 ", "007 ", "2147483647 ", "2147483648 ", "1h ", "in ", "CH ", "60\t", " "};
static const char *const types[] = {"A ", "AAAA ", "CNAME ", "NS ", "PTR ", "MX ", "SRV ", "TXT ", "SOA ", "CAA ", "CAA 0 issue ", "TLSA ", "TLSA 3 1 1 ", "SSHFP 4 2 ", "DS 1 2 3 ", "NAPTR ", "NAPTR 1 2 \"a\" ", "HTTPS ", "HTTPS 1 . ", "SVCB 2 a. ", "a ", "Txt ", "TYPE1 ", ""};
static const char *const words[] = {"192.0.2.9", "1.2.3", "1.2.3.4.5", "::1", "2001:db8::1", "fe80::1%1", "::ffff:1.2.3.4", "01.2.3.4", "a.b.", "A.b", ".", "10", "0", "65535", "65536",
				    "4294967295", "00", "010", "\"x y\"", "\"\"", "\"a;b\"", "\"(\"", "\")\"", "abc", "a=b", "+1", "\"", "(", ")", ";", "x\"y", "2001:DB8::A:b", "1::2::3", "-", "aabb", "AA", "aab", "issue", "\"\\\"\"", "\"\\065\"",
				    "\"\\\\\"", "alpn=h2", "alpn=h2,h3", "port=53", "port=", "ipv4hint=192.0.2.1", "ipv6hint=2001:db8::1,::1", "alpn=a,,b", "mandatory=alpn"};

static void
random_records_are_read_as_ldns_reads_them(void **state)
{
	unsigned plain = 0;

	(void)state;
	for (unsigned i = 0; i < 60000; i++) {
		char text[512];
		int n = snprintf(text, sizeof text, "%s %s%s", PICK(owners), PICK(middles), PICK(types));

		for (uint32_t k = dice(10) == 0 ? 7 : dice(5); k > 0; k--)
			n += snprintf(text + n, sizeof text - (size_t)n, "%s%s", PICK(words), k > 1 || dice(8) == 0 ? " " : "");
		plain += is_read_alike(text);
	}
	assert_in_range(plain, 1000, 60000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_are_read_as_ldns_reads_them),
	    cmocka_unit_test(random_records_are_read_as_ldns_reads_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
