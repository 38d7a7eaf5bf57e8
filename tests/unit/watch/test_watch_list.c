#include "config.h"

#include "contrib/watch/watch_list.h"
#include "tests/unit/watch/cert_fixture.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CERT_MAX (1024 * 1024)

static struct watch_list *
list_of(const char *file)
{
	struct watch_list *list = NULL;
	struct faults faults = {.n = 0};

	assert_int_equal(watch_list_new(&list), RES_OK);
	if (watch_files_text_read(span_str(file), watch_list_add_item, list, &faults) != RES_OK)
		fail_msg("line %zu: %s", faults.shown[0].line, faults.shown[0].why);
	return list;
}

#define WATCHED                                                                                              \
	"1.1.1.1\n"                                                                                          \
	"2606:4700:4700::1111 # the same resolver\n"                                                         \
	"198.51.100.0/24\n2001:db8:77::/48\n"                                                                \
	"cloudflare-dns.com\n.resolver.test\ndns.b\xc3\xbc"                                                  \
	"cher.test\n"

#define BYTES(b)       (b), sizeof(b) - 1
#define DNS(b)         {SAN, 0x82, NULL, BYTES(b)}
#define IP(b)          {SAN, 0x87, NULL, BYTES(b)}
#define URI(b)         {SAN, 0x86, NULL, BYTES(b)}
#define MAIL(b)        {SAN, 0x81, NULL, BYTES(b)}
#define CN(tag, b)     {SUBJECT, tag, NULL, BYTES(b)}
#define ATTRIBUTE(oid, b) {SUBJECT, 0x0c, oid, BYTES(b)}
#define MAPPED         "\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x01\x01\x01"
#define V6             "\x26\x06\x47\x00\x47\x00\0\0\0\0\0\0\0\0\x11\x11"

