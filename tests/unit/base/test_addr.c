#include "base/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct read_row {
	const char *what, *text;
	bool ok;
	const char *back; /* addr_text of what was read */
};

static const struct read_row read_rows[] = {
    {"an IPv4 address takes the default port", "192.0.2.1", true, "192.0.2.1:853"},
    {"an IPv4 address with a port", "192.0.2.1:53", true, "192.0.2.1:53"},
    {"an IPv6 address without brackets has no port", "2001:db8::1", true, "[2001:db8::1]:853"},
    {"an IPv6 address in brackets", "[2001:db8::1]", true, "[2001:db8::1]:853"},
    {"an IPv6 address in brackets with a port", "[::1]:5300", true, "[::1]:5300"},
    {"G02: port 0 is not a port", "192.0.2.1:0", false, NULL},
    {"G02: port 65536 is too large", "192.0.2.1:65536", false, NULL},
    {"G02: a port with letters", "192.0.2.1:853x", false, NULL},
    {"a port with a leading zero", "192.0.2.1:0853", false, NULL},
    {"an empty port", "192.0.2.1:", false, NULL},
    {"G02: an IPv6 address with a zone", "fe80::1%eth0", false, NULL},
    {"G02: an IPv4-mapped IPv6 address", "::ffff:192.0.2.1", false, NULL},
    {"an IPv4 address in brackets", "[192.0.2.1]:53", false, NULL},
    {"a bracket that is not closed", "[::1:53", false, NULL},
    {"text after the bracket", "[::1]53", false, NULL},
    {"a name", "localhost", false, NULL},
    {"an octet too many", "192.0.2.1.5", false, NULL},
    {"octal is not read", "192.0.02.1", false, NULL},
    {"nothing", "", false, NULL},
};

static void
addresses_are_read(void **state)
{
	char text[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof read_rows / sizeof *read_rows; i++) {
		const struct read_row *row = &read_rows[i];
		struct addr a = {0};
		bool ok = addr_read(&a, row->text, 853) == RES_OK;

		if (ok != row->ok)
			fail_msg("%s: %s", row->what, row->text);
		if (ok)
			assert_string_equal(addr_text(&a, text), row->back);
	}
}

struct private_row {
	const char *text;
	bool is_private;
};

static const struct private_row private_rows[] = {
    {"10.0.0.1", true}, {"172.16.0.1", true}, {"172.32.0.1", false}, {"192.168.1.1", true}, {"127.0.0.53", true},
    {"169.254.1.1", true}, {"100.64.0.1", true}, {"100.128.0.1", false}, {"0.0.0.0", true}, {"1.1.1.1", false},
    {"::", true}, {"::1", true}, {"fc00::1", true}, {"fdff::1", true}, {"fe00::1", false}, {"fe80::1", true},
    {"febf::1", true}, {"fec0::2", true}, {"feff::1", true}, {"ff00::1", false}, {"64:ff9b::a00:1", true}, {"64:ff9b::101:101", false},
    {"64:ff9b:1::101:101", true}, {"64:ff9b:2::101:101", false}, {"::10.0.0.1", true}, {"::1.1.1.1", false}, {"2606:4700:4700::1111", false},
};

static void
private_addresses_are_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof private_rows / sizeof *private_rows; i++) {
		struct addr a;

		assert_int_equal(addr_read_ip(&a, private_rows[i].text), RES_OK);
		if (addr_is_private(&a) != private_rows[i].is_private)
			fail_msg("%s", private_rows[i].text);
	}
}

static void
link_local_addresses_are_those_of_ipv6(void **state)
{
	static const struct {
		const char *text;
		bool is_link_local;
	} rows[] = {{"fe80::1", true},  {"febf:ffff::1", true}, {"fe7f::1", false},    {"fec0::1", false},
		    {"fd80::1", false}, {"::1", false},		{"169.254.1.1", false}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct addr a;

		assert_int_equal(addr_read_ip(&a, rows[i].text), RES_OK);
		if (addr_is_link_local(&a) != rows[i].is_link_local)
			fail_msg("%s", rows[i].text);
	}
}

static void
a_mapped_private_address_is_private(void **state)
{
	struct addr a = {.family = ADDR_V6, .ip = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}};

	(void)state;
	assert_true(addr_is_private(&a));
	a.ip[12] = 8;
	assert_false(addr_is_private(&a));
}

/* A Unix socket's peer, for example; the caller's address stays as it was. */
static void
a_sockaddr_of_another_family_is_none(void **state)
{
	static const sa_family_t families[] = {AF_UNSPEC, AF_UNIX, AF_NETLINK, AF_PACKET};
	struct addr a, was;

	(void)state;
	assert_int_equal(addr_read(&was, "192.0.2.1:853", 0), RES_OK);
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		struct sockaddr_storage ss = {.ss_family = families[i]};

		a = was;
		assert_int_equal(addr_from_sockaddr(&a, (struct sockaddr *)&ss), RES_UNSUPPORTED);
		assert_true(addr_equal(&a, &was));
	}
}

static void
sockaddrs_go_both_ways(void **state)
{
	static const char *const texts[] = {"192.0.2.7:53", "[2001:db8::7]:853"};
	char text[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct addr a, b;
		struct sockaddr_storage ss;

		assert_int_equal(addr_read(&a, texts[i], 0), RES_OK);
		assert_int_equal(addr_to_sockaddr(&a, &ss), i == 0 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		assert_int_equal(addr_from_sockaddr(&b, (struct sockaddr *)&ss), RES_OK);
		assert_true(addr_equal(&a, &b));
		assert_string_equal(addr_text(&b, text), texts[i]);
	}
}

struct prefix_row {
	const char *prefix, *inside, *outside; /* NULL inside: malformed */
};

static const struct prefix_row prefix_rows[] = {
    {"10.0.0.0/8", "10.255.0.1", "11.0.0.1"},
    {"192.0.2.128/25", "192.0.2.200", "192.0.2.127"},
    {"0.0.0.0/0", "8.8.8.8", "::1"},
    {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"},
    {"192.0.2.1/32", "192.0.2.1", "192.0.2.2"},
    {"192.0.2.1/24", NULL, NULL},
    {"192.0.2.0/33", NULL, NULL},
    {"192.0.2.0/", NULL, NULL},
    {"192.0.2.0", NULL, NULL},
    {"2001:db8::/-1", NULL, NULL},
};

static void
prefixes_contain_their_addresses_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof prefix_rows / sizeof *prefix_rows; i++) {
		const struct prefix_row *row = &prefix_rows[i];
		struct prefix p;
		struct addr a;

		assert_int_equal(prefix_read(&p, row->prefix) == RES_OK, row->inside != NULL);
		if (row->inside == NULL)
			continue;
		assert_int_equal(addr_read_ip(&a, row->inside), RES_OK);
		assert_true(prefix_has(&p, &a));
		assert_int_equal(addr_read_ip(&a, row->outside), RES_OK);
		assert_false(prefix_has(&p, &a));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_are_read),
	    cmocka_unit_test(private_addresses_are_known),
	    cmocka_unit_test(link_local_addresses_are_those_of_ipv6),
	    cmocka_unit_test(a_mapped_private_address_is_private),
	    cmocka_unit_test(sockaddrs_go_both_ways),
	    cmocka_unit_test(a_sockaddr_of_another_family_is_none),
	    cmocka_unit_test(prefixes_contain_their_addresses_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
