#include "resolver/daemon/network.h"

#include "base/addr.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* VPNs leave the default route as it is, and cover it by routes that are a little longer: 0.0.0.0/1 and 128.0.0.0/1; 2000::/3
 * or its halves. */
#define DEFAULT_BITS_MAX 4

/* Compared byte by byte, so without padding. */
struct default_route {
	uint32_t family, interface, metric, bits;
	uint8_t to[16], gateway[16];
};

struct network {
	struct loop *loop;
	int fd;
	struct loop_fd watch;
	struct loop_timer settle;
	void (*on_change)(void *ctx);
	void *ctx;
	struct default_route route[NETWORK_ROUTES_MAX];
	size_t n_routes;
	_Alignas(struct nlmsghdr) uint8_t bytes[16384];
};

/* The value of an attribute, copied if it has the size that it must have. */
static void
attribute_copy(void *out, size_t max, const struct rtattr *a)
{
	size_t n = RTA_PAYLOAD(a);

	memcpy(out, RTA_DATA(a), n < max ? n : max);
}

/* By what the kernel finds the route that another one replaces. */
static bool
route_same_place(const struct default_route *a, const struct default_route *b)
{
	return a->family == b->family && a->bits == b->bits && a->metric == b->metric &&
	       memcmp(a->to, b->to, sizeof a->to) == 0;
}

/* Forgets the routes that this one has replaced: the kernel sends no message about their end. True: there were some. */
static bool
routes_replaced(struct network *w, const struct default_route *by)
{
	size_t kept = 0;
	bool some;

	for (size_t i = 0; i < w->n_routes; i++)
		if (!route_same_place(&w->route[i], by) || memcmp(&w->route[i], by, sizeof *by) == 0)
			w->route[kept++] = w->route[i];
	some = kept < w->n_routes;
	w->n_routes = kept;
	return some;
}

/* True: a default route appeared or disappeared that was not known to have done so. A dump reports routes that
 * existed before. */
static bool
route_read(struct network *w, const struct nlmsghdr *h)
{
	const struct rtmsg *m = NLMSG_DATA(h);
	struct default_route r = {0};
	bool replaced;
	size_t left, i;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof *m) || m->rtm_dst_len > DEFAULT_BITS_MAX ||
	    m->rtm_table != RT_TABLE_MAIN || m->rtm_type != RTN_UNICAST || (m->rtm_flags & RTM_F_CLONED) != 0)
		return false;
	r.family = m->rtm_family;
	r.bits = m->rtm_dst_len;
	left = h->nlmsg_len - NLMSG_LENGTH(sizeof *m);
	for (const struct rtattr *a = RTM_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == RTA_OIF)
			attribute_copy(&r.interface, sizeof r.interface, a);
		else if (a->rta_type == RTA_PRIORITY)
			attribute_copy(&r.metric, sizeof r.metric, a);
		else if (a->rta_type == RTA_DST)
			attribute_copy(r.to, sizeof r.to, a);
		else if (a->rta_type == RTA_GATEWAY)
			attribute_copy(r.gateway, sizeof r.gateway, a);
	}
	replaced =
	    h->nlmsg_type == RTM_NEWROUTE && (h->nlmsg_flags & NLM_F_REPLACE) != 0 && routes_replaced(w, &r);
	for (i = 0; i < w->n_routes; i++)
		if (memcmp(&w->route[i], &r, sizeof r) == 0)
			break;
	if (h->nlmsg_type == RTM_DELROUTE) {
		if (i < w->n_routes)
			w->route[i] = w->route[--w->n_routes];
		return true;
	}
	if (i < w->n_routes)
		return replaced;
	if (w->n_routes < NETWORK_ROUTES_MAX)
		w->route[w->n_routes++] = r;
	return (h->nlmsg_flags & NLM_F_MULTI) == 0;
}

