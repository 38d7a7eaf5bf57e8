#include "config.h"

#include "contrib/lab/run/trap.h"
#include "base/addr.h"
#include "base/log.h"
#include "contrib/lab/server/lab_zone.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define TRAP_PORT        53
#define TRAP_HTTP_PORT   80
#define TRAP_SEEN_MAX    1024 /* names remembered; a trial asks a handful */
#define TRAP_CLIENTS_MAX 256

struct trap;

/* A TCP client of the trap: DNS with a length before it, or HTTP. */
struct trap_client {
	TAILQ_ENTRY(trap_client) link;
	struct trap *trap;
	struct event *event;
	int fd;
	bool http;
	struct buf in;
};
TAILQ_HEAD(trap_client_list, trap_client);

struct trap_listener {
	struct trap *trap;
	struct event *event;
	int fd;
	bool http;
};

struct trap {
	struct event_base *base;
	struct trap_listener listeners[6]; /* UDP, TCP and HTTP on IPv4 and IPv6 */
	size_t n_listeners;
	struct trap_client_list clients;
	size_t n_clients;
	char seen[TRAP_SEEN_MAX][ZONE_NAME_TEXT_MAX];
	size_t n_seen;
	uint64_t http_requests;
};

static bool
lie(struct trap *trap, struct span query, struct buf *out)
{
	struct lab_zone_question q;

	if (!lab_zone_answer(ZONE_LIES, query, &q, out))
		return false;
	if (trap->n_seen < TRAP_SEEN_MAX)
		memcpy(trap->seen[trap->n_seen++], q.name, sizeof q.name);
	log_event(LOG_INFO, "clear-text", LOG_STR("name", q.name), LOG_STR("type", q.type));
	return true;
}

bool
trap_saw(const struct trap *trap, const char *name)
{
	for (size_t i = 0; i < trap->n_seen; i++)
		if (strcasecmp(trap->seen[i], name) == 0)
			return true;
	return false;
}

uint64_t
trap_http_requests(const struct trap *trap)
{
	return trap->http_requests;
}

/* Answers one datagram from the address it was sent to: the control message goes back as it came. */
static void
trap_on_datagram(evutil_socket_t fd, short what, void *arg)
{
	struct trap_listener *listener = arg;
	uint8_t query[UINT16_MAX];
	_Alignas(struct cmsghdr) uint8_t control[256];
	struct sockaddr_storage from;
	struct iovec io = {.iov_base = query, .iov_len = sizeof query};
	struct msghdr message = {.msg_name = &from,
				 .msg_namelen = sizeof from,
				 .msg_iov = &io,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof control};
	struct buf out = buf_max(UINT16_MAX);
	ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);

	(void)what;
	if (n > 0 && lie(listener->trap, span_of(query, (size_t)n), &out)) {
		io = (struct iovec){.iov_base = out.p, .iov_len = out.n};
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c))
			if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
				((struct in_pktinfo *)(void *)CMSG_DATA(c))->ipi_spec_dst =
				    ((struct in_pktinfo *)(void *)CMSG_DATA(c))->ipi_addr;
		(void)sendmsg(fd, &message,
			      MSG_DONTWAIT | MSG_NOSIGNAL); /* a lost datagram does not matter */
	}
	buf_free(&out);
}

static void
trap_client_free(struct trap_client *client)
{
	TAILQ_REMOVE(&client->trap->clients, client, link);
	client->trap->n_clients--;
	if (client->event != NULL)
		event_free(client->event);
	close(client->fd);
	buf_free(&client->in);
	free(client);
}

static void
trap_frames(struct trap_client *client)
{
	struct buf out = buf_max(2 * UINT16_MAX);

	while (client->in.n >= 2 && client->in.n >= 2u + be16_read(client->in.p)) {
		size_t n = be16_read(client->in.p);

		buf_clear(&out);
		buf_u16(&out, 0);
		if (lie(client->trap, span_of(client->in.p + 2, n), &out)) {
			be16_write(out.p, (uint16_t)(out.n - 2));
			(void)send(client->fd, out.p, out.n, MSG_DONTWAIT | MSG_NOSIGNAL);
		}
		buf_drop(&client->in, 2 + n);
	}
	buf_free(&out);
}

