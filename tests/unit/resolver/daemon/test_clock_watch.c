/*
 * test_clock_watch.c - the timer by which the kernel reports that the wall clock was set.
 *
 * No test sets the clock of the machine: /proc shows what the kernel was asked to report, and functional/test_clock.py
 * tests what the daemon does with the report.
 */
#include "resolver/daemon/clock_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
on_set(void *ctx)
{
	(void)ctx;
	fail_msg("nobody set the clock");
}

/* The line of the descriptor's /proc entry that begins so; "" without one. */
static void
fdinfo(char line[128], int fd, const char *front)
{
	char path[64];
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	assert_non_null(f);
	do
		line[0] = '\0';
	while (fgets(line, 128, f) != NULL && strncmp(line, front, strlen(front)) != 0);
	(void)fclose(f);
}

static void
the_kernel_is_asked_to_report(void **state)
{
	struct clock_watch watch;
	struct loop *loop;
	char line[128];

	(void)state;
	assert_int_equal(loop_new(&loop), RES_OK);
	assert_int_equal(clock_watch_start(&watch, loop, on_set, NULL), RES_OK);
	fdinfo(line, watch.fd, "clockid:");
	assert_string_equal(line, "clockid: 0\n"); /* CLOCK_REALTIME */
	fdinfo(line, watch.fd, "settime flags:");
	assert_string_equal(line, "settime flags: 03\n"); /* TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET */
	fdinfo(line, watch.fd, "it_value:");
	assert_null(strstr(line, "(0, 0)")); /* it is armed */
	clock_watch_stop(&watch);
	clock_watch_stop(&watch); /* harmless */
	loop_free(loop);
}

static void
one_that_never_started_stops(void **state)
{
	struct clock_watch watch = {.fd = 0};

	(void)state;
	clock_watch_stop(&watch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_kernel_is_asked_to_report),
	    cmocka_unit_test(one_that_never_started_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
