#include "resolver/local.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "resolver/hosts.h"
#include "resolver/local_data.h"
#include "resolver/routes.h"
#include "tests/unit/base/dns/dnswire.h"

#define LOOPBACK6 "00000000000000000000000000000001"
#define V6_ONE    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa"

static const char *data[] = {
    "printer.lan. 120 IN A 192.168.1.9",
    "printer.lan 120 IN A 192.168.1.10",
    "Printer.LAN. 60 AAAA fd00::9",
    "alias.lan. CNAME chain.lan.",
    "chain.lan. CNAME printer.lan.",
    "out.lan. CNAME www.example.com.",
    "loop1.lan. CNAME loop2.lan.",
    "loop2.lan. CNAME loop1.lan.",
    "odd.lan. TYPE65280 \\# 3 010203",
    "corp.example. 900 SOA ns.corp.example. root.corp.example. 7 3600 1200 604800 30",
    "a.b.corp.example. A 10.0.0.1",
    "9.1.168.192.in-addr.arpa. PTR printer.lan.",
    "twice.lan. A 192.0.2.1",
    "twice.lan. 3600 IN A 192.0.2.1",
};

static const char hosts_text[] =
    "\xef\xbb\xbf" /* a byte order mark */
    "127.0.0.1 localhost\n"
    "::1 localhost ip6-localhost # with a comment\n"
    "127.0.1.1\tmyhost.home MyHost\r\n"
    "10.1.2.3 server.example server # 10.9.9.9 hidden\n"
    "10.1.2.4 server.example\n"
    "2001:db8::5 six.example\n"
    "fe80::1%eth0 scoped.example\n" /* a zone: no address that could be given out */
    "not an address\n"
    "10.1.2.5\n"
    "10.1.2.6 bad..name good.example\n"
    "10.1.2.3 server.example\n" /* once more */
    "10.1.2.7 b\xc3\xbc" "cher.example\n"
    "10.0.0.99 localhost.evil\n"
    "0.0.0.0 blocked.example";

static struct strings
strings_of(const char **v, size_t n)
{
	struct strings s = {.v = calloc(n + 1, sizeof *s.v), .place = calloc(n + 1, sizeof *s.place), .n = n};

	assert_non_null(s.v);
	assert_non_null(s.place);
	for (size_t i = 0; i < n; i++) {
		s.v[i] = (char *)(uintptr_t)v[i];
		s.place[i] = (struct place){.file = "a.conf", .line = (unsigned)i + 1};
	}
	return s;
}

static enum res
compile(struct local_data **out, const char **v, size_t n, struct config_errors *errors)
{
	struct settings settings = {.local_data = strings_of(v, n)};
	enum res res = local_data_compile(out, &settings, errors);

	free(settings.local_data.v);
	free(settings.local_data.place);
	return res;
}

/* As the name's route says: of the root, or of a forward of the last label. */
static bool
is_answered(const struct local_data *l, struct hosts *h, const struct msg_question *q, bool forwarded, struct buf *out)
{
	const struct local_view view = {.data = l, .hosts = h};
	const struct route route = {.suffix = span_of(q->name + q->name_n - 1, 1), .forwarded = forwarded};

	return local_answer(&view, q, &route, 0, out) != LOCAL_NOT_OURS;
}

