/* ctstub flush: drops cached answers. */
#include "cli/control.h"
#include "config/forms.h"

#include <stdio.h>
#include <string.h>

static void
flush_print(const json_t *answer)
{
	long long n = control_integer(answer, "flushed");

	(void)printf("%lld %s flushed\n", n, n == 1 ? "entry" : "entries");
}

enum exit_code
cmd_flush(int argc, char **argv)
{
	char name[CONFIG_STRING_MAX + 1];
	struct control_args args;
	enum exit_code code;
	json_t *request;

	if (!control_args_read(&args, argc, argv, 0, 1, &code))
		return code;
	if (args.first < argc && strchr(argv[args.first], '\\') == NULL &&
	    !domain_read(name, argv[args.first]))
		return cli_complain(EXIT_USAGE, argv[0], "\"%s\": a domain name was expected",
				    argv[args.first]);
	request = json_pack("{s:s}", "verb", "flush");
	if (args.first < argc) /* a name with escapes is parsed by the daemon */
		(void)json_object_set_new(request, "name", json_string(argv[args.first]));
	return control_report(&args, argv[0], request, flush_print);
}
