/* The socket accepts only a part of the replies at a time: each is sent once, in order and whole. */
#include "config.h"

#include "resolver/daemon/listener_udp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/transport/fake_loop.h"

#define QUESTIONS UDP_BATCH

enum ask __wrap_engine_ask(struct engine *, struct span wire, const struct client *, struct buf *out);
size_t __wrap_engine_waiting(const struct engine *);
int __real_sendmmsg(int fd, struct mmsghdr *, unsigned n, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *, unsigned n, int flags);

/* What each call of sendmmsg does: accepts so many, or fails with -errno. After the last, all are accepted. */
static int plan[8];
static unsigned planned, calls;
static bool full; /* it accepts none */

int
__wrap_sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags)
{
	int step = calls < planned ? plan[calls] : (int)n;

	calls++;
	if (full)
		step = -EAGAIN;
	if (step < 0) {
		errno = -step;
		return -1;
	}
	return __real_sendmmsg(fd, v, (unsigned)step < n ? (unsigned)step : n, flags);
}

static size_t
reply_size(uint8_t number)
{
	static const size_t sizes[] = {12, 100, MSG_UDP_PAYLOAD, 1, 33};

	return sizes[number % (sizeof sizes / sizeof *sizes)];
}

/* The reply to question n is filled with bytes of the value n. */
enum ask
__wrap_engine_ask(struct engine *engine, struct span wire, const struct client *client, struct buf *out)
{
	(void)engine;
	(void)client;
	assert_int_equal(wire.n, 1);
	for (size_t i = 0; i < reply_size(wire.p[0]); i++)
		buf_u8(out, wire.p[0]);
	assert_true(buf_ok(out));
	return ASK_REPLIED;
}

size_t
__wrap_engine_waiting(const struct engine *engine)
{
	(void)engine;
	return 0;
}

static int
udp_socket(struct sockaddr_storage *at, socklen_t *n)
{
	struct addr loopback = {.family = ADDR_V4, .ip = {127, 0, 0, 1}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	*n = addr_to_sockaddr(&loopback, at);
	assert_int_equal(bind(fd, (struct sockaddr *)at, *n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, n), 0);
	return fd;
}

static void
replies_come_in_order(struct loop *loop, int client, uint8_t from)
{
	for (unsigned turns = 0; turns < 100; turns++)
		fake_loop_advance(loop, UDP_REST_MS);
	for (unsigned i = 0; i < QUESTIONS; i++) {
		uint8_t room[MSG_UDP_PAYLOAD + 1], number = (uint8_t)(from + i);
		ssize_t n = recv(client, room, sizeof room, 0);

		assert_int_equal(n, reply_size(number));
		for (ssize_t k = 0; k < n; k++)
			assert_int_equal(room[k], number);
	}
	assert_int_equal(recv(client, &(uint8_t){0}, 1, 0), -1);
}

/* A listener, and a client that is connected to it. */
struct served {
	struct counters counters;
	struct heap_watch heap;
	struct listener_udp *udp;
	struct loop *loop;
	int client;
};

static int
begin(void **state)
{
	static struct served s;
	struct sockaddr_storage at, here;
	struct addr addr;
	socklen_t n;
	int fd;

	s = (struct served){.udp = NULL};
	assert_int_equal(loop_new(&s.loop), RES_OK);
	fd = udp_socket(&at, &n);
	assert_int_equal(addr_from_sockaddr(&addr, (struct sockaddr *)&at), RES_OK);
	assert_int_equal(listener_udp_new(&s.udp, s.loop, NULL, &s.counters, &s.heap, fd, &addr), RES_OK);
	s.client = udp_socket(&here, &n);
	assert_int_equal(connect(s.client, (struct sockaddr *)&at, n), 0);
	*state = &s;
	return 0;
}

static int
end(void **state)
{
	struct served *s = *state;

	close(s->client);
	listener_udp_free(s->udp);
	loop_free(s->loop);
	return 0;
}

static void
replies_that_are_not_accepted_are_sent_later(void **state)
{
	static const struct {
		const char *what;
		int plan[8];
		unsigned n;
	} rows[] = {
		{"all at once", {0}, 0},
		{"no memory at first", {-ENOBUFS}, 1},
		{"no memory after five", {5, -ENOBUFS}, 2},
		{"full after one", {1, -EAGAIN}, 2},
		{"again and again", {3, -EAGAIN, 2, -ENOMEM, 1, -EAGAIN, 7, -ENOBUFS}, 8},
		{"interrupted", {4, -EINTR, 4, -EAGAIN}, 4},
	};
	struct served *s = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t from = (uint8_t)(i * QUESTIONS);

		memcpy(plan, rows[i].plan, sizeof plan);
		planned = rows[i].n;
		calls = 0;
		for (unsigned k = 0; k < QUESTIONS; k++)
			assert_int_equal(send(s->client, &(uint8_t){(uint8_t)(from + k)}, 1, 0), 1);
		replies_come_in_order(s->loop, s->client, from);
		if (calls < planned)
			fail_msg("%s: %u calls of sendmmsg", rows[i].what, calls);
	}
}

static void
questions_without_room_for_a_reply_are_counted(void **state)
{
	struct served *s = *state;

	planned = 0;
	full = true;
	for (unsigned k = 0; k < QUESTIONS; k++)
		assert_int_equal(send(s->client, &(uint8_t){(uint8_t)k}, 1, 0), 1);
	(void)fake_loop_turn(s->loop, 0);
	assert_int_equal(counter_get(&s->counters, COUNTER_DROPPED), 0);
	for (unsigned k = 0; k < 7; k++)
		assert_int_equal(send(s->client, &(uint8_t){(uint8_t)k}, 1, 0), 1);
	(void)fake_loop_turn(s->loop, 0);
	assert_true(listener_udp_is_busy(s->udp));
	full = false;
	replies_come_in_order(s->loop, s->client, 0);
	assert_int_equal(counter_get(&s->counters, COUNTER_DROPPED), 7);
	assert_false(listener_udp_is_busy(s->udp));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(replies_that_are_not_accepted_are_sent_later, begin, end),
	    cmocka_unit_test_setup_teardown(questions_without_room_for_a_reply_are_counted, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
