/*
 * link.c - simulates a link to a distant resolver: bytes of TCP connections arrive later. For tests/bench/distance.
 *
 *   link [--rtt MS] [--jitter MS] [--rate BYTES] [--loss PERMILLE] [--idle MS] [--seed N] LISTEN:TARGET...
 *
 * Each LISTEN is a port of 127.0.0.1 whose connections lead to another port, TARGET. Orders on standard input: `report` prints a
 * line of JSON with the traffic of each port since the last report; `lose` makes every present connection dead, as a change of
 * network does, and prints a line when that is done; `rounds PORT` prints how many round trips the slowest answer has taken since
 * the last such order (rounds.h). It ends with its input.
 *
 * Modelled: half a round trip each way, jitter (evenly distributed, in order), a rate, and loss of single segments as an
 * application sees it: a lost segment arrives a round trip and RTO_MS later, and so does everything after it. The kernel of this
 * machine accepts at once, so the first bytes of a client wait a whole round trip more, for the TCP handshake. --idle: the server
 * closes a connection that was idle for so long, and answers later bytes of the client with a reset.
 * Not modelled: congestion windows and slow start, late acknowledgements, lost SYNs, a full queue. This machine's kernel still
 * acknowledges the bytes on a dead connection, although they are not delivered, so unacknowledged bytes do not show that it is dead.
 *
 * Packets are not captured but calculated: segments of SEGMENT bytes, an acknowledgement for each two of them, three packets
 * to begin a connection and four to end it.
 */
#define _GNU_SOURCE
#include "tests/bench/rounds.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORTS_MAX 64
#define PAIRS_MAX 1024
#define SEGMENT   1448
#define RTO_MS    200 /* the shortest time after which Linux retransmits */

enum kind { DATA, END, RESET };

struct piece {
	TAILQ_ENTRY(piece) beside;
	enum kind kind;
	int64_t due_us;
	struct piece_rounds rounds;
	size_t n, sent;
	uint8_t bytes[];
};

/* The pieces on their way to one side. */
struct way {
	TAILQ_HEAD(, piece) pieces;
	int64_t last_us; /* when the last one arrives */
	int64_t free_us; /* when the line is free again */
	bool ended;
};

struct port {
	uint16_t number, target;
	int fd;
	uint64_t connections, answered, bytes[2], packets[2]; /* by the side that gets them */
	struct port_rounds rounds;
};

struct pair {
	struct port *port; /* NULL: free */
	int fd[2];
	bool over[2]; /* this side has closed */
	struct way to[2];
	int64_t began_us, used_us;
	bool dead, answers;
	struct pair_rounds rounds;
};

