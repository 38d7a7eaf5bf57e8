#include "config.h"

#include "resolver/daemon/turn_away.h"

#include "base/clock.h"
#include "base/dns/message.h"
#include "base/sandbox/sandbox.h"
#include "config/settings.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A question with its OPT has less; what is longer is no question of a stub. */
#define QUESTION_MAX 1024
/* What any client takes over UDP (RFC 6891, 6.2.5): a question and the text fit. */
#define REPLY_MAX 512
/* A client sends its question right after it connected; one that does not must not keep others waiting. */
#define QUESTION_WAIT_MS 20
/* Sockets looked at: as many as `listen` may have addresses, over UDP and TCP. */
#define SOCKETS_MAX 128
/* Control data of one datagram: the address that it came to, of either family. */
#define CONTROL_MAX 128

static const char text[] = "the configuration of this resolver is broken";

/* True: out has the reply. Rubbish gets none. */
static bool
reply_make(struct buf *out, struct span question)
{
	const struct msg_ede ede = {.code = 0, .text = span_str(text)};
	struct msg_question q;
	enum msg_fault fault = msg_question_read(&q, question);
	const struct msg_finish finish = {.question = &q, .max = REPLY_MAX, .ede = &ede, .n_ede = 1};

	return (fault == MSG_OK || fault == MSG_REFUSED) &&
	       msg_reply_empty(out, &finish, RCODE_SERVFAIL) == RES_OK;
}

/* The reply leaves from the address that the question came to. */
static void
datagram_turn_away(int fd)
{
	uint8_t question[QUESTION_MAX], control[CONTROL_MAX];
	struct sockaddr_storage from;
	struct iovec part = {question, sizeof question};
	struct mmsghdr m = {.msg_hdr = {.msg_name = &from,
					.msg_namelen = sizeof from,
					.msg_iov = &part,
					.msg_iovlen = 1,
					.msg_control = control,
					.msg_controllen = sizeof control}};
	struct buf reply = buf_max(REPLY_MAX);
	ssize_t n = recvmsg(fd, &m.msg_hdr, MSG_DONTWAIT);

	if (n >= 0 && reply_make(&reply, span_of(question, (size_t)n))) {
		part = (struct iovec){reply.p, reply.n};
		/* the daemon's filter on system calls allows no sendmsg */
		(void)sendmmsg(fd, &m, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	buf_free(&reply);
}

/* What the client has sent by now: the length, then the question (RFC 1035, 4.2.2). */
static void
connection_turn_away(int listener)
{
	uint8_t in[2 + QUESTION_MAX];
	struct buf reply = buf_max(2 + REPLY_MAX);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct pollfd question = {.fd = fd, .events = POLLIN};
	ssize_t n;

	if (fd < 0)
		return;
	(void)poll(&question, 1, QUESTION_WAIT_MS);
	n = recv(fd, in, sizeof in, MSG_DONTWAIT);
	buf_u16(&reply, 0);
	if (n >= 2 && be16_read(in) <= (size_t)n - 2 && reply_make(&reply, span_of(in + 2, be16_read(in)))) {
		be16_write(reply.p, (uint16_t)(reply.n - 2));
		(void)send(fd, reply.p, reply.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	buf_free(&reply);
	(void)close(fd);
}

static void
waiting_turn_away(const struct listener_fds *l, size_t n)
{
	int64_t until_ms = clock_mono_ms() + TURN_AWAY_MS, left_ms;
	struct pollfd p[SOCKETS_MAX];

	n = n < SOCKETS_MAX ? n : SOCKETS_MAX;
	for (size_t i = 0; i < n; i++)
		p[i] = (struct pollfd){.fd = l[i].udp >= 0 ? l[i].udp : l[i].tcp, .events = POLLIN};
	while (n > 0 && (left_ms = until_ms - clock_mono_ms()) > 0) {
		if (poll(p, n, (int)left_ms) < 0 && errno != EINTR)
			return;
		for (size_t i = 0; i < n; i++) {
			if ((p[i].revents & POLLIN) != 0 && l[i].udp >= 0)
				datagram_turn_away(p[i].fd);
			else if ((p[i].revents & POLLIN) != 0)
				connection_turn_away(p[i].fd);
			else if (p[i].revents != 0)
				p[i].fd = -1; /* an error that stays */
		}
	}
}

/* As the user of a configuration that may be broken in just this place; then as nobody, who owns nothing. */
static enum res
rights_drop(const char *file, char **why)
{
	struct config_errors seen = {0}; /* they are printed already */
	struct settings *s = NULL;
	enum res res = RES_NOMEM;

	(void)settings_read_on(&s, file, &seen);
	config_errors_free(&seen);
	if (s != NULL)
		res = sandbox_drop(s->user, why);
	settings_free(s);
	if (res == RES_OK)
		return RES_OK;
	free(*why);
	*why = NULL;
	return sandbox_drop("nobody", why);
}

enum res
turn_away(const struct listener_fds *l, size_t n, const char *file, char **why)
{
	enum res res = n == 0 ? RES_OK : rights_drop(file, why);

	if (res == RES_OK && n > 0)
		res = sandbox_seal(sandbox_kills(), why);
	if (res == RES_OK)
		waiting_turn_away(l, n);
	return res;
}
