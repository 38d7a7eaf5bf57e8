/* ctstub setup: make this machine resolve through ctstub, look whether it does, or put everything back. */
#include "config.h"

#include "cli/cli.h"

#include "base/path.h"
#include "base/text.h"
#include "cli/args.h"
#include "cli/setup/alone.h"
#include "cli/setup/apply.h"
#include "cli/setup/ours.h"
#include "cli/setup/resolves.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DNS_PORT      53
#define HOOK_MAX      (64 * 1024)
#define SETTLE_TRIES  10 /* a network manager that restarts needs a moment, a second each */
#define SETTLE_WAIT_S 1

static const char verb[] = "setup";
/* Names that have existed for decades; one that resolves is enough. */
static const char *const known_names[] = {"example.com", "www.example.com", "debian.org"};

enum { OPT_YES = 256, OPT_UNDO, OPT_CHECK, OPT_LINKS, OPT_JSON };

const struct cli_option setup_options[] = {
    {"config", 'c', "FILE", "the daemon's configuration, for its listeners and its state-dir"},
    {"yes", OPT_YES, NULL, "make the changes, check that names resolve, and undo them if not"},
    {"undo", OPT_UNDO, NULL, "restore what was there before; files changed since are left alone"},
    {"check", OPT_CHECK, NULL, "change nothing; exit code 1 unless this machine resolves through ctstub"},
    {"with-links", OPT_LINKS, NULL,
     "forward the domains of a VPN to its own resolver while it is up\n(NetworkManager, systemd-networkd; "
     "that resolver must speak DoT)"},
    {"json", OPT_JSON, NULL, "with --check: print one JSON object, even on failure"},
    {"help", 'h', NULL, "print this"},
    {NULL, 0, NULL, NULL},
};

struct request {
	const char *config;
	bool yes, undo, check, with_links, json;
};

struct setup {
	struct settings *settings;
	struct machine machine;
	struct plan plan;
	struct record record; /* of before; n is 0 when nothing was set up */
	struct addr server[SERVERS_MAX];
	char server_text[SERVERS_MAX][ADDR_TEXT_MAX];
	size_t n_server;
	struct buf hook;
};

static bool
setup_take(void *ctx, int id, const char *value)
{
	struct request *req = ctx;

	switch (id) {
	case 'c':
		req->config = value;
		break;
	case OPT_YES:
		req->yes = true;
		break;
	case OPT_UNDO:
		req->undo = true;
		break;
	case OPT_CHECK:
		req->check = true;
		break;
	case OPT_LINKS:
		req->with_links = true;
		break;
	case OPT_JSON:
		req->json = true;
		break;
	}
	return true;
}

static bool
setup_args_read(struct request *req, int argc, char **argv, enum exit_code *code)
{
	const struct args_rules rules = {setup_take, req, 0, 0};

	*req = (struct request){0};
	if (args_read(&rules, verb, argc, argv, code) == 0)
		return false;
	if (req->yes + req->undo + req->check > 1)
		*code = cli_misused(verb, "only one of --yes, --undo and --check was expected");
	else if (req->with_links && (req->undo || req->check))
		*code = cli_misused(verb, "--with-links was expected without --undo and --check");
	else if (req->json && !req->check)
		*code = cli_misused(verb, "--json was expected only with --check");
	else
		return true;
	return false;
}

/* ---- what there is */

/* resolv.conf(5) has no ports. */
static enum exit_code
servers_find(struct setup *s)
{
	const struct addrs *listen = &s->settings->listen;

	for (size_t i = 0; i < listen->n && s->n_server < SERVERS_MAX; i++) {
		const struct addr *a = &listen->v[i];

		if (a->port != DNS_PORT || !addr_is_loopback(a))
			continue;
		s->server[s->n_server] = *a;
		(void)addr_ip_text(a, s->server_text[s->n_server]);
		s->n_server++;
	}
	if (s->n_server == 0)
		return cli_complain(
		    EXIT_USAGE, verb,
		    "listen has no loopback address with port 53: /etc/resolv.conf cannot name another");
	return EXIT_GOOD;
}

