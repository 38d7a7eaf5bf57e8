/*
 * tlsrelay.c - the least that a forwarder over DoT does: it passes datagrams on through one TLS connection and the answers back.
 *
 *   tlsrelay PORT UPSTREAM-PORT      both on 127.0.0.1
 *
 * It verifies no certificate, and has no cache, no timer, no padding and no second connection: what it costs is the
 * kernel's part and GnuTLS's. For the bench only.
 */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH        32
#define DATAGRAM_MAX 4096
#define RECORD_MAX   16384
#define HEADER       12 /* of a DNS message */
#define IDS          65536

static struct batch {
	uint8_t bytes[BATCH][DATAGRAM_MAX];
	struct sockaddr_in peer[BATCH];
	struct iovec vector[BATCH];
	struct mmsghdr message[BATCH];
	unsigned n;
} in, out;

/* The client of each message ID upstream, and its own ID. */
static struct {
	struct sockaddr_in peer;
	uint8_t id[2];
} asked[IDS];

static uint8_t up[BATCH * (DATAGRAM_MAX + 2)], down[RECORD_MAX + 2 + UINT16_MAX];
static size_t up_n, down_n;
static uint8_t arrived[RECORD_MAX]; /* bytes of TLS that GnuTLS has not taken yet */
static size_t arrived_at, arrived_n;
static int udp, tcp;
static gnutls_session_t session;

static void
end(const char *what)
{
	perror(what);
	exit(1);
}

static void
batch_ready(struct batch *b)
{
	for (int i = 0; i < BATCH; i++) {
		b->vector[i] = (struct iovec){b->bytes[i], DATAGRAM_MAX};
		b->message[i].msg_hdr = (struct msghdr){.msg_name = &b->peer[i],
							.msg_namelen = sizeof b->peer[i],
							.msg_iov = &b->vector[i],
							.msg_iovlen = 1};
	}
	b->n = 0;
}

static struct sockaddr_in
loopback(const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return at;
}

static void
udp_open(const char *port)
{
	struct sockaddr_in at = loopback(port);
	int room = 4 << 20;

	udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (udp < 0 || setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) < 0 ||
	    bind(udp, (const struct sockaddr *)&at, sizeof at) < 0)
		end("the port of the questions");
}

/* One system call for many records; GnuTLS alone would make two for each. */
static ssize_t
tls_pull(gnutls_transport_ptr_t unused, void *to, size_t n)
{
	(void)unused;
	if (arrived_at == arrived_n) {
		ssize_t got = recv(tcp, arrived, sizeof arrived, 0);

		if (got <= 0)
			return got;
		arrived_at = 0;
		arrived_n = (size_t)got;
	}
	if (n > arrived_n - arrived_at)
		n = arrived_n - arrived_at;
	memcpy(to, arrived + arrived_at, n);
	arrived_at += n;
	return (ssize_t)n;
}

static void
tls_open(const char *port)
{
	struct sockaddr_in at = loopback(port);
	gnutls_certificate_credentials_t trust;
	int on = 1, rc;

	tcp = socket(AF_INET, SOCK_STREAM, 0);
	if (tcp < 0 || connect(tcp, (const struct sockaddr *)&at, sizeof at) < 0 ||
	    setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
		end("the upstream");
	if (gnutls_certificate_allocate_credentials(&trust) < 0 || gnutls_init(&session, GNUTLS_CLIENT) < 0 ||
	    gnutls_set_default_priority(session) < 0 ||
	    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, trust) < 0)
		end("GnuTLS");
	gnutls_transport_set_int(session, tcp);
	gnutls_transport_set_pull_function(session, tls_pull);
	do
		rc = gnutls_handshake(session);
	while (rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED);
	if (rc < 0) {
		fprintf(stderr, "handshake: %s\n", gnutls_strerror(rc));
		exit(1);
	}
	if (fcntl(tcp, F_SETFL, O_NONBLOCK) < 0)
		end("fcntl");
}

/* Tries again while the kernel's buffer is full, which the bench never fills. */
static void
up_send(void)
{
	for (size_t done = 0; done < up_n;) {
		ssize_t n = gnutls_record_send(session, up + done, up_n - done);

		if (n < 0 && gnutls_error_is_fatal((int)n))
			end("sending upstream");
		if (n > 0)
			done += (size_t)n;
	}
	up_n = 0;
}

static void
questions(void)
{
	static uint16_t next;
	int n;

	batch_ready(&in);
	n = recvmmsg(udp, in.message, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		uint16_t len = (uint16_t)in.message[i].msg_len;
		uint8_t *to = up + up_n;

		if (len < HEADER)
			continue;
		asked[next].peer = in.peer[i];
		memcpy(asked[next].id, in.bytes[i], 2);
		to[0] = (uint8_t)(len >> 8);
		to[1] = (uint8_t)len;
		memcpy(to + 2, in.bytes[i], len);
		to[2] = (uint8_t)(next >> 8);
		to[3] = (uint8_t)next;
		next++;
		up_n += 2 + (size_t)len;
	}
	if (up_n > 0)
		up_send();
}

static void
replies_flush(void)
{
	if (out.n == 0)
		return;
	(void)sendmmsg(udp, out.message, out.n, 0);
	batch_ready(&out);
}

static void
reply_add(const uint8_t *message, size_t n)
{
	unsigned id = (unsigned)message[0] << 8 | message[1], i = out.n;

	if (n > DATAGRAM_MAX)
		return;
	memcpy(out.bytes[i], message, n);
	memcpy(out.bytes[i], asked[id].id, 2);
	out.peer[i] = asked[id].peer;
	out.vector[i].iov_len = n;
	if (++out.n == BATCH)
		replies_flush();
}

static void
answers(void)
{
	do {
		ssize_t n = gnutls_record_recv(session, down + down_n, RECORD_MAX);
		size_t at = 0;

		if (n == 0 || (n < 0 && gnutls_error_is_fatal((int)n))) {
			fprintf(stderr, "the upstream ended the connection: %s\n", gnutls_strerror((int)n));
			exit(1);
		}
		if (n < 0)
			return;
		down_n += (size_t)n;
		while (down_n - at >= 2) {
			size_t len = (size_t)down[at] << 8 | down[at + 1];

			if (down_n - at < 2 + len)
				break;
			if (len >= HEADER)
				reply_add(down + at + 2, len);
			at += 2 + len;
		}
		memmove(down, down + at, down_n - at);
		down_n -= at;
	} while (arrived_at < arrived_n || gnutls_record_check_pending(session) > 0);
}

int
main(int argc, char **argv)
{
	struct epoll_event ready[2], watch = {.events = EPOLLIN};
	int poll = epoll_create1(0);

	if (argc != 3) {
		fputs("usage: tlsrelay PORT UPSTREAM-PORT\n", stderr);
		return 2;
	}
	tls_open(argv[2]);
	udp_open(argv[1]);
	batch_ready(&out);
	watch.data.fd = udp;
	if (epoll_ctl(poll, EPOLL_CTL_ADD, udp, &watch) < 0)
		end("epoll");
	watch.data.fd = tcp;
	if (epoll_ctl(poll, EPOLL_CTL_ADD, tcp, &watch) < 0)
		end("epoll");
	for (;;) {
		int n = epoll_wait(poll, ready, 2, -1);

		for (int i = 0; i < n; i++)
			if (ready[i].data.fd == udp)
				questions();
			else
				answers();
		replies_flush();
	}
}