static const struct {
	const char *what;
	const char *item; /* that matches */
	struct given given[GIVEN_MAX];
} disguises[] = {
    /* iPAddress */
    {"four bytes", "1.1.1.1", {IP("\x01\x01\x01\x01")}},
    {"sixteen bytes", "2606:4700:4700::1111", {IP(V6)}},
    {"the second of three", "1.1.1.1", {IP("\x09\x09\x09\x09"), IP("\x01\x01\x01\x01"), DNS("a.test")}},
    {"IPv4-mapped", "1.1.1.1", {IP(MAPPED)}},
    {"IPv4-compatible", "1.1.1.1", {IP("\0\0\0\0\0\0\0\0\0\0\0\0\x01\x01\x01\x01")}},
    {"behind NAT64", "1.1.1.1", {IP("\0\x64\xff\x9b\0\0\0\0\0\0\0\0\x01\x01\x01\x01")}},
    {"an address in a watched prefix", "198.51.100.0/24", {IP("\xc6\x33\x64\x07")}},
    {"an IPv6 address in a watched prefix", "2001:db8:77::/48", {IP("\x20\x01\x0d\xb8\0\x77\0\x12\0\0\0\0\0\0\0\x01")}},
    {"an address with a mask", "1.1.1.1", {IP("\x01\x01\x01\x00\xff\xff\xff\x00")}},
    {"a mask that leaves everything open", "1.1.1.1", {IP("\0\0\0\0\0\0\0\0")}},
    {"the text as iPAddress", "1.1.1.1", {IP("1.1.1.1")}},
    {"IPv6 text as iPAddress", "2606:4700:4700::1111", {IP("2606:4700:4700::1111")}},
    {"text of exactly sixteen bytes as iPAddress", "2001:db8:77::/48", {IP("2001:db8:77::001")}},
    /* addresses as text */
    {"the text as dNSName", "1.1.1.1", {DNS("1.1.1.1")}},
    {"with the root's dot", "1.1.1.1", {DNS("1.1.1.1.")}},
    {"IPv6 text as dNSName", "2606:4700:4700::1111", {DNS("2606:4700:4700::1111")}},
    {"IPv6 in full and capitals", "2606:4700:4700::1111", {DNS("2606:4700:4700:0000:0000:0000:0000:1111")}},
    {"IPv6 in brackets, with a port", "2606:4700:4700::1111", {DNS("[2606:4700:4700::1111]:853")}},
    {"with a zone", "2606:4700:4700::1111", {DNS("2606:4700:4700::1111%eth0")}},
    {"mapped, as text", "1.1.1.1", {DNS("::ffff:1.1.1.1")}},
    {"with a port", "1.1.1.1", {DNS("1.1.1.1:853")}},
    {"leading zeros", "1.1.1.1", {DNS("001.001.001.001")}},
    {"octal", "198.51.100.0/24", {DNS("0306.063.0144.1")}},
    {"hexadecimal", "1.1.1.1", {DNS("0x1.0x1.0x1.0x1")}},
    {"one hexadecimal number", "1.1.1.1", {DNS("0x01010101")}},
    {"one decimal number", "1.1.1.1", {DNS("16843009")}},
    {"the last number fills two bytes", "1.1.1.1", {DNS("1.1.257")}},
    {"a wildcard over the first number", "1.1.1.1", {DNS("*.1.1.1")}},
    {"a wildcard over the last number", "1.1.1.1", {DNS("1.1.1.*")}},
    {"the reverse name", "1.1.1.1", {DNS("1.1.1.1.in-addr.arpa")}},
    {"the reverse name of IPv6", "2606:4700:4700::1111",
     {DNS("1.1.1.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.7.4.0.0.7.4.6.0.6.2.ip6.arpa")}},
    {"the literal of UNC names", "2606:4700:4700::1111", {DNS("2606-4700-4700--1111.ipv6-literal.net")}},
    {"full-width digits", "1.1.1.1", {DNS("\xef\xbc\x91\xef\xbc\x8e\xef\xbc\x91\xef\xbc\x8e\xef\xbc\x91\xef\xbc\x8e\xef\xbc\x91")}},
    {"ideographic full stops", "1.1.1.1", {DNS("1\xe3\x80\x82" "1\xe3\x80\x82" "1\xef\xbd\xa1" "1")}},
    {"circled digits", "1.1.1.1", {DNS("\xe2\x91\xa0.\xe2\x91\xa0.\xe2\x91\xa0.\xe2\x91\xa0")}},
    {"the common name", "1.1.1.1", {CN(0x0c, "1.1.1.1")}},
    {"a word of the common name", "1.1.1.1", {CN(0x13, "DNS at 1.1.1.1")}},
    {"the common name in UTF-16", "1.1.1.1", {CN(0x1e, "\0" "1\0.\0" "1\0.\0" "1\0.\0" "1")}},
    {"the common name in UTF-32", "1.1.1.1", {CN(0x1c, "\0\0\0" "1\0\0\0.\0\0\0" "1\0\0\0.\0\0\0" "1\0\0\0.\0\0\0" "1")}},
    {"a URI", "1.1.1.1", {URI("https://1.1.1.1/dns-query")}},
    {"a URI with a user and a port", "1.1.1.1", {URI("https://a:b@1.1.1.1:443/")}},
    {"a URI with IPv6", "2606:4700:4700::1111", {URI("https://[2606:4700:4700::1111]/dns-query")}},
    {"a URI with escapes", "1.1.1.1", {URI("https://%31.%31%2e1.1/")}},
    {"a mail address at the address", "1.1.1.1", {MAIL("hostmaster@[1.1.1.1]")}},
    {"the organisation", "1.1.1.1", {ATTRIBUTE("2.5.4.10", "1.1.1.1")}},
    {"unstructuredAddress", "1.1.1.1", {ATTRIBUTE("1.2.840.113549.1.9.8", "1.1.1.1")}},
    {"a directoryName", "1.1.1.1",
     {{SAN, 0xa4, NULL, BYTES("\x30\x12\x31\x10\x30\x0e\x06\x03\x55\x04\x03\x0c\x07" "1.1.1.1")}}},
    {"an otherName", "1.1.1.1",
     {{SAN, 0xa0, NULL, BYTES("\x06\x03\x2a\x03\x04\xa0\x09\x0c\x07" "1.1.1.1")}}},
    {"the obsolete extension", "1.1.1.1", {{OLD_SAN, 0x87, NULL, BYTES("\x01\x01\x01\x01")}}},
    {"Netscape's server name", "cloudflare-dns.com", {{NETSCAPE, 0x16, NULL, BYTES("cloudflare-dns.com")}}},
    /* names */
    {"the name", "cloudflare-dns.com", {DNS("cloudflare-dns.com")}},
    {"capitals", "cloudflare-dns.com", {DNS("CloudFlare-DNS.COM")}},
    {"two dots at its end", "cloudflare-dns.com", {DNS("cloudflare-dns.com..")}},
    {"a dot before it", "cloudflare-dns.com", {DNS(".cloudflare-dns.com")}},
    {"cut by a NUL", "cloudflare-dns.com", {DNS("cloudflare-dns.com\0.example.net")}},
    {"behind a NUL", "cloudflare-dns.com", {DNS("example.net\0cloudflare-dns.com")}},
    {"a NUL inside", "cloudflare-dns.com", {DNS("cloudflare\0-dns.com")}},
    {"a space inside", "cloudflare-dns.com", {DNS("cloudflare-dns .com")}},
    {"a line break after it", "cloudflare-dns.com", {DNS("cloudflare-dns.com\n")}},
    {"a zero-width space inside", "cloudflare-dns.com", {DNS("cloudflare\xe2\x80\x8b-dns.com")}},
    {"a soft hyphen inside", "cloudflare-dns.com", {DNS("cloud\xc2\xad" "flare-dns.com")}},
    {"a soft hyphen in Latin-1", "cloudflare-dns.com", {DNS("cloud\xad" "flare-dns.com")}},
    {"a wildcard that covers it", "cloudflare-dns.com", {DNS("*.com")}},
    {"a partial wildcard", "cloudflare-dns.com", {DNS("cloud*-dns.com")}},
    {"a wildcard on the right", "cloudflare-dns.com", {DNS("cloudflare-dns.*")}},
    {"nothing but a wildcard", "cloudflare-dns.com", {DNS("*")}},
    {"punycode of plain ASCII", "cloudflare-dns.com", {DNS("xn--cloudflare-dns-.com")}},
    {"punycode of full-width letters", "cloudflare-dns.com", {DNS("cloudflare-dns.xn--oi7cuaf")}},
    {"the common name with capitals", "cloudflare-dns.com", {CN(0x13, "CLOUDFLARE-DNS.COM")}},
    {"the common name in Latin-1", "dns.b\xc3\xbc" "cher.test", {CN(0x14, "dns.b\xfc" "cher.test")}},
    {"an A-label", "dns.b\xc3\xbc" "cher.test", {DNS("dns.xn--bcher-kva.test")}},
    {"an A-label in capitals", "dns.b\xc3\xbc" "cher.test", {DNS("DNS.XN--BCHER-KVA.TEST")}},
    {"a U-label", "dns.b\xc3\xbc" "cher.test", {DNS("dns.b\xc3\xbc" "cher.test")}},
    {"a U-label in capitals", "dns.b\xc3\xbc" "cher.test", {DNS("dns.B\xc3\x9c" "CHER.test")}},
    {"a U-label in two characters", "dns.b\xc3\xbc" "cher.test", {DNS("dns.bu\xcc\x88" "cher.test")}},
    {"the domain itself", ".resolver.test", {DNS("resolver.test")}},
    {"a name below the domain", ".resolver.test", {DNS("a.b.resolver.test")}},
    {"a wildcard below the domain", ".resolver.test", {DNS("*.b.resolver.test")}},
    {"a wildcard over the domain", ".resolver.test", {DNS("*.test")}},
    {"domain components", ".resolver.test", {{SUBJECT, 0x16, "0.9.2342.19200300.100.1.25", BYTES("test")},
                                              {SUBJECT, 0x16, "0.9.2342.19200300.100.1.25", BYTES("resolver")}}},
    {"a service name", "cloudflare-dns.com", {{SAN, 0xa0, NULL, BYTES("\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x07\xa0\x19\x16\x17_dns.cloudflare-dns.com")}}},
    {"a mail address below the domain", ".resolver.test", {MAIL("a@b.resolver.test")}},
};