/* The kernel sends no message for the IPv4 routes of an interface that is taken down. */
static bool
link_read(struct network *w, const struct nlmsghdr *h)
{
	const struct ifinfomsg *m = NLMSG_DATA(h);
	size_t kept = 0;
	bool gone;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof *m))
		return false;
	if (h->nlmsg_type == RTM_NEWLINK && (m->ifi_flags & IFF_UP) != 0)
		return false;
	for (size_t i = 0; i < w->n_routes; i++)
		if (w->route[i].interface != (uint32_t)m->ifi_index)
			w->route[kept++] = w->route[i];
	gone = kept < w->n_routes;
	w->n_routes = kept;
	return gone;
}

/* Link-local and host addresses come and go without effect on connections. */
static bool
address_gone(const struct nlmsghdr *h)
{
	const struct ifaddrmsg *m = NLMSG_DATA(h);

	return h->nlmsg_len >= NLMSG_LENGTH(sizeof *m) && m->ifa_scope == RT_SCOPE_UNIVERSE;
}

bool
network_read(struct network *w, const void *messages, size_t n)
{
	bool changed = false;

	for (const struct nlmsghdr *h = messages; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
		if (h->nlmsg_type == RTM_DELADDR)
			changed |= address_gone(h);
		else if (h->nlmsg_type == RTM_NEWROUTE || h->nlmsg_type == RTM_DELROUTE)
			changed |= route_read(w, h);
		else if (h->nlmsg_type == RTM_NEWLINK || h->nlmsg_type == RTM_DELLINK)
			changed |= link_read(w, h);
	}
	return changed;
}

/* Asks for the present routes; without them the loss of one would be noticed late. */
static void
routes_ask(int fd)
{
	const struct {
		struct nlmsghdr header;
		struct rtmsg route;
	} ask = {.header = {.nlmsg_len = sizeof ask,
			    .nlmsg_type = RTM_GETROUTE,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		 .route = {.rtm_family = AF_UNSPEC}};

	(void)!send(fd, &ask, sizeof ask, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
network_on_settled(void *ctx)
{
	struct network *w = ctx;

	w->on_change(w->ctx);
}

static void
network_on_ready(void *ctx, unsigned ready)
{
	struct network *w = ctx;
	bool changed = false, lost = false;

	(void)ready;
	for (;;) {
		struct sockaddr_nl from = {0};
		struct iovec iov = {.iov_base = w->bytes, .iov_len = sizeof w->bytes};
		struct msghdr m = {
		    .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1};
		ssize_t n = recvmsg(w->fd, &m, MSG_DONTWAIT);

		if (n < 0 && errno == ENOBUFS) {
			changed = lost = true; /* messages were lost, so something changed */
			continue;
		}
		if (n <= 0)
			break;
		if (from.nl_pid == 0) /* from the kernel, not from a neighbour */
			changed |= network_read(w, w->bytes, (size_t)n);
	}
	/* A route that has gone meanwhile would hide that the same one comes back. */
	if (lost) {
		w->n_routes = 0;
		routes_ask(w->fd);
	}
	/* The first message starts the timer; later ones do not restart it. */
	if (changed && !loop_timer_is_set(&w->settle))
		loop_timer_set(&w->settle, NETWORK_SETTLE_MS);
}

enum res
network_new(struct network **out, struct loop *loop, void (*on_change)(void *ctx), void *ctx)
{
	const struct sockaddr_nl groups = {.nl_family = AF_NETLINK,
					   .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
							RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
							RTMGRP_IPV6_ROUTE};
	struct network *w = calloc(1, sizeof *w);
	enum res res = RES_IO;

	if (w == NULL)
		return RES_NOMEM;
	w->loop = loop;
	w->on_change = on_change;
	w->ctx = ctx;
	loop_timer_init(&w->settle, loop, network_on_settled, w);
	w->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (w->fd < 0 || bind(w->fd, (const struct sockaddr *)&groups, sizeof groups) != 0)
		goto fail;
	if ((res = loop_fd_watch(&w->watch, loop, w->fd, network_on_ready, w)) != RES_OK ||
	    (res = loop_fd_interest(&w->watch, LOOP_READ)) != RES_OK)
		goto fail;
	routes_ask(w->fd);
	*out = w;
	return RES_OK;
fail:
	network_free(w);
	return res;
}

void
network_free(struct network *w)
{
	if (w == NULL)
		return;
	loop_timer_stop(&w->settle);
	loop_fd_unwatch(&w->watch);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}
