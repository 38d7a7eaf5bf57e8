#include "config.h"

#include "resolver/daemon/network.h"

#include "base/addr.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop *loop;
static struct {
	_Alignas(struct nlmsghdr) uint8_t bytes[512];
	size_t n;
} message;

/* In place of the C library's. The real socket has the answer to the first question, so it is ready. */
static unsigned overflows, asked;

ssize_t
recvmsg(int fd, struct msghdr *m, int flags)
{
	(void)fd;
	(void)m;
	(void)flags;
	errno = overflows > 0 ? ENOBUFS : EAGAIN;
	if (overflows > 0)
		overflows--;
	else
		loop_stop(loop);
	return -1;
}

ssize_t
send(int fd, const void *bytes, size_t n, int flags)
{
	asked++;
	return syscall(SYS_sendto, fd, bytes, n, flags, NULL, 0);
}

static void
put_attribute(unsigned short type, const void *value, size_t n)
{
	struct rtattr a = {.rta_len = (unsigned short)RTA_LENGTH(n), .rta_type = type};

	memcpy(message.bytes + message.n, &a, sizeof a);
	memcpy(message.bytes + message.n + RTA_LENGTH(0), value, n);
	message.n += RTA_SPACE(n);
	((struct nlmsghdr *)(void *)message.bytes)->nlmsg_len = (uint32_t)message.n;
}

static void
route_make(uint16_t type, uint8_t bits, uint8_t table, uint32_t interface, const char *gateway)
{
	struct nlmsghdr h = {.nlmsg_type = type};
	struct rtmsg m = {.rtm_family = AF_INET, .rtm_dst_len = bits, .rtm_table = table, .rtm_type = RTN_UNICAST};
	struct addr a;

	memset(&message, 0, sizeof message);
	memcpy(message.bytes, &h, sizeof h);
	memcpy(message.bytes + NLMSG_LENGTH(0), &m, sizeof m);
	message.n = NLMSG_LENGTH(sizeof m);
	put_attribute(RTA_OIF, &interface, sizeof interface);
	assert_int_equal(addr_read_ip(&a, gateway), RES_OK);
	put_attribute(RTA_GATEWAY, a.ip, 4);
}

static void
address_make(uint16_t type, uint8_t scope)
{
	struct nlmsghdr h = {.nlmsg_type = type, .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg))};
	struct ifaddrmsg m = {.ifa_family = AF_INET6, .ifa_scope = scope};

	memset(&message, 0, sizeof message);
	memcpy(message.bytes, &h, sizeof h);
	memcpy(message.bytes + NLMSG_LENGTH(0), &m, sizeof m);
	message.n = h.nlmsg_len;
}

static void
link_make(uint16_t type, int interface, unsigned flags)
{
	struct nlmsghdr h = {.nlmsg_type = type, .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg))};
	struct ifinfomsg m = {.ifi_index = interface, .ifi_flags = flags};

	memset(&message, 0, sizeof message);
	memcpy(message.bytes, &h, sizeof h);
	memcpy(message.bytes + NLMSG_LENGTH(0), &m, sizeof m);
	message.n = h.nlmsg_len;
}

/* The message is part of a dump: it reports what was there before. */
static void
message_is_of_dump(void)
{
	((struct nlmsghdr *)(void *)message.bytes)->nlmsg_flags |= NLM_F_MULTI;
}

static bool
read_it(struct network *w)
{
	return network_read(w, message.bytes, message.n);
}

static void
on_change(void *ctx)
{
	(void)ctx;
}

static int
setup(void **state)
{
	struct network *w;

	if (loop_new(&loop) != RES_OK || network_new(&w, loop, on_change, NULL) != RES_OK)
		return -1;
	*state = w;
	return 0;
}

static void
addresses(void **state)
{
	/* P03: an address of ours has gone; those of the link come and go with every tunnel */
	address_make(RTM_DELADDR, RT_SCOPE_UNIVERSE);
	assert_true(read_it(*state));
	address_make(RTM_DELADDR, RT_SCOPE_LINK);
	assert_false(read_it(*state));
	address_make(RTM_NEWADDR, RT_SCOPE_UNIVERSE);
	assert_false(read_it(*state));
}

