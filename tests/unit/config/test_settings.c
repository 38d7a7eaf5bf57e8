/* The configuration file: the values that are read from it, and the errors that are reported for a wrong one. */
#include "config/compiled_in.h"
#include "config/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "f"

static struct settings *
read_good(const char *text)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;
	enum res res = settings_read_text(&s, FILE_NAME, span_str(text), &errors);

	if (res != RES_OK)
		for (size_t i = 0; i < errors.n; i++)
			print_message("%s\n", errors.line[i]);
	assert_int_equal(res, RES_OK);
	assert_int_equal(errors.n, 0);
	return s;
}

static char *
print(const struct settings *s)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	assert_int_equal(settings_print(s, f), RES_OK);
	fclose(f);
	return text;
}

#define UP "upstream \"u\" { address = {\"192.0.2.1\"} }\n"

static const struct {
	const char *what;
	const char *text;
	const char *error[4]; /* each error's beginning and, after " ... ", something it holds */
} wrong[] = {
    {"G01 an unknown option after ten comment lines", "#1\n#2\n#3\n#4\n#5\n#6\n#7\n#8\n#9\n#10\nworker = 1\n",
	{"f:11: unknown option \"worker\", did you mean \"workers\"?"}},
    {"G01 three unknown options in one file", "a = 1\nct { b = 2 }\n\nupstream \"u\" {\n address = {\"192.0.2.1\"}\n c = \"3\" }",
	{"f:1: unknown option \"a\"", "f:2: unknown option \"b\" in section \"ct\"",
	    "f:6: unknown option \"c\" in section \"upstream\""}},
    {"G01 a wrong type inside a section", "cache {\n  size = 16\n}\n", {"f:2: option \"size\" has the bare word \"16\", a size"}},
    {"G01 a string where a number is wanted", "workers = \"2\"",
	{"f:1: option \"workers\" has the string \"2\", a number from 1 to 64 was expected without quotes"}},
    {"G01 a string where a list is wanted", "\n" "listen = \"127.0.0.1:53\"",
	{"f:2: option \"listen\" has the single value \"127.0.0.1:53\", a list in braces"}},
    {"G01 a list where a string is wanted", "user = {\"a\"}", {"f:1: option \"user\" has a list, "}},
    {"G01 a number in a list of strings", "trust { disallow = {\n\"issuer CN=x\",\n 5 } }",
	{"f:3: option \"disallow\" has the bare word \"5\""}},
    {"a word without quotes", "log-level = info", {"f:1: option \"log-level\" has the bare word \"info\", \"error\", \"warn\""}},
    {"an unknown word", "log-level = \"loud\"", {"f:1: option \"log-level\" has the unknown word \"loud\""}},
    {"a boolean in quotes", "hedge = \"true\"", {"f:1: option \"hedge\" has the string"}},
    {"an invalid boolean", "hedge = yes", {"f:1: option \"hedge\" has the wrong value \"yes\", true or false"}},
    {"G01 the same option twice", "workers = 1\nhedge = true\nworkers = 2\n",
	{"f:3: option \"workers\" is set again, once in a section was expected (first in line 1)"}},
    {"G01 the same option twice outside sections, one between them", "workers = 1\nct { mode = \"off\" }\nworkers = 2\n",
	{"f:3: option \"workers\" is set again"}},
    {"G01 the same option twice in one block", "upstream \"u\" { address = {\"192.0.2.1\"}\n port = 1\n port = 2 }",
	{"f:3: option \"port\" is set again"}},
    {"G01 every wrong address of a list", "listen = {\n\"x\",\n\"127.0.0.1\",\n\"::ffff:127.0.0.1\", \"127.0.0.1:53\" }",
	{"f:2: option \"listen\" has the wrong value \"x\"", "f:4: option \"listen\" has the IPv4-mapped",
	    "f:4: option \"listen\" has twice"}},
    {"G01 every wrong string of a list", "upstream \"u\" { address = {\"192.0.2.1\"}\n pin = {\"issuer CN=x\",\n\"\"} }",
	{"f:2: option \"pin\" has the wrong value \"issuer CN=x\"", "f:3: option \"pin\" has the wrong value \"\""}},
    {"G01 every bare word of a list", "listen = { 1,\n 2 }", {"f:1: option \"listen\" has the bare word \"1\"", "f:2: option"}},
    {"G01 a missing value", "workers =\nhedge = true\n", {"f:1: option \"workers\" has no value"}},
    {"G01 a missing value at the end", "# x\nworkers =", {"f:2: the file ends after \"=\", a value was expected"}},
    {"G01 a missing brace", "ct {\n mode = \"off\"\n", {"f:2: the file ends inside the \"{\" of line 1, its \"}\" was expected"}},
    {"G01 one brace too many", "}\n", {"f:1: unexpected \"}\""}},
    {"G01 a NUL byte", "workers\x01 = 2", {"f:1: an unexpected character"}},
    {"G01 a byte order mark", "\xef\xbb\xbfworkers = 2", {"f:1: a byte order mark"}},
    {"G01 bad UTF-8, in a comment too", "\n# \xff\n", {"f:2: bytes that are not UTF-8"}},
    {"G01 an overlong UTF-8 form", "user = \"\xc0\xaf\"", {"f:1: bytes that are not UTF-8"}},
    {"G01 a surrogate in UTF-8", "user = \"\xed\xa0\x80\"", {"f:1: bytes that are not UTF-8"}},
    {"a lone carriage return", "workers = 1\rhedge = true", {"f:1: an unexpected character"}},
    {"a string over two lines", "\nuser = \"a\nb\"", {"f:2: a string that does not end on its line"}},
    {"a string without an end", "user = \"a", {"f:1: a string that does not end"}},
    {"an unknown escape", "user = \"a\\n\"", {"f:1: an unknown escape"}},
    {"a tab in a string", "user = \"a\tb\"", {"f:1: a control character in a string"}},
    {"an invisible character in a wrong value is shown", "ct { mode = \"re\xef\xbb\xbfport\" }",
	{"f:1: option \"mode\" has the unknown word \"re\\xef\\xbb\\xbfport\""}},
    {"one = too many", "hedge = true\n= 1", {"f:2: unexpected \"=\""}},
    {"nothing is read after a syntax error", "a = 1\n{ 2\nb = 3\n", {"f:1: unknown option \"a\"", "f:2: unexpected \"{\""}},
    {"an unknown section, its options are passed over", "dns {\n a = 1 }\nb = 1",
	{"f:1: unknown section \"dns\"", "f:3: unknown option \"b\""}},
    {"a section inside a section, read on after it", "ct {\n trust { x = 1 }\n y = 2 }\n z = 3",
	{"f:2: section \"trust\" inside section \"ct\"", "f:3: unknown option \"y\"", "f:4: unknown option \"z\""}},
    {"a section nested too deeply", "a{a{a{a{a{a{a{a{a{\n", {"f:1: unknown section", "f:1: sections nested too deeply"}},
    {"a title of a section without titles", "ct \"x\" { mode = \"off\" }", {"f:1: section \"ct\" has a title"}},
    {"a missing title", "upstream { port = 1 }", {"f:1: section \"upstream\" has no title"}},
    {"an empty title", "upstream \"\" { port = 1 }", {"f:1: upstream has the wrong title \"\""}},
    {"+= on an option that is not a list", "workers += 1", {"f:1: option \"workers\" is not a list"}},
    {"a number below its range", "workers = 0", {"f:1: option \"workers\" has a value out of range: \"0\", a number from 1 to 64"}},
    {"a number above its range", "workers = 65", {"f:1: option \"workers\" has a value out of range"}},
    {"a number that does not fit any type", "workers = 99999999999999999999999", {"f:1: option \"workers\" has a value out of"}},
    {"a negative number", "workers = -1", {"f:1: option \"workers\" has a value out of range"}},
    {"a duration without a unit", "ct { list-max-age = \"70\" }", {"f:1: option \"list-max-age\" has the wrong value \"70\""}},
    {"a size with an unknown unit", "cache { size = \"16MB\" }", {"f:1: option \"size\" has the wrong value \"16MB\""}},
    {"a size in units other than KiB and MiB", "cache { size = \"1GiB\" }",
	{"f:1: option \"size\" has the wrong value \"1GiB\", a size from \"64KiB\" to \"65536MiB\" (units: KiB MiB)"}},
    {"a size without a unit", "cache { size = \"1048576\" }", {"f:1: option \"size\" has the wrong value \"1048576\""}},
    {"a path where a domain name belongs", "rebinding { allow = {\"lan.example\",\n \"/etc/allow\"} }",
	{"f:2: option \"allow\" has the wrong value \"/etc/allow\", a domain name in ASCII"}},
    {"block enforced for an upstream without allow-issuer", "upstream \"u\" { address = {\"192.0.2.1\"} }\nwatch { block = \"enforce\" }",
	{"f:2: block is \"enforce\" and upstream \"u\" has no allow-issuer"}},
    {"block enforced, and only one of two upstreams has allow-issuer", "upstream \"u\" { address = {\"192.0.2.1\"} allow-issuer = {\"issuer CN=x\"} }\n"
	"upstream \"v\" { address = {\"192.0.2.2\"} }\nwatch { block = \"enforce\" }", {"f:3: block is \"enforce\" and upstream \"v\""}},
    {"a portal name of one label", "portal {\n names = {\"login\"} }", {"f:2: \"login\" is no name of a portal probe, a name of two labels or more"}},
    {"the root as a portal name", "portal {\n names = {\".\"} }", {"f:2: \".\" is no name of a portal probe"}},
    {"a portal name with a wildcard", "portal {\n names = {\"*.hotel.test\"} }", {"f:2: option \"names\" has the wrong value \"*.hotel.test\", a domain name in ASCII"}},
    {"a portal name that is not ASCII", "portal {\n names = {\"b\xc3\xbc.test\"} }", {"f:2: option \"names\" has the wrong value"}},
    {"this machine as the network's resolver", "portal {\n resolver = {\"127.0.0.1\"} }", {"f:2: the resolver 127.0.0.1 is this machine, the address of the network's resolver"}},
    {"a port at the network's resolver", "portal {\n resolver = {\"192.0.2.1:5353\"} }", {"f:2: option \"resolver\" has the wrong value"}},
    {"four resolvers", "portal {\n resolver = {\"192.0.2.1\",\"192.0.2.2\",\"192.0.2.3\",\"192.0.2.4\"} }", {"f:2: option \"resolver\" has"}},
    {"a program without a path", "watch { exec = \"mail\" }", {"f:1: option \"exec\" has the wrong value \"mail\", a path that begins with"}},
    {"an unknown block", "watch { block = \"off\" }", {"f:1: option \"block\" has the unknown word \"off\", \"report\", \"propose\" or \"enforce\""}},
    {"a listener for every machine, without allow", "\nlisten = {\"127.0.0.1:53\", \"0.0.0.0:53\"}",
	{"f:2: listen has 0.0.0.0:53, which other machines may reach, option \"allow\" with the prefixes of its clients was expected"
	 " as well: allow = {\"192.0.2.0/24\"}"}},
    {"a listener on all of IPv6", "listen = {\"[::]:53\"}", {"f:1: listen has [::]:53, which other machines"}},
    {"a listener on an address of a network", "listen = {\"10.0.0.1:53\"}", {"f:1: listen has 10.0.0.1:53, which other machines"}},
    {"a listener for every machine, and a wrong client: one error, not two", "listen = {\"0.0.0.0:53\"}\nallow = {\"10.0.0.0/8\", \"x\"}",
	{"f:2: option \"allow\" has the wrong value \"x\""}},
    {"a wrong protocol, with options of DoH: one error", "upstream \"u\" { address = {\"192.0.2.1\"}\n protocol = \"https\" path = \"/x\" method = \"get\" }",
	{"f:2: option \"protocol\" has the unknown word \"https\""}},
    {"a wrong certificate with a key: one error", "upstream \"u\" { address = {\"192.0.2.1\"}\n client-cert = 3\n client-key = \"/k\" }",
	{"f:2: option \"client-cert\" has the bare word \"3\""}},
    {"a mirror without a host", "ct {\n list-url = \"https://\"\n list-key = \"/k\" }", {"f:2: option \"list-url\" has the wrong value"}},
    {"a mirror with an empty host", "ct {\n list-url = \"https:///l\"\n list-key = \"/k\" }", {"f:2: option \"list-url\" has the wrong value"}},
    {"a mirror with a space", "ct {\n list-url = \"https://a.test/a b\"\n list-key = \"/k\" }", {"f:2: option \"list-url\" has the wrong value"}},
    {"a mirror with a user", "ct {\n list-url = \"https://u:p@a.test/l\"\n list-key = \"/k\" }", {"f:2: option \"list-url\" has the wrong value"}},
    {"a mirror with a fragment", "ct {\n list-url = \"https://a.test/l#x\"\n list-key = \"/k\" }", {"f:2: option \"list-url\" has the wrong value"}},
    {"a mirror with a port alone", "ct {\n list-url = \"https://:443/l\"\n list-key = \"/k\" }", {"f:2: option \"list-url\" has the wrong value"}},
    {"a mirror whose host is not ASCII", "ct {\n list-url = \"https://b\xc3\xbc" ".test/l\"\n list-key = \"/k\" }", {"f:2: option \"list-url\" has the wrong value"}},
    {"a mirror with a query alone", "ct {\n list-url = \"https://?l\"\n list-key = \"/k\" }", {"f:2: option \"list-url\" has the wrong value"}},
    {"a mirror whose scheme is not in small letters", "ct {\n list-url = \"HTTPS://a.test/l\"\n list-key = \"/k\" }", {"f:2: option \"list-url\" has the wrong value"}},
    {"a mirror in clear text", "ct {\n list-url = \"http://a.test/l\"\n list-key = \"/k\" }", {"f:2: option \"list-url\" has the wrong value"}},
    {"a mirror relative to a folder", "ct {\n list-url = \"l.json\"\n list-key = \"/k\" }", {"f:2: option \"list-url\" has the wrong value"}},
    {"a mirror with a wrong key", "ct { list-url = \"https://x\"\n list-key = 3 }", {"f:2: option \"list-key\" has the bare word \"3\""}},
    {"block enforced with a wrong file: one error", "watch { block = \"enforce\"\n known-file = {\"\"} }", {"f:2: option \"known-file\" has the wrong value \"\""}},
    {"block enforced with a wrong issuer: one error", "watch { block = \"enforce\" }\nupstream \"u\" { address = {\"192.0.2.1\"}\n allow-issuer = {\"x\"} }",
	{"f:3: option \"allow-issuer\" has the wrong value \"x\""}},
    {"a client prefix with host bits", "allow = {\"192.0.2.1/24\"}", {"f:1: option \"allow\" has the wrong value \"192.0.2.1/24\""}},
    {"a name as a client", "allow = {\"lan.example\"}", {"f:1: option \"allow\" has the wrong value \"lan.example\""}},
    {"min-ttl above max-ttl", "cache { min-ttl = \"1h\"\n max-ttl = \"1m\" }", {"f:1: min-ttl is longer than max-ttl"}},
    {"G02 port 0", "listen = {\"127.0.0.1:0\"}", {"f:1: option \"listen\" has the wrong value \"127.0.0.1:0\""}},
    {"G02 port 65536", "listen = {\"127.0.0.1:65536\"}", {"f:1: option \"listen\" has the wrong value"}},
    {"G02 port 853x", "upstream \"u\" { address = {\"192.0.2.1\"} port = 853x }", {"f:1: option \"port\" has the wrong value \"853x\""}},
    {"G02 port 0 of an upstream", "upstream \"u\" { address = {\"192.0.2.1\"} port = 0 }", {"f:1: option \"port\" has a value out of"}},
    {"G02 an address with a zone", "listen = {\"[fe80::1%lo]:53\"}", {"f:1: option \"listen\" has an address with a zone"}},
    {"G02 an IPv4-mapped address", "listen = {\"[::ffff:127.0.0.1]:53\"}", {"f:1: option \"listen\" has the IPv4-mapped address"}},
    {"G02 a mapped upstream", "upstream \"u\" { address = {\"::ffff:192.0.2.1\"} }", {"f:1: option \"address\" has the IPv4-mapped"}},
    {"G02 a host name as an address", "upstream \"u\" { address = {\"dns.example\"} }", {"f:1: option \"address\" has the wrong value"}},
    {"the unspecified address as a server", "upstream \"u\" { address = {\"0.0.0.0\"} }", {"f:1: option \"address\" has the unusable"}},
    {"a link-local address as a server, which has no room for its zone", "upstream \"u\" { address = {\"fe80::1\"} }",
	{"f:1: option \"address\" has the unusable"}},
    {"the last link-local address", "upstream \"u\" { address = {\"[febf::1]:853\"} }", {"f:1: option \"address\" has the unusable"}},
    {"a link-local address to listen on", "allow = {\"fe80::/64\"} listen = {\"[fe80::1]:53\"}", {"f:1: option \"listen\" has the unusable"}},
    {"a multicast address as a server", "upstream \"u\" { address = {\"ff02::1\"} }", {"f:1: option \"address\" has the unusable"}},
    {"G02 an IDN in a forward", UP "forward \"b\xc3\xbc" "cher.example\" { upstream = {} }", {"f:2: forward has the wrong title"}},
    {"G02 an IDN as a name", "upstream \"u\" { address = {\"192.0.2.1\"} name = \"b\xc3\xbc" "cher.example\" }",
	{"f:1: option \"name\" has the wrong value"}},
    {"T06 a name with an underscore", "upstream \"u\" { address = {\"192.0.2.1\"} name = \"a_b.test\" }",
	{"f:1: option \"name\" has the wrong value \"a_b.test\", a host name in ASCII"}},
    {"T06 a hyphen in front of a label", "upstream \"u\" { address = {\"192.0.2.1\"} name = \"a.-b.test\" }",
	{"f:1: option \"name\" has the wrong value \"a.-b.test\""}},
    {"T06 a hyphen at the end of a label", "upstream \"u\" { address = {\"192.0.2.1\"} name = \"a-.test\" }",
	{"f:1: option \"name\" has the wrong value \"a-.test\""}},
    {"T06 the root as a name", "upstream \"u\" { address = {\"192.0.2.1\"} name = \".\" }", {"f:1: option \"name\" has the wrong value \".\""}},
    {"T06 a wildcard as a name", "upstream \"u\" { address = {\"192.0.2.1\"} name = \"*.test\" }",
	{"f:1: option \"name\" has the wrong value \"*.test\""}},
    {"T06 a name with two dots at its end", "upstream \"u\" { address = {\"192.0.2.1\"} name = \"dns.test..\" }",
	{"f:1: option \"name\" has the wrong value \"dns.test..\""}},
    {"T17 resolver.arpa as a name (RFC 9462)", "upstream \"u\" {\n address = {\"192.0.2.1\"}\n name = \"Resolver.arpa.\" }",
	{"f:3: upstream \"u\" has the name \"resolver.arpa\", which no server bears"}},
    {"T17 a name below resolver.arpa", "upstream \"u\" {\n address = {\"192.0.2.1\"}\n name = \"dns.resolver.arpa\" }",
	{"f:3: upstream \"u\" has the name \"dns.resolver.arpa\""}},
    {"an address where a domain name belongs", "rebinding { allow = {\"lan.example\",\n \"192.168.1.10\"} }",
	{"f:2: option \"allow\" has the wrong value \"192.168.1.10\", a domain name in ASCII"}},
    {"an address with a dot at its end, where a domain name belongs", "time-names = {\"192.0.2.1.\"}",
	{"f:1: option \"time-names\" has the wrong value \"192.0.2.1.\", a domain name in ASCII"}},
    {"an address as a portal name", "portal { names = {\"192.0.2.1\"} }", {"f:1: option \"names\" has the wrong value \"192.0.2.1\""}},
    {"a forward of an address instead of a prefix", UP "forward \"10.0.0.1\" { upstream = {} }",
	{"f:2: forward has the wrong title \"10.0.0.1\", a domain name in ASCII (xn--...), \".\" or an address prefix"}},
    {"an address as a name", "upstream \"u\" { address = {\"192.0.2.1\"} name = \"192.0.2.1\" }", {"f:1: option \"name\" has the wrong"}},
    {"a prefix with host bits", UP "forward \"10.0.0.1/8\" { upstream = {} }", {"f:2: forward has the wrong title"}},
    {"an upstream without an address", "\nupstream \"u\" { port = 853 }", {"f:2: upstream \"u\" has no address"}},
    {"an upstream with an empty list of addresses", "upstream \"u\" {\n address = {} }", {"f:2: option \"address\" has a list of 0"}},
    {"an address twice", "upstream \"u\" { address = {\"192.0.2.1\",\n \"192.0.2.1\"} }", {"f:2: option \"address\" has twice the address"}},
    {"an address twice, once with its port", "upstream \"u\" { address = {\"192.0.2.1\", \"192.0.2.1:853\"} }",
	{"f:1: upstream \"u\" has the address 192.0.2.1:853 twice"}},
    {"G06 an upstream that is our own listener", "listen = {\"127.0.0.1:853\"}\nupstream \"u\" {\n address = {\"127.0.0.1\"} }",
	{"f:3: upstream \"u\" is this program's own listener 127.0.0.1:853"}},
    {"G06 our own listener through 0.0.0.0", "allow = {\"0.0.0.0/0\"} listen = {\"0.0.0.0:853\"}\nupstream \"u\" { address = {\"127.8.8.8\"} }",
	{"f:2: upstream \"u\" is this program's own listener 0.0.0.0:853"}},
    {"G06 our own listener through ::", "allow = {\"::/0\"} listen = {\"[::]:853\"}\nupstream \"u\" { address = {\"127.0.0.1\"} }",
	{"f:2: upstream \"u\" is this program's own listener [::]:853"}},
    {"a forward to an unknown upstream", UP "forward \"x.example\" { upstream = {\"u\",\n\"v\"} } forward \".\" { upstream = {\"u\"} }",
	{"f:3: unknown upstream \"v\""}},
    {"a forward without an upstream option", UP "forward \"x.example\" { }", {"f:2: forward \"x.example\" has no upstream"}},
    {"a client certificate without its key", "upstream \"u\" { address = {\"192.0.2.1\"}\n client-cert = \"/c\" }",
	{"f:2: upstream \"u\" has \"client-cert\" alone"}},
    {"a key without its certificate", "upstream \"u\" { address = {\"192.0.2.1\"}\n client-key = \"/c\" }",
	{"f:2: upstream \"u\" has \"client-key\" alone"}},
    {"a path without DoH", "upstream \"u\" { address = {\"192.0.2.1\"}\n path = \"/x\" }", {"f:2: upstream \"u\" has a path"}},
    {"a method without DoH", "upstream \"u\" { address = {\"192.0.2.1\"}\n method = \"get\" }", {"f:2: upstream \"u\" has a method"}},
    {"an invalid path", "upstream \"u\" { address = {\"192.0.2.1\"} protocol = \"doh\"\n path = \"dns\" }",
	{"f:2: option \"path\" has the wrong value"}},
    {"H24 a template in the middle of a path", "upstream \"u\" { address = {\"192.0.2.1\"} protocol = \"doh\"\n path = \"/q{?dns}/x\" }",
	{"f:2: option \"path\" has the wrong value"}},
    {"H24 a template of two variables", "upstream \"u\" { address = {\"192.0.2.1\"} protocol = \"doh\"\n path = \"/q{?dns,x}\" }",
	{"f:2: option \"path\" has the wrong value"}},
    {"H24 a template alone", "upstream \"u\" { address = {\"192.0.2.1\"} protocol = \"doh\"\n path = \"{?dns}\" }",
	{"f:2: option \"path\" has the wrong value"}},
    {"H24 a template twice", "upstream \"u\" { address = {\"192.0.2.1\"} protocol = \"doh\"\n path = \"/q{?dns}{?dns}\" }",
	{"f:2: option \"path\" has the wrong value"}},
    {"H24 a query", "upstream \"u\" { address = {\"192.0.2.1\"} protocol = \"doh\"\n path = \"/q?dns\" }",
	{"f:2: option \"path\" has the wrong value"}},
    {"an invalid pin", "upstream \"u\" { address = {\"192.0.2.1\"}\n pin = {\"sha256 00\"} }", {"f:2: option \"pin\" has the wrong value"}},
    {"a pin that is too short", "upstream \"u\" { address = {\"192.0.2.1\"}\n pin = {\"spki-sha256 00\"} }", {"f:2: option \"pin\""}},
    {"also-address with a port", "upstream \"u\" { address = {\"192.0.2.1\"}\n also-address = {\"192.0.2.2:853\"} }",
	{"f:2: option \"also-address\" has the wrong value"}},
    {"an unknown mode of an upstream", "upstream \"u\" { address = {\"192.0.2.1\"}\n ct = \"no\" }", {"f:2: option \"ct\" has the wrong value"}},
    {"a socket path that is too long", "control-socket = \"/0123456789012345678901234567890123456789012345678901234567890123456789"
	"012345678901234567890123456789012345678901234567890\"", {"f:1: option \"control-socket\" has the wrong value"}},
};

