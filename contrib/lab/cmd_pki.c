/* cmd_pki.c - `ctstub-lab list` and `ctstub-lab pki DIR`. */
#include "config.h"

#include "contrib/lab/lab.h"
#include "contrib/lab/lab_help.h"
#include "contrib/lab/scenarios/pkidir.h"

#include "base/option.h"
#include "base/text.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static bool
list_has(const char *glob)
{
	const struct scenario *row;

	for (size_t i = 0; (row = scenario_at(i)) != NULL; i++)
		if (fnmatch(glob, row->name, 0) == 0)
			return true;
	return false;
}

static int
list_json(const char *glob)
{
	json_t *list = json_array();
	const struct scenario *row;
	char *text;

	for (size_t i = 0; (row = scenario_at(i)) != NULL; i++)
		if (fnmatch(glob, row->name, 0) == 0)
			json_array_append_new(list, scenario_json(row));
	text = json_dumps(list, JSON_INDENT(1));
	json_decref(list);
	if (text == NULL)
		return LAB_TROUBLE;
	puts(text);
	free(text);
	return LAB_DONE;
}

static int
list_text(const char *glob)
{
	const struct scenario_group *group = NULL;
	const struct scenario *row;

	for (size_t i = 0; (row = scenario_at(i)) != NULL; i++) {
		if (fnmatch(glob, row->name, 0) != 0)
			continue;
		if (scenario_group_of(row) != group) {
			printf("%s%s: %s\n", group != NULL ? "\n" : "", scenario_group_of(row)->name,
			       scenario_group_of(row)->about);
			group = scenario_group_of(row);
		}
		printf("  %-30s %-7s %-20s %s\n", row->name, scenario_want_text(row->want),
		       row->reason != NULL ? row->reason : "-", row->impostor);
	}
	return LAB_DONE;
}

int
lab_list(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
	const char *glob;
	bool json = false;
	int c, code;

	while ((c = option_get(argc, argv, "j", options)) != -1) {
		if (c != 'j')
			return LAB_USAGE;
		json = true;
	}
	if (argc - optind > 1)
		return lab_help_wrong("list");
	glob = argc > optind ? argv[optind] : "*";
	code = json ? list_json(glob) : list_text(glob);
	if (list_has(glob))
		return code;
	fprintf(stderr, "ctstub-lab: %s: no such scenario\n", glob);
	return LAB_USAGE;
}

/* Opens a world, or explains on standard error why it cannot. */
enum res
lab_world(struct world **out, const char *folder, int64_t at_ms)
{
	enum res res = world_open(out, folder, at_ms);

	if (res == RES_MALFORMED)
		fprintf(stderr,
			"ctstub-lab: %s was made for another time (--at) or is damaged, a new folder was "
			"expected\n",
			folder);
	else if (res != RES_OK)
		fprintf(stderr, "ctstub-lab: %s: %s\n", folder, res_why(res));
	return res;
}

static bool
ip_option(const char *text, struct addr *ip4, struct addr *ip6)
{
	struct addr addr;

	if (addr_read_ip(&addr, text) != RES_OK) {
		fprintf(stderr, "ctstub-lab: --ip %s: expected an IPv4 or IPv6 address\n", text);
		return false;
	}
	*(addr.family == ADDR_V4 ? ip4 : ip6) = addr;
	return true;
}

int
lab_pki(int argc, char **argv)
{
	static const struct option options[] = {
	    {"at", required_argument, NULL, 'a'}, {"ip", required_argument, NULL, 'i'}, {NULL, 0, NULL, 0}};
	struct addr ip4 = LAB_IP4, ip6 = LAB_IP6;
	struct world *world;
	int64_t at_ms = 0;
	enum res res;
	int c;

	while ((c = option_get(argc, argv, "", options)) != -1) {
		if (c == 'a' && time_read(&at_ms, optarg) != RES_OK) {
			fprintf(stderr, "ctstub-lab: --at %s: expected a time such as 2026-11-21T18:00:00Z\n",
				optarg);
			return LAB_USAGE;
		}
		if ((c == 'i' && !ip_option(optarg, &ip4, &ip6)) || c == '?')
			return LAB_USAGE;
	}
	if (argc - optind != 1)
		return lab_help_wrong("pki");
	if (lab_world(&world, argv[optind], at_ms) != RES_OK)
		return LAB_TROUBLE;
	res = pkidir_write(world, &ip4, &ip6);
	if (res != RES_OK)
		fprintf(stderr, "ctstub-lab: %s: %s\n", argv[optind], res_why(res));
	else
		printf("%s in %s/index.json\n", COUNTED(scenario_count(), "scenario"), world_folder(world));
	world_close(world);
	return res == RES_OK ? LAB_DONE : LAB_TROUBLE;
}
