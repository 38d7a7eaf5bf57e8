/* cmd_switch.c - `ctstub-lab switch` and `down`: a line to the lab that is up, and its reply. */
#include "contrib/lab/lab.h"
#include "base/option.h"
#include "contrib/lab/lab_help.h"
#include "contrib/lab/run/upctl.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DOWN_WAITS 250 /* of 20 ms: a lab ends within a second, unless the machine is busy */

static int
switch_command(const char *line)
{
	char reply[UPCTL_LINE_MAX];
	enum res res = upctl_ask(line, reply);

	if (res == RES_NOT_FOUND)
		fprintf(stderr, "ctstub-lab: no lab is up: `ctstub-lab up` brings one up\n");
	else if (res != RES_OK)
		perror("ctstub-lab");
	if (res != RES_OK)
		return LAB_TROUBLE;
	if (strncmp(reply, "error", 5) == 0) {
		fputs(reply, stderr);
		return LAB_USAGE;
	}
	if (strncmp(reply, "ok", 2) != 0) {
		fprintf(stderr, "ctstub-lab: the lab ended before it answered\n");
		return LAB_TROUBLE;
	}
	fputs(reply, stdout);
	return LAB_DONE;
}

int
lab_switch(int argc, char **argv)
{
	static const struct option options[] = {{"keep-tickets", no_argument, NULL, 'k'}, {NULL, 0, NULL, 0}};
	char line[UPCTL_LINE_MAX];
	bool keep = false;
	int c;

	while ((c = option_get(argc, argv, "", options)) != -1) {
		if (c != 'k')
			return LAB_USAGE;
		keep = true;
	}
	if (argc - optind != 1 || strlen(argv[optind]) > 200)
		return lab_help_wrong("switch");
	snprintf(line, sizeof line, "switch%s %s\n", keep ? "-keeping-tickets" : "", argv[optind]);
	return switch_command(line);
}

int
lab_down(int argc, char **argv)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	char reply[UPCTL_LINE_MAX];
	int code;

	(void)argv;
	if (argc != 1)
		return lab_help_wrong("down");
	code = switch_command("down\n");
	/* Another lab may come up as soon as this has returned. */
	for (int i = 0; code == LAB_DONE && i < DOWN_WAITS && upctl_ask("ping", reply) != RES_NOT_FOUND; i++)
		nanosleep(&pause, NULL);
	return code;
}