static void
errors_are_reported_with_their_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct config_errors errors = {0};
		struct settings *s = NULL;
		size_t n = 0;
		enum res res = settings_read_text(&s, FILE_NAME, span_str(wrong[i].text), &errors);

		if (res != RES_MALFORMED)
			fail_msg("%s: was accepted", wrong[i].what);
		while (n < 4 && wrong[i].error[n] != NULL)
			n++;
		for (size_t k = 0; k < errors.n; k++)
			if (k >= n || strncmp(errors.line[k], wrong[i].error[k], strlen(wrong[i].error[k])) != 0)
				fail_msg("%s: said: %s", wrong[i].what, errors.line[k]);
		if (errors.n != n)
			fail_msg("%s: %zu errors, %zu expected", wrong[i].what, errors.n, n);
		config_errors_free(&errors);
	}
}

static void
a_nul_byte_is_reported(void **state)
{
	static const char text[] = "workers = 1\n\0hedge = true\n";
	struct config_errors errors = {0};
	struct settings *s = NULL;

	(void)state;
	assert_int_equal(settings_read_text(&s, FILE_NAME, span_of(text, sizeof text - 1), &errors), RES_MALFORMED);
	assert_string_equal(errors.line[0], "f:2: a NUL byte, text was expected");
	config_errors_free(&errors);
}

