/* cmd_switch.c - `ctstub-lab switch` and `down`: a line to the lab that is up, and its reply. */
#include "contrib/lab/lab.h"
#include "contrib/lab/lab_complain.h"
#include "contrib/lab/lab_help.h"
#include "contrib/lab/run/upctl.h"

#include "verify/json_shown.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DOWN_WAITS 250 /* of 20 ms: a lab ends within a second, unless the machine is busy */

/* Its answer is in reply. */
static int
lab_ask(const char *line, char reply[UPCTL_LINE_MAX])
{
	enum res res = upctl_ask(line, reply);
	size_t n;

	if (res == RES_NOT_FOUND)
		lab_complain("no lab is up: `ctstub-lab up` brings one up");
	else if (res != RES_OK)
		lab_complain_errno("the control socket");
	if (res != RES_OK)
		return LAB_TROUBLE;
	n = strlen(reply);
	if (n > 0 && reply[n - 1] == '\n')
		reply[n - 1] = '\0';
	if (strncmp(reply, "error: ", 7) == 0) {
		lab_complain("%s", reply + 7);
		return LAB_USAGE;
	}
	if (strncmp(reply, "ok", 2) != 0) {
		lab_complain("the lab ended before it answered");
		return LAB_TROUBLE;
	}
	return LAB_DONE;
}

int
lab_switch(int argc, char **argv)
{
	static const struct option options[] = {
	    {"keep-tickets", no_argument, NULL, 'k'}, {"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
	char line[UPCTL_LINE_MAX], reply[UPCTL_LINE_MAX];
	bool keep = false, json = false;
	int c, code;

	while ((c = lab_option_get(argc, argv, "", options)) != -1) {
		if (c == '?')
			return LAB_USAGE;
		*(c == 'k' ? &keep : &json) = true;
	}
	if (argc - optind != 1 || strlen(argv[optind]) > 200)
		return lab_help_wrong("switch");
	snprintf(line, sizeof line, "switch%s %s\n", keep ? "-keeping-tickets" : "", argv[optind]);
	code = lab_ask(line, reply);
	if (code == LAB_DONE && json)
		return lab_json_print(
			   json_pack("{s:b, s:o}", "ok", true, "scenario", json_shown(argv[optind])),
			   JSON_COMPACT)
			   ? LAB_DONE
			   : LAB_TROUBLE;
	if (code == LAB_DONE)
		puts(reply);
	return code;
}

int
lab_down(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
	const struct timespec pause = {.tv_nsec = 20000000};
	char reply[UPCTL_LINE_MAX];
	bool json = false;
	int c, code;

	while ((c = lab_option_get(argc, argv, "", options)) != -1) {
		if (c != 'j')
			return LAB_USAGE;
		json = true;
	}
	if (argc != optind)
		return lab_help_wrong("down");
	code = lab_ask("down\n", reply);
	if (code == LAB_DONE && json)
		(void)lab_json_print(json_pack("{s:b}", "ok", true), JSON_COMPACT);
	else if (code == LAB_DONE)
		puts(reply);
	/* Another lab may come up as soon as this has returned. */
	for (int i = 0; code == LAB_DONE && i < DOWN_WAITS && upctl_ask("ping", reply) != RES_NOT_FOUND; i++)
		nanosleep(&pause, NULL);
	return code;
}