static size_t
given_count(const struct given *given)
{
	size_t n = 0;

	while (n < GIVEN_MAX && given[n].place != GIVEN_NONE)
		n++;
	return n;
}

static bool
met(const struct watch_list *list, const struct watch_match *m, const char *item)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(watch_list_at(list, m->hit[i].item)->text, item) == 0)
			return true;
	return false;
}

static void
every_disguise_is_seen(void **state)
{
	struct watch_list *list = list_of(WATCHED);

	(void)state;
	assert_true(sizeof disguises / sizeof disguises[0] >= 60);
	for (size_t i = 0; i < sizeof disguises / sizeof disguises[0]; i++)
		for (int tbs = 0; tbs < 2; tbs++) {
			struct buf der = buf_max(CERT_MAX);
			struct watch_match m;

			fixture_certificate(&der, disguises[i].given, given_count(disguises[i].given), tbs != 0, 9);
			assert_true(buf_ok(&der));
			if (!watch_list_match(list, &m, buf_span(&der), tbs != 0) || !met(list, &m, disguises[i].item))
				fail_msg("%s: not found (%s)", disguises[i].what, m.trouble != NULL ? m.trouble : "readable");
			if (m.trouble != NULL)
				fail_msg("%s: %s", disguises[i].what, m.trouble);
			buf_free(&der);
		}
	watch_list_free(list);
}