static enum exit_code
hook_read(struct setup *s)
{
	char *why = NULL;
	enum exit_code code = EXIT_GOOD;

	if (config_file_read_any(&s->hook, LINKS_HOOK_SOURCE, HOOK_MAX, &why) != RES_OK)
		code = cli_complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(RES_NOMEM));
	free(why);
	return code;
}

static enum exit_code
setup_record_find(struct setup *s)
{
	char *why = NULL;
	enum res res = setup_record_read(&s->record, s->settings->state_dir, &why);
	enum exit_code code = EXIT_GOOD;

	if (res != RES_OK && res != RES_NOT_FOUND)
		code = cli_complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(res));
	free(why);
	return code;
}

static enum exit_code
plan_find(struct setup *s, bool with_links)
{
	struct plan_request request = {.n_server = s->n_server, .with_links = with_links};
	enum exit_code code = with_links ? hook_read(s) : EXIT_GOOD;
	enum res res;

	if (code != EXIT_GOOD)
		return code;
	for (size_t i = 0; i < s->n_server; i++)
		request.server[i] = s->server_text[i];
	request.hook = with_links ? buf_cstr(&s->hook) : "";
	res = machine_look(&s->machine, "");
	if (res == RES_OK)
		res = plan_make(&s->plan, &s->machine, &request);
	if (res != RES_OK)
		return cli_complain(EXIT_TROUBLE, verb, "cannot read how this machine resolves: %s",
				    res_text(res));
	if (with_links && !s->machine.network_manager && !s->machine.networkd_runs)
		return cli_complain(EXIT_USAGE, verb,
				    "--with-links needs NetworkManager, which is not installed, or "
				    "systemd-networkd, which does not run");
	return EXIT_GOOD;
}

/* ---- asking */

/* Is a step for /etc/resolv.conf, which somebody made immutable? */
static bool
is_locked(const struct setup *s)
{
	bool found = false;

	for (size_t i = 0; i < s->plan.n; i++)
		found |= strcmp(s->plan.step[i].path, "/etc/resolv.conf") == 0;
	return found && s->machine.guard == GUARD_IMMUTABLE;
}

static void
print_plan(const struct setup *s)
{
	char *what = machine_text(&s->machine);

	(void)printf("This machine resolves with: %s\n", what != NULL ? what : "?");
	free(what);
	(void)puts(s->plan.n > 0 ? "To resolve through ctstub alone, setup would:"
				 : "Nothing needs to change.");
	for (size_t i = 0; i < s->plan.n; i++) {
		char *text = step_text(&s->plan.step[i]);

		(void)printf("  %zu. %s\n", i + 1, text != NULL ? text : "?");
		free(text);
	}
	if (s->machine.guard == GUARD_MOUNT)
		(void)puts("/etc/resolv.conf is a mount point: whatever put it there may write it again.");
	if (is_locked(s))
		(void)puts("/etc/resolv.conf is immutable: somebody made it so, and setup does not change it "
			   "(chattr -i /etc/resolv.conf ends that).");
}

static const char *
name_that_resolves(const struct setup *s)
{
	for (size_t i = 0; i < sizeof known_names / sizeof known_names[0]; i++)
		if (resolves_at(&s->server[0], known_names[i]))
			return known_names[i];
	return NULL;
}

static bool
settles(const char *name)
{
	for (int i = 0; i < SETTLE_TRIES && !alone_stopped(); i++) {
		if (resolves_here(name))
			return true;
		(void)sleep(SETTLE_WAIT_S);
	}
	return false;
}

/* ---- doing */

static enum exit_code
record_store(const struct setup *s)
{
	char *why = NULL;
	enum res res = s->record.n > 0 ? record_write(&s->record, s->settings->state_dir, &why)
				       : record_remove(s->settings->state_dir, &why);
	enum exit_code code = EXIT_GOOD;

	if (res != RES_OK)
		code = cli_complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(res));
	free(why);
	return code;
}

