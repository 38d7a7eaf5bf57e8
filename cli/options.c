#include "cli/options.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define HELP_COLUMN 25

void
options_longs(struct option out[CLI_OPTIONS_MAX + 1], const struct cli_option *own,
	      const struct cli_option *more)
{
	const struct cli_option *tables[] = {own, more};
	size_t n = 0;

	for (size_t t = 0; t < 2; t++)
		for (const struct cli_option *o = tables[t]; o != NULL && o->name != NULL; o++) {
			assert(n < CLI_OPTIONS_MAX);
			out[n++] = (struct option){o->name, o->arg != NULL ? required_argument : no_argument,
						   NULL, o->id};
		}
	out[n] = (struct option){NULL, 0, NULL, 0};
}

static void
option_print(const struct cli_option *o)
{
	const char *line = o->help;
	int used = o->id < 256 ? printf("  -%c, --%s", o->id, o->name) : printf("      --%s", o->name);

	if (o->arg != NULL)
		used += printf(" %s", o->arg);
	if (used >= HELP_COLUMN) {
		(void)putchar('\n');
		used = 0;
	}
	while (*line != '\0') {
		int n = (int)strcspn(line, "\n");

		(void)printf("%*s%.*s\n", HELP_COLUMN - used, "", n, line);
		line += n + (line[n] == '\n');
		used = 0;
	}
}

void
options_print(const struct cli_option *table)
{
	for (const struct cli_option *o = table; o != NULL && o->name != NULL; o++)
		option_print(o);
}
