/* ctstub flush: forget answers. */
#include "cli/control.h"

#include <stdio.h>

static void
flush_print(const json_t *answer)
{
	(void)printf("%lld entries flushed\n", number_of(answer, "flushed"));
}

enum exit_code
cmd_flush(int argc, char **argv)
{
	struct control_args args;
	enum exit_code code;
	json_t *request;

	if (!control_args_read(&args, argc, argv, NULL, 0, 1, &code))
		return code;
	request = json_pack("{s:s}", "verb", "flush");
	if (args.first < argc)
		(void)json_object_set_new(request, "name", json_string(argv[args.first]));
	return control_report(&args, argv[0], request, flush_print);
}
