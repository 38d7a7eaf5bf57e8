#include "base/log_journald.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct buf sent = {.max = 65536};

ssize_t __wrap_sendto(int, const void *, size_t, int, const struct sockaddr *, socklen_t);

ssize_t
__wrap_sendto(int fd, const void *p, size_t n, int flags, const struct sockaddr *to, socklen_t to_n)
{
	(void)fd, (void)to, (void)to_n;
	assert_true((flags & MSG_DONTWAIT) != 0 && (flags & MSG_NOSIGNAL) != 0);
	buf_clear(&sent);
	buf_put(&sent, span_of(p, n));
	return (ssize_t)n;
}

static int
setup(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	assert_true(log_journald_open("test"));
	return 0;
}

/* No value can end its field, and so begin another one. */
static void
a_value_cannot_forge_a_field(void **state)
{
	static const struct {
		const char *sentence, *value, *field;
	} rows[] = {
	    {"plain", "ct-too-few-scts", "\nCTSTUB_NOT_AFTER=ct-too-few-scts\n"},
	    {"a line break", "a\nPRIORITY=0", "\nCTSTUB_NOT_AFTER=a\\x0aPRIORITY=0\n"},
	    {"a carriage return and an escape", "a\r\x1b[2J", "\nCTSTUB_NOT_AFTER=a\\x0d\\x1b[2J\n"},
	    {"bytes outside of ASCII", "\xc3\xa4\xff", "\nCTSTUB_NOT_AFTER=\\xc3\\xa4\\xff\n"},
	    {"nothing", "", "\nCTSTUB_NOT_AFTER=\n"},
	    {"no value", NULL, "\nCTSTUB_NOT_AFTER=-\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct log_field fields[] = {LOG_STR("not-after", rows[i].value), {.kind = LOG_END}};

		assert_true(log_journald_send(LOG_WARN, "refused", fields, span_str("the line")));
		if (strstr(buf_cstr(&sent), rows[i].field) == NULL || strstr(buf_cstr(&sent), "\nPRIORITY=0") != NULL)
			fail_msg("%s: %s", rows[i].sentence, buf_cstr(&sent));
	}
}

/* The fields after one without a value are written. */
static void
each_kind_has_its_form(void **state)
{
	struct addr addr;
	const struct log_field fields[] = {LOG_INT("have", -1), LOG_VALUE("nothing", NULL), LOG_ADDR("addr", &addr), LOG_IP("ip", &addr),
					   LOG_VALUE("verdict", "{\"a\":1}"), LOG_STR("upstream", "one"), {.kind = LOG_END}};

	(void)state;
	assert_int_equal(addr_read(&addr, "192.0.2.1:853", 0), RES_OK);
	assert_true(log_journald_send(LOG_WARN, "refused", fields, span_str("the line")));
	assert_non_null(strstr(buf_cstr(&sent), "\nCTSTUB_HAVE=-1\nCTSTUB_ADDR=192.0.2.1:853\nCTSTUB_IP=192.0.2.1\n"
						 "CTSTUB_VERDICT={\"a\":1}\nCTSTUB_UPSTREAM=one\n"));
}

static void
fields_that_do_not_fit_are_left_out(void **state)
{
	static char big[20000];
	const struct log_field fields[] = {LOG_INT("have", 1), LOG_STR("big", big), LOG_INT("want", 2), {.kind = LOG_END}};

	(void)state;
	memset(big, 'a', sizeof big - 1);
	assert_true(log_journald_send(LOG_ERROR, "refused", fields, span_str("the line")));
	assert_non_null(strstr(buf_cstr(&sent), "MESSAGE=the line\nPRIORITY=3\n"));
	assert_non_null(strstr(buf_cstr(&sent), "\nCTSTUB_HAVE=1\n"));
	assert_null(strstr(buf_cstr(&sent), "CTSTUB_BIG"));
	assert_int_equal(sent.p[sent.n - 1], '\n');
}

static void
only_events_of_the_table_have_an_identifier(void **state)
{
	(void)state;
	assert_int_equal(strlen(log_event_id("refused")), 32);
	assert_null(log_event_id("refuse"));
	assert_true(log_journald_send(LOG_DEBUG, "unknown", &(struct log_field){.kind = LOG_END}, span_str("x")));
	assert_null(strstr(buf_cstr(&sent), "MESSAGE_ID"));
	assert_non_null(strstr(buf_cstr(&sent), "\nPRIORITY=7\n"));
}

static void
another_standard_error_is_not_the_journal(void **state)
{
	static const char *const streams[] = {"1:1", "", "x", "1", ":"};

	(void)state;
	for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
		assert_int_equal(setenv("JOURNAL_STREAM", streams[i], 1), 0);
		assert_false(log_journald_open("test"));
	}
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
	assert_false(log_journald_open("test"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_value_cannot_forge_a_field, setup),
	    cmocka_unit_test_setup(each_kind_has_its_form, setup),
	    cmocka_unit_test_setup(fields_that_do_not_fit_are_left_out, setup),
	    cmocka_unit_test_setup(only_events_of_the_table_have_an_identifier, setup),
	    cmocka_unit_test(another_standard_error_is_not_the_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