static const struct {
	const char *what;
	const char *name;
	uint16_t type;
	const char *answer; /* NULL: not local */
} answers[] = {
    {"local data, two records", "printer.lan", TYPE_A,
     "NOERROR | printer.lan 120 A 192.168.1.9 | printer.lan 120 A 192.168.1.10"},
    {"local data, another type", "printer.lan", TYPE_AAAA,
     "NOERROR | printer.lan 60 AAAA fd000000000000000000000000000009"},
    {"local data without the type", "printer.lan", 15, "NOERROR ! printer.lan 60 SOA"},
    {"local data by ANY", "printer.lan", TYPE_ANY,
     "NOERROR | printer.lan 120 A 192.168.1.9 | printer.lan 120 A 192.168.1.10 | printer.lan 60 AAAA "
     "fd000000000000000000000000000009"},
    {"an alias is followed inside", "alias.lan", TYPE_AAAA,
     "NOERROR | alias.lan 3600 CNAME chain.lan | chain.lan 3600 CNAME printer.lan | printer.lan 60 AAAA "
     "fd000000000000000000000000000009"},
    {"a query for the CNAME itself", "alias.lan", TYPE_CNAME, "NOERROR | alias.lan 3600 CNAME chain.lan"},
    {"an alias to a public name", "out.lan", TYPE_A, "NOERROR | out.lan 3600 CNAME www.example.com"},
    {"RFC 3597, 5: unknown types", "odd.lan", 65280, "NOERROR | odd.lan 3600 TYPE65280 010203"},
    {"a sibling of local data is forwarded", "scanner.lan", TYPE_A, NULL},
    {"a local zone: a missing name", "x.corp.example", TYPE_A, "NXDOMAIN ! corp.example 900 SOA"},
    {"a local zone: an empty non-terminal", "b.corp.example", TYPE_A, "NOERROR ! corp.example 900 SOA"},
    {"a local zone: its SOA", "corp.example", TYPE_SOA, "NOERROR | corp.example 900 SOA"},
    {"a local zone: an existing name", "A.b.Corp.example", TYPE_A,
     "NOERROR | a.b.corp.example 3600 A 10.0.0.1"},
    {"local data before the private reverse zones", "9.1.168.192.in-addr.arpa", TYPE_PTR,
     "NOERROR | 9.1.168.192.in-addr.arpa 3600 PTR printer.lan"},
    {"a duplicate record is returned once", "twice.lan", TYPE_A, "NOERROR | twice.lan 3600 A 192.0.2.1"},

    {"hosts: an address", "server.example", TYPE_A,
     "NOERROR | server.example 60 A 10.1.2.3 | server.example 60 A 10.1.2.4"},
    {"hosts: any case; a single label", "MYHOST", TYPE_A, "NOERROR | myhost 60 A 127.0.1.1"},
    {"hosts: no address of this family", "server.example", TYPE_AAAA, "NOERROR ! server.example 60 SOA"},
    {"hosts: HTTPS is NODATA", "server.example", TYPE_HTTPS, "NOERROR ! server.example 60 SOA"},
    {"hosts: no other type; RFC 2308, 2.2", "server.example", 15, "NOERROR ! server.example 60 SOA"},
    {"hosts: IPv6", "six.example", TYPE_AAAA,
     "NOERROR | six.example 60 AAAA 20010db8000000000000000000000005"},
    {"hosts: reverse lookup, the first name", "3.2.1.10.in-addr.arpa", TYPE_PTR,
     "NOERROR | 3.2.1.10.in-addr.arpa 60 PTR server.example"},
    {"hosts: reverse lookup, IPv6", "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
     TYPE_PTR,
     "NOERROR | 5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa 60 PTR six.example"},
    {"hosts: text after a comment sign is ignored", "hidden.example", TYPE_A, NULL},
    {"hosts: a scoped address is ignored", "scoped.example", TYPE_A, NULL},
    {"hosts: a bad name leaves the others of its line", "good.example", TYPE_A,
     "NOERROR | good.example 60 A 10.1.2.6"},
    {"hosts: a name in another script", "xn--bcher-kva.example", TYPE_A,
     "NOERROR | xn--bcher-kva.example 60 A 10.1.2.7"},
    {"hosts: the last line without its end", "blocked.example", TYPE_A,
     "NOERROR | blocked.example 60 A 0.0.0.0"},

    {"C33: localhost; RFC 6761, 6.3", "localhost", TYPE_A, "NOERROR | localhost 10800 A 127.0.0.1"},
    {"C33: localhost by IPv6", "localhost", TYPE_AAAA, "NOERROR | localhost 10800 AAAA " LOOPBACK6},
    {"C33: below localhost", "x.y.LocalHost", TYPE_A, "NOERROR | x.y.localhost 10800 A 127.0.0.1"},
    {"C33: another type of localhost", "localhost", 15, "NOERROR ! localhost 10800 SOA"},
    {"C33: invalid; RFC 6761, 6.4", "www.invalid", TYPE_A, "NXDOMAIN ! invalid 10800 SOA"},
    {"C33: invalid itself", "invalid", TYPE_NS, "NXDOMAIN ! invalid 10800 SOA"},
    {"RFC 6761, 6.2: test", "www.test", TYPE_A, "NXDOMAIN ! test 10800 SOA"},
    {"RFC 6761, 6.5: example has no rule here", "www.example", TYPE_A, NULL},
    {"C33: local; RFC 6762, 22.1", "printer.local", TYPE_A, "NXDOMAIN ! local 10800 SOA"},
    {"C33: onion; RFC 7686, 2", "abc.onion", TYPE_AAAA, "NXDOMAIN ! onion 10800 SOA"},
    {"C33: alt; RFC 9476", "abc.alt", 65280, "NXDOMAIN ! alt 10800 SOA"},
    {"a longer label is another name", "www.notlocal", 15, NULL},
    {"local in the middle is another name", "local.example.com", TYPE_A, NULL},
    {"C33: home.arpa; RFC 8375, 4", "router.home.arpa", TYPE_A, "NXDOMAIN ! home.arpa 10800 SOA"},
    {"home.arpa itself", "home.arpa", TYPE_A, "NOERROR ! home.arpa 10800 SOA"},
    {"RFC 8375, 4: the DS of home.arpa is its parent's", "home.arpa", TYPE_DS, NULL},
    {"C33: resolver.arpa; RFC 9462, 6.1", "_dns.resolver.arpa", TYPE_SVCB,
     "NOERROR ! resolver.arpa 10800 SOA"},
    {"C33: service.arpa; RFC 9665, 10.2", "_matter._tcp.default.service.arpa", TYPE_PTR,
     "NXDOMAIN ! service.arpa 10800 SOA"},
    {"service.arpa itself", "service.arpa", TYPE_NS, "NOERROR | service.arpa 10800 NS service.arpa"},
    {"other names under arpa are forwarded", "1.1.1.1.in-addr.arpa", TYPE_PTR, NULL},
    {"arpa itself", "arpa", TYPE_NS, NULL},
    {"C33: RFC 6303, 4.1: 10/8", "1.2.3.10.in-addr.arpa", TYPE_PTR, "NXDOMAIN ! 10.in-addr.arpa 10800 SOA"},
    {"RFC 6303, 3: SOA at the apex", "10.in-addr.arpa", TYPE_SOA, "NOERROR | 10.in-addr.arpa 10800 SOA"},
    {"RFC 6303, 3: NS at the apex", "10.in-addr.arpa", TYPE_NS,
     "NOERROR | 10.in-addr.arpa 10800 NS 10.in-addr.arpa"},
    {"RFC 6303, 4.1: 172.16/12 begins", "1.16.172.in-addr.arpa", TYPE_PTR,
     "NXDOMAIN ! 16.172.in-addr.arpa 10800 SOA"},
    {"RFC 6303, 4.1: 172.16/12 ends", "1.31.172.in-addr.arpa", TYPE_PTR,
     "NXDOMAIN ! 31.172.in-addr.arpa 10800 SOA"},
    {"172.15 is public", "1.15.172.in-addr.arpa", TYPE_PTR, NULL},
    {"172.32 is public", "1.32.172.in-addr.arpa", TYPE_PTR, NULL},
    {"RFC 6303, 4.1: 192.168/16", "7.1.168.192.in-addr.arpa", TYPE_PTR,
     "NXDOMAIN ! 168.192.in-addr.arpa 10800 SOA"},
    {"RFC 6303, 4.2: 169.254/16", "1.1.254.169.in-addr.arpa", TYPE_PTR,
     "NXDOMAIN ! 254.169.in-addr.arpa 10800 SOA"},
    {"RFC 6303, 4.2: broadcast", "255.255.255.255.in-addr.arpa", TYPE_PTR,
     "NOERROR ! 255.255.255.255.in-addr.arpa 10800 SOA"},
    {"RFC 7793: 100.64/10", "1.1.127.100.in-addr.arpa", TYPE_PTR,
     "NXDOMAIN ! 127.100.in-addr.arpa 10800 SOA"},
    {"100.63 is public", "1.1.63.100.in-addr.arpa", TYPE_PTR, NULL},
    {"RFC 6303, 4.4: unique local IPv6", "1.d.f.ip6.arpa", TYPE_PTR, "NXDOMAIN ! d.f.ip6.arpa 10800 SOA"},
    {"RFC 6303, 4.5: link-local IPv6", "1.b.e.f.ip6.arpa", TYPE_PTR, "NXDOMAIN ! b.e.f.ip6.arpa 10800 SOA"},
    {"RFC 6303, 4.6: documentation", "1.8.b.d.0.1.0.0.2.ip6.arpa", TYPE_PTR,
     "NXDOMAIN ! 8.b.d.0.1.0.0.2.ip6.arpa 10800 SOA"},
    {"loopback backwards", "1.0.0.127.in-addr.arpa", TYPE_PTR,
     "NOERROR | 1.0.0.127.in-addr.arpa 60 PTR localhost"},
    {"loopback reverse lookup, no such address", "2.0.0.127.in-addr.arpa", TYPE_PTR,
     "NXDOMAIN ! 127.in-addr.arpa 10800 SOA"},
    {"RFC 4035, 3.1.4.1: the DS of 127.in-addr.arpa is its parent's", "127.in-addr.arpa", TYPE_DS, NULL},
    {"loopback reverse lookup, an empty non-terminal", "0.0.127.in-addr.arpa", TYPE_PTR, "NOERROR ! 127.in-addr.arpa 10800 SOA"},
    {"loopback reverse lookup, another type", "1.0.0.127.in-addr.arpa", TYPE_A,
     "NOERROR ! 1.0.0.127.in-addr.arpa 60 SOA"},
    {"loopback reverse lookup, IPv6, another type", V6_ONE, TYPE_A, "NOERROR ! " V6_ONE " 60 SOA"},

    {"C33: a single label", "printer", TYPE_A, "NOERROR ! printer 60 SOA"},
    {"C33: a single label by AAAA", "printer", TYPE_AAAA, "NOERROR ! printer 60 SOA"},
    {"a top-level domain is forwarded", "com", TYPE_NS, NULL},
    {"the root is forwarded", ".", TYPE_NS, NULL},
    {"ANY of a name that is not local: the filter decides first", "www.example.com", TYPE_ANY, NULL},
    {"any other name is forwarded", "www.example.com", TYPE_A, NULL},
};

