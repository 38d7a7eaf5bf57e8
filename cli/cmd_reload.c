/* ctstub reload: reloads the configuration and shows what changed, or why the daemon keeps the old one. */
#include "cli/control.h"

#include <stdio.h>

static void
reload_print(const json_t *answer)
{
	const json_t *changes = json_object_get(answer, "changes"), *change;
	size_t i;

	(void)printf("configuration reloaded, generation %lld\n", control_integer(answer, "generation"));
	json_array_foreach (changes, i, change)
		(void)printf("%s\n", control_text(change, "text"));
	if (json_array_size(changes) == 0)
		(void)puts("nothing changed");
	if (json_is_true(json_object_get(answer, "more_changes")))
		(void)puts("and more");
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
