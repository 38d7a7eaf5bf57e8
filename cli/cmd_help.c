#include "cli/completion.h"

#include <stdio.h>
#include <string.h>

const struct cli_option help_options[] = {
    {"help", 'h', NULL, "print the list of verbs"},
    {NULL, 0, NULL, NULL},
};

enum exit_code
cli_help_print(const char *verb)
{
	const struct verb *v = verb_find(verb);

	if (v == NULL)
		return cli_complain(EXIT_USAGE, "help", "unknown verb \"%s\"", verb);
	(void)printf("usage: ctstub %s %s\n\n%c%s.\n", v->name, v->usage, v->summary[0] - 'a' + 'A',
		     v->summary + 1);
	(void)putchar('\n');
	options_print(v->own);
	options_print(v->shared);
	return EXIT_GOOD;
}

bool
cli_wants_help(int argc, char **argv)
{
	return argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

enum exit_code
cmd_help(int argc, char **argv)
{
	const struct verb *v;

	if (argc == 3 && strcmp(argv[1], "--completion") == 0) /* for `make install`; no person needs it */
		return completion_print(argv[2])
			   ? EXIT_GOOD
			   : cli_complain(EXIT_USAGE, "help", "\"%s\": bash, zsh or fish was expected",
					  argv[2]);
	if (argc > 2)
		return cli_misused("help", "\"%s\": no further argument was expected", argv[2]);
	if (argc == 2 && !cli_wants_help(argc, argv))
		return cli_help_print(argv[1]);
	(void)puts("usage: ctstub VERB [OPTION]... [ARGUMENT]...\n\nverbs:");
	for (v = verb_table; v->name != NULL; v++)
		(void)printf("  %-10s  %s\n", v->name, v->summary);
	(void)puts("\nctstub help VERB explains its options; the manual page is ctstub(1).\n"
		   "ctstub -V, --version prints the version and the libraries.\n"
		   "Exit codes: 0 accepted or done, 1 refused, 2 usage or configuration, 3 trouble.");
	return EXIT_GOOD;
}