static const struct {
	const char *what;
	const char *text;
	const char *printed; /* is somewhere in the effective configuration */
} good[] = {
    {"an empty file means the defaults", "", "listen = {\"127.0.0.1:53\", \"[::1]:53\"}\nworkers = 1\nuser = \"ctstub\"\n"},
    {"Cloudflare is compiled in, with the entry that its incident asks for", "",
	"serial a530a29cc1a5da40000000005671f24c issuer CN=Fina RDC 2015,O=Financijska agencija,C=HR"},
    {"Quad9 is compiled in", "", "address = {\"9.9.9.9\", \"149.112.112.112\", \"2620:fe::fe\", \"2620:fe::9\"}"},
    {"Google is compiled in", "", "address = {\"8.8.8.8\", \"8.8.4.4\", \"2001:4860:4860::8888\", \"2001:4860:4860::8844\"}"},
    {"CT is required", "", "ct {\n\tmode = \"require\"\n\tpolicy = \"strict\"\n\tlog-list = \"\"\n\tlist-max-age = \"70d\"\n"},
    {"G01 CRLF line ends", "workers = 2\r\nhedge = false # x\r\n", "workers = 2\n"},
    {"several options on a line", "workers = 2 hedge = false user = \"\"", "hedge = false\n"},
    {"a comment inside a list", "listen = { # one\n\"127.0.0.1:5300\", # two\n # three\n\"[::1]:5300\", # end\n}",
	"listen = {\"127.0.0.1:5300\", \"[::1]:5300\"}\n"},
    {"a comment sign inside a string", "user = \"a#b\"", "user = \"a#b\"\n"},
    {"nothing is expanded from the environment", "state-dir = \"${HOME}/x$USER`id`~\"", "state-dir = \"${HOME}/x$USER`id`~\"\n"},
    {"the two escapes", "state-dir = \"/a\\\"b\\\\c\"", "state-dir = \"/a\\\"b\\\\c\"\n"},
    {"+= adds to the default", "allow = {\"192.0.2.0/24\"} listen += {\"192.0.2.1:53\"}", "listen = {\"127.0.0.1:53\", \"[::1]:53\", \"192.0.2.1:53\"}\n"},
    {"+= without a space", "allow = {\"192.0.2.0/24\"} listen+={\"192.0.2.1:53\"}", "\"192.0.2.1:53\"}\n"},
    {"a listener without a port has 53", "listen = {\"::1\"}", "listen = {\"[::1]:53\"}\n"},
    {"a listener on all addresses", "allow = {\"::/0\"} listen = {\"0.0.0.0:53\", \"[::]:53\"}", "listen = {\"0.0.0.0:53\", \"[::]:53\"}\n"},
    {"T06 a name in capitals with the root's dot", "upstream \"u\" { address = {\"192.0.2.1\"} name = \"DNS.Test.\" }", "name = \"dns.test\"\n"},
    {"T06 an A-label in a name", "upstream \"u\" { address = {\"192.0.2.1\"} name = \"xn--bcher-kva.test\" }", "name = \"xn--bcher-kva.test\"\n"},
    {"a name that only ends like resolver.arpa", "upstream \"u\" { address = {\"192.0.2.1\"} name = \"my-resolver.arpa\" }",
	"name = \"my-resolver.arpa\"\n"},
    {"addresses beside the link-local ones", "upstream \"u\" { address = {\"fe7f::1\", \"fec0::1\"} }", "address = {\"fe7f::1\", \"fec0::1\"}"},
    {"the port of DoH", "upstream \"u\" { protocol = \"doh\" address = {\"192.0.2.1\"} }",
	"protocol = \"doh\"\n\taddress = {\"192.0.2.1\"}\n\tport = 443\n"},
    {"H24 a path that is a URI template", "upstream \"u\" { protocol = \"doh\" address = {\"192.0.2.1\"} path = \"/q{?dns}\" }",
	"path = \"/q{?dns}\"\n"},
    {"a port of one address", "upstream \"u\" { address = {\"192.0.2.1\", \"[2001:db8::1]:8853\"} port = 8530 }",
	"address = {\"192.0.2.1\", \"[2001:db8::1]:8853\"}\n\tport = 8530\n"},
    {"G02 a name with a dot at its end", "upstream \"u\" { address = {\"192.0.2.1\"} name = \"DNS.Example.\" }", "name = \"dns.example\"\n"},
    {"G02 a forward with a dot at its end", UP "forward \"Corp.Example.\" { upstream = {} }", "forward \"corp.example\" {\n\tupstream = {}\n\tshared = false\n}"},
    {"a mirror with an address, a port and a query", "ct { list-url = \"https://[2001:db8::1]:8443/a@b?l=1\" list-key = \"/k\" }",
	"list-url = \"https://[2001:db8::1]:8443/a@b?l=1\"\n"},
    {"an address alone as a client", "allow = {\"192.0.2.7\", \"2001:DB8::/32\"}", "allow = {\"192.0.2.7/32\", \"2001:db8::/32\"}\n"},
    {"a forward of a prefix for one address", UP "forward \"10.0.0.1/32\" { upstream = {} }", "forward \"10.0.0.1/32\" {"},
    {"names that only look like an address", "rebinding { allow = {\"1.2.3\", \"1.2.3.4.5\", \"1.2.3.256\", \"1.2.3.4.in-addr.arpa\"} }",
	"allow = {\"1.2.3\", \"1.2.3.4.5\", \"1.2.3.256\", \"1.2.3.4.in-addr.arpa\"}\n"},
    {"a forward of a prefix", UP "forward \"2001:DB8:0::/32\" { upstream = {} }", "forward \"2001:db8::/32\" {"},
    {"a loopback upstream is allowed", "upstream \"u\" { address = {\"127.0.0.1\"} }", "address = {\"127.0.0.1\"}"},
    {"DoH options with their default values are allowed with DoT, and not printed: they have no effect",
	"upstream \"u\" { address = {\"192.0.2.1\"} path = \"/dns-query\" method = \"post\" }", "port = 853\n\tname = \"\"\n"},
    {"a second block of one title changes its options", UP "upstream \"u\" { address = {\"192.0.2.2\"} port = 8853 }",
	"address = {\"192.0.2.2\"}\n\tport = 8853\n"},
    {"a second block of one title adds to a list", UP "upstream \"u\" { address += {\"192.0.2.2\"} }",
	"address = {\"192.0.2.1\", \"192.0.2.2\"}\n"},
    {"the same section twice on a line", "ct { mode = \"off\" } ct { mode = \"report\" }", "mode = \"report\"\n"},
    {"a section twice", "ct { mode = \"report\" }\nct { policy = \"apple\" }", "mode = \"report\"\n\tpolicy = \"apple\"\n"},
};

