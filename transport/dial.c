#include "transport/dial.h"

#include <errno.h>
#include <netinet/tcp.h>

int
dial(const struct addr *addr, int *fd)
{
	const int one = 1, user_timeout = DIAL_USER_TIMEOUT_MS;
	struct sockaddr_storage to;
	socklen_t n = addr_to_sockaddr(addr, &to);

	*fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (*fd < 0)
		return errno;
	/* Both only save time: without them nothing fails. */
	(void)setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	(void)setsockopt(*fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout, sizeof user_timeout);
	if (connect(*fd, (const struct sockaddr *)&to, n) != 0 && errno != EINPROGRESS)
		return errno;
	return 0;
}

enum reason
dial_reason(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return REASON_CONNECT_REFUSED;
	case ETIMEDOUT:
		return REASON_CONNECT_TIMEOUT;
	case ECONNRESET: /* while connecting: it was accepted, and reset at once */
	case EPIPE:
		return REASON_CLOSED;
	case ENOMEM:
		return REASON_OUT_OF_MEMORY;
	default: /* no route, no network, no permission, no descriptor left */
		return REASON_UNREACHABLE;
	}
}