#define TEN "aaaaaaaaaa.aaaaaaaaaa.aaaaaaaaaa.aaaaaaaaaa.aaaaaaaaaa.aaaaaaaaaa.aaaaaaaaaa.aaaaaaaaaa.aaaaaaaaaa."

static void
unreadable_identifiers_are_reported(void **state)
{
	static const struct {
		const char *what;
		struct given given;
	} rows[] = {
	    {"an iPAddress of three bytes", IP("\x01\x01\x01")},
	    {"an iPAddress of five bytes", IP("\x01\x01\x01\x01\x00")},
	    {"an empty iPAddress is no address", {RAW_SAN, 0, NULL, BYTES("\x30\x02\x87\x00")}},
	    {"a GeneralName of an unknown kind", {SAN, 0x8c, NULL, BYTES("a.test")}},
	    {"a dNSName in pieces", {SAN, 0xa2, NULL, BYTES("\x16\x06" "a.test")}},
	    {"a directoryName that is no name", {SAN, 0xa4, NULL, BYTES("\x04\x01\x00")}},
	    {"a list with a length that is too large", {RAW_SAN, 0, NULL, BYTES("\x30\x09\x82\x06" "a.test")}},
	    {"a list with a length in a long form", {RAW_SAN, 0, NULL, BYTES("\x30\x81\x08\x82\x06" "a.test")}},
	    {"a list with a byte after it", {RAW_SAN, 0, NULL, BYTES("\x30\x08\x82\x06" "a.test\0")}},
	    {"no list", {RAW_SAN, 0, NULL, BYTES("\x04\x01\x00")}},
	    {"half a character in the common name", CN(0x1e, "\0" "1\0")},
	    {"a common name that is no string", CN(0x04, "1.1.1.1")},
	    {"an otherName that is cut short", {SAN, 0xa0, NULL, BYTES("\x06\x03\x2a\x03\x04\xa0\x09\x0c\x09" "9.9.9.9")}},
	    {"a dNSName longer than any that is read", DNS(TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "test")},
	};
	struct watch_list *list = list_of(WATCHED);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf der = buf_max(CERT_MAX);
		struct watch_match m;

		fixture_certificate(&der, &rows[i].given, 1, true, 9);
		if (!watch_list_match(list, &m, buf_span(&der), true) || m.trouble == NULL)
			fail_msg("%s: not reported", rows[i].what);
		buf_free(&der);
	}
	watch_list_free(list);
}

/* Does the byte at `at` belong to these n bytes, which stand once in all? */
static bool
is_within(struct span all, const char *part, size_t n, size_t at)
{
	const uint8_t *p = memmem(all.p, all.n, part, n);

	assert_non_null(p);
	return all.p + at >= p && all.p + at < p + n;
}

/* A certificate with the address is cut or changed at every byte: it is found or reported, unless the change is in the address or
 * in the id of its extension, or makes another field of the extensions. */
