#include "config.h"

#include "resolver/daemon/helper.h"

#include "base/clock.h"
#include "base/replace.h"
#include "base/sandbox/sandbox.h"
#include "base/signals.h"
#include "resolver/daemon/heap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELPER_START_MS 5000 /* a busy machine starts it in some 10 ms */
#define HELPER_TROUBLE  3    /* its exit code */
#define HELPER_FD       3    /* its end of the socket */
#define HELPERS_MAX     4    /* the journal's, the query log's, and room */
/* Of one that ends: more than its socket holds, so only one that sends without end reaches it. */
#define REPORTS_MAX 4096
#define FDS_MAX     4096 /* closed one by one where the kernel has no close_range (before 5.9) */

#define WHY_MAX     512 /* bytes of its reason */

static const char ready[] = ""; /* what it sends first, or else why it cannot start */

/* Written before any thread is started. */
static pid_t helpers[HELPERS_MAX];
static size_t n_helpers;

/* ---- in the helper */

static void
signals_ignore(void)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t none;

	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		(void)sigaction(signals[i], &ignore, NULL);
	signals_ignore_unused();
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
rest_close(void)
{
	if (close_range(HELPER_FD + 1, ~0U, 0) == 0)
		return;
	for (int fd = HELPER_FD + 1; fd < FDS_MAX; fd++)
		(void)close(fd);
}

/* Its socket becomes HELPER_FD, and nothing else stays open. */
static bool
descriptors_settle(int socket)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || (socket != HELPER_FD && dup2(socket, HELPER_FD) < 0))
		return false;
	for (int fd = 0; fd < HELPER_FD; fd++)
		if (dup2(null, fd) < 0)
			return false;
	rest_close();
	return true;
}

static void
give_up(int socket, const char *why)
{
	if (why == NULL)
		why = "out of memory";
	(void)helper_send(socket, span_of(why, strnlen(why, WHY_MAX)));
	_exit(HELPER_TROUBLE);
}

static void
helper_live(const struct helper_setup *setup, int socket)
{
	char *why = NULL;

	signals_ignore();
	(void)prctl(PR_SET_NAME, setup->name, 0, 0, 0);
	if (sandbox_drop(setup->user, &why) != RES_OK)
		give_up(socket, why);
	if (!descriptors_settle(socket))
		give_up(socket, strerror(errno));
	if (setup->seal(setup->kill, &why) != RES_OK)
		give_up(HELPER_FD, why);
	if (!helper_send(HELPER_FD, span_of(ready, sizeof ready)))
		_exit(HELPER_TROUBLE);
	heap_trim(); /* of what the filter was made with */
	setup->run(HELPER_FD, setup->ctx);
	_exit(0); /* nothing of the daemon that it is a copy of may run */
}

/* ---- in the daemon */

/* What is ready of `events`. Signals come meanwhile, such as one to reload. 0: errno says why. */
static short
ready_until(int socket, short events, int64_t until_ms)
{
	struct pollfd p = {.fd = socket, .events = events};
	int64_t left;

	while ((left = until_ms - clock_mono_ms()) > 0) {
		int n = poll(&p, 1, (int)left);

		if (n > 0 || (n < 0 && errno != EINTR))
			return n > 0 ? p.revents : 0;
	}
	errno = ETIMEDOUT;
	return 0;
}

int
helper_fork(const struct helper_setup *setup, char **why)
{
	const struct sigaction none = {.sa_handler = SIG_IGN};
	int pair[2], size = 4 * HELPER_MESSAGE_MAX;
	pid_t pid;

	/* No zombie: nobody waits for it. */
	(void)sigaction(SIGCHLD, &none, NULL);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		*why = strdup(strerror(errno));
		return -1;
	}
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	pid = fork();
	if (pid == 0)
		helper_live(setup, pair[1]);
	(void)close(pair[1]);
	if (pid > 0 && n_helpers < HELPERS_MAX)
		helpers[n_helpers++] = pid;
	if (pid > 0 && fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0)
		return pair[0];
	*why = strdup(strerror(errno));
	(void)close(pair[0]);
	return -1;
}

/* A ready helper has closed the daemon's sockets: a daemon that is killed after this leaves no process that holds them. */
bool
helper_await(int socket, char **why)
{
	char first[WHY_MAX];
	ssize_t n = -1;

	if (ready_until(socket, POLLIN, clock_mono_ms() + HELPER_START_MS) != 0)
		n = recv(socket, first, sizeof first, 0);
	if (n == sizeof ready && first[0] == ready[0])
		return true;
	if (n > 0)
		*why = strndup(first, (size_t)n);
	else
		*why = strdup(n == 0 ? "it ended at once" : strerror(errno));
	(void)close(socket);
	return false;
}

int
helper_start(const struct helper_setup *setup, char **why)
{
	int socket = helper_fork(setup, why);

	return socket >= 0 && helper_await(socket, why) ? socket : -1;
}

bool
helper_has_pid(pid_t pid)
{
	size_t i = 0;

	while (i < n_helpers && helpers[i] != pid)
		i++;
	return i < n_helpers;
}

bool
helper_send(int socket, struct span message)
{
	return message.n > 0 && message.n <= HELPER_MESSAGE_MAX && file_message_send(socket, message, 0);
}

static ssize_t
message_receive(int socket, uint8_t *room, size_t size)
{
	ssize_t n;

	do {
		n = recv(socket, room, size, 0);
	} while (n < 0 && errno == EINTR);
	/* Memory may be there again for the next one. */
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOMEM || errno == ENOBUFS))
		return 0;
	return n <= 0 ? -1 : n;
}

ssize_t
helper_receive(int socket, uint8_t *room)
{
	return message_receive(socket, room, HELPER_MESSAGE_MAX);
}

bool
helper_drain(int socket, uint8_t *room, void (*on_message)(void *ctx, struct span), void *ctx)
{
	ssize_t n = 0;

	for (unsigned i = 0; i < HELPER_TURN_MAX && (n = helper_receive(socket, room)) > 0; i++)
		on_message(ctx, span_of(room, (size_t)n));
	return n >= 0;
}

/* As message_receive. */
static ssize_t
report_take(const struct helper_ending *e)
{
	uint8_t room[HELPER_REPORT_MAX];
	ssize_t n = message_receive(e->socket, room, sizeof room);

	if (n > 0)
		e->on_message(e->ctx, span_of(room, (size_t)n));
	return n;
}

bool
helper_ending_send(const struct helper_ending *e, struct span message)
{
	short what;

	while (!helper_send(e->socket, message)) {
		if (message.n == 0 || message.n > HELPER_MESSAGE_MAX || errno != EAGAIN)
			return false;
		what = ready_until(e->socket, POLLIN | POLLOUT, e->until_ms);
		if (what == 0 || ((what & POLLIN) != 0 && report_take(e) < 0))
			return false;
	}
	return true;
}

bool
helper_end(const struct helper_ending *e)
{
	ssize_t n = 0;

	(void)shutdown(e->socket, SHUT_WR);
	for (unsigned i = 0; i < REPORTS_MAX && n >= 0; i++) {
		n = report_take(e);
		if (n == 0 && ready_until(e->socket, POLLIN, e->until_ms) == 0)
			break;
	}
	(void)close(e->socket);
	return n < 0;
}
