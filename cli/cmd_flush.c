/* ctstub flush: drops cached answers. */
#include "cli/control.h"
#include "base/text.h"
#include "config/forms.h"

#include <stdio.h>
#include <string.h>

static void
flush_print(const json_t *answer)
{
	long long n = control_integer(answer, "flushed");

	(void)printf("%lld %s flushed\n", n, n == 1 ? "entry" : "entries");
}

/* A name with escapes is parsed by the daemon, but JSON cannot carry bytes that are not UTF-8: without its name the request
 * would flush everything. */
static bool
is_name(const char *text)
{
	char name[CONFIG_STRING_MAX + 1];

	return strchr(text, '\\') != NULL ? utf8_ok(span_str(text)) : domain_read(name, text);
}

enum exit_code
cmd_flush(int argc, char **argv)
{
	struct control_args args;
	enum exit_code code;
	json_t *request;

	if (!control_args_read(&args, argc, argv, 0, 1, &code))
		return code;
	if (args.first < argc && !is_name(argv[args.first]))
		return cli_complain(EXIT_USAGE, argv[0], "\"%s\": a domain name was expected",
				    argv[args.first]);
	request = args.first < argc ? json_pack("{s:s,s:s}", "verb", "flush", "name", argv[args.first])
				    : json_pack("{s:s}", "verb", "flush");
	return control_report(&args, argv[0], request, flush_print);
}