static void
no_damage_hides_an_address(void **state)
{
	const struct given given[] = {DNS("a.test"), IP("\x01\x01\x01\x01")};
	struct watch_list *list = list_of(WATCHED);
	struct buf der = buf_max(CERT_MAX);
	struct watch_match m;

	(void)state;
	fixture_certificate(&der, given, 2, false, 9);
	for (size_t n = 0; n < der.n; n++)
		if (!watch_list_match(list, &m, span_of(der.p, n), false))
			fail_msg("cut at %zu of %zu: not reported", n, der.n);
	for (size_t at = 0; at < der.n; at++) {
		bool gone = is_within(buf_span(&der), "\x87\x04\x01\x01\x01\x01", 6, at) ||
			    is_within(buf_span(&der), "\x06\x03\x55\x1d\x11", 5, at);
		unsigned hidden = 0;

		for (unsigned flip = 1; flip < 256; flip++) {
			der.p[at] ^= (uint8_t)flip;
			hidden += !watch_list_match(list, &m, buf_span(&der), false);
			der.p[at] ^= (uint8_t)flip;
		}
		if (hidden > (gone ? 255 : 2)) /* one length, with which a field before takes them in; two tags of unique identifiers */
			fail_msg("%u changes of byte %zu are not reported", hidden, at);
	}
	watch_list_free(list);
	buf_free(&der);
}

static void
unrelated_certificates_match_nothing(void **state)
{
	static const struct {
		const char *what;
		struct given given[GIVEN_MAX];
	} rows[] = {
	    {"another address", {IP("\x01\x01\x01\x02")}},
	    {"the address backwards in IPv6", {IP("\x11\x11\0\0\0\0\0\0\0\0\x47\0\x47\0\x06\x26")}},
	    {"the address in the middle of an IPv6 address", {IP("\x20\x01\x0d\xb8\x01\x01\x01\x01\0\0\0\0\0\0\0\x09")}},
	    {"an address beside the prefix", {IP("\xc6\x33\x65\x07")}},
	    {"five numbers", {DNS("1.1.1.1.1")}},
	    {"an address as the front of a name", {DNS("1.1.1.1.example.net")}},
	    {"a version", {CN(0x0c, "TLS 1.1"), {SUBJECT, 0x0c, "2.5.4.10", BYTES("Release 1.1.1.1")}}},
	    {"a name that ends alike", {DNS("mycloudflare-dns.com")}},
	    {"a name below a watched name", {DNS("a.cloudflare-dns.com")}},
	    {"a wildcard below a watched name", {DNS("*.cloudflare-dns.com")}},
	    {"a wildcard beside it", {DNS("*.example.com")}},
	    {"a domain that ends alike", {DNS("myresolver.test")}},
	    {"an organisation with the name in its own", {{SUBJECT, 0x0c, "2.5.4.10", BYTES("Friends of cloudflare-dns.com")}}},
	    {"a mask of another prefix", {IP("\x01\x01\x02\x00\xff\xff\xff\x00")}},
	    {"a Japanese organisation", {{SUBJECT, 0x0c, "2.5.4.10", BYTES("\xe6\xa0\xaa\xe5\xbc\x8f\xe4\xbc\x9a\xe7\xa4\xbe")}}},
	    {"an A-label that decodes to nothing", {DNS("xn--a.test"), DNS("xn--99999999.test")}},
	};
	struct watch_list *list = list_of(WATCHED);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf der = buf_max(CERT_MAX);
		struct watch_match m;

		fixture_certificate(&der, rows[i].given, given_count(rows[i].given), true, 9);
		if (watch_list_match(list, &m, buf_span(&der), true))
			fail_msg("%s: %s", rows[i].what, m.n > 0 ? watch_list_at(list, m.hit[0].item)->text : m.trouble);
		buf_free(&der);
	}
	watch_list_free(list);
}

/* Random names and addresses as they are in CT logs, from a fixed seed. */
static uint32_t
next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static size_t
random_name(char *out, uint32_t *seed)
{
	static const char *const tops[] = {"com", "net", "org", "test", "de", "co.uk", "dev", "xn--p1ai", "cloud", "io"};
	static const char *const fronts[] = {"", "www.", "*.", "mail.", "autodiscover.", "dns.", "1.1.1.", "xn--bcher-kva.", "*.b.", "cloudflare-dns."};
	size_t n = (size_t)snprintf(out, 32, "%s", fronts[next(seed) % 10]), length = 3 + next(seed) % 20;

	for (size_t i = 0; i < length; i++)
		out[n++] = "abcdefghijklmnopqrstuvwxyz0123456789-"[next(seed) % 37];
	return n + (size_t)snprintf(out + n, 16, ".%s", tops[next(seed) % 10]);
}