static void
valid_files_give_these_settings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct settings *s = read_good(good[i].text), *again;
		char *first = print(s), *second;

		if (strstr(first, good[i].printed) == NULL)
			fail_msg("%s: printed:\n%s", good[i].what, first);
		again = read_good(first);
		second = print(again);
		assert_string_equal(first, second);
		settings_free(s);
		settings_free(again);
		free(first);
		free(second);
	}
}

static void
without_a_file_the_defaults_apply(void **state)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;

	(void)state;
	assert_int_equal(settings_read(&s, NULL, &errors), RES_OK);
	assert_int_equal(s->n_upstream, 3);
	assert_string_equal(s->upstream[1].title, "quad9");
	assert_int_equal(s->upstream[1].address.v[0].port, 853);
	assert_int_equal(s->ct_mode, CT_REQUIRE);
	settings_free(s);
}

/* Text of one unit, n times. */
static char *
repeat(const char *head, const char *unit, size_t n, const char *tail)
{
	size_t unit_n = strlen(unit);
	struct buf b = buf_max(strlen(head) + unit_n * n + strlen(tail));

	buf_text(&b, head);
	for (size_t i = 0; i < n; i++)
		buf_text(&b, unit);
	buf_text(&b, tail);
	return buf_take_cstr(&b);
}

