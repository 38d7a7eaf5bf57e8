#include "contrib/lab/scenarios/pkidir.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define TEXT_MAX (8 * 1024 * 1024)

/* One file of a scenario: "policy/NAME.disallow". */
static enum res
site_path(char out[FILE_PATH_MAX], const struct site *site, const char *folder, const char *suffix)
{
	int n = snprintf(out, FILE_PATH_MAX, "%s/%s/%s%s", world_folder(site->world), folder,
			 site->scenario->name, suffix);

	return n > 0 && n < FILE_PATH_MAX ? RES_OK : RES_LIMIT;
}

static enum res
site_file(const struct site *site, const char *folder, const char *suffix, struct span content)
{
	char path[FILE_PATH_MAX];
	enum res res = site_path(path, site, folder, suffix);

	if (res != RES_OK || content.n == 0)
		return res;
	return lab_file_write(path, content, 0644);
}

static enum res
chain_write(const struct site *site)
{
	struct buf pem = buf_max(TEXT_MAX);
	enum res res;

	for (size_t i = 0; i < site->n_chain; i++)
		lab_pem_write(&pem, "CERTIFICATE", buf_span(&site->chain[i]));
	res = buf_ok(&pem) ? site_file(site, "chains", ".pem", buf_span(&pem)) : RES_NOMEM;
	buf_free(&pem);
	return res;
}

static void
conf_file_option(struct buf *out, const struct site *site, const char *option, const char *suffix, bool list)
{
	char path[FILE_PATH_MAX];

	if (site_path(path, site, "policy", suffix) != RES_OK)
		out->bad = true;
	buf_format(out, list ? "\t%s = {\"%s\"}\n" : "\t%s = \"%s\"\n", option, path);
}

/* allow-issuer and pin take their entries in the configuration itself. */
static void
conf_entries(struct buf *out, const char *option, struct span lines)
{
	buf_format(out, "\t%s = {", option);
	for (size_t i = 0, start = 0; i < lines.n; i++)
		if (lines.p[i] == '\n') {
			buf_format(out, "%s\"%.*s\"", start > 0 ? ", " : "", (int)(i - start),
				   (const char *)lines.p + start);
			start = i + 1;
		}
	buf_text(out, "}\n");
}

static void
conf_upstream(struct buf *out, const struct site *site, bool doh, uint16_t port)
{
	char text[ADDR_TEXT_MAX];

	buf_format(out, "upstream \"lab\" {\n\tprotocol = \"%s\"\n\taddress = {\"%s\"}\n\tport = %u\n",
		   doh ? "doh" : "dot", addr_ip_text(site_ip(site), text), port);
	if (site->name != NULL)
		buf_format(out, "\tname = \"%s\"\n", site->name);
	if (site_has_own_anchors(site))
		conf_file_option(out, site, "trust-anchors", ".anchors.pem", false);
	if (site->ct != NULL)
		buf_format(out, "\tct = \"%s\"\n", site->ct);
	if (site->ct_policy != NULL)
		buf_format(out, "\tct-policy = \"%s\"\n", site->ct_policy);
	if (site->disallow.n > 0)
		conf_file_option(out, site, "disallow-file", ".disallow", true);
	if (site->crl.n > 0)
		conf_file_option(out, site, "crl-file", ".crl.pem", true);
	if (site->allow_issuer.n > 0)
		conf_entries(out, "allow-issuer", buf_span(&site->allow_issuer));
	if (site->pins.n > 0)
		conf_entries(out, "pin", buf_span(&site->pins));
	buf_text(out, "}\n");
}

static enum res
conf_write(const struct site *site, bool doh, uint16_t port)
{
	struct buf out = buf_max(TEXT_MAX);
	enum res res;

	buf_format(&out, "# %s: %s\n", site->scenario->name, site->scenario->impostor);
	buf_format(&out, "ct {\n\tlog-list = \"%s/%s\"\n", world_folder(site->world),
		   pkidir_list_variant(site->list));
	if (site->when_stale != NULL)
		buf_format(&out, "\twhen-stale = \"%s\"\n", site->when_stale);
	buf_format(&out, "}\ntrust {\n\tanchors = \"%s/anchors.pem\"\n", world_folder(site->world));
	if (site->constraints.n > 0)
		conf_file_option(&out, site, "constraints-file", ".constraints", true);
	buf_text(&out, "}\n");
	conf_upstream(&out, site, doh, port);
	res = buf_ok(&out) ? site_file(site, "conf", doh ? "-doh.conf" : ".conf", buf_span(&out)) : RES_NOMEM;
	buf_free(&out);
	return res;
}