static void
a_hundred_thousand_unrelated_certificates_match_nothing(void **state)
{
	struct watch_list *list = list_of(WATCHED);
	uint32_t seed = 20261128;
	struct buf der = buf_max(CERT_MAX);

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		char a[64], b[64], c[64];
		uint8_t ip[4] = {(uint8_t)(2 + next(&seed) % 190), (uint8_t)next(&seed), (uint8_t)next(&seed), (uint8_t)next(&seed)};
		struct given given[GIVEN_MAX] = {{SAN, 0x82, NULL, a, random_name(a, &seed)},
						 {SAN, 0x82, NULL, b, random_name(b, &seed)},
						 {SUBJECT, 0x0c, NULL, c, random_name(c, &seed)}};
		struct watch_match m;

		if (i % 4 == 0)
			given[1] = (struct given){SAN, 0x87, NULL, (const char *)ip, 4};
		buf_clear(&der);
		fixture_certificate(&der, given, GIVEN_MAX, i % 2 == 0, (uint8_t)i);
		if (watch_list_match(list, &m, buf_span(&der), i % 2 == 0))
			fail_msg("%s %s %s: %s", a, b, c, m.n > 0 ? watch_list_at(list, m.hit[0].item)->text : m.trouble);
	}
	buf_free(&der);
	watch_list_free(list);
}