static void
local_names_are_answered(void **state)
{
	struct config_errors errors = {0};
	struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX), text = buf_max(MSG_MAX);
	struct local_data *l;
	struct hosts *h;

	(void)state;
	assert_int_equal(compile(&l, data, sizeof data / sizeof *data, &errors), RES_OK);
	assert_int_equal(hosts_new(&h, ""), RES_OK);
	assert_int_equal(hosts_read(h, span_str(hosts_text)), RES_OK);
	assert_int_equal(hosts_bad(h), 4);
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct msg_question q;
		const char *got;

		wire_question(&b, &q, answers[i].name, answers[i].type);
		buf_clear(&out);
		if (is_answered(l, h, &q, false, &out) != (answers[i].answer != NULL))
			fail_msg("%s: answered although it must not be, or not answered", answers[i].what);
		if (answers[i].answer == NULL)
			continue;
		got = wire_text(&text, buf_span(&out));
		if (strcmp(got, answers[i].answer) != 0)
			fail_msg("%s: %s", answers[i].what, got);
	}
	local_data_free(l);
	hosts_free(h);
	buf_free(&text);
	buf_free(&out);
	buf_free(&b);
}

/* U10: a loop of aliases is answered as it is, with at most sixteen records. */
static void
a_loop_of_aliases_ends(void **state)
{
	struct config_errors errors = {0};
	struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX);
	static uint16_t ttl_at[MSG_RRS_MAX];
	struct local_data *l;
	struct msg_question q;
	struct msg_answer a;
	struct hosts *h;

	(void)state;
	assert_int_equal(compile(&l, data, sizeof data / sizeof *data, &errors), RES_OK);
	assert_int_equal(hosts_new(&h, NULL), RES_OK);
	wire_question(&b, &q, "loop1.lan", TYPE_A);
	assert_true(is_answered(l, h, &q, false, &out));
	assert_int_equal(msg_answer_read(&a, buf_span(&out), ttl_at), RES_OK);
	assert_int_equal(a.an, LOCAL_ALIASES_MAX + 1);
	local_data_free(l);
	hosts_free(h);
	buf_free(&out);
	buf_free(&b);
}