static struct {
	int64_t rtt_us, jitter_us, rate, loss, idle_us;
	unsigned seed;
} line = {.seed = 1};
static struct port ports[PORTS_MAX];
static size_t n_ports;
static struct pair pairs[PAIRS_MAX];

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t
random_below(int64_t n)
{
	return n > 0 ? (int64_t)rand_r(&line.seed) % n : 0;
}

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static int
open_socket(void)
{
	const int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

static struct sockaddr_in
loopback(uint16_t number)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons(number),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* ---- pieces on their way */

static void
put(struct pair *p, enum side to, enum kind kind, const void *bytes, size_t n)
{
	struct way *w = &p->to[to];
	struct piece *piece = malloc(sizeof *piece + n);
	int64_t now = now_us(), start = now;

	if (piece == NULL)
		fail("malloc");
	if (n > 0)
		memcpy(piece->bytes, bytes, n);
	if (to == SERVER && start < p->began_us + line.rtt_us) /* SYN, SYN and ACK */
		start = p->began_us + line.rtt_us;
	if (line.rate > 0) {
		start = start < w->free_us ? w->free_us : start;
		w->free_us = start += (int64_t)n * 1000000 / line.rate;
	}
	piece->kind = kind;
	piece->rounds = rounds_of_piece(&p->rounds, to == SERVER ? CLIENT : SERVER);
	piece->n = n;
	piece->sent = 0;
	piece->due_us = start + line.rtt_us / 2 + random_below(line.jitter_us + 1);
	for (size_t at = 0; at < n; at += SEGMENT)
		if (random_below(1000) < line.loss) {
			piece->due_us += line.rtt_us + RTO_MS * 1000;
			break;
		}
	if (piece->due_us < w->last_us)
		piece->due_us = w->last_us;
	w->last_us = piece->due_us;
	TAILQ_INSERT_TAIL(&w->pieces, piece, beside);
}

static void
clear(struct way *w)
{
	struct piece *piece;

	while ((piece = TAILQ_FIRST(&w->pieces)) != NULL) {
		TAILQ_REMOVE(&w->pieces, piece, beside);
		free(piece);
	}
}

static void
pair_end(struct pair *p)
{
	for (int side = CLIENT; side <= SERVER; side++) {
		if (p->fd[side] >= 0)
			close(p->fd[side]);
		clear(&p->to[side]);
	}
	p->port->packets[CLIENT] += 2;
	p->port->packets[SERVER] += 2;
	p->port = NULL;
}

static void
reset(int fd)
{
	const struct linger at_once = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static void
count(struct pair *p, enum side to, size_t n)
{
	struct port *port = p->port;
	uint64_t segments = (n + SEGMENT - 1) / SEGMENT;

	port->bytes[to] += n;
	port->packets[to] += segments;
	port->packets[!to] += (segments + 1) / 2;
	if (to == CLIENT && !p->answers) {
		p->answers = true;
		port->answered++;
	}
}

/* A piece has arrived. False: not all of it fits yet, or the pair is over. */
static bool
arrive(struct pair *p, enum side to, struct piece *piece)
{
	ssize_t n;

	switch (piece->kind) {
	case DATA:
		if (p->fd[to] < 0) { /* the server closed before */
			put(p, !to, RESET, NULL, 0);
			return true;
		}
		n = send(p->fd[to], piece->bytes + piece->sent, piece->n - piece->sent, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
			return false;
		if (piece->sent == 0)
			rounds_arrive(&p->rounds, &p->port->rounds, to, piece->rounds);
		if (n > 0) {
			count(p, to, (size_t)n);
			piece->sent += (size_t)n;
		}
		if (to == SERVER)
			p->used_us = now_us();
		return n < 0 || piece->sent == piece->n;
	case END:
		if (p->fd[to] >= 0)
			shutdown(p->fd[to], SHUT_WR);
		p->to[to].ended = true;
		return true;
	case RESET:
		reset(p->fd[to]);
		pair_end(p);
		return false;
	}
	return true;
}

static void
deliver(struct pair *p, int64_t now)
{
	for (int to = CLIENT; to <= SERVER && p->port != NULL; to++) {
		struct piece *piece;

		while (p->port != NULL && (piece = TAILQ_FIRST(&p->to[to].pieces)) != NULL && piece->due_us <= now) {
			if (!p->dead && !arrive(p, to, piece))
				break;
			TAILQ_REMOVE(&p->to[to].pieces, piece, beside);
			free(piece);
		}
	}
	if (p->port != NULL && p->to[CLIENT].ended && (p->to[SERVER].ended || p->over[CLIENT]))
		pair_end(p);
}

/* ---- connections */

static void
accept_from(struct port *port)
{
	struct sockaddr_in to = loopback(port->target);
	struct pair *p = pairs;
	int fd = accept4(port->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	const int one = 1;

	if (fd < 0)
		return;
	while (p < pairs + PAIRS_MAX && p->port != NULL)
		p++;
	if (p == pairs + PAIRS_MAX) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	*p = (struct pair){.port = port, .fd = {fd, open_socket()}, .began_us = now_us()};
	p->used_us = p->began_us;
	rounds_open(&p->rounds, &port->rounds);
	TAILQ_INIT(&p->to[CLIENT].pieces);
	TAILQ_INIT(&p->to[SERVER].pieces);
	if (connect(p->fd[SERVER], (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
		fail("connect");
	port->connections++;
	port->packets[SERVER] += 2;
	port->packets[CLIENT]++;
}

static void
take_from(struct pair *p, enum side from)
{
	static uint8_t bytes[65536];
	ssize_t n = recv(p->fd[from], bytes, sizeof bytes, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		if (from == CLIENT)
			rounds_client_sends(&p->rounds, &p->port->rounds, bytes, (size_t)n);
		put(p, !from, DATA, bytes, (size_t)n);
		if (from == SERVER)
			p->used_us = now_us();
		return;
	}
	p->over[from] = true;
	if (p->dead)
		pair_end(p);
	else
		put(p, !from, n == 0 ? END : RESET, NULL, 0);
}

/* The server closes a connection that has been idle for too long. */
static void
look_at_idle(struct pair *p, int64_t now)
{
	if (line.idle_us == 0 || p->dead || p->fd[SERVER] < 0 || now - p->used_us < line.idle_us)
		return;
	close(p->fd[SERVER]);
	p->fd[SERVER] = -1;
	p->over[SERVER] = true;
	put(p, CLIENT, END, NULL, 0);
}

/* ---- orders */

static void
report(void)
{
	printf("[");
	for (size_t i = 0; i < n_ports; i++) {
		struct port *p = &ports[i];

		printf("%s{\"port\":%d,\"connections\":%ju,\"answered\":%ju,\"bytes_up\":%ju,\"bytes_down\":%ju,"
		       "\"packets_up\":%ju,\"packets_down\":%ju}",
		    i > 0 ? "," : "", p->number, (uintmax_t)p->connections, (uintmax_t)p->answered,
		    (uintmax_t)p->bytes[SERVER], (uintmax_t)p->bytes[CLIENT], (uintmax_t)p->packets[SERVER],
		    (uintmax_t)p->packets[CLIENT]);
		*p = (struct port){.number = p->number, .target = p->target, .fd = p->fd, .rounds = p->rounds};
	}
	printf("]\n");
	fflush(stdout);
}

static void
lose(void)
{
	for (size_t i = 0; i < PAIRS_MAX; i++)
		pairs[i].dead = true;
	printf("lost\n");
	fflush(stdout);
}

static void
report_rounds(unsigned number)
{
	for (size_t i = 0; i < n_ports; i++)
		if (ports[i].number == number)
			printf("%u\n", rounds_take(&ports[i].rounds));
	fflush(stdout);
}

static void
take_orders(void)
{
	char text[4096], *at = text, *order;
	ssize_t n = read(STDIN_FILENO, text, sizeof text - 1);

	if (n <= 0)
		exit(0);
	text[n] = '\0';
	while ((order = strsep(&at, "\n")) != NULL) {
		if (strcmp(order, "report") == 0)
			report();
		if (strcmp(order, "lose") == 0)
			lose();
		if (strncmp(order, "rounds ", 7) == 0)
			report_rounds((unsigned)atoi(order + 7));
	}
}

/* ---- the loop */

static int64_t
next_us(int64_t now)
{
	int64_t next = now + 1000000;

	for (struct pair *p = pairs; p < pairs + PAIRS_MAX; p++) {
		if (p->port == NULL)
			continue;
		if (line.idle_us > 0 && p->fd[SERVER] >= 0 && !p->dead && p->used_us + line.idle_us < next)
			next = p->used_us + line.idle_us;
		for (int to = CLIENT; to <= SERVER; to++) {
			const struct piece *piece = TAILQ_FIRST(&p->to[to].pieces);

			if (piece != NULL && piece->due_us < next)
				next = piece->due_us;
		}
	}
	return next > now ? next : now + 500; /* a piece did not fit into the socket: try again */
}

static size_t
watch(struct pollfd *fds, struct pair **owner, enum side *side)
{
	size_t n = 0;

	fds[n++] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	for (size_t i = 0; i < n_ports; i++)
		fds[n++] = (struct pollfd){.fd = ports[i].fd, .events = POLLIN};
	for (struct pair *p = pairs; p < pairs + PAIRS_MAX; p++)
		for (int s = CLIENT; p->port != NULL && s <= SERVER; s++)
			if (p->fd[s] >= 0 && !p->over[s]) {
				owner[n] = p;
				side[n] = s;
				fds[n++] = (struct pollfd){.fd = p->fd[s], .events = POLLIN};
			}
	return n;
}

static void
turn(void)
{
	static struct pollfd fds[1 + PORTS_MAX + 2 * PAIRS_MAX];
	static struct pair *owner[1 + PORTS_MAX + 2 * PAIRS_MAX];
	static enum side side[1 + PORTS_MAX + 2 * PAIRS_MAX];
	size_t n = watch(fds, owner, side);
	int64_t now = now_us(), wait = next_us(now) - now;
	const struct timespec timeout = {.tv_sec = wait / 1000000, .tv_nsec = wait % 1000000 * 1000};

	if (ppoll(fds, n, &timeout, NULL) < 0 && errno != EINTR)
		fail("poll");
	for (size_t i = 1 + n_ports; i < n; i++)
		if (fds[i].revents != 0 && owner[i]->port != NULL)
			take_from(owner[i], side[i]);
	now = now_us();
	for (struct pair *p = pairs; p < pairs + PAIRS_MAX; p++)
		if (p->port != NULL) {
			look_at_idle(p, now);
			deliver(p, now);
		}
	for (size_t i = 0; i < n_ports; i++)
		if (fds[1 + i].revents != 0)
			accept_from(&ports[i]);
	if (fds[0].revents != 0)
		take_orders();
}

static void
listen_on(const char *text)
{
	struct port *p = &ports[n_ports++];
	unsigned number, target;
	struct sockaddr_in at;

	if (n_ports == PORTS_MAX || sscanf(text, "%u:%u", &number, &target) != 2)
		fail(text);
	*p = (struct port){.number = (uint16_t)number, .target = (uint16_t)target, .fd = open_socket()};
	at = loopback(p->number);
	if (bind(p->fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(p->fd, 128) != 0)
		fail("listen");
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int64_t *to, unit;
	} options[] = {{"--rtt", &line.rtt_us, 1000}, {"--jitter", &line.jitter_us, 1000}, {"--rate", &line.rate, 1},
	    {"--loss", &line.loss, 1}, {"--idle", &line.idle_us, 1000}};

	prctl(PR_SET_TIMERSLACK, 1UL);
	for (int i = 1; i < argc; i++) {
		size_t o = 0;

		while (o < sizeof options / sizeof *options && strcmp(argv[i], options[o].name) != 0)
			o++;
		if (o < sizeof options / sizeof *options && i + 1 < argc)
			*options[o].to = atoll(argv[++i]) * options[o].unit;
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			line.seed = (unsigned)atoll(argv[++i]);
		else
			listen_on(argv[i]);
	}
	if (n_ports == 0)
		fail("link: no port");
	for (;;)
		turn();
}
