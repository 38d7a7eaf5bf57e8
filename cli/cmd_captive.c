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

	if (minutes > 0)
		(void)printf("captive mode for %lld minutes\n", minutes);
	else
		(void)puts("captive mode off");
}

enum exit_code
cmd_captive(int argc, char **argv)
{
	struct control_args args;
	enum exit_code code;
	int64_t minutes = CAPTIVE_DEFAULT_MIN;

	if (!control_args_read(&args, argc, argv, 0, 1, &code))
		return code;
	if (args.first < argc && strcmp(argv[args.first], "off") == 0)
		minutes = 0;
	else if (args.first < argc && (number_read(&minutes, argv[args.first]) != RES_OK || minutes < 1 ||
				       minutes > CAPTIVE_MAX_MIN))
		return cli_complain(EXIT_USAGE, argv[0], "\"%s\": minutes from 1 to %d or off was expected",
				    argv[args.first], CAPTIVE_MAX_MIN);
	return control_report(&args, argv[0],
			      json_pack("{s:s,s:I}", "verb", "captive", "minutes", (json_int_t)minutes),
			      captive_print);
}
