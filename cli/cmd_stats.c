/* ctstub stats: what the daemon counted. */
#include "cli/control.h"

#include <stdio.h>

static void
numbers_print(const json_t *object, const char *prefix)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)(uintptr_t)object, key, v)
		if (json_is_integer(v))
			(void)printf("%s%-32s %lld\n", prefix, key, (long long)json_integer_value(v));
}

static void
stats_print(const json_t *answer)
{
	numbers_print(json_object_get(answer, "counters"), "");
	numbers_print(json_object_get(answer, "reasons"), "reason ");
	numbers_print(json_object_get(answer, "cache"), "cache ");
}

static void
prometheus_print(const json_t *answer)
{
	const char *text = json_string_value(json_object_get(answer, "text"));

	if (text != NULL)
		(void)fputs(text, stdout);
}

enum exit_code
cmd_stats(int argc, char **argv)
{
	struct control_args args;
	enum exit_code code;

	if (!control_args_read(&args, argc, argv, "prometheus", 0, 0, &code))
		return code;
	if (args.flag && args.json)
		return complain(EXIT_USAGE, argv[0], "--json or --prometheus, one of them was expected");
	if (args.flag)
		return control_report(&args, argv[0],
				      json_pack("{s:s,s:s}", "verb", "stats", "format", "prometheus"),
				      prometheus_print);
	return control_report(&args, argv[0], json_pack("{s:s}", "verb", "stats"), stats_print);
}
