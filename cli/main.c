#include "config.h"

#include "about/about.h"
#include "base/environment.h"
#include "cli/cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

int
main(int argc, char **argv)
{
	const struct verb *v;
	enum exit_code code;

	cli_failures_collect(argc, argv);
	if (environment_clean(argv, NULL) != RES_OK)
		return (int)cli_complain(
		    EXIT_TROUBLE, NULL,
		    "cannot restart without the environment variables that control GnuTLS");
	/* A peer or a pipe that goes away, and a file that may not grow (setrlimit(2)), are errors we report. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	if (argc < 2) {
		(void)cmd_help(1, argv);
		return (int)cli_done("help", EXIT_USAGE);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return (int)cli_done("help", cmd_help(1, argv));
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		about_print("ctstub");
		return (int)cli_done("version", EXIT_GOOD);
	}
	v = verb_find(argv[1]);
	if (v != NULL)
		code = v->run(argc - 1, argv + 1);
	else
		code = cli_complain(EXIT_USAGE, NULL, "unknown verb \"%s\", see: ctstub help", argv[1]);
	return (int)cli_done(argv[1], code);
}
