#include "config.h"

#include "resolver/daemon/listener_udp.h"

#include "resolver/daemon/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ADDITIONAL_COUNT_AT 10 /* RFC 1035, 4.1.1 */

#define CONTROL_MAX         CMSG_SPACE(sizeof(struct in6_pktinfo))

struct datagram {
	struct sockaddr_storage peer;
	struct iovec iov;
	_Alignas(struct cmsghdr) uint8_t control[CONTROL_MAX];
};

struct listener_udp {
	struct loop *loop;
	struct engine *engine;
	struct counters *counters;
	struct heap_watch *heap;
	struct addr addr;
	bool wildcard;
	int fd;
	bool stopped;
	struct loop_fd watch;
	struct loop_defer flush;
	struct loop_timer rest; /* the kernel had no memory */
	size_t n_out, out_used; /* replies that wait to be sent, and their bytes */
	struct mmsghdr in_header[UDP_BATCH], out_header[UDP_BATCH];
	struct datagram in[UDP_BATCH], out[UDP_BATCH];
	uint8_t in_bytes[UDP_BATCH][UDP_QUESTION_MAX];
	uint8_t out_bytes[UDP_BATCH * MSG_UDP_PAYLOAD]; /* one after the other: most are much shorter */
};

/* ---- out */

static void
udp_interest(struct listener_udp *l)
{
	unsigned want = (l->stopped ? 0U : LOOP_READ) | (l->n_out > 0 ? LOOP_WRITE : 0U);

	loop_fd_interest(&l->watch, loop_timer_is_set(&l->rest) ? 0U : want);
}

static bool
udp_has_no_memory(int error)
{
	return error == ENOBUFS || error == ENOMEM;
}

/* The socket stays ready while the kernel has no memory: to try again at once is to spin. */
static void
udp_rest(struct listener_udp *l)
{
	loop_timer_set(&l->rest, UDP_REST_MS);
	udp_interest(l);
}

static void
udp_flush(struct listener_udp *l)
{
	size_t done = 0;

	if (loop_timer_is_set(&l->rest))
		return;
	while (done < l->n_out) {
		int n = sendmmsg(l->fd, l->out_header + done, (unsigned)(l->n_out - done),
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			done += (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && udp_has_no_memory(errno)) {
			udp_rest(l);
			break;
		}
		done++; /* this client cannot be reached; the others can */
	}
	if (done == l->n_out) {
		l->out_used = 0;
	} else if (done > 0) {
		/* Rare, so the queue is moved, not made a ring. */
		size_t sent = (size_t)((uint8_t *)l->out[done].iov.iov_base - l->out_bytes);

		l->out_used -= sent;
		memmove(l->out_bytes, l->out_bytes + sent, l->out_used);
		for (size_t i = done; i < l->n_out; i++) {
			size_t to = i - done;

			l->out[to].peer = l->out[i].peer;
			l->out[to].iov.iov_base = (uint8_t *)l->out[i].iov.iov_base - sent;
			l->out[to].iov.iov_len = l->out[i].iov.iov_len;
			memcpy(l->out[to].control, l->out[i].control, CONTROL_MAX);
			l->out_header[to].msg_hdr.msg_namelen = l->out_header[i].msg_hdr.msg_namelen;
			l->out_header[to].msg_hdr.msg_control =
			    l->out_header[i].msg_hdr.msg_control != NULL ? l->out[to].control : NULL;
			l->out_header[to].msg_hdr.msg_controllen = l->out_header[i].msg_hdr.msg_controllen;
		}
	}
	l->n_out -= done;
	udp_interest(l);
}

static void
udp_on_flush(void *ctx)
{
	udp_flush(ctx);
}

static void
udp_on_rested(void *ctx)
{
	struct listener_udp *l = ctx;

	udp_flush(l);
	udp_interest(l);
}

/* Where the next reply is made; NULL: the socket takes nothing and the queue is full. */
static uint8_t *
udp_out_room(struct listener_udp *l)
{
	if (l->n_out == UDP_BATCH)
		udp_flush(l);
	return l->n_out < UDP_BATCH ? l->out_bytes + l->out_used : NULL;
}

/* The reply leaves from the address that was asked (RFC 1123, 6.1.3.2; clients drop others). */
static void
udp_out_source(struct msghdr *h, struct datagram *d, const struct addr *local, uint32_t interface)
{
	struct cmsghdr *c = (struct cmsghdr *)(void *)d->control;

	h->msg_control = NULL;
	h->msg_controllen = 0;
	if (local->family == ADDR_NONE)
		return;
	memset(d->control, 0, sizeof d->control);
	h->msg_control = d->control;
	if (local->family == ADDR_V4) {
		struct in_pktinfo info = {.ipi_ifindex = 0};

		memcpy(&info.ipi_spec_dst, local->ip, 4);
		*c = (struct cmsghdr){
		    .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof info)};
		memcpy(CMSG_DATA(c), &info, sizeof info);
		h->msg_controllen = CMSG_SPACE(sizeof info);
	} else {
		struct in6_pktinfo info = {.ipi6_ifindex = interface};

		memcpy(&info.ipi6_addr, local->ip, 16);
		*c = (struct cmsghdr){
		    .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO, .cmsg_len = CMSG_LEN(sizeof info)};
		memcpy(CMSG_DATA(c), &info, sizeof info);
		h->msg_controllen = CMSG_SPACE(sizeof info);
	}
}

