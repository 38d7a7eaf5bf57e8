/* The reason of an error number, wherever send(2) or recv(2) of a connection meets it. */
#include "tests/unit/transport/slot_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct {
	int send, recv;
} broken; /* the error numbers of all further calls, or 0 */

ssize_t __real_send(int fd, const void *data, size_t n, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t n, int flags);
ssize_t __real_recv(int fd, void *data, size_t n, int flags);
ssize_t __wrap_recv(int fd, void *data, size_t n, int flags);

ssize_t
__wrap_send(int fd, const void *data, size_t n, int flags)
{
	if (broken.send == 0)
		return __real_send(fd, data, n, flags);
	errno = broken.send;
	return -1;
}

ssize_t
__wrap_recv(int fd, void *data, size_t n, int flags)
{
	if (broken.recv == 0)
		return __real_recv(fd, data, n, flags);
	errno = broken.recv;
	return -1;
}

static const struct {
	int error;
	enum reason before_ready;
} rows[] = {
    {EHOSTUNREACH, REASON_UNREACHABLE}, /* ICMP: time exceeded, host unreachable */
    {ENETUNREACH, REASON_UNREACHABLE},
    {ENETDOWN, REASON_UNREACHABLE},
    {EHOSTDOWN, REASON_UNREACHABLE},
    {ENOPROTOOPT, REASON_UNREACHABLE}, /* ICMP: protocol unreachable */
    {EPROTO, REASON_UNREACHABLE},      /* ICMP: parameter problem */
    {EACCES, REASON_UNREACHABLE},      /* a route that prohibits */
    {EPERM, REASON_UNREACHABLE},       /* a packet filter */
    {ECONNREFUSED, REASON_CONNECT_REFUSED},
    {ETIMEDOUT, REASON_CONNECT_TIMEOUT},
    {ECONNRESET, REASON_CLOSED},
    {EPIPE, REASON_CLOSED},
    {ENOMEM, REASON_OUT_OF_MEMORY},
};

static void
fails_with(int error, enum reason reason)
{
	assert_string_equal(f->detail, strerror(error));
	assert_string_equal(reason_code(f->last), reason_code(reason));
}

static void
every_row(void (*run)(int error, enum reason before_ready))
{
	void *unused;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		print_message("%s\n", strerror(rows[i].error));
		assert_int_equal(fixture_setup(&unused), 0);
		run(rows[i].error, rows[i].before_ready);
		broken.send = broken.recv = 0;
		assert_int_equal(fixture_teardown(&unused), 0);
	}
}

static void
the_handshake_fails(int error, enum reason reason)
{
	fixture_ask();
	PUMP_UNTIL(f->n_done == 1);
	assert_int_equal(f->failed, 1);
	fails_with(error, reason);
	assert_string_equal(reason_code(f->asked[0].failure), reason_code(reason));
	assert_true(f->asked[0].retry_safe);
}

static void
the_first_message_cannot_be_sent(int error, enum reason reason)
{
	broken.send = error;
	the_handshake_fails(error, reason);
}

static void
the_answer_cannot_be_read(int error, enum reason reason)
{
	broken.recv = error;
	the_handshake_fails(error, reason);
}

static void
it_worked_before(int error, enum reason reason)
{
	(void)reason;
	f->server.mood = DOT_SERVER_HOLDS;
	fixture_ask();
	PUMP_UNTIL(f->server.n_question == 1);
	broken.recv = error;
	dot_server_answer(&f->server, 0, 30);
	PUMP_UNTIL(f->closed == 1);
	fails_with(error, REASON_CLOSED);
}

static void
sending_in_the_handshake(void **state)
{
	(void)state;
	every_row(the_first_message_cannot_be_sent);
}

static void
reading_in_the_handshake(void **state)
{
	(void)state;
	every_row(the_answer_cannot_be_read);
}

static void
a_connection_that_worked_is_closed(void **state)
{
	(void)state;
	every_row(it_worked_before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sending_in_the_handshake),
	    cmocka_unit_test(reading_in_the_handshake),
	    cmocka_unit_test(a_connection_that_worked_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
