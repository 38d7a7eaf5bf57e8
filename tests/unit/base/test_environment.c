/* T28, G10: variables that steer the libraries are removed, and the program starts again without them. */
#include "base/environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;



static char as_child[] = "as-child";
static char named[512];

static void
on_scrubbed(const char *variable)
{
	strncat(named, variable, sizeof named - strlen(named) - 2);
	strcat(named, " ");
}

/* The test program, run again: prints its process id, the names it reports, and its environment without the linker's variables. */
static int
child(char **argv)
{
	if (environment_clean(argv, on_scrubbed) != RES_OK)
		return 3;
	printf("pid=%d|%s|", (int)getpid(), named);
	for (char **e = environ; *e != NULL; e++)
		printf("%s,", *e);
	return 0;
}

struct row {
	const char *about;
	const char *entries[6];
	const char *named;
	const char *left;
};

static const struct row rows[] = {
    {"nothing to remove: one run", {"HOME=/root", "TERM=x"}, "", "HOME=/root,TERM=x,"},
    {"keys", {"SSLKEYLOGFILE=/tmp/k", "A=b"}, "SSLKEYLOGFILE ", "A=b,"},
    {"all variables of GnuTLS", {"GNUTLS_DEBUG_LEVEL=0", "GNUTLS_SYSTEM_PRIORITY_FILE=/x"}, "GNUTLS_DEBUG_LEVEL GNUTLS_SYSTEM_PRIORITY_FILE ", ""},
    {"libevent", {"EVENT_NOEPOLL=1", "EVENT_=2"}, "EVENT_NOEPOLL EVENT_ ", ""},
    {"nettle, p11-kit and OpenSSL", {"NETTLE_FAT_OVERRIDE=x", "P11_KIT_DEBUG=all", "OPENSSL_CONF=/x"}, "NETTLE_FAT_OVERRIDE P11_KIT_DEBUG OPENSSL_CONF ", ""},
    {"names that are only similar stay", {"SSLKEYLOGFILES=a", "XGNUTLS_=b", "gnutls_x=c", "EVENTS=d"}, "", "SSLKEYLOGFILES=a,XGNUTLS_=b,gnutls_x=c,EVENTS=d,"},
    {"two entries of one name", {"SSLKEYLOGFILE=/a", "B=c", "SSLKEYLOGFILE=/b"}, "SSLKEYLOGFILE SSLKEYLOGFILE ", "B=c,"},
    {"an entry without =", {"GNUTLS_WITHOUT", "B=c"}, "GNUTLS_WITHOUT ", "B=c,"},
    {"an empty value", {"SSLKEYLOGFILE=", "B=c"}, "SSLKEYLOGFILE ", "B=c,"},
    {"variables of socket activation stay", {"LISTEN_FDS=4", "GNUTLS_X=1", "NOTIFY_SOCKET=/run/x"}, "GNUTLS_X ", "LISTEN_FDS=4,NOTIFY_SOCKET=/run/x,"},
    {"a marker that another program set", {"CTSTUB_ENVIRONMENT_REMOVED=NAME bad\nline <b> OK_2"}, "NAME OK_2 ", ""},
};

static void
the_second_run_is_clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char self[4096], out[4096] = "", want[4096], keep[256] = "";
		char *argv[] = {self, as_child, NULL}, *env[16] = {NULL};
		const char *sanitizer = getenv("ASAN_OPTIONS");
		ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
		size_t n = 0, got = 0;
		int fds[2], status;
		pid_t pid;

		assert_true(length > 0);
		self[length] = '\0';
		for (; rows[i].entries[n] != NULL; n++)
			env[n] = (char *)(uintptr_t)rows[i].entries[n];
		if (sanitizer != NULL) { /* a program with a sanitizer needs its options */
			snprintf(keep, sizeof keep, "ASAN_OPTIONS=%s", sanitizer);
			env[n] = keep;
		}
		assert_int_equal(pipe(fds), 0);
		pid = fork();
		if (pid == 0) {
			dup2(fds[1], 1);
			close(fds[0]);
			execve(self, argv, env);
			_exit(9);
		}
		close(fds[1]);
		for (ssize_t r; (r = read(fds[0], out + got, sizeof out - 1 - got)) > 0;)
			got += (size_t)r;
		close(fds[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		snprintf(want, sizeof want, "pid=%d|%s|%s%s%s", (int)pid, rows[i].named, rows[i].left, keep,
			 keep[0] != '\0' ? "," : "");
		if (strcmp(out, want) != 0)
			fail_msg("%s: have %s, want %s", rows[i].about, out, want);
		assert_int_equal(status, 0);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_second_run_is_clean),
	};

	if (argc == 2 && strcmp(argv[1], as_child) == 0)
		return child(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
