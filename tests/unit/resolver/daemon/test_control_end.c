/* The control socket when the daemon ends: clients get whole responses, unless they do not read. */
#include "tests/unit/resolver/daemon/control_stage.h"

#include <errno.h>
#include <poll.h>

#include <sys/socket.h>

#include "base/clock.h"

#define CLIENTS_MAX CONTROL_CONNECTIONS_MAX
#define FILES       1200
#define FILE_NAME   1000 /* bytes; together more than a socket holds */

/* ---- a scripted clock, and a poll in which the clients read, or time passes */

int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void);
int __real_poll(struct pollfd *, nfds_t, int timeout);
int __wrap_poll(struct pollfd *, nfds_t, int timeout);
int __wrap___poll_chk(struct pollfd *, nfds_t, int timeout, size_t size); /* in hardened builds */

static bool scripted; /* only while no other thread looks */
static int64_t now_ms;

static struct client {
	int fd;
	bool reads, leaves; /* while the daemon ends */
	struct buf got;
} client[CLIENTS_MAX];
static size_t n_client;

int64_t
__wrap_clock_mono_ms(void)
{
	return scripted ? now_ms : __real_clock_mono_ms();
}

static bool
client_read(struct client *c, int flags)
{
	uint8_t *room = buf_room(&c->got, 65536);
	ssize_t n;

	assert_non_null(room);
	n = recv(c->fd, room, 65536, flags);
	if (n > 0)
		buf_added(&c->got, (size_t)n);
	return n > 0;
}

int
__wrap_poll(struct pollfd *p, nfds_t n, int timeout)
{
	bool any = false;

	if (!scripted)
		return __real_poll(p, n, timeout);
	assert_true(timeout > 0 && timeout <= CONTROL_END_MS);
	for (size_t i = 0; i < n_client; i++) {
		if (client[i].leaves && client[i].fd >= 0) {
			(void)close(client[i].fd);
			client[i].fd = -1;
			any = true;
		}
		any |= client[i].reads && client_read(&client[i], MSG_DONTWAIT);
	}
	if (!any)
		now_ms += timeout;
	return __real_poll(p, n, 0);
}

int
__wrap___poll_chk(struct pollfd *p, nfds_t n, int timeout, size_t size)
{
	assert_true(n * sizeof *p <= size);
	return __wrap_poll(p, n, timeout);
}

/* ---- the tests */

static void
files_set(struct stage *s)
{
	static char name[FILE_NAME + 1], *files[FILES];

	memset(name, 'x', FILE_NAME);
	for (size_t i = 0; i < FILES; i++)
		files[i] = name;
	s->settings.file = files;
	s->settings.n_file = FILES;
}

/* Asks, and waits for the beginning of the response. */
static void
client_ask(struct client *c, const struct stage *s)
{
	static const char request[] = "{\"verb\":\"status\"}\n";
	char byte;

	c->got = buf_max(CONTROL_RESPONSE_MAX);
	c->fd = stage_connect(s->path);
	assert_int_equal(send(c->fd, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
	assert_int_equal(recv(c->fd, &byte, 1, MSG_PEEK), 1);
}

static bool
is_whole(struct client *c)
{
	return c->got.n > (size_t)FILES * FILE_NAME && c->got.p[c->got.n - 1] == '\n';
}

static const struct {
	const char *what;
	const char *clients; /* r: reads, s: stands still, l: leaves */
	int64_t ms;          /* that the end takes */
} ends[] = {
    {"no client", "", 0},
    {"one that reads", "r", 0},
    {"one that reads nothing", "s", CONTROL_END_MS},
    {"one that leaves", "l", 0},
    {"one that reads after others that do not", "rslss", CONTROL_END_MS},
    {"those that read before and after one that does not", "rrsr", CONTROL_END_MS},
};

static void
clients_begin(const struct stage *s, const char *kinds)
{
	n_client = strlen(kinds);
	for (size_t i = 0; i < n_client; i++) {
		client[i] = (struct client){.reads = kinds[i] == 'r', .leaves = kinds[i] == 'l'};
		client_ask(&client[i], s);
	}
}

/* Gives how many milliseconds it took. */
static int64_t
control_end(struct stage *s)
{
	stage_loop_end(s);
	now_ms = 0;
	scripted = true;
	control_free(s->control);
	scripted = false;
	s->control = NULL;
	return now_ms;
}

/* Reads what is left; a client that reads only now has a part. */
static void
clients_end(const char *what)
{
	for (size_t i = 0; i < n_client; i++) {
		struct client *c = &client[i];

		while (c->fd >= 0 && client_read(c, 0))
			;
		if (is_whole(c) != c->reads)
			fail_msg("%s: client %zu got %zu bytes", what, i, c->got.n);
		buf_free(&c->got);
		if (c->fd >= 0)
			(void)close(c->fd);
	}
}

static void
responses_are_sent_whole_at_the_end(void **state)
{
	for (size_t row = 0; row < sizeof ends / sizeof *ends; row++) {
		struct stage *s;
		int64_t took_ms;

		assert_int_equal(stage_set(state), 0);
		s = *state;
		files_set(s);
		clients_begin(s, ends[row].clients);
		took_ms = control_end(s);
		clients_end(ends[row].what);
		if (took_ms != ends[row].ms)
			fail_msg("%s: it took %lld ms", ends[row].what, (long long)took_ms);
		assert_int_equal(stage_strike(state), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(responses_are_sent_whole_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
