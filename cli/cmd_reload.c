/* ctstub reload: reloads the configuration, or shows why the daemon keeps the old one. */
#include "cli/control.h"

#include <stdio.h>

static void
reload_print(const json_t *answer)
{
	(void)printf("configuration reloaded, generation %lld\n", control_integer(answer, "generation"));
}

enum exit_code
cmd_reload(int argc, char **argv)
{
	struct control_args args;
	enum exit_code code;

	if (!control_args_read(&args, argc, argv, 0, 0, &code))
		return code;
	return control_report(&args, argv[0], json_pack("{s:s}", "verb", "reload"), reload_print);
}
