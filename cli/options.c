#include "cli/options.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define HELP_COLUMN 25

void
options_for_getopt(struct option longs[OPTIONS_MAX + 1], char shorts[OPTIONS_SHORTS_MAX],
		   const struct cli_option *own, const struct cli_option *shared)
{
	const struct cli_option *tables[] = {own, shared};
	size_t n = 0;

	*shorts++ = ':'; /* getopt_long then tells a missing value from an unknown option */
	for (size_t t = 0; t < 2; t++)
		for (const struct cli_option *o = tables[t]; o != NULL && o->name != NULL; o++) {
			int has_arg = o->arg != NULL ? required_argument : no_argument;

			assert(n < OPTIONS_MAX);
			longs[n++] = (struct option){o->name, has_arg, NULL, o->id};
			if (o->id < 256)
				*shorts++ = (char)o->id;
			if (o->id < 256 && o->arg != NULL)
				*shorts++ = ':';
		}
	longs[n] = (struct option){NULL, 0, NULL, 0};
	*shorts = '\0';
}

static void
options_print_row(const struct cli_option *o)
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
		options_print_row(o);
}
