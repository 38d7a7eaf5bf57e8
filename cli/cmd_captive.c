/* ctstub captive: opens or closes the window for a captive portal's login. */
#include "cli/control.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define CAPTIVE_DEFAULT_MIN 5
#define CAPTIVE_MAX_MIN     60

static void
captive_print(const json_t *answer)
{
	long long minutes = control_integer(answer, "minutes");

	if (minutes == 0)
		(void)puts("captive mode off");
	else if (json_is_true(json_object_get(answer, "portal")))
		(void)printf("portal window for %s: names of portal probes, and no others, leave in clear "
			     "text\n",
			     COUNTED(minutes, "minute"));
	else
		(void)printf("captive mode for %s: nothing leaves in clear text (portal.enable is false)\n",
			     COUNTED(minutes, "minute"));
}

/* "off", or "5", "5m", "1h": whole minutes. */
static bool
minutes_read(int64_t *minutes, const char *text)
{
	int64_t ms;

	*minutes = 0;
	if (strcmp(text, "off") == 0)
		return true;
	if (number_read(minutes, text) != RES_OK) {
		if (duration_read(&ms, text) != RES_OK || ms % 60000 != 0)
			return false;
		*minutes = ms / 60000;
	}
	return *minutes >= 1 && *minutes <= CAPTIVE_MAX_MIN;
}

enum exit_code
cmd_captive(int argc, char **argv)
{
	struct control_args args;
	enum exit_code code;
	int64_t minutes = CAPTIVE_DEFAULT_MIN;

	if (!control_args_read(&args, argc, argv, 0, 1, &code))
		return code;
	if (args.first < argc && !minutes_read(&minutes, argv[args.first]))
		return cli_complain(EXIT_USAGE, argv[0],
				    "\"%s\": minutes from 1 to %d (\"5\" or \"5m\") or off was expected",
				    argv[args.first], CAPTIVE_MAX_MIN);
	return control_report(&args, argv[0],
			      json_pack("{s:s,s:I}", "verb", "captive", "minutes", (json_int_t)minutes),
			      captive_print);
}
