/* How the addresses of the network's own resolver are found. */
#include "contrib/portal/resolvers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW INT64_C(1795860000000) /* 2026-11-28T10:00:00Z */
#define LINKS                                                                                                \
	"00000000000000000000000000000001 01 80 10 80       lo\n"                                            \
	"fe800000000000000000000000000001 04 40 20 80     eth0\n"                                            \
	"fd000000000000000000000000000002 04 40 00 82     eth0\n"                                            \
	"fe800000000000000000000000000002 1b3 40 20 80    wlan0\n"                                           \
	"fe800000000000000000000000000003 zz 40 20 80    broken0\nshort\n"

static const struct {
	const char *what;
	enum resolvers_form form;
	const char *text, *want;
} texts[] = {
    {"one", RESOLVERS_RESOLV_CONF, "# NetworkManager\nsearch lan\nnameserver 192.0.2.1\n", "192.0.2.1"},
    {"two kinds", RESOLVERS_RESOLV_CONF, "nameserver 192.0.2.1\nnameserver 2001:db8::1\n", "192.0.2.1 2001:db8::1"},
    {"no end of line", RESOLVERS_RESOLV_CONF, "nameserver\t192.0.2.1", "192.0.2.1"},
    {"three at most", RESOLVERS_RESOLV_CONF,
     "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n",
     "192.0.2.1 192.0.2.2 192.0.2.3"},
    {"the same twice", RESOLVERS_RESOLV_CONF, "nameserver 192.0.2.1\nnameserver 192.0.2.1\n", "192.0.2.1"},
    {"addresses of this machine", RESOLVERS_RESOLV_CONF, "nameserver 127.0.0.1\nnameserver ::1\nnameserver 127.0.0.53\n", ""},
    {"unspecified, broadcast and multicast addresses", RESOLVERS_RESOLV_CONF,
     "nameserver 0.0.0.0\nnameserver ::\nnameserver 255.255.255.255\nnameserver 224.0.0.251\nnameserver ff02::fb\n", ""},
    {"a link-local address", RESOLVERS_RESOLV_CONF, "nameserver fe80::1%eth0\nnameserver 192.0.2.1\n", "fe80::1%4 192.0.2.1"},
    {"a link-local address, on a link whose index has three digits", RESOLVERS_RESOLV_CONF, "nameserver fe80::1%wlan0\n", "fe80::1%435"},
    {"a link-local address, with the index of its link", RESOLVERS_RESOLV_CONF, "nameserver fe80::1%21\n", "fe80::1%21"},
    {"link-local addresses on two links", RESOLVERS_RESOLV_CONF, "nameserver fe80::1%eth0\nnameserver fe80::1%wlan0\nnameserver fe80::1%4\n",
     "fe80::1%4 fe80::1%435"},
    {"link-local addresses without a link, or with one that does not exist", RESOLVERS_RESOLV_CONF,
     "nameserver fe80::1\nnameserver fe80::1%\nnameserver fe80::1%eth1\nnameserver fe80::1%eth\nnameserver fe80::1%broken0\n"
     "nameserver fe80::1%0\nnameserver fe80::1%-4\nnameserver fe80::1%2147483648\nnameserver fe80::1%4294967300\n"
     "nameserver fe80::1%eth0%eth0\n",
     ""},
    {"a zone where none belongs", RESOLVERS_RESOLV_CONF,
     "nameserver 192.0.2.1%eth0\nnameserver 2001:db8::1%eth0\nnameserver ::1%lo\nnameserver ff02::fb%eth0\nnameserver %eth0\n", ""},
    {"not at the start of a line", RESOLVERS_RESOLV_CONF, "#nameserver 192.0.2.1\noptions nameserver 192.0.2.2\n", ""},
    {"a name, a port, a mapped address", RESOLVERS_RESOLV_CONF,
     "nameserver dns.test\nnameserver 192.0.2.1:53\nnameserver ::ffff:192.0.2.1\n", ""},
    {"nothing", RESOLVERS_RESOLV_CONF, "", ""},
    {"systemd-networkd", RESOLVERS_NETWORKD,
     "ADDRESS=192.0.2.50\nROUTER=192.0.2.1\nDNS=192.0.2.2 192.0.2.3\nNTP=192.0.2.9\n", "192.0.2.2 192.0.2.3"},
    {"systemd-networkd without one", RESOLVERS_NETWORKD, "ADDRESS=192.0.2.50\nDNS=\n", ""},
    {"dhclient", RESOLVERS_DHCLIENT,
     "lease {\n  interface \"eth0\";\n  option routers 192.0.2.1;\n  option domain-name-servers 192.0.2.2,192.0.2.3;\n"
     "  expire 6 2026/11/28 10:00:01;\n}\n",
     "192.0.2.2 192.0.2.3"},
    {"dhclient: the last lease counts", RESOLVERS_DHCLIENT,
     "lease {\n  option domain-name-servers 192.0.2.2;\n  expire 6 2026/11/29 10:00:00;\n}\n"
     "lease {\n  option domain-name-servers 192.0.2.7;\n  expire 6 2026/11/29 10:00:00;\n}\n",
     "192.0.2.7"},
    {"dhclient: the last lease names none", RESOLVERS_DHCLIENT,
     "lease {\n  option domain-name-servers 192.0.2.2;\n  expire 6 2026/11/29 10:00:00;\n}\nlease {\n}\n", ""},
    {"dhclient: expired", RESOLVERS_DHCLIENT,
     "lease {\n  option domain-name-servers 192.0.2.2;\n  expire 6 2026/11/28 10:00:00;\n}\n", ""},
    {"dhclient: for ever", RESOLVERS_DHCLIENT, "lease {\n  option domain-name-servers 192.0.2.2;\n  expire never;\n}\n",
     "192.0.2.2"},
    {"dhclient over IPv6", RESOLVERS_DHCLIENT, "lease6 {\n  option dhcp6.name-servers 2001:db8::1;\n}\n", "2001:db8::1"},
    {"dhclient: the link is that of the lease", RESOLVERS_DHCLIENT,
     "lease6 {\n  interface \"wlan0\";\n  option dhcp6.name-servers fe80::1,2001:db8::1;\n}\n", "fe80::1%435 2001:db8::1"},
    {"dhclient: and not that of the lease before", RESOLVERS_DHCLIENT,
     "lease6 {\n  interface \"wlan0\";\n}\nlease6 {\n  option dhcp6.name-servers fe80::1;\n}\n", ""},
    {"dhclient: odd names of links", RESOLVERS_DHCLIENT,
     "lease6 {\n  interface \"\";\n  interface \";\n  interface;\n  option dhcp6.name-servers fe80::1;\n}\n", ""},
};

