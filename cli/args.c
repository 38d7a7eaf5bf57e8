#include "cli/args.h"

/* getopt_long gave '?' or ':' for this argument; optopt is 0 when no single row of the table has its name. */
static enum exit_code
args_complain(const char *verb, int c, const char *arg)
{
	const char *what = "unknown option";

	if (c == ':')
		what = "a value was expected";
	else if (optopt != 0 && arg[0] == '-' && arg[1] == '-')
		what = "no value was expected";
	(void)cli_complain(EXIT_USAGE, verb, "%s: %s", arg, what);
	return cli_usage(verb);
}

int
args_read(const struct args_rules *rules, const char *verb, int argc, char **argv, enum exit_code *code)
{
	const struct verb *v = verb_find(verb);
	struct option longs[OPTIONS_MAX + 1];
	char shorts[OPTIONS_SHORTS_MAX];
	int c;

	*code = EXIT_USAGE;
	options_for_getopt(longs, shorts, v->own, v->shared);
	opterr = 0;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (c == 'h') {
			*code = cli_help_print(verb);
			return 0;
		}
		if (c == '?' || c == ':') {
			*code = args_complain(verb, c, argv[optind - 1]);
			return 0;
		}
		if (!rules->take(rules->request, c, optarg))
			return 0;
	}
	if (argc - optind < rules->least || argc - optind > rules->most) {
		*code = cli_usage(verb);
		return 0;
	}
	return optind;
}
