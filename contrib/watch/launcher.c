#include "config.h"

#include "contrib/watch/launcher.h"

#include "base/clock.h"
#include "base/replace.h"
#include "config/settings.h"
#include "contrib/watch/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS_MAX 3 /* of a request: what it reads, the record and its lock */

/* Both ends are the same program: messages are structs as they are in memory. */
enum verb { CONFIGURE, RUN, RELOAD, REAP };

struct request {
	enum verb verb;
	enum finding_kind kind;
	int64_t now_ms; /* the monitor's clock is also the launcher's */
	struct record_note note;
};

struct reply {
	enum res res;
	int error; /* errno of RES_IO */
	bool full, busy;
	size_t n_ended;
	struct {
		bool reload;
		int status;
	} ended[CHILDREN_MAX];
};

/* One message with its descriptors. The result of sendmsg or recvmsg, which no signal interrupts. */
union fds_room {
	struct cmsghdr head; /* for its alignment */
	char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

static ssize_t
parcel_send(int socket, const void *bytes, size_t n, const int *fds, size_t n_fds)
{
	struct iovec v = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n};
	union fds_room room = {.bytes = {0}};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	ssize_t sent;

	if (n_fds > 0) {
		m.msg_control = room.bytes;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		room.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(n_fds * sizeof(int)),
					     .cmsg_level = SOL_SOCKET,
					     .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&room.head), fds, n_fds * sizeof(int));
	}
	do {
		sent = sendmsg(socket, &m, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent;
}

/* Descriptors that did not come are -1. There is room for exactly FDS_MAX: the kernel closes others. CMSG_SPACE, which is
 * rounded up, would let in one more that nobody closes. */
static ssize_t
parcel_receive(int socket, void *bytes, size_t n, int fds[FDS_MAX])
{
	struct iovec v = {.iov_base = bytes, .iov_len = n};
	union fds_room room = {.bytes = {0}};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = room.bytes,
			   .msg_controllen = CMSG_LEN(FDS_MAX * sizeof(int))};
	const struct cmsghdr *head;
	ssize_t got;

	do {
		got = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	for (size_t i = 0; i < FDS_MAX; i++)
		fds[i] = -1;
	head = got > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
	    head->cmsg_len <= CMSG_LEN(FDS_MAX * sizeof(int)))
		memcpy(fds, CMSG_DATA(head), head->cmsg_len - CMSG_LEN(0));
	return got;
}

/* ---- in the launcher */

struct launching {
	const char *file;
	struct settings *settings;
	struct children children;
	struct reply *reply; /* to the request under way */
};

static enum res
launching_configure(struct launching *l)
{
	struct config_errors errors = {0};
	struct settings *fresh = NULL;
	enum res res = settings_read(&fresh, l->file, &errors);

	config_errors_free(&errors);
	if (res == RES_OK) {
		settings_free(l->settings);
		l->settings = fresh;
	}
	return res;
}

static enum res
note_on_fork(void *arg)
{
	return record_note_append(arg);
}

static enum res
launching_run(struct launching *l, struct request *r, const int fds[FDS_MAX])
{
	struct buf kind = buf_max(64);
	const char *environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL, NULL};
	enum res res;

	if (l->settings == NULL || *l->settings->watch_exec == '\0' || (unsigned)r->kind >= FINDING_KINDS ||
	    r->note.n > sizeof r->note.line) {
		errno = EINVAL;
		return RES_IO;
	}
	r->note.file = fds[1]; /* the lock is fds[2]: it is held as long as that is open */
	buf_format(&kind, "CTSTUB_WATCH_KIND=%s", finding_kind_text(r->kind));
	environment[1] = buf_cstr(&kind);
	res = child_start(&l->children, l->settings->watch_exec, fds[0], environment, note_on_fork, &r->note,
			  r->now_ms);
	buf_free(&kind);
	return res;
}

static void
launching_on_end(void *ctx, const struct child *child, int status)
{
	struct reply *reply = ((struct launching *)ctx)->reply;

	reply->ended[reply->n_ended].reload = child->reload;
	reply->ended[reply->n_ended++].status = status;
}

static enum res
launching_do(struct launching *l, struct request *r, const int fds[FDS_MAX])
{
	switch (r->verb) {
	case CONFIGURE:
		return launching_configure(l);
	case RUN:
		return launching_run(l, r, fds);
	case RELOAD:
		return l->settings != NULL
			   ? child_reload(&l->children, l->settings->control_socket, fds[0], r->now_ms)
			   : RES_IO;
	case REAP:
		children_reap(&l->children, launching_on_end, l, r->now_ms);
		return RES_OK;
	}
	return RES_MALFORMED;
}

