#include "resolver/daemon/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BUFFER (1024 * 1024) /* a burst of some thousand questions while the loop is at other work */

bool
listener_refuses(const struct addr *listener, const struct addr *client)
{
	return client->port == 0 || (addr_is_loopback(listener) && !addr_is_loopback(client));
}

/* Options for replies with the right source address and without fragments; a kernel without one of them is not an
 * error. */
static void
udp_prepare(int fd, const struct addr *a)
{
	const int on = 1, size = RECEIVE_BUFFER, v4 = IP_PMTUDISC_OMIT, v6 = IPV6_PMTUDISC_OMIT;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (a->family == ADDR_V4) {
		(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof v4);
		if (addr_is_any(a))
			(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
	} else {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof v6);
		if (addr_is_any(a))
			(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
	}
}

/* Connections inherit it. By default the kernel buffers megabytes of unread replies for each of them. */
static void
tcp_prepare(int fd)
{
	const int out = TCP_KERNEL_WRITE, in = TCP_KERNEL_READ;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &out, sizeof out);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &in, sizeof in);
}

static int
socket_bound(const struct addr *a, int type, bool reuse_port)
{
	const int on = 1;
	struct sockaddr_storage sa;
	socklen_t n = addr_to_sockaddr(a, &sa);
	int fd = socket(sa.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), saved;

	if (fd < 0)
		return -1;
	if (a->family == ADDR_V6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
		goto fail;
	/* Connections of a daemon that ended must not keep its successor from listening. */
	if (type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
		goto fail;
	if (reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
		goto fail;
	if (bind(fd, (const struct sockaddr *)&sa, n) != 0)
		goto fail;
	if (type == SOCK_STREAM && listen(fd, SOMAXCONN) != 0)
		goto fail;
	return fd;
fail:
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

enum res
listener_bind(struct listener_fds *out, const struct addr *addr, bool reuse_port, char **why)
{
	struct listener_fds l = {.addr = *addr, .udp = -1, .tcp = -1};
	char text[ADDR_TEXT_MAX];
	struct buf b = buf_max(256);
	enum res res;

	if ((l.udp = socket_bound(addr, SOCK_DGRAM, reuse_port)) < 0 ||
	    (l.tcp = socket_bound(addr, SOCK_STREAM, reuse_port)) < 0) {
		/* IPv6 is switched off, or missing in this kernel */
		res = addr->family == ADDR_V6 && addr_is_loopback(addr) &&
			      (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT)
			  ? RES_UNSUPPORTED
			  : RES_IO;
		buf_format(&b, "%s %s: %s", addr_text(addr, text), l.udp < 0 ? "udp" : "tcp",
			   strerror(errno));
		*why = buf_take_cstr(&b);
		if (l.udp >= 0)
			close(l.udp);
		return res;
	}
	udp_prepare(l.udp, addr);
	tcp_prepare(l.tcp);
	*out = l;
	return RES_OK;
}

bool
listener_has_ipv6(void)
{
	const struct addr loopback = {.family = ADDR_V6, .ip = {[15] = 1}};
	int fd = socket_bound(&loopback, SOCK_DGRAM, false);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || (errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT);
}

void
listener_adopt(const struct listener_fds *l)
{
	int fd = l->udp >= 0 ? l->udp : l->tcp, flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (l->udp >= 0)
		udp_prepare(l->udp, &l->addr);
	if (l->tcp >= 0)
		tcp_prepare(l->tcp);
	if (l->tcp >= 0)
		(void)listen(l->tcp, SOMAXCONN);
}
