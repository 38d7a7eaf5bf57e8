/* ctstub stats: the daemon's counters. */
#include "cli/control.h"

#include <stdio.h>

const struct cli_option stats_options[] = {
    {"prometheus", CONTROL_OPTION_PROMETHEUS, NULL, "print the counters in the text format of Prometheus"},
    {NULL, 0, NULL, NULL},
};

static void
stats_print_numbers(const json_t *object, const char *prefix)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)(uintptr_t)object, key, v)
		if (json_is_integer(v))
			(void)printf("%s%-32s %lld\n", prefix, control_shown(key),
				     (long long)json_integer_value(v));
}

static void
stats_print(const json_t *answer)
{
	stats_print_numbers(json_object_get(answer, "counters"), "");
	stats_print_numbers(json_object_get(answer, "reasons"), "reason ");
	stats_print_numbers(json_object_get(answer, "cache"), "cache ");
}

static void
stats_print_prometheus(const json_t *answer)
{
	const char *text = json_string_value(json_object_get(answer, "text"));

	control_write(stdout, text, true);
}

enum exit_code
cmd_stats(int argc, char **argv)
{
	struct control_args args;
	enum exit_code code;

	if (!control_args_read(&args, argc, argv, 0, 0, &code))
		return code;
	if (args.prometheus && args.json)
		return cli_complain(EXIT_USAGE, argv[0], "--json or --prometheus, one of them was expected");
	if (args.prometheus)
		return control_report(&args, argv[0],
				      json_pack("{s:s,s:s}", "verb", "stats", "format", "prometheus"),
				      stats_print_prometheus);
	return control_report(&args, argv[0], json_pack("{s:s}", "verb", "stats"), stats_print);
}
