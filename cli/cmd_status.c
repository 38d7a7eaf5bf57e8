/* ctstub status: is this machine's DNS protected, by whom, and what is to be done. */
#include "cli/control.h"
#include "cli/protection.h"
#include "cli/status_print.h"
#include "cli/watch_status.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define WATCH_PERIOD_S 2 /* the daemon collects it from its workers: no more often than a person reads */

const struct cli_option status_options[] = {
    {"watch", CONTROL_OPTION_WATCH, NULL, "show the status again every 2 seconds, until a signal"},
    {NULL, 0, NULL, NULL},
};

static void
status_add(const struct control_args *args, json_t *answer)
{
	struct protection p;

	watch_status_add(args, answer);
	protection_judge(&p, answer);
	(void)json_object_set_new(answer, "protection",
				  json_pack("{s:s,s:s,s:b}", "state", protection_state_text(p.state), "text",
					    p.text, "portal", (int)p.portal));
}

static enum exit_code
status_judge(const json_t *answer)
{
	struct protection p;

	protection_judge(&p, answer);
	return protection_exit_code(p.state);
}

static enum exit_code
status_once(const struct control_args *args, const char *verb)
{
	return control_report(args, verb, json_pack("{s:s}", "verb", "status"), status_print);
}

/* What was shown stays until there is something new. Messages are on standard error: flushed later, this would erase them. */
static void
status_clear(void)
{
	(void)fputs("\033[H\033[2J", stdout);
	(void)fflush(stdout);
}

/* True: one of the signals came. */
static bool
status_pause(const sigset_t *signals)
{
	const struct timespec period = {.tv_sec = WATCH_PERIOD_S};
	int got;

	do
		got = sigtimedwait(signals, NULL, &period);
	while (got < 0 && errno == EINTR);
	return got > 0;
}

/* The exit code is that of the last status shown. It ends with a signal, also while the daemon does not answer, or when nobody
 * reads its output any more. */
static enum exit_code
status_watch(const struct control_args *args, const char *verb)
{
	enum exit_code code = EXIT_GOOD, round;
	bool shown = false;
	struct control_end end = {.came = false};
	struct control_args ours = *args;
	sigset_t signals;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	end.fd = signalfd(-1, &signals, SFD_CLOEXEC); /* never read, so that status_pause gets the signal */
	ours.end = &end;
	if (!args->json && isatty(STDOUT_FILENO))
		ours.begin = status_clear;
	do {
		round = status_once(&ours, verb);
		if (end.came)
			break;
		code = round;
		shown = true;
		cli_round_done(code);
		if (fflush(stdout) != 0)
			break;
	} while (!status_pause(&signals));
	(void)close(end.fd);
	if (!shown)
		code = cli_complain(EXIT_TROUBLE, verb, "the daemon did not answer on %s before the signal",
				    args->socket);
	return code;
}

enum exit_code
cmd_status(int argc, char **argv)
{
	struct control_args args;
	enum exit_code code;

	if (!control_args_read(&args, argc, argv, 0, 0, &code))
		return code;
	args.add = status_add;
	args.judge = status_judge;
	return args.watch ? status_watch(&args, argv[0]) : status_once(&args, argv[0]);
}
