#include "cli/args.h"

#include "base/option.h"

#include <string.h>

#define COMPLAINT_MAX 8192

static enum exit_code
args_complain(const char *verb, int c, char **argv, const struct option *longs)
{
	struct buf fault = buf_max(COMPLAINT_MAX);
	enum exit_code code;

	option_fault(&fault, c, argv, longs);
	code = cli_misused(verb, "%s", buf_cstr(&fault) != NULL ? buf_cstr(&fault) : "unknown option");
	buf_free(&fault);
	return code;
}

/* Is the value "-", and a file that is read? */
static bool
args_is_stdin(const struct cli_option *table, int id, const char *value)
{
	if (value == NULL || strcmp(value, "-") != 0)
		return false;
	while (table != NULL && table->name != NULL && table->id != id)
		table++;
	return table != NULL && table->name != NULL && table->arg != NULL &&
	       strcmp(table->arg, "FILE") == 0 && strcmp(table->name, "output") != 0;
}

int
args_read(const struct args_rules *rules, const char *verb, int argc, char **argv, enum exit_code *code)
{
	const struct verb *v = verb_find(verb);
	struct option longs[OPTIONS_MAX + 1];
	char shorts[OPTIONS_SHORTS_MAX];
	int c, from_stdin = 0;

	*code = EXIT_USAGE;
	options_for_getopt(longs, shorts, v->own, v->shared);
	opterr = 0;
	while ((c = option_parse(argc, argv, shorts, longs)) != -1) {
		if (c == 'h') {
			*code = cli_help_print(verb);
			return 0;
		}
		if (c == '?' || c == ':') {
			*code = args_complain(verb, c, argv, longs);
			return 0;
		}
		from_stdin += args_is_stdin(v->own, c, optarg) || args_is_stdin(v->shared, c, optarg);
		if (!rules->take(rules->request, c, optarg))
			return 0;
	}
	if (argc - optind < rules->least) {
		*code = cli_misused(verb, "an argument is missing");
		return 0;
	}
	if (option_argument_is_empty(argc, argv)) {
		*code = cli_misused(verb, "an argument is empty");
		return 0;
	}
	if (argc - optind > rules->most) {
		*code =
		    cli_misused(verb, "\"%s\": no further argument was expected", argv[optind + rules->most]);
		return 0;
	}
	for (int i = optind; i < argc; i++)
		from_stdin += strcmp(argv[i], "-") == 0;
	if (from_stdin > 1) { /* the second file would be empty: a list without entries */
		*code = cli_complain(EXIT_USAGE, verb, "standard input is one file, \"-\" was expected once");
		return 0;
	}
	return optind;
}
