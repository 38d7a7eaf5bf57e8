#include "config.h"

#include "contrib/lab/run/upctl.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_WAIT_S 5

struct upctl {
	struct event *event;
	int fd;
	struct sockaddr_un at;
	upctl_fn answer;
	void *ctx;
};

enum res
upctl_folder(char out[FILE_PATH_MAX])
{
	const char *owner = getenv(UPCTL_OWNER);
	int64_t uid;
	struct stat st;

	if (owner == NULL || number_read(&uid, owner) != RES_OK)
		uid = geteuid();
	snprintf(out, FILE_PATH_MAX, "/tmp/ctstub-lab-%lld", (long long)uid);
	if (mkdir(out, 0700) < 0 && errno != EEXIST)
		return RES_IO;
	if (lstat(out, &st) < 0)
		return RES_IO;
	/* Any user can create this folder in /tmp, so it must be ours, and a folder. */
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
		errno = EPERM;
		return RES_IO;
	}
	return RES_OK;
}

static enum res
control_address(struct sockaddr_un *at)
{
	char folder[FILE_PATH_MAX];
	enum res res = upctl_folder(folder);

	if (res != RES_OK)
		return res;
	*at = (struct sockaddr_un){.sun_family = AF_UNIX};
	return snprintf(at->sun_path, sizeof at->sun_path, "%s/control", folder) < (int)sizeof at->sun_path
		   ? RES_OK
		   : RES_LIMIT;
}

/* One line, asked and answered at once: only the owner can connect, and a lab waits for its owner. */
static void
upctl_on_accept(evutil_socket_t listener, short what, void *arg)
{
	const struct timeval wait = {.tv_sec = ANSWER_WAIT_S};
	struct upctl *upctl = arg;
	char line[UPCTL_LINE_MAX], reply[UPCTL_LINE_MAX] = "";
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ssize_t n;

	(void)what;
	if (fd < 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	n = recv(fd, line, sizeof line - 1, 0);
	if (n > 0) {
		line[n] = '\0';
		line[strcspn(line, "\n")] = '\0';
		upctl->answer(upctl->ctx, line, reply);
		(void)send(fd, reply, strlen(reply),
			   MSG_NOSIGNAL); /* a client that has left misses the reply */
	}
	close(fd);
}

enum res
upctl_listen(struct upctl **out, struct event_base *base, upctl_fn answer, void *ctx)
{
	struct upctl *upctl;
	char reply[UPCTL_LINE_MAX];
	enum res res;

	if (upctl_ask("ping", reply) == RES_OK)
		return RES_LIMIT;
	upctl = calloc(1, sizeof *upctl);
	if (upctl == NULL)
		return RES_NOMEM;
	upctl->answer = answer;
	upctl->ctx = ctx;
	upctl->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	res = upctl->fd < 0 ? RES_IO : control_address(&upctl->at);
	if (res == RES_OK) {
		(void)unlink(upctl->at.sun_path); /* left by a lab that crashed: nothing answered on it */
		if (bind(upctl->fd, (struct sockaddr *)&upctl->at, sizeof upctl->at) < 0 ||
		    listen(upctl->fd, 8) < 0)
			res = RES_IO;
	}
	if (res == RES_OK) {
		upctl->event = event_new(base, upctl->fd, EV_READ | EV_PERSIST, upctl_on_accept, upctl);
		res = upctl->event != NULL && event_add(upctl->event, NULL) == 0 ? RES_OK : RES_NOMEM;
	}
	if (res == RES_OK)
		*out = upctl;
	else
		upctl_close(upctl);
	return res;
}

void
upctl_close(struct upctl *upctl)
{
	if (upctl == NULL)
		return;
	if (upctl->event != NULL) {
		event_free(upctl->event);
		(void)unlink(upctl->at.sun_path);
	}
	if (upctl->fd >= 0)
		close(upctl->fd);
	free(upctl);
}

enum res
upctl_ask(const char *line, char reply[UPCTL_LINE_MAX])
{
	const struct timeval wait = {.tv_sec = ANSWER_WAIT_S};
	struct sockaddr_un at;
	enum res res = control_address(&at);
	ssize_t n = -1;
	int fd;

	if (res != RES_OK)
		return res;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return RES_IO;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
		res = errno == ENOENT || errno == ECONNREFUSED ? RES_NOT_FOUND : RES_IO;
	else if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0 ||
		 (n = recv(fd, reply, UPCTL_LINE_MAX - 1, 0)) < 0)
		res = RES_IO;
	if (n >= 0)
		reply[n] = '\0';
	close(fd);
	return res;
}
