/* ctstub egress: firewall rules that let only ctstub reach resolvers, and who was refused by them. */
#include "cli/cli.h"
#include "base/text.h"

#include "cli/args.h"
#include "cli/egress.h"
#include "cli/egress_check.h"
#include "cli/setup/program.h"

#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 2 x 4096 attempts at about 120 bytes, and the rules. */
#define NFT_OUTPUT_MAX (4 * 1024 * 1024)

static const char verb[] = "egress";
/* Where distributions keep it. */
static const char *const nft_programs[] = {"/usr/sbin/nft", "/usr/bin/nft", "/sbin/nft"};

enum { OPT_CHECK = 256, OPT_JSON, OPT_NFTABLES, OPT_SYSTEMD, OPT_UPDATES, OPT_USER, OPT_LISTS_USER };

const struct cli_option egress_options[] = {
    {"config", 'c', "FILE", "the daemon's configuration, for its upstreams and its user"},
    {"nftables", OPT_NFTABLES, NULL, "print only the ruleset for nft"},
    {"systemd", OPT_SYSTEMD, NULL, "print only the drop-in for ctstubd.service"},
    {"updates", OPT_UPDATES, NULL, "let the user reach HTTPS servers as well, for `ctstub audit`"},
    {"lists-user", OPT_LISTS_USER, "NAME",
     "the user that fetches the list of CT logs (default: ctstub-ct-logs, if it exists)"},
    {"user", OPT_USER, "NAME", "the user that the daemon runs as, in place of option user"},
    {"check", OPT_CHECK, NULL,
     "report whether the rules are loaded and whom they refused; exit code 1 if they\n"
     "are not loaded, are out of date or refused somebody"},
    {"json", OPT_JSON, NULL, "print one JSON object, even on failure"},
    {"help", 'h', NULL, "print this"},
    {NULL, 0, NULL, NULL},
};

struct egress_request {
	const char *config, *user, *lists_user;
	bool check, json, nftables, systemd, updates;
};

static bool
egress_take(void *ctx, int id, const char *value)
{
	struct egress_request *req = ctx;

	switch (id) {
	case 'c':
		req->config = value;
		return true;
	case OPT_CHECK:
		return req->check = true;
	case OPT_JSON:
		return req->json = true;
	case OPT_NFTABLES:
		return req->nftables = true;
	case OPT_SYSTEMD:
		return req->systemd = true;
	case OPT_UPDATES:
		return req->updates = true;
	case OPT_USER:
		req->user = value;
		return true;
	case OPT_LISTS_USER:
		req->lists_user = value;
		return true;
	default:
		return false;
	}
}

static enum exit_code
no_memory(void)
{
	return cli_complain(EXIT_TROUBLE, verb, "%s", res_text(RES_NOMEM));
}

/* ---- the rules */

static json_t *
json_endpoint(const struct egress_endpoint *to)
{
	char ip[ADDR_TEXT_MAX];

	return json_pack("{s:s,s:s,s:s,s:i}", "upstream", to->upstream, "protocol",
			 to->protocol == TP_DOH ? "doh" : "dot", "address", addr_ip_text(&to->addr, ip),
			 "port", (int)to->addr.port);
}

static enum exit_code
rules_print_json(const struct egress *e, struct buf *rules, struct buf *drop_in)
{
	json_t *to = json_array(), *doh = json_array();
	json_t *out;
	char *text;

	for (size_t i = 0; i < e->n; i++)
		(void)json_array_append_new(to, json_endpoint(&e->to[i]));
	for (const char *const *a = egress_doh; *a != NULL; a++)
		(void)json_array_append_new(doh, json_string(*a));
	out =
	    json_pack("{s:s,s:o,s:o,s:s,s:s,s:s}", "user", e->user, "upstreams", to, "doh_addresses", doh,
		      "doh_date", EGRESS_DOH_DATE, "nftables", buf_cstr(rules), "systemd", buf_cstr(drop_in));
	text = out != NULL ? json_dumps(out, JSON_COMPACT) : NULL;
	json_decref(out);
	return cli_print_json(verb, text);
}

static void
rules_print_text(const struct egress_request *req, struct buf *rules, struct buf *drop_in)
{
	if (req->systemd && !req->nftables)
		(void)fputs(buf_cstr(drop_in), stdout);
	else
		(void)fputs(buf_cstr(rules), stdout);
	if (req->systemd == req->nftables) /* both: one file that nft can read */
		(void)printf("# The drop-in ctstubd.service.d/egress.conf; `ctstub egress --systemd` prints "
			     "it alone:\n%s",
			     buf_cstr(drop_in));
}

static enum exit_code
rules_print(const struct egress_request *req, const struct egress *e)
{
	struct buf rules = buf_max(EGRESS_TEXT_MAX), drop_in = buf_max(EGRESS_TEXT_MAX);
	enum exit_code code = EXIT_GOOD;
	bool commented = !req->json && req->systemd == req->nftables;

	egress_rules_write(&rules, e);
	egress_drop_in_write(&drop_in, e, commented ? "# " : "");
	if (buf_cstr(&rules) == NULL || buf_cstr(&drop_in) == NULL)
		code = no_memory();
	else if (req->json)
		code = rules_print_json(e, &rules, &drop_in);
	else
		rules_print_text(req, &rules, &drop_in);
	buf_free(&rules);
	buf_free(&drop_in);
	return code;
}

/* ---- the check */

/* The exit code of the first nft that can be run; -1: there is none. */
static int
nft_list(struct buf *output)
{
	for (size_t i = 0; i < sizeof nft_programs / sizeof *nft_programs; i++) {
		const char *argv[] = {nft_programs[i], "-j", "list", "table", "inet", EGRESS_TABLE, NULL};
		int code = program_run(argv, output);

		if (code >= 0)
			return code;
	}
	return -1;
}