static void
a_forward_overrides_the_special_names(void **state)
{
	static const struct {
		const char *what;
		const char *name;
		uint16_t type;
		bool ours;
	} rows[] = {
	    {"an organisation's own reverse zone", "1.2.3.10.in-addr.arpa", TYPE_PTR, false},
	    {"an organisation's own home.arpa", "router.home.arpa", TYPE_A, false},
	    {"an organisation's own top-level domain", "corp", TYPE_A, false},
	    {"localhost is never forwarded; RFC 6761, 6.3", "www.localhost", TYPE_A, true},
	    {"local data still come first", "printer.lan", TYPE_A, true},
	};
	struct config_errors errors = {0};
	struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX);
	struct local_data *l;
	struct hosts *h;

	(void)state;
	assert_int_equal(compile(&l, data, sizeof data / sizeof *data, &errors), RES_OK);
	assert_int_equal(hosts_new(&h, NULL), RES_OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct msg_question q;

		wire_question(&b, &q, rows[i].name, rows[i].type);
		buf_clear(&out);
		if (is_answered(l, h, &q, true, &out) != rows[i].ours)
			fail_msg("%s", rows[i].what);
	}
	local_data_free(l);
	hosts_free(h);
	buf_free(&out);
	buf_free(&b);
}

static void
any_is_answered_small(void **state)
{
	struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX), text = buf_max(MSG_MAX);
	struct msg_question q;

	(void)state;
	wire_question(&b, &q, "www.example.com", TYPE_ANY);
	local_any(&q, &out); /* C18; RFC 8482, 4.2 */
	assert_string_equal(wire_text(&text, buf_span(&out)),
			    "NOERROR | www.example.com 3600 HINFO 075246433834383200");
	buf_free(&text);
	buf_free(&out);
	buf_free(&b);
}