static void
limits_are_reported(void **state)
{
	static const struct {
		const char *what, *head, *unit;
		size_t n;
		const char *tail, *error;
	} rows[] = {
	    {"G01 a line of 1 MB", "user = \"", "x", 1024 * 1024 - 200, "\"\n", "a string of"},
	    {"G04 a file above its limit", "", "#2345678\n", 120000, "", "a file of"},
	    {"G04 a list above its limit", "trust { disallow = {", "\"issuer CN=a\",", 4097, "} }", "a list that is too long"},
	    {"G04 nesting", "", "a {\n", 20000, "", "unknown section"},
	    {"G04 more errors than are shown", "", "x = 1\n", 200, "", "unknown option"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *text = repeat(rows[i].head, rows[i].unit, rows[i].n, rows[i].tail);
		struct config_errors errors = {0};
		struct settings *s = NULL;

		assert_int_equal(settings_read_text(&s, FILE_NAME, span_str(text), &errors), RES_MALFORMED);
		if (strstr(errors.line[0], rows[i].error) == NULL)
			fail_msg("%s: %s", rows[i].what, errors.line[0]);
		assert_true(errors.n <= CONFIG_ERRORS_MAX);
		assert_int_equal(errors.more, strstr(rows[i].what, "more errors") != NULL);
		config_errors_free(&errors);
		free(text);
	}
}

static void
upstreams_are_bounded(void **state)
{
	struct buf text = buf_max(1024 * 1024);
	struct config_errors errors = {0};
	struct settings *s = NULL;

	(void)state;
	for (int i = 0; i < 10000; i++) /* G04 */
		buf_format(&text, "upstream \"u%d\" { address = {\"192.0.2.1\"} }\n", i);
	assert_int_equal(settings_read_text(&s, FILE_NAME, buf_span(&text), &errors), RES_MALFORMED);
	assert_string_equal(errors.line[0], "f:257: one upstream too many, at most 256 were expected");
	assert_true(errors.more);
	config_errors_free(&errors);
	buf_free(&text);
}

/* reader.c looks for their titles before it reads them. */
static void
the_compiled_in_titles_are_those_of_the_compiled_in_upstreams(void **state)
{
	struct settings *s = read_good("");

	(void)state;
	assert_int_equal(s->n_upstream, COMPILED_IN_N);
	for (size_t i = 0; i < COMPILED_IN_N; i++)
		assert_string_equal(s->upstream[i].title, compiled_in_titles[i]);
	settings_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(errors_are_reported_with_their_lines),
	    cmocka_unit_test(a_nul_byte_is_reported),
	    cmocka_unit_test(valid_files_give_these_settings),
	    cmocka_unit_test(without_a_file_the_defaults_apply),
	    cmocka_unit_test(limits_are_reported),
	    cmocka_unit_test(upstreams_are_bounded),
	    cmocka_unit_test(the_compiled_in_titles_are_those_of_the_compiled_in_upstreams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
