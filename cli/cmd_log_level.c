/* ctstub log-level: changes how much the daemon logs, until the next reload. */
#include "cli/control.h"

#include <stdio.h>

static void
level_print(const json_t *answer)
{
	(void)printf("log level %s\n", control_text(answer, "level"));
}

enum exit_code
cmd_log_level(int argc, char **argv)
{
	struct control_args args;
	enum exit_code code;

	if (!control_args_read(&args, argc, argv, 1, 1, &code))
		return code;
	if (log_level_read(argv[args.first]) < 0)
		return cli_complain(EXIT_USAGE, argv[0],
				    "\"%s\": error, warn, notice, info or debug was expected",
				    argv[args.first]);
	return control_report(&args, argv[0],
			      json_pack("{s:s,s:s}", "verb", "log-level", "level", argv[args.first]),
			      level_print);
}
