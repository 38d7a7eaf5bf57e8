#include "config.h"

#include "resolver/daemon/notify.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what was handed in */

static bool
is_own_pid(const char *text)
{
	int64_t pid;

	return text != NULL && number_read(&pid, text) == RES_OK && pid == getpid();
}

static void
handed_forget(void)
{
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	(void)unsetenv("LISTEN_PIDFDID"); /* since systemd 258 */
}

/* A descriptor that is not open is left to whoever uses it. */
static enum res
handed_count(size_t *n, const char *text)
{
	int64_t count;

	if (number_read(&count, text) != RES_OK || count < 0)
		return RES_MALFORMED;
	if (count > HANDED_MAX)
		return RES_LIMIT;
	for (int fd = HANDED_FIRST; fd < HANDED_FIRST + (int)count; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	*n = (size_t)count;
	return RES_OK;
}

enum res
notify_handed(size_t *n)
{
	const char *fds = getenv("LISTEN_FDS");
	enum res res = RES_OK;

	*n = 0;
	if (fds != NULL && is_own_pid(getenv("LISTEN_PID")))
		res = handed_count(n, fds);
	handed_forget();
	return res;
}

uint64_t
notify_watchdog_us(void)
{
	const char *text = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t us;

	if (text == NULL || (pid != NULL && !is_own_pid(pid)) || number_read(&us, text) != RES_OK || us < 0)
		return 0;
	return (uint64_t)us;
}

/* ---- what is sent */

bool
notify_address(struct sockaddr_un *to, socklen_t *n, const char *text)
{
	size_t length = strlen(text);
	bool abstract = text[0] == '@'; /* its name has a length, and no NUL after it (unix(7)) */

	*to = (struct sockaddr_un){.sun_family = AF_UNIX};
	if ((!abstract && text[0] != '/') || length < 2 || length > sizeof to->sun_path - !abstract)
		return false;
	memcpy(to->sun_path, text, length);
	if (abstract)
		to->sun_path[0] = '\0';
	*n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + !abstract);
	return true;
}

/* The socket is connected: only so poll(2) waits for room at the other end. */
static bool
send_in_time(int fd, struct span message)
{
	int64_t until_ms = clock_mono_ms() + NOTIFY_WAIT_MS, left;

	while (send(fd, message.p, message.n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)message.n) {
		struct pollfd room = {.fd = fd, .events = POLLOUT};

		left = until_ms - clock_mono_ms();
		if ((errno != EAGAIN && errno != EINTR) || left <= 0)
			return false;
		(void)poll(&room, 1, (int)left);
	}
	return true;
}

bool
notify_send(struct span assignments)
{
	const char *text = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to;
	socklen_t n;
	bool sent;
	int fd;

	if (text == NULL || !notify_address(&to, &n, text))
		return false;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	sent = connect(fd, (const struct sockaddr *)&to, n) == 0 && send_in_time(fd, assignments);
	(void)close(fd);
	return sent;
}
