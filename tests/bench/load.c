/*
 * load.c - queries a DNS server on 127.0.0.1 over UDP, and prints the results in JSON.
 *
 *   load [--echo] --port N --seconds S (--window W | --rate R) (--names N | --fresh SEED) [--count N] [--sockets K]
 *
 * --window keeps W questions outstanding: as fast as the server can. --rate sends R questions a second whatever comes back; the
 * time of an answer counts from the moment the question was due, so a late sender does not hide a slow server. --names asks N
 * names over and over, --fresh names that were not asked before. --count ends after that many questions.
 *
 * A question without a good answer (NOERROR with a record; with --echo the datagram itself) within PATIENCE counts as PATIENCE in
 * the percentiles. Questions are spread over K source ports. Everything runs in one thread, many datagrams a system call.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define SECOND      1000000000ULL
#define PATIENCE    (2 * SECOND)  /* stub resolvers send a query again after some seconds */
#define SOCKETS_MAX 64
#define BATCH       32
#define IDS         65536
#define ANSWER_MAX  4096
#define TIMES_MAX   (1 << 23) /* eight million questions a run: 32 MiB of times */

/* "x" and eight hex digits of the seed (0 with --names), "-" and eight of a number; below example. */
#define NAME_FORMAT "x%08x-%08x"
#define LABEL_SIZE  18

static const char *const help = "load [--echo] --port N --seconds S (--window W | --rate R) (--names N | --fresh SEED) [--count N] [--sockets K]\n";

static struct {
	uint16_t port;
	double seconds;
	unsigned window, rate, names, seed, sockets;
	uint64_t count;
	bool echo;
} o = {.sockets = 8, .count = UINT64_MAX};

struct source {
	int fd;
	uint16_t next;                /* the ID of the next question */
	unsigned outstanding, queued; /* queued: in the batch, not sent yet */
	uint64_t due[IDS];            /* when the question with this ID was due; 0: none is outstanding */
	uint8_t questions[BATCH][64];
	struct iovec vectors[BATCH];
	struct mmsghdr messages[BATCH];
};

static struct source sources[SOCKETS_MAX];
static uint32_t *times; /* of good answers, in units of 100 ns */
static size_t answered;
static uint64_t sent, failed, lost;

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static void
source_open(struct source *s)
{
	struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(o.port)};
	int room = 4 << 20;

	there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (s->fd < 0 || connect(s->fd, (const struct sockaddr *)&there, sizeof there) < 0)
		die("socket");
	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0)
		(void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	for (int i = 0; i < BATCH; i++) {
		s->vectors[i].iov_base = s->questions[i];
		s->messages[i].msg_hdr = (struct msghdr){.msg_iov = &s->vectors[i], .msg_iovlen = 1};
	}
}

static size_t
question_write(uint8_t *p, uint16_t id)
{
	static const uint8_t head[] = {1, 0, 0, 1, 0, 0, 0, 0, 0, 0, LABEL_SIZE}, tail[] = "\7example\0\0\1\0\1";
	char label[LABEL_SIZE + 1];

	p[0] = (uint8_t)(id >> 8);
	p[1] = (uint8_t)id;
	memcpy(p + 2, head, sizeof head);
	(void)snprintf(label, sizeof label, NAME_FORMAT, o.names ? 0 : o.seed, (unsigned)(o.names ? sent % o.names : sent));
	memcpy(p + 13, label, LABEL_SIZE);
	memcpy(p + 13 + LABEL_SIZE, tail, sizeof tail - 1);
	return 13 + LABEL_SIZE + sizeof tail - 1;
}

/* Sends all that is queued; a full socket is tried again until it has accepted everything. */
static void
source_flush(struct source *s)
{
	unsigned from = 0;

	while (from < s->queued) {
		int n = sendmmsg(s->fd, s->messages + from, s->queued - from, 0);

		if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED)
			die("sendmmsg");
		from += n > 0 ? (unsigned)n : 0;
	}
	s->queued = 0;
}

static void
ask(struct source *s, uint64_t due)
{
	uint16_t id = s->next++;

	if (s->due[id])
		lost++, s->outstanding--;
	s->due[id] = due;
	s->vectors[s->queued].iov_len = question_write(s->questions[s->queued], id);
	s->outstanding++;
	sent++;
	if (++s->queued == BATCH)
		source_flush(s);
}

static bool
good(const uint8_t *p, size_t n)
{
	if (n < 12 || !(p[2] & 0x80))
		return false;
	return o.echo || ((p[3] & 15) == 0 && (p[6] || p[7]));
}

static void
take(struct source *s, const uint8_t *p, size_t n, uint64_t now)
{
	uint16_t id = n >= 2 ? (uint16_t)(p[0] << 8 | p[1]) : 0;
	uint64_t due = n >= 2 ? s->due[id] : 0;

	if (!due)
		return;
	s->due[id] = 0;
	s->outstanding--;
	if (now > due + PATIENCE)
		lost++;
	else if (good(p, n) && answered < TIMES_MAX)
		times[answered++] = now > due ? (uint32_t)((now - due) / 100) : 0;
	else
		failed++;
}

