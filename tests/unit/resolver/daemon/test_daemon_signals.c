/* Signals to the daemon, from its first moment on. Each row is a process of its own. */
#include "resolver/daemon/daemon_signals.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { HANGUP = 11, END };

static int obeyed;

static void
on_hangup(void *ctx)
{
	obeyed = HANGUP;
	loop_stop(ctx);
}

static void
on_end(void *ctx)
{
	obeyed = END;
	loop_stop(ctx);
}

struct row {
	const char *about;
	int early, late; /* signals before and after daemon_signals_take; 0: none */
	int obeyed;
};

static _Noreturn void
live(const struct row *row)
{
	struct loop *loop;

	daemon_signals_hold();
	if (row->early != 0)
		(void)raise(row->early);
	if (loop_new(&loop) != RES_OK || daemon_signals_take(loop, on_hangup, on_end, loop) != RES_OK)
		_exit(1);
	if (row->late != 0)
		(void)raise(row->late);
	if (row->obeyed == END)
		(void)raise(SIGTERM);
	loop_run(loop);
	_exit(obeyed);
}

static void
signals_are_obeyed_or_ignored_and_kill_no_daemon(void **state)
{
	const struct row rows[] = {
	    {"SIGHUP at the start waits", SIGHUP, 0, HANGUP},
	    {"SIGHUP later", 0, SIGHUP, HANGUP},
	    {"SIGINT", 0, SIGINT, END},
	    {"SIGUSR1 at the start", SIGUSR1, 0, END},
	    {"SIGUSR1, for which dnsmasq prints statistics", 0, SIGUSR1, END},
	    {"SIGUSR2 at the start", SIGUSR2, 0, END},
	    {"SIGUSR2, for which systemd-resolved empties its cache", 0, SIGUSR2, END},
	    {"SIGRTMIN+1 at the start", SIGRTMIN + 1, 0, END},
	    {"SIGRTMIN+1, for which systemd-resolved forgets its servers", 0, SIGRTMIN + 1, END},
	    {"SIGPIPE", 0, SIGPIPE, END},
	    {"SIGXFSZ", 0, SIGXFSZ, END},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			live(&rows[i]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != rows[i].obeyed)
			fail_msg("%s: status %#x", rows[i].about, status);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signals_are_obeyed_or_ignored_and_kill_no_daemon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