static enum res
policy_write(const struct site *site)
{
	const struct {
		const char *suffix;
		struct span content;
	} files[] = {
	    {".disallow", buf_span(&site->disallow)}, {".allow", buf_span(&site->allow_issuer)},
	    {".pins", buf_span(&site->pins)},         {".constraints", buf_span(&site->constraints)},
	    {".crl.pem", buf_span(&site->crl)},       {".staple", buf_span(&site->staple)},
	};
	enum res res = site_has_own_anchors(site)
			   ? site_file(site, "policy", ".anchors.pem", buf_span(&site->anchors))
			   : RES_OK;

	for (size_t i = 0; i < sizeof files / sizeof files[0] && res == RES_OK; i++)
		res = site_file(site, "policy", files[i].suffix, files[i].content);
	return res;
}

static enum res
world_file(const struct world *world, const char *name, struct span content)
{
	char path[FILE_PATH_MAX];
	enum res res = lab_path_join(path, world_folder(world), name);

	return res == RES_OK ? lab_file_write(path, content, 0644) : res;
}

enum res
pkidir_write_common(const struct site *site)
{
	static const char *const folders[] = {"chains", "policy", "conf"};
	char path[FILE_PATH_MAX];
	struct site plain = {
	    .world = site->world, .scenario = site->scenario, .anchors = buf_max(SITE_POLICY_MAX)};
	struct buf list = buf_max(TEXT_MAX);
	enum res res = RES_OK;

	for (size_t i = 0; i < sizeof folders / sizeof folders[0] && res == RES_OK; i++) {
		res = lab_path_join(path, world_folder(site->world), folders[i]);
		if (res == RES_OK)
			res = lab_folder_make(path);
	}
	site_anchor(&plain, CA_ROOT);
	site_anchor(&plain, CA_FINA_ROOT);
	if (res == RES_OK)
		res = plain.bad ? RES_IO : world_file(site->world, "anchors.pem", buf_span(&plain.anchors));
	buf_free(&plain.anchors);
	for (enum list_variant v = 0; v < LIST_COUNT && res == RES_OK; v++) {
		buf_clear(&list);
		res = toylogs_list(world_logs(site->world), v, NULL, &list);
		if (res == RES_OK)
			res = world_file(site->world, pkidir_list_variant(v), buf_span(&list));
	}
	buf_free(&list);
	return res;
}

enum res
pkidir_write_site(const struct site *site, bool doh, uint16_t port)
{
	enum res res = pkidir_write_common(site);

	if (res == RES_OK)
		res = chain_write(site);
	if (res == RES_OK)
		res = policy_write(site);
	return res == RES_OK ? conf_write(site, doh, port) : res;
}

static void
set_text(json_t *object, const char *key, const char *value)
{
	json_object_set_new(object, key, value != NULL ? json_string(value) : json_null());
}

static void
option(json_t *args, const char *name, const char *value)
{
	json_array_append_new(args, json_string(name));
	json_array_append_new(args, json_string(value));
}

static void
option_file(json_t *args, const char *name, const struct site *site, const char *suffix)
{
	char file[FILE_PATH_MAX];

	snprintf(file, sizeof file, "policy/%s%s", site->scenario->name, suffix);
	option(args, name, file);
}

/* The options of `ctstub verify`, files relative to the folder. Pins and allowed issuers need the
 * configuration file. */
static json_t *
verify_options(const struct site *site)
{
	json_t *args = json_array();
	char text[ADDR_TEXT_MAX], at[TIME_TEXT_MAX];

	option(args, "--ip", addr_ip_text(site_ip(site), text));
	if (site->name != NULL)
		option(args, "--name", site->name);
	if (site_has_own_anchors(site))
		option_file(args, "--ca", site, ".anchors.pem");
	else
		option(args, "--ca", "anchors.pem");
	option(args, "--ct-logs", pkidir_list_variant(site->list));
	if (site->ct != NULL)
		option(args, "--ct", site->ct);
	if (site->ct_policy != NULL)
		option(args, "--ct-policy", site->ct_policy);
	if (site->disallow.n > 0)
		option_file(args, "--disallow", site, ".disallow");
	if (site->crl.n > 0)
		option_file(args, "--crl", site, ".crl.pem");
	if (site->staple.n > 0)
		option_file(args, "--ocsp", site, ".staple");
	if (site->constraints.n > 0)
		option_file(args, "--constraints", site, ".constraints");
	option(args, "--at", time_text(world_at(site->world), at));
	return args;
}