static void
udp_out_add(struct listener_udp *l, size_t n, const struct sockaddr_storage *peer, socklen_t peer_n,
	    const struct addr *local, uint32_t interface)
{
	struct datagram *d = &l->out[l->n_out];
	struct msghdr *h = &l->out_header[l->n_out].msg_hdr;

	memcpy(&d->peer, peer, peer_n);
	d->iov = (struct iovec){.iov_base = l->out_bytes + l->out_used, .iov_len = n};
	l->out_used += n;
	h->msg_namelen = peer_n;
	udp_out_source(h, d, local, interface);
	l->n_out++;
}

static void
udp_on_reply(const struct client *client, struct span reply)
{
	struct listener_udp *l = client->owner;
	uint8_t *room = udp_out_room(l);
	struct sockaddr_storage peer;
	socklen_t peer_n;

	if (room == NULL || reply.n > MSG_UDP_PAYLOAD) {
		counter_add(l->counters, COUNTER_DROPPED, 1);
		return;
	}
	memcpy(room, reply.p, reply.n);
	peer_n = addr_to_sockaddr(&client->addr, &peer);
	if (client->addr.family == ADDR_V6)
		((struct sockaddr_in6 *)(void *)&peer)->sin6_scope_id = client->interface;
	udp_out_add(l, reply.n, &peer, peer_n, &client->local, client->interface);
	loop_defer(&l->flush, l->loop, udp_on_flush, l);
}

/* ---- in */

static void
udp_in_local(struct msghdr *h, struct client *client)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			client->local.family = ADDR_V4;
			memcpy(client->local.ip, &info.ipi_addr, 4);
			client->interface = (uint32_t)info.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			client->local.family = ADDR_V6;
			memcpy(client->local.ip, &info.ipi6_addr, 16);
			client->interface = info.ipi6_ifindex;
		}
	}
}

static void
udp_in_one(struct listener_udp *l, size_t i)
{
	struct msghdr *h = &l->in_header[i].msg_hdr;
	struct client client = {.on_reply = udp_on_reply, .owner = l};
	uint8_t *room = udp_out_room(l);
	struct buf out;

	if (room == NULL ||
	    addr_from_sockaddr(&client.addr, (const struct sockaddr *)&l->in[i].peer) != RES_OK ||
	    listener_refuses(&l->addr, &client.addr)) {
		counter_add(l->counters, COUNTER_DROPPED, 1);
		return;
	}
	if (client.addr.family == ADDR_V6)
		client.interface = ((const struct sockaddr_in6 *)(const void *)&l->in[i].peer)->sin6_scope_id;
	if (l->wildcard) {
		udp_in_local(h, &client);
		/* A broadcast or multicast address cannot be a source. */
		if (client.local.family == ADDR_NONE) {
			counter_add(l->counters, COUNTER_DROPPED, 1);
			return;
		}
	}
	/* A datagram that did not fit is malformed, even if the part that did would not be: records are missing. */
	if ((h->msg_flags & MSG_TRUNC) != 0)
		be16_write(l->in_bytes[i] + ADDITIONAL_COUNT_AT, UINT16_MAX);
	out = (struct buf){.p = room, .cap = MSG_UDP_PAYLOAD, .max = MSG_UDP_PAYLOAD};
	if (engine_ask(l->engine, span_of(l->in_bytes[i], l->in_header[i].msg_len), &client, &out) ==
	    ASK_REPLIED)
		udp_out_add(l, out.n, &l->in[i].peer, h->msg_namelen, &client.local, client.interface);
}