static const struct {
	const char *what;
	const char *record;
} bad_data[] = {
    {"an empty string", ""},
    {"a comment", "; nothing"},
    {"no type", "a.lan."},
    {"an invalid address", "a.lan. A 1.2.3"},
    {"another class", "a.lan. CH A 1.2.3.4"},
    {"a label too long",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.lan. A 1.2.3.4"},
    {"an A of three bytes by its number", "a.lan. TYPE1 \\# 3 010203"},
    {"a meta type by its number", "a.lan. TYPE255 \\# 0"},
    {"NXNAME by its number; RFC 9824, 3.5", "a.lan. TYPE128 \\# 0"},
    {"an address instead of a type", "printer.lan. IN 10.0.0.9"},
    {"an address instead of a type, after a TTL", "printer.lan. 60 10.0.0.9"},
    {"an unknown type", "printer.lan. IN bogus"},
    {"type 0", "a.lan. TYPE0 \\# 0"},
    {"a directive", "$ORIGIN lan."},
    {"a TTL with its top bit; RFC 2181, 8", "a.lan. 2147483648 A 1.2.3.4"},
    {"a TTL that 32 bits cannot hold", "a.lan. 99999999999 A 1.2.3.4"},
    {"a TTL that becomes 0 in 32 bits", "a.lan. 4294967296 A 1.2.3.4"},
    {"a TTL that becomes 1904 in 32 bits", "a.lan. 1193047h A 1.2.3.4"},
    {"a TTL whose parts together are too long", "a.lan. 2147483647s1m A 1.2.3.4"},
};

static void
bad_local_data_are_shown_with_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad_data / sizeof *bad_data; i++) {
		const char *v[] = {"good.lan. A 10.0.0.1", bad_data[i].record};
		struct config_errors errors = {0};
		struct local_data *l = NULL;

		if (compile(&l, v, 2, &errors) != RES_MALFORMED || l != NULL || errors.n != 1 ||
		    strncmp(errors.line[0], "a.conf:2: local.data: ", 22) != 0)
			fail_msg("%s: %s", bad_data[i].what, errors.n == 0 ? "no error" : errors.line[0]);
		config_errors_free(&errors);
	}
}

