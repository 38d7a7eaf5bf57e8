/* cmd_pki.c - `ctstub-lab list` and `ctstub-lab pki DIR`. */
#include "config.h"

#include "contrib/lab/lab.h"
#include "contrib/lab/lab_complain.h"
#include "contrib/lab/lab_files.h"
#include "contrib/lab/lab_help.h"
#include "contrib/lab/scenarios/pkidir.h"

#include "base/text.h"
#include "verify/json_shown.h"

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

	for (size_t i = 0; (row = scenario_at(i)) != NULL; i++)
		if (fnmatch(glob, row->name, 0) == 0)
			json_array_append_new(list, scenario_json(row));
	return lab_json_print(list, JSON_INDENT(1)) ? LAB_DONE : LAB_TROUBLE;
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

	while ((c = lab_option_get(argc, argv, "j", options)) != -1) {
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
	lab_complain("%s: no such scenario", glob);
	return LAB_USAGE;
}

/* Opens a world, or explains on standard error why it cannot. */
enum res
lab_world(struct world **out, const char *folder, int64_t at_ms)
{
	enum res res = world_open(out, folder, at_ms);

	if (res == RES_MALFORMED)
		lab_complain("%s was made for another time (--at) or is damaged, a new folder was expected",
			     folder);
	else if (res != RES_OK)
		lab_complain("%s: %s", folder, res_why(res));
	return res;
}

struct pki {
	struct addr ip4, ip6;
	bool has_ip4, has_ip6, json;
	int64_t at_ms;
};

static bool
ip_option(struct pki *pki, const char *text)
{
	struct addr addr;
	bool *has;

	if (addr_read_ip(&addr, text) != RES_OK) {
		lab_complain("--ip %s: expected an IPv4 or IPv6 address", text);
		return false;
	}
	has = addr.family == ADDR_V4 ? &pki->has_ip4 : &pki->has_ip6;
	if (*has) {
		lab_complain("--ip %s: one address of each family was expected", text);
		return false;
	}
	*has = true;
	*(addr.family == ADDR_V4 ? &pki->ip4 : &pki->ip6) = addr;
	return true;
}

static bool
pki_option_read(struct pki *pki, int c, const char *value)
{
	switch (c) {
	case 'a':
		if (time_read(&pki->at_ms, value) == RES_OK)
			return true;
		lab_complain("--at %s: expected a time such as 2026-11-21T18:00:00Z", value);
		return false;
	case 'i':
		return ip_option(pki, value);
	case 'j':
		pki->json = true;
		return true;
	default:
		return false;
	}
}

static bool
pki_show(const struct pki *pki, const char *folder)
{
	char path[FILE_PATH_MAX];

	if (lab_path_join(path, folder, "index.json") != RES_OK)
		return false;
	if (pki->json)
		return lab_json_print(json_pack("{s:o, s:o, s:i}", "folder", json_shown(folder), "index",
						json_shown(path), "scenarios", (int)scenario_count()),
				      JSON_COMPACT);
	printf("%s in %s\n", COUNTED(scenario_count(), "scenario"), path);
	return true;
}

int
lab_pki(int argc, char **argv)
{
	static const struct option options[] = {{"at", required_argument, NULL, 'a'},
						{"ip", required_argument, NULL, 'i'},
						{"json", no_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	struct pki pki = {.ip4 = LAB_IP4, .ip6 = LAB_IP6};
	struct world *world;
	enum res res;
	bool done;
	int c;

	while ((c = lab_option_get(argc, argv, "", options)) != -1)
		if (!pki_option_read(&pki, c, optarg))
			return LAB_USAGE;
	if (argc - optind != 1)
		return lab_help_wrong("pki");
	if (lab_world(&world, argv[optind], pki.at_ms) != RES_OK)
		return LAB_TROUBLE;
	res = pkidir_write(world, &pki.ip4, &pki.ip6);
	if (res != RES_OK)
		lab_complain("%s: %s", argv[optind], res_why(res));
	done = res == RES_OK && pki_show(&pki, world_folder(world));
	world_close(world);
	return done ? LAB_DONE : LAB_TROUBLE;
}
