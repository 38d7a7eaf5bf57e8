#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

/* The options of a verb; a verb that is not here has them in its usage alone. */
static const struct {
	const char *verb;
	const struct cli_option *own, *shared;
} explained[] = {
    {"verify", verify_options, rules_options},
    {"probe", probe_options, rules_options},
};

enum exit_code
help_print(const char *verb)
{
	const struct verb *v = verb_find(verb);

	if (v == NULL)
		return complain(EXIT_USAGE, "help", "unknown verb \"%s\"", verb);
	(void)printf("usage: ctstub %s %s\n\n%c%s.\n", v->name, v->usage, v->summary[0] - 'a' + 'A',
		     v->summary + 1);
	for (size_t i = 0; i < sizeof explained / sizeof explained[0]; i++)
		if (strcmp(explained[i].verb, verb) == 0) {
			(void)putchar('\n');
			options_print(explained[i].own);
			options_print(explained[i].shared);
		}
	return print_done("help", EXIT_GOOD);
}

enum exit_code
cmd_help(int argc, char **argv)
{
	const struct verb *v;

	if (argc > 2)
		return usage("help");
	if (argc == 2 && strcmp(argv[1], "--help") != 0)
		return help_print(argv[1]);
	(void)puts("usage: ctstub VERB [OPTION]... [ARGUMENT]...\n\nverbs:");
	for (v = verb_table; v->name != NULL; v++)
		(void)printf("  %-10s  %s\n", v->name, v->summary);
	(void)puts("\nctstub help VERB tells its options, ctstub(1) the rest.\n"
		   "Exit codes: 0 accepted or done, 1 refused, 2 usage or configuration, 3 trouble.");
	return print_done("help", EXIT_GOOD);
}
