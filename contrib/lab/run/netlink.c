#include "contrib/lab/run/netlink.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#define REQUEST_MAX 256

struct request {
	struct nlmsghdr head;
	uint8_t body[REQUEST_MAX];
};

static void
attribute(struct request *r, uint16_t type, struct span value)
{
	struct rtattr head = {.rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(value.n)};
	uint8_t *at = (uint8_t *)r + NLMSG_ALIGN(r->head.nlmsg_len);

	memcpy(at, &head, sizeof head);
	memcpy(at + RTA_LENGTH(0), value.p, value.n);
	r->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->head.nlmsg_len) + RTA_ALIGN(head.rta_len));
}

/* Sends the request and reads the kernel's reply. An address or route that already exists is no error. */
static enum res
ask_kernel(int fd, struct request *r)
{
	uint8_t reply[4096];
	struct nlmsghdr head;
	struct nlmsgerr error;
	ssize_t n;

	r->head.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (send(fd, r, r->head.nlmsg_len, 0) < 0)
		return RES_IO;
	n = recv(fd, reply, sizeof reply, 0);
	if (n < (ssize_t)NLMSG_LENGTH(sizeof error))
		return RES_IO;
	memcpy(&head, reply, sizeof head);
	memcpy(&error, reply + NLMSG_HDRLEN, sizeof error);
	if (head.nlmsg_type != NLMSG_ERROR || (error.error != 0 && error.error != -EEXIST)) {
		errno = head.nlmsg_type == NLMSG_ERROR ? -error.error : EPROTO;
		return RES_IO;
	}
	return RES_OK;
}

static enum res
address_add(int fd, unsigned lo, const struct addr *addr)
{
	struct request r = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
				     .nlmsg_type = RTM_NEWADDR,
				     .nlmsg_flags = NLM_F_CREATE}};
	struct ifaddrmsg message = {.ifa_family = addr->family == ADDR_V4 ? AF_INET : AF_INET6,
				    .ifa_flags = IFA_F_NODAD,
				    .ifa_prefixlen = addr->family == ADDR_V4 ? 32 : 128,
				    .ifa_index = lo};

	memcpy(r.body, &message, sizeof message);
	attribute(&r, IFA_LOCAL, addr_ip(addr));
	attribute(&r, IFA_ADDRESS, addr_ip(addr));
	return ask_kernel(fd, &r);
}

/* "local default dev lo": packets to any address are ours. */
static enum res
everything_local(int fd, unsigned lo, int family)
{
	struct request r = {.head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
				     .nlmsg_type = RTM_NEWROUTE,
				     .nlmsg_flags = NLM_F_CREATE}};
	struct rtmsg message = {.rtm_family = (unsigned char)family,
				.rtm_table = RT_TABLE_LOCAL,
				.rtm_protocol = RTPROT_STATIC,
				.rtm_scope = RT_SCOPE_HOST,
				.rtm_type = RTN_LOCAL};
	uint32_t index = lo;

	memcpy(r.body, &message, sizeof message);
	attribute(&r, RTA_OIF, span_of(&index, sizeof index));
	return ask_kernel(fd, &r);
}

static enum res
loopback_up(unsigned *lo)
{
	struct ifreq request = {.ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	enum res res = RES_IO;

	if (fd < 0)
		return RES_IO;
	memcpy(request.ifr_name, "lo", 3);
	if (ioctl(fd, SIOCSIFFLAGS, &request) == 0 && ioctl(fd, SIOCGIFINDEX, &request) == 0) {
		*lo = (unsigned)request.ifr_ifindex;
		res = RES_OK;
	}
	close(fd);
	return res;
}

enum res
netlink_loopback_set_up(const struct addr *own, size_t n)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	unsigned lo;
	enum res res = fd < 0 ? RES_IO : loopback_up(&lo);

	for (size_t i = 0; i < n && res == RES_OK; i++)
		res = address_add(fd, lo, &own[i]);
	if (res == RES_OK)
		res = everything_local(fd, lo, AF_INET);
	if (res == RES_OK)
		res = everything_local(fd, lo, AF_INET6);
	if (fd >= 0)
		close(fd);
	return res;
}