static unsigned
source_read(struct source *s)
{
	static uint8_t bytes[BATCH][ANSWER_MAX];
	static struct iovec vectors[BATCH];
	static struct mmsghdr messages[BATCH];
	uint64_t now;
	int n;

	for (int i = 0; i < BATCH; i++) {
		vectors[i] = (struct iovec){bytes[i], ANSWER_MAX};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
	}
	n = recvmmsg(s->fd, messages, BATCH, MSG_DONTWAIT, NULL);
	now = now_ns();
	for (int i = 0; i < n; i++)
		take(s, bytes[i], messages[i].msg_len, now);
	return n > 0 ? (unsigned)n : 0;
}

/* Gives up questions older than PATIENCE, in the order of the IDs, from the oldest. */
static void
source_expire(struct source *s, uint64_t now)
{
	for (unsigned back = IDS - 1; s->outstanding > 0 && back > 0; back--) {
		uint64_t *due = &s->due[(uint16_t)(s->next - back)];

		if (*due && *due + PATIENCE < now) {
			*due = 0;
			s->outstanding--;
			lost++;
		}
	}
}

static unsigned
outstanding(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < o.sockets; i++)
		n += sources[i].outstanding;
	return n;
}

/* Sends what is due, at most until `end`. Returns when the next question is due. */
static uint64_t
send_due(uint64_t from, uint64_t now, uint64_t end)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; !o.rate && i < o.sockets; i++)
		while (sources[i].outstanding < o.window / o.sockets && sent < o.count && now < end)
			ask(&sources[i], now);
	while (o.rate && sent < o.count) {
		next = from + sent * SECOND / o.rate;
		if (next > now || next >= end)
			break;
		ask(&sources[sent % o.sockets], next);
	}
	for (unsigned i = 0; i < o.sockets; i++)
		source_flush(&sources[i]);
	return next;
}

static void
wait_until(uint64_t when)
{
	struct pollfd fds[SOCKETS_MAX];
	uint64_t now = now_ns(), most = now + SECOND / 10;
	struct timespec left;

	when = when < most ? when : most;
	left = (struct timespec){0, when > now ? (long)(when - now) : 0};
	for (unsigned i = 0; i < o.sockets; i++)
		fds[i] = (struct pollfd){.fd = sources[i].fd, .events = POLLIN};
	(void)ppoll(fds, o.sockets, &left, NULL);
	for (unsigned i = 0; i < o.sockets; i++)
		while (fds[i].revents && source_read(&sources[i]) == BATCH)
			;
}

/* The seconds in which questions were sent, or until the last answer to --count questions. */
static double
run(void)
{
	uint64_t from = now_ns(), end = from + (uint64_t)(o.seconds * (double)SECOND), checked = from, now = from;
	uint64_t last;

	while (now < end && !(sent >= o.count && outstanding() == 0)) {
		wait_until(send_due(from, now, end));
		now = now_ns();
		if (now > checked + SECOND / 4) {
			for (unsigned i = 0; i < o.sockets; i++)
				source_expire(&sources[i], now);
			checked = now;
		}
	}
	last = now;
	while (outstanding() > 0 && now < last + PATIENCE) {
		wait_until(last + PATIENCE);
		now = now_ns();
	}
	lost += outstanding();
	return (double)(last - from) / (double)SECOND;
}

static int
time_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* In microseconds. Questions without a good answer come last. */
static double
quantile(double part)
{
	size_t all = answered + failed + lost, i = (size_t)((double)all * part);

	return i < answered ? times[i] / 10.0 : (double)PATIENCE / 1000;
}

static void
print(double seconds)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	qsort(times, answered, sizeof *times, time_order);
	printf("{\"sent\": %llu, \"answered\": %zu, \"failed\": %llu, \"lost\": %llu, \"seconds\": %.3f, \"rate\": %.0f, \"p50\": %.1f, "
	       "\"p90\": %.1f, \"p99\": %.1f, \"max\": %.1f, \"cpu\": %.3f}\n",
	       (unsigned long long)sent, answered, (unsigned long long)failed, (unsigned long long)lost, seconds,
	       seconds > 0 ? (double)answered / seconds : 0, quantile(0.5), quantile(0.9), quantile(0.99), quantile(1.0 - 1e-9),
	       (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
}

static bool
options_read(int argc, char **argv)
{
	static const struct option options[] = {{"port", 1, 0, 'p'}, {"seconds", 1, 0, 's'}, {"window", 1, 0, 'w'},
						{"rate", 1, 0, 'r'}, {"names", 1, 0, 'n'}, {"fresh", 1, 0, 'f'},
						{"count", 1, 0, 'c'}, {"sockets", 1, 0, 'k'}, {"echo", 0, 0, 'e'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'p': o.port = (uint16_t)strtoul(optarg, NULL, 10); break;
		case 's': o.seconds = strtod(optarg, NULL); break;
		case 'w': o.window = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'r': o.rate = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'n': o.names = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'f': o.seed = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'c': o.count = strtoull(optarg, NULL, 10); break;
		case 'k': o.sockets = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'e': o.echo = true; break;
		default: return false;
		}
	return o.port && o.seconds > 0 && !o.window != !o.rate && !o.names != !o.seed && o.sockets > 0 && o.sockets <= SOCKETS_MAX &&
	       (o.rate || o.window >= o.sockets);
}

int
main(int argc, char **argv)
{
	double seconds;

	if (!options_read(argc, argv)) {
		fputs(help, stderr);
		return 2;
	}
	times = malloc(TIMES_MAX * sizeof *times);
	if (!times)
		die("malloc");
	(void)prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	for (unsigned i = 0; i < o.sockets; i++)
		source_open(&sources[i]);
	seconds = run();
	print(seconds);
	return 0;
}