static enum exit_code
roll_back(struct setup *s, const char *because)
{
	size_t left;

	alone_finish();
	(void)cli_complain(EXIT_TROUBLE, verb, "%s: everything is put back",
			   alone_stopped() ? "interrupted" : because);
	left = apply_undo(&s->record);
	(void)record_store(s);
	if (left > 0)
		(void)cli_complain(EXIT_TROUBLE, verb, "not undone: %s", COUNTED(left, "change"));
	return EXIT_TROUBLE;
}

static enum exit_code
need_root(void)
{
	if (geteuid() != 0)
		return cli_complain(EXIT_TROUBLE, verb,
				    "changing this machine's resolver needs root: run with sudo");
	return EXIT_GOOD;
}

static enum exit_code
begin(void)
{
	enum exit_code code = need_root();

	if (code == EXIT_GOOD && !alone_begin())
		code = cli_complain(EXIT_TROUBLE, verb, "another `ctstub setup` is running: try again later");
	return code;
}

static enum exit_code
may_change(const struct setup *s, const char **name)
{
	enum exit_code code = need_root();
	char why[OURS_WHY_MAX];

	if (code != EXIT_GOOD)
		return code;
	if (is_locked(s))
		return cli_complain(EXIT_TROUBLE, verb,
				    "/etc/resolv.conf is immutable: somebody made it so (chattr -i "
				    "/etc/resolv.conf ends it)");
	if (!ours_holds(s->settings, &s->server[0], why))
		return cli_complain(EXIT_TROUBLE, verb, "%s: nothing was changed", why);
	*name = name_that_resolves(s);
	if (*name == NULL)
		return cli_complain(EXIT_TROUBLE, verb,
				    "%s does not resolve %s: nothing was changed (see ctstub status)",
				    s->server_text[0], known_names[0]);
	return EXIT_GOOD;
}

/* Nothing is left to do. */
static bool
is_done(struct setup *s, bool with_links)
{
	plan_free(&s->plan);
	machine_free(&s->machine);
	buf_clear(&s->hook);
	if (plan_find(s, with_links) != EXIT_GOOD)
		return false;
	for (size_t i = 0; i < s->plan.n; i++)
		(void)cli_complain(EXIT_TROUBLE, verb, "%s is not as setup left it", s->plan.step[i].path);
	return s->plan.n == 0;
}

static enum exit_code
change_machine(struct setup *s, bool with_links)
{
	const char *name = NULL;
	enum exit_code code = may_change(s, &name);

	if (code != EXIT_GOOD)
		return code;
	if (s->plan.n == 0 && settles(name)) {
		(void)puts("This machine resolves through ctstub already.");
		return EXIT_GOOD;
	}
	if (record_merge(&s->record, &s->plan) != RES_OK)
		return cli_complain(EXIT_TROUBLE, verb, "cannot save the present state: nothing was changed");
	code = record_store(s);
	if (code != EXIT_GOOD)
		return code;
	if (!apply_plan(&s->plan))
		return roll_back(s, "a step failed");
	if (!settles(name))
		return roll_back(s, "names do not resolve through ctstub");
	if (!is_done(s, with_links))
		return roll_back(s, "another program reverted a change");
	(void)puts("Done: this machine resolves through ctstub. `ctstub setup --undo` restores everything.");
	return EXIT_GOOD;
}

/* Of the configuration it needs only state-dir: a file that is broken must not lock anybody out. */
static enum exit_code
undo(struct setup *s, const char *config)
{
	size_t left;
	enum exit_code code = begin();

	alone_finish(); /* nothing ends it halfway */
	if (code == EXIT_GOOD)
		code = cli_settings_as_read(&s->settings, verb, config);
	if (code == EXIT_GOOD)
		code = setup_record_find(s);
	if (code != EXIT_GOOD)
		return code;
	if (s->record.n == 0) {
		(void)puts("Nothing was set up.");
		return EXIT_GOOD;
	}
	left = apply_undo(&s->record);
	code = record_store(s);
	if (code == EXIT_GOOD && left > 0)
		code = EXIT_REFUSED;
	(void)puts(left == 0 ? "Undone: this machine resolves as before."
			     : "Undone, except for what is listed above.");
	return code;
}