static void
udp_on_ready(void *ctx, unsigned ready)
{
	struct listener_udp *l = ctx;

	if ((ready & LOOP_WRITE) != 0)
		udp_flush(l);
	if ((ready & LOOP_READ) == 0 || l->stopped)
		return;
	for (unsigned round = 0; round < UDP_ROUNDS; round++) {
		int n;

		for (size_t i = 0; i < UDP_BATCH; i++) {
			l->in_header[i].msg_hdr.msg_namelen = sizeof l->in[i].peer;
			l->in_header[i].msg_hdr.msg_controllen = l->wildcard ? CONTROL_MAX : 0;
		}
		n = recvmmsg(l->fd, l->in_header, UDP_BATCH, MSG_DONTWAIT, NULL);
		if (n < 0 && udp_has_no_memory(errno))
			udp_rest(l);
		for (int i = 0; i < n; i++)
			udp_in_one(l, (size_t)i);
		if (n < UDP_BATCH)
			break;
	}
	if (l->n_out > 0)
		udp_flush(l);
	if (engine_waiting(l->engine) >= WAITING_HIGH)
		heap_watch_busy(l->heap);
}

/* ---- life */

enum res
listener_udp_new(struct listener_udp **out, struct loop *loop, struct engine *engine,
		 struct counters *counters, struct heap_watch *heap, int fd, const struct addr *addr)
{
	struct listener_udp *l = calloc(1, sizeof *l);

	if (l == NULL)
		return RES_NOMEM;
	l->loop = loop;
	l->engine = engine;
	l->counters = counters;
	l->heap = heap;
	l->addr = *addr;
	l->wildcard = addr_is_any(addr);
	l->fd = fd;
	for (size_t i = 0; i < UDP_BATCH; i++) {
		l->in[i].iov = (struct iovec){.iov_base = l->in_bytes[i], .iov_len = UDP_QUESTION_MAX};
		l->in_header[i].msg_hdr =
		    (struct msghdr){.msg_name = &l->in[i].peer,
				    .msg_iov = &l->in[i].iov,
				    .msg_iovlen = 1,
				    .msg_control = l->wildcard ? l->in[i].control : NULL};
		l->out_header[i].msg_hdr =
		    (struct msghdr){.msg_name = &l->out[i].peer, .msg_iov = &l->out[i].iov, .msg_iovlen = 1};
	}
	loop_timer_init(&l->rest, loop, udp_on_rested, l);
	if (loop_fd_watch(&l->watch, loop, fd, udp_on_ready, l) != RES_OK ||
	    loop_fd_interest(&l->watch, LOOP_READ) != RES_OK) {
		loop_fd_unwatch(&l->watch);
		free(l);
		return RES_NOMEM;
	}
	*out = l;
	return RES_OK;
}

void
listener_udp_stop(struct listener_udp *l)
{
	l->stopped = true;
	udp_interest(l);
}

bool
listener_udp_is_busy(const struct listener_udp *l)
{
	return l->n_out > 0;
}

void
listener_udp_free(struct listener_udp *l)
{
	if (l == NULL)
		return;
	loop_timer_stop(&l->rest);
	if (l->n_out > 0)
		udp_flush(l);
	loop_timer_stop(&l->rest);
	loop_fd_unwatch(&l->watch);
	loop_defer_stop(&l->flush);
	close(l->fd);
	free(l);
}