static const char *
shown(const struct resolvers *r, struct buf *b)
{
	char text[RESOLVER_TEXT_MAX];

	for (size_t i = 0; i < r->n; i++) {
		assert_int_equal(r->v[i].addr.port, 53);
		buf_format(b, "%s%s", i > 0 ? " " : "", resolver_text(&r->v[i], text));
	}
	return b->n == 0 ? "" : buf_cstr(b);
}

static void
every_form_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct resolvers r = {.n = 0};
		struct buf b = buf_max(1024);

		resolvers_read(&r, texts[i].form, span_str(texts[i].text), span_str(LINKS), NOW);
		if (strcmp(shown(&r, &b), texts[i].want) != 0)
			fail_msg("%s: %s", texts[i].what, shown(&r, &b));
		buf_free(&b);
	}
}

/* ---- files; root is a folder of the test's own */

static void
file_make(const char *root, const char *path, const char *text)
{
	char full[512];
	FILE *f;

	(void)snprintf(full, sizeof full, "%s%s", root, path);
	for (char *slash = strchr(full + strlen(root) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(full, 0755);
		*slash = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	(void)fputs(text, f);
	(void)fclose(f);
}

static void
root_want(const char *what, const char *root, const char *want)
{
	struct resolvers r;
	struct buf b = buf_max(1024);

	resolvers_find(&r, root, NOW);
	if (strcmp(shown(&r, &b), want) != 0)
		fail_msg("%s: %s, not %s", what, shown(&r, &b), want);
	buf_free(&b);
}

/* From the last source to the first: each new one goes before those that are there. */
static void
the_first_source_that_names_one_counts(void **state)
{
	char root[] = "/tmp/resolvers-XXXXXX", command[128];

	(void)state;
	assert_non_null(mkdtemp(root));
	root_want("no source", root, "");
	file_make(root, "/etc/resolv.conf", "nameserver 192.0.2.99\n");
	root_want("resolv.conf is never read", root, "");
	file_make(root, "/var/lib/dhcp/dhclient.eth0.leases", "lease {\n option domain-name-servers 192.0.2.1;\n}\n");
	file_make(root, "/var/lib/dhcp/dhcpd.leases", "lease {\n option domain-name-servers 192.0.2.66;\n}\n");
	root_want("dhclient", root, "192.0.2.1");
	file_make(root, "/run/resolvconf/interface/eth0.dhcp", "nameserver 192.0.2.2\n");
	root_want("resolvconf", root, "192.0.2.2");
	file_make(root, "/run/dhcpcd/hook-state/resolv.conf/eth0.dhcp", "nameserver 192.0.2.3\n");
	root_want("dhcpcd", root, "192.0.2.3");
	file_make(root, "/run/systemd/resolve/resolv.conf", "nameserver 192.0.2.4\n");
	root_want("systemd-resolved", root, "192.0.2.4");
	file_make(root, "/run/systemd/netif/leases/2", "DNS=192.0.2.5\n");
	root_want("systemd-networkd", root, "192.0.2.5");
	file_make(root, "/run/NetworkManager/resolv.conf", "nameserver 127.0.0.53\n");
	root_want("NetworkManager names this machine", root, "192.0.2.5");
	file_make(root, "/run/NetworkManager/resolv.conf", "nameserver 192.0.2.6\n");
	root_want("NetworkManager", root, "192.0.2.6");
	file_make(root, "/run/NetworkManager/no-stub-resolv.conf", "nameserver 192.0.2.7\n");
	root_want("NetworkManager with a stub", root, "192.0.2.7");
	file_make(root, "/run/NetworkManager/no-stub-resolv.conf", "nameserver fe80::1%wlan0\n");
	root_want("a link-local address, and no table of links", root, "192.0.2.6");
	file_make(root, "/proc/self/net/if_inet6", LINKS);
	root_want("a link", root, "fe80::1%435");
	(void)snprintf(command, sizeof command, "rm -rf %s", root);
	assert_int_equal(system(command), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_form_is_read),
	    cmocka_unit_test(the_first_source_that_names_one_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