static void
a_zone_has_one_soa(void **state)
{
	const char *v[] = {"lan. SOA a. b. 1 2 3 4 5", "lan. SOA a. b. 1 2 3 4 5", "lan. SOA a. b. 2 2 3 4 5"};
	struct config_errors errors = {0};
	struct local_data *l = NULL;

	(void)state;
	assert_int_equal(compile(&l, v, 2, &errors), RES_OK); /* the same SOA twice */
	local_data_free(l);
	l = NULL;
	assert_int_equal(compile(&l, v, 3, &errors), RES_MALFORMED);
	assert_null(l);
	assert_int_equal(errors.n, 1);
	config_errors_free(&errors);
}

static void
an_alias_stands_alone(void **state)
{
	const char *v[] = {"a.lan. A 10.0.0.1", "a.lan. CNAME b.lan."};
	struct config_errors errors = {0};
	struct local_data *l = NULL;

	(void)state;
	assert_int_equal(compile(&l, v, 2, &errors), RES_MALFORMED);
	assert_int_equal(errors.n, 1);
	assert_string_equal(
	    errors.line[0],
	    "a.conf:2: local.data: a CNAME and another record of one name, expected it alone");
	config_errors_free(&errors);
}

/* RFC 6761, 6.2: names below test are for testing; they go to resolvers of this machine or network only. */
static void
test_names_stay_off_public_resolvers(void **state)
{
	static const struct {
		const char *what;
		const char *address[3]; /* one upstream each */
		bool sent;
	} rows[] = {
	    {"a public resolver", {"1.1.1.1:853"}, false},
	    {"a public resolver over IPv6", {"[2606:4700:4700::1111]:853"}, false},
	    {"a loopback address", {"127.0.0.1:853"}, true},
	    {"another loopback address", {"127.0.33.1:853"}, true},
	    {"the loopback address of IPv6", {"[::1]:853"}, true},
	    {"RFC 1918", {"10.99.0.2:853"}, true},
	    {"RFC 1918, 192.168", {"192.168.1.1:853"}, true},
	    {"RFC 4193", {"[fd00::53]:853"}, true},
	    {"two private addresses", {"127.0.0.1:853", "10.0.0.53:853"}, true},
	    {"a private and a public one", {"10.0.0.53:853", "9.9.9.9:853"}, false},
	    {"a public and a private one", {"9.9.9.9:853", "10.0.0.53:853"}, false},
	    {"no upstream", {NULL}, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct upstream_settings upstreams[3] = {{.protocol = TP_DOT}};
		struct addr addresses[3];
		struct settings settings = {.upstream = upstreams};
		struct config_errors errors = {0};
		struct local_data *l = NULL;
		struct msg_question q;
		struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX);
		struct hosts *h = NULL;

		for (size_t n = 0; n < 3 && rows[i].address[n] != NULL; n++) {
			assert_int_equal(addr_read(&addresses[n], rows[i].address[n], 853), RES_OK);
			upstreams[n].address = (struct addrs){&addresses[n], 1};
			settings.n_upstream = n + 1;
		}
		assert_int_equal(local_data_compile(&l, &settings, &errors), RES_OK);
		assert_int_equal(hosts_new(&h, NULL), RES_OK);
		wire_question(&b, &q, "foo.test", TYPE_A);
		if (is_answered(l, h, &q, false, &out) != !rows[i].sent)
			fail_msg("%s", rows[i].what);
		local_data_free(l);
		hosts_free(h);
		buf_free(&b);
		buf_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names_stay_off_public_resolvers),
	    cmocka_unit_test(local_names_are_answered),
	    cmocka_unit_test(a_loop_of_aliases_ends),
	    cmocka_unit_test(a_forward_overrides_the_special_names),
	    cmocka_unit_test(any_is_answered_small),
	    cmocka_unit_test(bad_local_data_are_shown_with_their_place),
	    cmocka_unit_test(a_zone_has_one_soa),
	    cmocka_unit_test(an_alias_stands_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