static json_t *
json_attempt(const struct egress_attempt *a)
{
	char ip[ADDR_TEXT_MAX];

	return json_pack("{s:s,s:s,s:i,s:I}", "user", a->user, "address", addr_ip_text(&a->addr, ip), "port",
			 (int)a->addr.port, "packets", (json_int_t)a->packets);
}

static enum exit_code
found_print_json(const struct egress_found *f, bool loaded)
{
	json_t *tried = json_array(), *out;
	char *text;

	for (size_t i = 0; i < f->n; i++)
		(void)json_array_append_new(tried, json_attempt(&f->tried[i]));
	out = json_pack("{s:b,s:b,s:I,s:o}", "loaded", loaded, "out_of_date", f->out_of_date,
			"refused_packets", (json_int_t)f->refused, "tried", tried);
	text = out != NULL ? json_dumps(out, JSON_COMPACT) : NULL;
	json_decref(out);
	return cli_print_json(verb, text);
}

static void
found_print_text(const struct egress_found *f)
{
	if (f->out_of_date)
		(void)puts("The rules are loaded, but out of date: they have other upstreams than the "
			   "configuration.");
	else
		(void)puts("The rules are loaded.");
	(void)printf("Refused so far: %s.\n", COUNTED(f->refused, "packet"));
	for (size_t i = 0; i < f->n; i++) {
		char text[ADDR_TEXT_MAX];

		(void)printf("user %s tried %s (%s)\n", f->tried[i].user, addr_text(&f->tried[i].addr, text),
			     COUNTED(f->tried[i].packets, "packet"));
	}
}

static enum exit_code
found_print(const struct egress_request *req, const struct egress_found *f)
{
	enum exit_code code = EXIT_GOOD;

	if (req->json)
		code = found_print_json(f, true);
	else
		found_print_text(f);
	return code != EXIT_GOOD || (!f->out_of_date && f->refused == 0 && f->n == 0) ? code : EXIT_REFUSED;
}

/* nft ran and did not show the table: other users may not see tables; for root it means that there is none. */
static enum exit_code
not_listed(const struct egress_request *req)
{
	const struct egress_found none = {0};
	enum exit_code code = EXIT_GOOD;

	if (geteuid() != 0)
		return cli_complain(EXIT_TROUBLE, verb, "only root can read the rules, run it with sudo");
	if (req->json)
		code = found_print_json(&none, false);
	else
		(void)puts("The rules are not loaded. `ctstub egress --nftables` prints them for `nft -f`.");
	return code != EXIT_GOOD ? code : EXIT_REFUSED;
}

static enum exit_code
egress_check(const struct egress_request *req, const struct egress *e)
{
	struct buf output = buf_max(NFT_OUTPUT_MAX);
	struct egress_found found = {0};
	int nft = nft_list(&output);
	const char *text = buf_cstr(&output);
	enum exit_code code;

	if (nft < 0)
		code = cli_complain(EXIT_TROUBLE, verb,
				    "cannot run nft, install nftables to see who was refused");
	else if (nft != 0)
		code = not_listed(req);
	else if (text == NULL || egress_found_read(&found, span_str(text), e) != RES_OK)
		code = cli_complain(EXIT_TROUBLE, verb, "cannot read what nft prints");
	else
		code = found_print(req, &found);
	egress_found_free(&found);
	buf_free(&output);
	return code;
}

/* nft refuses rules that name a user who does not exist. */
static const char *
user_here(const char *user)
{
	return egress_user_ok(user) && getpwnam(user) != NULL ? user : NULL;
}

static void
egress_helpers(struct egress *e, const struct egress_request *req, const struct settings *s)
{
	e->lists_user = user_here(req->lists_user != NULL ? req->lists_user : EGRESS_LISTS_USER);
	if (e->lists_user == NULL && req->lists_user != NULL)
		(void)cli_complain(EXIT_GOOD, verb,
				   "warning: there is no user \"%s\" here, the rules leave it out",
				   req->lists_user);
	if (s->portal_enable)
		e->portal_user = user_here(s->portal_user);
}

static enum exit_code
user_complain(const char *user)
{
	if (*user == '\0')
		return cli_complain(EXIT_USAGE, verb,
				    "the rules need the name of the user that the daemon runs as: set option "
				    "user, or give --user");
	return cli_complain(
	    EXIT_USAGE, verb,
	    "user \"%s\": the rules take a name of letters, digits, '.', '_', '$' and '-', with no '-' first",
	    user);
}

enum exit_code
cmd_egress(int argc, char **argv)
{
	struct egress_request req = {0};
	const struct args_rules rules = {egress_take, &req, 0, 0};
	struct settings *settings = NULL;
	struct egress egress = {0};
	enum exit_code code;
	enum res res;

	if (args_read(&rules, verb, argc, argv, &code) == 0)
		return code;
	if (req.check && (req.nftables || req.systemd))
		return cli_misused(verb, "--check was expected without --nftables and --systemd");
	code = cli_settings(&settings, verb, req.config);
	if (code != EXIT_GOOD)
		return code;
	res = egress_new(&egress, settings, req.user);
	egress.updates = req.updates;
	egress_helpers(&egress, &req, settings);
	if (res == RES_NOMEM)
		code = no_memory();
	else if (res != RES_OK)
		code = user_complain(req.user != NULL ? req.user : settings->user);
	else
		code = req.check ? egress_check(&req, &egress) : rules_print(&req, &egress);
	egress_free(&egress);
	settings_free(settings);
	return code;
}
