#include "config.h"

#include "base/environment.h"
#include "cli/cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

int
main(int argc, char **argv)
{
	const struct verb *v;

	if (environment_clean(argv, NULL) != RES_OK)
		return (int)complain(EXIT_TROUBLE, NULL,
				     "cannot start again without the variables that steer GnuTLS");
	(void)signal(SIGPIPE, SIG_IGN); /* a peer or a pipe that goes away is an error we tell */
	if (argc < 2) {
		(void)cmd_help(1, argv);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return (int)cmd_help(1, argv);
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		(void)printf("ctstub %s\n", PACKAGE_VERSION);
		return (int)print_done("version", EXIT_GOOD);
	}
	v = verb_find(argv[1]);
	if (v == NULL)
		return (int)complain(EXIT_USAGE, NULL, "unknown verb \"%s\", see: ctstub help", argv[1]);
	return (int)v->run(argc - 1, argv + 1);
}
