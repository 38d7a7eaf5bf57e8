/* Bytes that a peer has not acknowledged, over a real connection on loopback. */
#include "config.h"

#include "transport/unacked.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A connection: pair[0] writes, pair[1] reads. */
static void
connection(int pair[2])
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof to;
	int listening = socket(AF_INET, SOCK_STREAM, 0), small = 4096;

	assert_int_equal(setsockopt(listening, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	assert_int_equal(bind(listening, (struct sockaddr *)&to, sizeof to), 0);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(getsockname(listening, (struct sockaddr *)&to, &n), 0);
	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(pair[0], (struct sockaddr *)&to, sizeof to), 0);
	pair[1] = accept(listening, NULL, NULL);
	assert_true(pair[1] >= 0);
	(void)close(listening);
}

static void
bytes_without_room_at_the_peer_are_unacknowledged(void **state)
{
	static uint8_t bytes[65536];
	int pair[2];

	(void)state;
	connection(pair);
	assert_false(unacked_bytes(pair[0]));
	while (send(pair[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		;
	assert_true(unacked_bytes(pair[0]));
	assert_false(unacked_bytes(pair[1]));
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static void
a_descriptor_without_a_connection_has_nothing_to_acknowledge(void **state)
{
	(void)state;
	assert_false(unacked_bytes(-1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_without_room_at_the_peer_are_unacknowledged),
		cmocka_unit_test(a_descriptor_without_a_connection_has_nothing_to_acknowledge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