/* Signals that end all processes at once are the monitor's: it closes the socket. */
static void
launcher_settle(void)
{
	static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE};

	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)prctl(PR_SET_NAME, "ctstub-launcher", 0, 0, 0);
	/* the monitor runs as the same user, and could write to its memory */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static _Noreturn void
launcher_live(int socket, const char *file)
{
	struct launching l = {.file = file};
	struct request request;
	int fds[FDS_MAX];

	launcher_settle();
	while (parcel_receive(socket, &request, sizeof request, fds) == (ssize_t)sizeof request) {
		struct reply reply = {.res = RES_OK};

		l.reply = &reply;
		errno = 0;
		reply.res = launching_do(&l, &request, fds);
		reply.error = errno;
		reply.full = children_full(&l.children);
		reply.busy = children_busy(&l.children);
		for (size_t i = 0; i < FDS_MAX; i++)
			if (fds[i] >= 0)
				(void)close(fds[i]);
		if (parcel_send(socket, &reply, sizeof reply, NULL, 0) < 0)
			break;
	}
	_exit(0); /* nothing of the monitor that it is a copy of may run */
}

/* ---- in the monitor */

struct launcher {
	int socket;
	bool gone, full, busy;
};

enum res
launcher_start(struct launcher **out, const char *file)
{
	struct launcher *l = calloc(1, sizeof *l);
	int pair[2] = {-1, -1}, error;
	pid_t pid = -1;

	if (l == NULL)
		return RES_NOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0)
		pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		launcher_live(pair[1], file);
	}
	error = errno;
	if (pair[1] >= 0)
		(void)close(pair[1]);
	l->socket = pair[0];
	if (pid < 0) {
		launcher_stop(l);
		errno = error;
		return RES_IO;
	}
	*out = l;
	return RES_OK;
}

void
launcher_stop(struct launcher *l)
{
	if (l == NULL)
		return;
	if (l->socket >= 0)
		(void)close(l->socket);
	free(l);
}

/* The reply to a request. RES_IO: errno says why. */
static enum res
ask(struct launcher *l, struct request *request, const int *fds, size_t n_fds, struct reply *reply)
{
	int none[FDS_MAX];

	request->now_ms = clock_boot_ms();
	*reply = (struct reply){.res = RES_IO, .error = ECHILD};
	if (l->gone || parcel_send(l->socket, request, sizeof *request, fds, n_fds) < 0 ||
	    parcel_receive(l->socket, reply, sizeof *reply, none) != (ssize_t)sizeof *reply) {
		l->gone = true;
		l->busy = l->full = false;
		errno = ECHILD;
		return RES_IO;
	}
	l->full = reply->full;
	l->busy = reply->busy;
	errno = reply->error;
	return reply->res;
}

enum res
launcher_configure(struct launcher *l)
{
	struct request request = {.verb = CONFIGURE};
	struct reply reply;

	return ask(l, &request, NULL, 0, &reply);
}

bool
launcher_is_gone(const struct launcher *l)
{
	return l->gone;
}

bool
launcher_is_full(const struct launcher *l)
{
	return l->full;
}

bool
launcher_is_busy(const struct launcher *l)
{
	return l->busy;
}

/* A file in memory that holds the line, read from its start. */
static int
input_open(struct span line)
{
	int fd = memfd_create("finding", MFD_CLOEXEC);

	if (fd >= 0 && (!file_write_all(fd, line) || lseek(fd, 0, SEEK_SET) != 0)) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

enum res
launcher_run(struct launcher *l, enum finding_kind kind, struct span line, const struct record_note *note)
{
	struct request request = {.verb = RUN, .kind = kind, .note = *note};
	int fds[FDS_MAX] = {input_open(line), note->file, note->lock}, error;
	struct reply reply;
	enum res res = RES_IO;

	if (fds[0] >= 0)
		res = ask(l, &request, fds, FDS_MAX, &reply);
	error = errno;
	if (fds[0] >= 0)
		(void)close(fds[0]);
	errno = error;
	return res;
}

enum res
launcher_reload(struct launcher *l, int folder)
{
	struct request request = {.verb = RELOAD};
	struct reply reply;

	return ask(l, &request, &folder, 1, &reply);
}

void
launcher_reap(struct launcher *l, void (*ended)(void *ctx, bool reload, int status), void *ctx)
{
	struct request request = {.verb = REAP};
	struct reply reply;

	if (l->busy && ask(l, &request, NULL, 0, &reply) == RES_OK)
		for (size_t i = 0; i < reply.n_ended && i < CHILDREN_MAX; i++)
			ended(ctx, reply.ended[i].reload, reply.ended[i].status);
}