/* How many things are wrong, each with a complaint. */
static size_t
check_problems(const struct setup *s)
{
	size_t wrong = apply_drift(&s->record) + s->plan.n;
	char why[OURS_WHY_MAX];

	for (size_t i = 0; i < s->plan.n; i++) {
		char *text = step_text(&s->plan.step[i]);

		(void)cli_complain(EXIT_REFUSED, verb, "not done yet: %s", text != NULL ? text : "?");
		free(text);
	}
	if (!ours_holds(s->settings, &s->server[0], why)) {
		(void)cli_complain(EXIT_REFUSED, verb, "%s", why);
		wrong++;
	}
	if (wrong == 0 && name_that_resolves(s) == NULL) {
		(void)cli_complain(EXIT_REFUSED, verb, "%s does not resolve %s", s->server_text[0],
				   known_names[0]);
		wrong++;
	}
	return wrong;
}

static enum exit_code
check_print_json(const struct setup *s, bool ok)
{
	json_t *servers = json_array(), *out;
	char *machine = machine_text(&s->machine);
	enum exit_code code;

	for (size_t i = 0; i < s->n_server; i++)
		(void)json_array_append_new(servers, json_string(s->server_text[i]));
	out = json_pack("{s:b,s:s?,s:o,s:o}", "ok", (int)ok, "machine", machine, "servers", servers,
			"problems", cli_complaints());
	code = cli_print_json(verb, out != NULL ? json_dumps(out, JSON_COMPACT) : NULL);
	json_decref(out);
	free(machine);
	return code;
}

static enum exit_code
check(const struct setup *s, bool json)
{
	bool ok = check_problems(s) == 0;

	if (json && check_print_json(s, ok) != EXIT_GOOD)
		return EXIT_TROUBLE;
	if (!json)
		(void)puts(ok ? "This machine resolves through ctstub."
			      : "This machine does not resolve through ctstub alone.");
	return ok ? EXIT_GOOD : EXIT_REFUSED;
}

static enum exit_code
setup_run(struct setup *s, const struct request *req)
{
	enum exit_code code;

	if (req->undo)
		return undo(s, req->config);
	code = cli_settings(&s->settings, verb, req->config);
	if (code == EXIT_GOOD)
		code = servers_find(s);
	if (code == EXIT_GOOD && req->yes && geteuid() == 0)
		code = begin();
	if (code == EXIT_GOOD && geteuid() == 0)
		code = setup_record_find(s);
	if (code == EXIT_GOOD)
		code = plan_find(s, req->with_links);
	if (code != EXIT_GOOD || req->check)
		return code == EXIT_GOOD ? check(s, req->json) : code;
	print_plan(s);
	if (req->yes)
		return change_machine(s, req->with_links);
	if (s->plan.n > 0)
		(void)puts("Nothing was changed. `ctstub setup --yes` makes the changes, `ctstub setup "
			   "--undo` reverts them.");
	return EXIT_GOOD;
}

enum exit_code
cmd_setup(int argc, char **argv)
{
	struct setup *s = calloc(1, sizeof *s);
	struct request req;
	enum exit_code code;

	if (s == NULL)
		return cli_complain(EXIT_TROUBLE, verb, "%s", res_text(RES_NOMEM));
	s->hook = buf_max(HOOK_MAX + 1);
	if (setup_args_read(&req, argc, argv, &code))
		code = setup_run(s, &req);
	alone_end();
	plan_free(&s->plan);
	machine_free(&s->machine);
	record_free(&s->record);
	buf_free(&s->hook);
	settings_free(s->settings);
	free(s);
	return code;
}