static json_t *
reach_json(const struct scenario *row)
{
	json_t *list = json_array();
	enum reach reach = scenario_reach(row);

	if ((reach & REACH_OFFLINE) != 0)
		json_array_append_new(list, json_string("offline"));
	if ((reach & REACH_DOT) != 0)
		json_array_append_new(list, json_string("dot"));
	if ((reach & REACH_DOH) != 0)
		json_array_append_new(list, json_string("doh"));
	return list;
}

json_t *
scenario_json(const struct scenario *row)
{
	json_t *entry = json_object();

	set_text(entry, "name", row->name);
	set_text(entry, "group", scenario_group_of(row)->name);
	set_text(entry, "impostor", row->impostor);
	set_text(entry, "strict", scenario_want_text(row->want));
	set_text(entry, "reason", row->reason);
	set_text(entry, "wire_reason", row->wire_reason != NULL ? row->wire_reason : row->reason);
	set_text(entry, "fault", row->fault);
	json_object_set_new(entry, "reach", reach_json(row));
	return entry;
}

static json_t *
site_json(const struct site *site)
{
	json_t *entry = scenario_json(site->scenario);
	char file[FILE_PATH_MAX], text[ADDR_TEXT_MAX];

	snprintf(file, sizeof file, "chains/%s.pem", site->scenario->name);
	set_text(entry, "chain", (scenario_reach(site->scenario) & REACH_OFFLINE) != 0 ? file : NULL);
	snprintf(file, sizeof file, "conf/%s.conf", site->scenario->name);
	set_text(entry, "config", file);
	set_text(entry, "ip", addr_ip_text(site_ip(site), text));
	set_text(entry, "dial_name", site->name);
	set_text(entry, "outcome", site->scenario->want == WANT_REFUSE ? "refused" : "accepted");
	json_object_set_new(
	    entry, "needs_config",
	    json_boolean(site->pins.n > 0 || site->allow_issuer.n > 0 || site->when_stale != NULL));
	json_object_set_new(entry, "verify", verify_options(site));
	return entry;
}

static enum res
index_write(struct world *world, json_t *scenarios)
{
	char at[TIME_TEXT_MAX];
	json_t *index = json_pack("{s:s, s:s, s:s, s:s, s:O}", "what", "scenarios of ctstub-lab: TEST ONLY",
				  "at", time_text(world_at(world), at), "anchors", "anchors.pem", "ct_logs",
				  pkidir_list_variant(LIST_FRESH), "scenarios", scenarios);
	char *text = index != NULL ? json_dumps(index, JSON_INDENT(1)) : NULL;
	enum res res = text != NULL ? world_file(world, "index.json", span_str(text)) : RES_NOMEM;

	free(text);
	json_decref(index);
	return res;
}

enum res
pkidir_write(struct world *world, const struct addr *ip4, const struct addr *ip6)
{
	const uint16_t dot_port = 853, doh_port = 443;
	json_t *scenarios = json_array();
	const struct scenario *row;
	enum res res = RES_OK;

	for (size_t i = 0; (row = scenario_at(i)) != NULL && res == RES_OK; i++) {
		struct site *site;

		res = site_new(&site, world, row, ip4, ip6);
		if (res != RES_OK)
			break;
		if (i == 0)
			res = pkidir_write_common(site);
		if (res == RES_OK && (scenario_reach(row) & REACH_OFFLINE) != 0)
			res = chain_write(site);
		if (res == RES_OK)
			res = policy_write(site);
		if (res == RES_OK)
			res = conf_write(site, false, dot_port);
		if (res == RES_OK)
			res = conf_write(site, true, doh_port);
		if (res == RES_OK)
			json_array_append_new(scenarios, site_json(site));
		site_free(site);
	}
	if (res == RES_OK)
		res = index_write(world, scenarios);
	json_decref(scenarios);
	return res;
}