static void
default_routes(void **state)
{
	struct network *w = *state;

	route_make(RTM_NEWROUTE, 0, RT_TABLE_MAIN, 2, "192.0.2.1");
	assert_true(read_it(w));
	assert_false(read_it(w)); /* announced again, as router advertisements do */
	route_make(RTM_NEWROUTE, 0, RT_TABLE_MAIN, 2, "192.0.2.254");
	assert_true(read_it(w)); /* another gateway */
	route_make(RTM_NEWROUTE, 0, RT_TABLE_MAIN, 3, "192.0.2.1");
	assert_true(read_it(w)); /* another interface */
	route_make(RTM_DELROUTE, 0, RT_TABLE_MAIN, 3, "192.0.2.1");
	assert_true(read_it(w));
	route_make(RTM_NEWROUTE, 0, RT_TABLE_MAIN, 3, "192.0.2.1");
	assert_true(read_it(w)); /* and back */
	route_make(RTM_NEWROUTE, 24, RT_TABLE_MAIN, 2, "192.0.2.1");
	assert_false(read_it(w)); /* a route to some net */
	route_make(RTM_NEWROUTE, 0, RT_TABLE_LOCAL, 2, "192.0.2.77");
	assert_false(read_it(w)); /* another table */
}

static void
routes_that_replace_another(void **state)
{
	static const struct {
		const char *what, *gateway;
		uint32_t interface, metric;
		bool change;
	} rows[] = {
	    {"the first", "192.0.2.1", 2, 100, true},
	    {"another gateway", "192.0.2.254", 2, 100, true},
	    {"and back: the kernel reports no end of the one between", "192.0.2.1", 2, 100, true},
	    {"written again", "192.0.2.1", 2, 100, false},
	    {"another interface", "192.0.2.1", 3, 100, true},
	    {"and back", "192.0.2.1", 2, 100, true},
	    {"one of another metric is beside it", "192.0.2.254", 2, 200, true},
	    {"the first is still there", "192.0.2.1", 2, 100, false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		print_message("%s\n", rows[i].what);
		route_make(RTM_NEWROUTE, 0, RT_TABLE_MAIN, rows[i].interface, rows[i].gateway);
		put_attribute(RTA_PRIORITY, &rows[i].metric, sizeof rows[i].metric);
		((struct nlmsghdr *)(void *)message.bytes)->nlmsg_flags = NLM_F_REPLACE;
		assert_int_equal(read_it(*state), rows[i].change);
	}
}

static void
destination_put(const char *to)
{
	struct rtmsg *m = (struct rtmsg *)(void *)(message.bytes + NLMSG_LENGTH(0));
	struct addr a;

	assert_int_equal(addr_read_ip(&a, to), RES_OK);
	m->rtm_family = a.family == ADDR_V6 ? AF_INET6 : AF_INET;
	put_attribute(RTA_DST, a.ip, addr_ip(&a).n);
}

static void
routes_that_cover_the_default_route(void **state)
{
	static const struct {
		const char *what, *to;
		uint8_t bits;
		bool change;
	} rows[] = {
	    {"the lower half", "0.0.0.0", 1, true},
	    {"the upper half, by the same gateway", "128.0.0.0", 1, true},
	    {"a quarter", "64.0.0.0", 2, true},
	    {"half of IPv6", "8000::", 1, true},
	    {"all IPv6 addresses that are assigned", "2000::", 3, true},
	    {"half of that", "3000::", 4, true},
	    {"a large network", "10.0.0.0", 8, false},
	    {"five bits", "8.0.0.0", 5, false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		print_message("%s\n", rows[i].what);
		route_make(RTM_NEWROUTE, rows[i].bits, RT_TABLE_MAIN, 5, "192.0.2.1");
		destination_put(rows[i].to);
		assert_int_equal(read_it(*state), rows[i].change);
		assert_false(read_it(*state)); /* announced again */
		route_make(RTM_DELROUTE, rows[i].bits, RT_TABLE_MAIN, 5, "192.0.2.1");
		destination_put(rows[i].to);
		assert_int_equal(read_it(*state), rows[i].change); /* P03: the VPN ends */
		route_make(RTM_NEWROUTE, rows[i].bits, RT_TABLE_MAIN, 5, "192.0.2.1");
		destination_put(rows[i].to);
		assert_int_equal(read_it(*state), rows[i].change); /* and is there again, for the next row */
	}
}

static void
interfaces(void **state)
{
	struct network *w = *state;

	link_make(RTM_NEWLINK, 7, 0);
	assert_false(read_it(w)); /* none of our routes used it */
	route_make(RTM_NEWROUTE, 0, RT_TABLE_MAIN, 7, "192.0.2.1");
	message_is_of_dump();
	assert_false(read_it(w)); /* there from the beginning */
	assert_false(read_it(w));
	link_make(RTM_NEWLINK, 7, IFF_UP);
	assert_false(read_it(w)); /* its carrier comes and goes */
	link_make(RTM_NEWLINK, 8, 0);
	assert_false(read_it(w)); /* another interface */
	link_make(RTM_NEWLINK, 7, 0);
	assert_true(read_it(w)); /* P03: taken down, and the kernel reports nothing about the route */
	route_make(RTM_NEWROUTE, 0, RT_TABLE_MAIN, 7, "192.0.2.1");
	assert_true(read_it(w)); /* the same route, and yet another network */
	link_make(RTM_DELLINK, 7, IFF_UP);
	assert_true(read_it(w)); /* unplugged */
}

/* The kernel had no room for its messages: a route may have gone, and come back as the same one of another network. */
static void
messages_that_were_lost(void **state)
{
	static const struct {
		unsigned lost, asked;
		bool news;
	} rows[] = {{0, 0, false}, {1, 1, true}, {3, 1, true}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		route_make(RTM_NEWROUTE, 0, RT_TABLE_MAIN, 7, "192.0.2.1");
		message_is_of_dump();
		assert_false(read_it(*state));
		overflows = rows[i].lost;
		asked = 0;
		loop_run(loop);
		assert_int_equal(asked, rows[i].asked);
		route_make(RTM_NEWROUTE, 0, RT_TABLE_MAIN, 7, "192.0.2.1");
		assert_int_equal(read_it(*state), rows[i].news);
	}
}

static void
more_routes_than_are_remembered(void **state)
{
	struct network *w = *state;

	for (uint32_t i = 100; i < 100 + 2 * NETWORK_ROUTES_MAX; i++) {
		route_make(RTM_NEWROUTE, 0, RT_TABLE_MAIN, i, "192.0.2.1");
		assert_true(read_it(w));
	}
}

/* Every prefix of a message: nothing outside of it is read, and a message that is cut has no effect. */
static void
cut_short(void **state)
{
	route_make(RTM_NEWROUTE, 0, RT_TABLE_MAIN, 9, "192.0.2.9");
	for (size_t n = 0; n < message.n; n++) {
		void *copy = malloc(n + 1);

		memcpy(copy, message.bytes, n);
		assert_false(network_read(*state, copy, n));
		free(copy);
	}
	address_make(RTM_DELADDR, RT_SCOPE_UNIVERSE);
	((struct nlmsghdr *)(void *)message.bytes)->nlmsg_len = NLMSG_LENGTH(2);
	assert_false(read_it(*state));
	link_make(RTM_DELLINK, 9, 0);
	((struct nlmsghdr *)(void *)message.bytes)->nlmsg_len = NLMSG_LENGTH(2);
	assert_false(read_it(*state));
}

static int
teardown(void **state)
{
	network_free(*state);
	loop_free(loop);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(addresses, setup, teardown),
	    cmocka_unit_test_setup_teardown(default_routes, setup, teardown),
	    cmocka_unit_test_setup_teardown(routes_that_cover_the_default_route, setup, teardown),
	    cmocka_unit_test_setup_teardown(routes_that_replace_another, setup, teardown),
	    cmocka_unit_test_setup_teardown(interfaces, setup, teardown),
	    cmocka_unit_test_setup_teardown(messages_that_were_lost, setup, teardown),
	    cmocka_unit_test_setup_teardown(more_routes_than_are_remembered, setup, teardown),
	    cmocka_unit_test_setup_teardown(cut_short, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