static void
trap_on_client(evutil_socket_t fd, short what, void *arg)
{
	static const char http[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	struct trap_client *client = arg;
	uint8_t bytes[4096];
	ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

	(void)what;
	if (n <= 0) {
		trap_client_free(client);
		return;
	}
	buf_put(&client->in, span_of(bytes, (size_t)n));
	if (client->http) {
		client->trap->http_requests++;
		(void)send(fd, http, sizeof http - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		trap_client_free(client);
		return;
	}
	trap_frames(client);
	if (!buf_ok(&client->in))
		trap_client_free(client);
}

static void
trap_on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct trap_listener *listener = arg;
	struct trap *trap = listener->trap;
	int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct trap_client *client;

	(void)what;
	if (accepted < 0)
		return;
	client = trap->n_clients < TRAP_CLIENTS_MAX ? calloc(1, sizeof *client) : NULL;
	if (client == NULL) {
		close(accepted);
		return;
	}
	client->trap = trap;
	client->fd = accepted;
	client->http = listener->http;
	client->in = buf_max(UINT16_MAX + 2);
	TAILQ_INSERT_TAIL(&trap->clients, client, link);
	trap->n_clients++;
	client->event = event_new(trap->base, accepted, EV_READ | EV_PERSIST, trap_on_client, client);
	if (client->event == NULL || event_add(client->event, NULL) < 0)
		trap_client_free(client);
}

static int
socket_open(int family, int type, uint16_t port)
{
	struct addr any = {.family = family == AF_INET ? ADDR_V4 : ADDR_V6, .port = port};
	struct sockaddr_storage at;
	socklen_t n = addr_to_sockaddr(&any, &at);
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (type == SOCK_DGRAM)
		(void)setsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
				 family == AF_INET ? IP_PKTINFO : IPV6_RECVPKTINFO, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&at, n) < 0 || (type == SOCK_STREAM && listen(fd, 64) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static enum res
listener_add(struct trap *trap, int family, int type, uint16_t port)
{
	struct trap_listener *listener = &trap->listeners[trap->n_listeners];

	listener->trap = trap;
	listener->http = port == TRAP_HTTP_PORT;
	listener->fd = socket_open(family, type, port);
	if (listener->fd < 0)
		return RES_IO;
	trap->n_listeners++;
	listener->event = event_new(trap->base, listener->fd, EV_READ | EV_PERSIST,
				    type == SOCK_DGRAM ? trap_on_datagram : trap_on_accept, listener);
	return listener->event != NULL && event_add(listener->event, NULL) == 0 ? RES_OK : RES_NOMEM;
}

enum res
trap_new(struct trap **out, struct event_base *base)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct trap *trap = calloc(1, sizeof *trap);
	enum res res = RES_OK;

	if (trap == NULL)
		return RES_NOMEM;
	trap->base = base;
	TAILQ_INIT(&trap->clients);
	for (size_t i = 0; i < 2 && res == RES_OK; i++) {
		res = listener_add(trap, families[i], SOCK_DGRAM, TRAP_PORT);
		if (res == RES_OK)
			res = listener_add(trap, families[i], SOCK_STREAM, TRAP_PORT);
		if (res == RES_OK)
			res = listener_add(trap, families[i], SOCK_STREAM, TRAP_HTTP_PORT);
	}
	if (res != RES_OK) {
		trap_free(trap);
		return res;
	}
	*out = trap;
	return RES_OK;
}

void
trap_free(struct trap *trap)
{
	struct trap_client *client;

	if (trap == NULL)
		return;
	while ((client = TAILQ_FIRST(&trap->clients)) != NULL)
		trap_client_free(client);
	for (size_t i = 0; i < trap->n_listeners; i++) {
		if (trap->listeners[i].event != NULL)
			event_free(trap->listeners[i].event);
		close(trap->listeners[i].fd);
	}
	free(trap);
}