static void
every_bad_line_of_a_watch_file_is_reported(void **state)
{
	static const struct {
		const char *what, *line;
		bool good;
	} rows[] = {
	    {"an address", "192.0.2.1", true},
	    {"an address with a comment", "192.0.2.1# ours", true},
	    {"IPv6", "2001:db8::1", true},
	    {"a prefix", "192.0.2.0/24", true},
	    {"a name", "dns.example.com", true},
	    {"a name with the root's dot", "dns.example.com.", true},
	    {"a domain", ".example.com", true},
	    {"nothing", "", true},
	    {"a comment", "  # nothing", true},
	    {"white space around it", "\t192.0.2.1  ", true},
	    {"a prefix with host bits", "192.0.2.1/24", false},
	    {"a prefix that is too long", "192.0.2.0/33", false},
	    {"an address that is too short", "192.0.2", false},
	    {"an address with a port", "192.0.2.1:853", false},
	    {"a mapped address", "::ffff:192.0.2.1", false},
	    {"two items", "192.0.2.1 192.0.2.2", false},
	    {"a wildcard", "*.example.com", false},
	    {"a wildcard in a U-label", "b\xc3\xbc*.test", false},
	    {"two dots", ".example..com", false},
	    {"nothing but a dot", ".", false},
	    {"a URL", "https://example.com/", false},
	    {"a control character", "192.0.2.1\r192.0.2.2", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char file[256];
		struct watch_list *list = NULL;
		struct faults faults = {.n = 0};

		(void)snprintf(file, sizeof file, "1.1.1.1\n%s\n9.9.9.9\n", rows[i].line);
		assert_int_equal(watch_list_new(&list), RES_OK);
		if ((watch_files_text_read(span_str(file), watch_list_add_item, list, &faults) == RES_OK) != rows[i].good)
			fail_msg("%s", rows[i].what);
		if (!rows[i].good && (faults.n != 1 || faults.shown[0].line != 2))
			fail_msg("%s: the line", rows[i].what);
		assert_true(watch_list_count(list) >= 2);
		faults_clear(&faults);
		watch_list_free(list);
	}
}

static void
an_item_of_two_upstreams_has_both(void **state)
{
	struct watch_list *list = NULL;
	struct addr addr;

	(void)state;
	assert_int_equal(watch_list_new(&list), RES_OK);
	assert_int_equal(addr_read_ip(&addr, "192.0.2.1"), RES_OK);
	assert_int_equal(watch_list_add_address(list, &addr, 1), RES_OK);
	assert_int_equal(watch_list_add_address(list, &addr, 130), RES_OK);
	assert_int_equal(watch_list_add_name(list, "a.test", 1), RES_OK);
	assert_int_equal(watch_list_add_name(list, "A.test.", 2), RES_OK);
	assert_int_equal(watch_list_count(list), 2);
	assert_int_equal(watch_list_at(list, 0)->owners.bits[0], 2);
	assert_int_equal(watch_list_at(list, 0)->owners.bits[2], 4);
	assert_int_equal(watch_list_at(list, 1)->owners.bits[0], 6);
	watch_list_free(list);
}

/* An organisation that watches thousands of names under one domain: each is found, and a wildcard over all costs little. */
static void
thousands_of_names_have_one_parent(void **state)
{
	struct buf file = buf_max(CERT_MAX), der = buf_max(CERT_MAX);
	struct given given = DNS("n4711.example.org"), all = DNS("*.example.org");
	struct watch_list *list;
	struct watch_match m;

	(void)state;
	for (int i = 0; i < 20000; i++)
		buf_format(&file, "n%d.example.org\n", i);
	list = list_of(buf_cstr(&file));
	fixture_certificate(&der, &given, 1, true, 9);
	assert_true(watch_list_match(list, &m, buf_span(&der), true));
	assert_true(m.n == 1 && met(list, &m, "n4711.example.org"));
	assert_false(m.more);
	buf_clear(&der);
	fixture_certificate(&der, &all, 1, true, 9);
	assert_true(watch_list_match(list, &m, buf_span(&der), true));
	assert_int_equal(m.n, WATCH_HITS_MAX);
	assert_true(m.more);
	buf_clear(&der);
	all.bytes = "*.example.net";
	fixture_certificate(&der, &all, 1, true, 9);
	assert_false(watch_list_match(list, &m, buf_span(&der), true));
	buf_free(&der);
	buf_free(&file);
	watch_list_free(list);
}

static void
many_odd_wildcards_are_bounded(void **state)
{
	struct buf names = buf_max(CERT_MAX), der = buf_max(CERT_MAX);
	struct watch_list *list = list_of(WATCHED);
	struct given given = {RAW_SAN, 0, NULL, NULL, 0};
	struct watch_match m;

	(void)state;
	for (int i = 0; i < 100; i++)
		buf_format(&names, "%c%ca*b.test", 0x82, 8);
	buf_format(&names, "%c%ccloudflare-dns.com", 0x82, 18); /* the name after them is found all the same */
	der.n = 0;
	buf_put(&der, span_of("\x30\x82", 2));
	buf_u16(&der, (uint16_t)names.n);
	buf_put(&der, buf_span(&names));
	buf_clear(&names);
	buf_put(&names, buf_span(&der));
	buf_clear(&der);
	given.bytes = (const char *)names.p;
	given.n = names.n;
	fixture_certificate(&der, &given, 1, true, 9);
	assert_true(watch_list_match(list, &m, buf_span(&der), true));
	assert_non_null(m.trouble);
	assert_true(met(list, &m, "cloudflare-dns.com"));
	buf_free(&names);
	buf_free(&der);
	watch_list_free(list);
}

/* Otherwise an attacker could add one to make a rogue certificate unreadable, which is not blocked. */
static void
an_identifier_beyond_a_limit_hides_no_other(void **state)
{
	const struct given given[] = {DNS(TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "test"),
				      {SAN, 0x86, NULL, BYTES("https://cloudflare-dns.com/dns-query")}};
	struct watch_list *list = list_of(WATCHED);
	struct buf der = buf_max(CERT_MAX);
	struct watch_match m;

	(void)state;
	fixture_certificate(&der, given, 2, true, 9);
	assert_true(watch_list_match(list, &m, buf_span(&der), true));
	assert_non_null(m.trouble);
	assert_true(met(list, &m, "cloudflare-dns.com"));
	buf_free(&der);
	watch_list_free(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_disguise_is_seen),
	    cmocka_unit_test(unreadable_identifiers_are_reported),
	    cmocka_unit_test(no_damage_hides_an_address),
	    cmocka_unit_test(unrelated_certificates_match_nothing),
	    cmocka_unit_test(a_hundred_thousand_unrelated_certificates_match_nothing),
	    cmocka_unit_test(every_bad_line_of_a_watch_file_is_reported),
	    cmocka_unit_test(an_item_of_two_upstreams_has_both),
	    cmocka_unit_test(thousands_of_names_have_one_parent),
	    cmocka_unit_test(many_odd_wildcards_are_bounded),
	    cmocka_unit_test(an_identifier_beyond_a_limit_hides_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
