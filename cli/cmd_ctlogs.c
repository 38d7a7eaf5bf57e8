/* ctstub ct-logs: shows the list of CT logs in effect, checks a file, takes a newer list. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/args.h"
#include "cli/ct_print.h"
#include "cli/ct_sources.h"
#include "cli/ct_window.h"
#include "cli/fetch.h"
#include "cli/files.h"
#include "cli/rules.h"
#include "config/load.h"
#include "verify/json_shown.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char verb[] = "ct-logs";
enum { OPT_CA = 256, OPT_FORCE, OPT_JSON, OPT_OLDER_THAN, OPT_STATE_DIR, OPT_URL };
/* The options that an action takes, each a bit; every action takes --json. */
enum {
	TAKES_CONFIG = 1,
	TAKES_STATE_DIR = 2,
	TAKES_FORCE = 4,
	TAKES_DOWNLOAD = 8, /* --ca, --older-than, --url */
	TAKES_ALL = 15
};

const struct cli_option ct_logs_options[] = {
    {"config", 'c', "FILE", "the configuration, see ctstub.conf(5); the daemon's own without it"},
    {"state-dir", OPT_STATE_DIR, "DIR", "the folder of the list, in place of the configured state-dir"},
    {"url", OPT_URL, "URL", "update: the list to fetch, in place of those of all sources"},
    {"ca", OPT_CA, "FILE", "update: the trust anchors for the server of the list"},
    {"force", OPT_FORCE, NULL,
     "update, import: take a list that is older, loses more than a third of its\nlogs or brings a new "
     "operator"},
    {"older-than", OPT_OLDER_THAN, "AGE", "update: only if the list in effect is older, such as 7d"},
    {"json", OPT_JSON, NULL, "print one JSON object, even on failure"},
    {"help", 'h', NULL, "print this"},
    {NULL, 0, NULL, NULL},
};

struct ct_request {
	const char *config, *ca, *state_dir, *url, *file;
	int64_t older_than_ms; /* 0: whatever its age */
	bool force, json;
	unsigned given; /* TAKES_... */
};

static bool
ct_take_option(void *ctx, int id, const char *value)
{
	struct ct_request *req = ctx;

	switch (id) {
	case 'c':
		req->config = value;
		req->given |= TAKES_CONFIG;
		break;
	case OPT_CA:
		req->ca = value;
		req->given |= TAKES_DOWNLOAD;
		break;
	case OPT_FORCE:
		req->force = true;
		req->given |= TAKES_FORCE;
		break;
	case OPT_JSON:
		req->json = true;
		break;
	case OPT_OLDER_THAN:
		req->given |= TAKES_DOWNLOAD;
		if (duration_read(&req->older_than_ms, value) == RES_OK)
			break;
		(void)cli_complain(EXIT_USAGE, verb, "\"%s\": an age like 7d was expected", value);
		return false;
	case OPT_STATE_DIR:
		req->state_dir = value;
		req->given |= TAKES_STATE_DIR;
		break;
	case OPT_URL:
		req->url = value;
		req->given |= TAKES_DOWNLOAD;
		break;
	}
	return true;
}

/* ---- which list */

static enum exit_code
ct_load(struct ctlogs **out, const char *file)
{
	char *why = NULL;
	enum res res = log_list_load(out, file, false, &why);
	enum exit_code code = EXIT_GOOD;

	if (res != RES_OK) /* an unreadable file is trouble, a malformed list its author's mistake */
		code = cli_complain(res == RES_IO || res == RES_NOMEM ? EXIT_TROUBLE : EXIT_USAGE, verb, "%s",
				    why != NULL ? why : res_text(res));
	else
		cli_warn_faults(verb, file, ctlogs_left_out(*out));
	free(why);
	return code;
}

/* The list in effect. */
static enum exit_code
ct_list_choose(struct ctlogs **out, char **from, const struct settings *s, const char *state_dir)
{
	char *warning = NULL;
	enum res res;

	if (*s->ct_log_list != '\0') {
		*from = strdup(s->ct_log_list);
		return ct_load(out, s->ct_log_list);
	}
	res = log_list_choose(out, state_dir, from, &warning);
	if (warning != NULL)
		(void)cli_complain(EXIT_GOOD, verb, "%s", warning);
	free(warning);
	return res == RES_OK ? EXIT_GOOD : cli_complain(EXIT_TROUBLE, verb, "%s", res_text(res));
}

static enum exit_code
ct_show(const struct ct_request *req)
{
	struct settings *s = NULL;
	struct ctlogs *list = NULL;
	char *from = NULL;
	enum exit_code code = cli_settings(&s, verb, req->config);

	if (code == EXIT_GOOD)
		code =
		    ct_list_choose(&list, &from, s, req->state_dir != NULL ? req->state_dir : s->state_dir);
	if (code == EXIT_GOOD)
		code = ct_list_print(list, from, req->json);
	ctlogs_free(list);
	settings_free(s);
	free(from);
	return code;
}

static enum exit_code
ct_check(const struct ct_request *req)
{
	struct ctlogs *list = NULL;
	enum exit_code code = ct_load(&list, req->file);

	if (code == EXIT_GOOD)
		code = ct_list_print(list, req->file, req->json);
	ctlogs_free(list);
	return code;
}

/* ---- taking a list */

static enum exit_code
ct_change_print(const struct ct_request *req, const struct ctlogs_change *change, const struct ctlogs *after,
		const char *file, const char *stays, bool taken, const char *why)
{
	char date[TIME_TEXT_MAX];
	enum exit_code code;
	json_t *out;

	(void)time_text(ctlogs_date_ms(after), date);
	if (req->json) {
		out =
		    json_pack("{s:b,s:s?,s:o,s:s,s:I,s:I,s:I,s:I,s:I,s:b,s:b,s:o}", "taken", taken,
			      "objection", why, "file", json_shown(taken ? file : NULL), "date", date,
			      "before", (json_int_t)change->before, "added", (json_int_t)change->added,
			      "removed", (json_int_t)change->removed, "changed", (json_int_t)change->changed,
			      "new_operators", (json_int_t)change->new_operators, "older", change->older,
			      "large_loss", change->large_loss, "difference", json_shown(change->text));
		code = cli_print_json(verb, out != NULL ? json_dumps(out, JSON_COMPACT) : NULL);
		json_decref(out);
		return code != EXIT_GOOD || taken ? code : EXIT_REFUSED;
	}
	if (change->text != NULL)
		(void)fputs(change->text, stdout);
	(void)printf("list of %s: %s before, %zu added, %zu removed, %zu changed\n", date,
		     COUNTED(change->before, "log"), change->added, change->removed, change->changed);
	if (!taken)
		return cli_complain(EXIT_REFUSED, verb, "not installed: %s (--force installs it)", why);
	if (stays == NULL)
		(void)printf("written to %s; a running daemon uses it after its next reload\n", file);
	else
		(void)printf("written to %s; another list stays in effect: %s\n", file, stays);
	return EXIT_GOOD;
}

static enum exit_code
ct_list_write(const char *file, const struct ctlogs *list)
{
	char *json = ctlogs_json(list), *why = NULL;
	enum res res = json == NULL ? RES_NOMEM : files_replace(file, span_str(json), &why);
	enum exit_code code = EXIT_GOOD;

	if (res != RES_OK)
		code = cli_complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(res));
	free(why);
	free(json);
	return code;
}

/* Before a list is fetched: is there a folder for it? */
static enum exit_code
ct_target_check(const struct ct_request *req, const struct settings *s)
{
	if (req->state_dir != NULL)
		return cli_output_folder_check(verb, "state-dir", req->state_dir);
	return *s->state_dir != '\0'
		   ? EXIT_GOOD
		   : cli_complain(EXIT_USAGE, verb,
				  "state-dir is empty: a folder for the list was expected (--state-dir)");
}

/* Keeps known intervals, shows the difference, and replaces the file in state-dir. */
static enum exit_code
ct_take(const struct ct_request *req, const struct settings *s, const struct ctlogs *fresh)
{
	const char *state_dir = req->state_dir != NULL ? req->state_dir : s->state_dir;
	struct ctlogs *known = NULL, *merged = NULL;
	struct ctlogs_change change = {0};
	char *from = NULL, *warning = NULL, *file = log_list_file(state_dir);
	const char *why = NULL, *stays = NULL;
	enum exit_code code = EXIT_TROUBLE;

	if (file == NULL || log_list_choose(&known, state_dir, &from, &warning) != RES_OK ||
	    ctlogs_keep_known(&merged, fresh, known) != RES_OK ||
	    ctlogs_compare(&change, known, merged) != RES_OK) {
		(void)cli_complain(EXIT_TROUBLE, verb, "%s", res_text(RES_NOMEM));
	} else {
		if (warning != NULL)
			(void)cli_complain(EXIT_GOOD, verb, "%s", warning);
		why = ct_sources_objection(&change, fresh, known, clock_wall_ms());
		code = why == NULL || req->force ? ct_list_write(file, merged) : EXIT_REFUSED;
		if (*s->ct_log_list != '\0')
			stays = s->ct_log_list;
		else if (change.older && strcmp(from, file) != 0)
			stays = from;
		if (code != EXIT_TROUBLE)
			code = ct_change_print(req, &change, merged, file, stays, code == EXIT_GOOD, why);
	}
	free(change.text);
	ctlogs_free(merged);
	ctlogs_free(known);
	free(from);
	free(warning);
	free(file);
	return code;
}

static enum exit_code
ct_import(const struct ct_request *req)
{
	struct settings *s = NULL;
	struct ctlogs *fresh = NULL;
	enum exit_code code = cli_settings(&s, verb, req->config);

	if (code == EXIT_GOOD)
		code = ct_target_check(req, s);
	if (code == EXIT_GOOD)
		code = ct_load(&fresh, req->file);
	if (code == EXIT_GOOD)
		code = ct_take(req, s, fresh);
	ctlogs_free(fresh);
	settings_free(s);
	return code;
}

/* The policy for the server of the list: strict, whatever the policy of the upstreams. */
static enum exit_code
ct_download_policy(struct vfy_policy *out, struct snapshot **snap, const struct ct_request *req)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;
	enum exit_code code = cli_settings(&s, verb, req->config);
	enum res res;

	if (code != EXIT_GOOD)
		return code;
	res = rules_anchors_set(s, req->ca) ? settings_narrow(s, NULL) : RES_NOMEM;
	if (res == RES_OK)
		res = snapshot_compile(snap, s, 1, &errors);
	else
		settings_free(s);
	if (res == RES_OK) {
		*out = *(*snap)->policy;
		out->ct_mode = CT_REQUIRE;
		out->ct_policy = CT_STRICT;
		/* Everything but the age of the list is enforced: otherwise an old list could never be renewed. */
		out->ct_when_stale = CT_STALE_ENFORCE;
	}
	return cli_config_result(verb, res, &errors);
}

static enum exit_code
ct_refuse_server(const struct ct_request *req, const struct verdict *v)
{
	char *text = req->json ? verdict_json(v) : verdict_text(v);

	if (req->json)
		(void)cli_print_json(verb, text); /* taken */
	else if (text != NULL)
		cli_print_verdict(text);
	if (!req->json)
		free(text);
	return cli_complain(EXIT_REFUSED, verb, "the server of the list was refused: %s",
			    reason_code(verdict_reason(v)));
}

static enum exit_code
ct_download(struct buf *file, const struct ct_request *req, const char *url)
{
	struct vfy_policy policy;
	struct snapshot *snap = NULL;
	struct verdict v = {0};
	char *why = NULL;
	enum exit_code code = ct_download_policy(&policy, &snap, req);

	if (code == EXIT_GOOD)
		switch (fetch_url(file, &v, url, &policy, clock_wall_ms(), &why)) {
		case FETCH_DONE:
			break;
		case FETCH_REFUSED:
			code = ct_refuse_server(req, &v);
			break;
		case FETCH_NOT_THERE:
		case FETCH_FAILED:
			code =
			    cli_complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(RES_NOMEM));
			break;
		case FETCH_BAD_URL:
			code = cli_complain(EXIT_USAGE, verb, "\"%s\": an https URL was expected", url);
			break;
		}
	verdict_clear(&v);
	snapshot_unref(snap);
	free(why);
	return code;
}

/* Of one URL that a person names. */
static enum exit_code
ct_update_from(const struct ct_request *req, struct ctlogs **fresh)
{
	struct buf file = buf_max(CTLOGS_FILE_MAX);
	char *why = NULL;
	enum exit_code code = ct_download(&file, req, req->url);

	if (code == EXIT_GOOD && ctlogs_from_any(fresh, buf_span(&file), &why) != RES_OK)
		code = cli_complain(EXIT_TROUBLE, verb, "%s: %s", req->url,
				    why != NULL ? why : res_text(RES_NOMEM));
	if (code == EXIT_GOOD)
		cli_warn_faults(verb, req->url, ctlogs_left_out(*fresh));
	free(why);
	buf_free(&file);
	return code;
}

static enum exit_code
ct_update_from_sources(const struct ct_request *req, const struct settings *s, struct ctlogs **fresh)
{
	struct vfy_policy policy;
	struct snapshot *snap = NULL;
	struct ct_window *window = NULL;
	struct ctlogs *known = NULL;
	struct ct_found found = {NULL, NULL};
	char *from = NULL, *warning = NULL;
	enum exit_code code = ct_download_policy(&policy, &snap, req);

	if (code == EXIT_GOOD &&
	    log_list_choose(&known, req->state_dir != NULL ? req->state_dir : s->state_dir, &from,
			    &warning) != RES_OK)
		code = cli_complain(EXIT_TROUBLE, verb, "%s", res_text(RES_NOMEM));
	if (code == EXIT_GOOD)
		window = ct_window_open(req->config, req->state_dir != NULL ? req->state_dir : s->state_dir,
					known, strcmp(from, "compiled in") == 0, clock_wall_ms());
	if (code == EXIT_GOOD) {
		const struct ct_ask ask = {.list_url = s->ct_list_url,
					   .list_key = s->ct_list_key,
					   .policy = &policy,
					   .known = known,
					   .window = window,
					   .force = req->force,
					   .now_ms = clock_wall_ms()};

		code = ct_sources_ask(&found, &ask);
	}
	if (code == EXIT_GOOD && !req->json)
		(void)printf("from %s\n", found.source);
	*fresh = found.list;
	ctlogs_free(known);
	snapshot_unref(snap);
	ct_window_close(window);
	free(from);
	free(warning);
	return code;
}

/* --older-than: is there nothing to do? Says so. */
static bool
ct_is_young(const struct ct_request *req, const struct settings *s, enum exit_code *code)
{
	struct ctlogs *known = NULL;
	char *from = NULL, date[TIME_TEXT_MAX];
	int64_t age_ms;
	bool young = false;

	if (req->older_than_ms == 0)
		return false;
	*code = ct_list_choose(&known, &from, s, req->state_dir != NULL ? req->state_dir : s->state_dir);
	if (*code == EXIT_GOOD) {
		age_ms = clock_wall_ms() - ctlogs_date_ms(known);
		young = age_ms <= req->older_than_ms;
		(void)time_text(ctlogs_date_ms(known), date);
	}
	if (young && req->json) {
		json_t *out = json_pack("{s:b,s:s,s:I}", "taken", 0, "date", date, "age_days",
					(json_int_t)(age_ms / 86400000));

		*code = cli_print_json(verb, out != NULL ? json_dumps(out, JSON_COMPACT) : NULL);
		json_decref(out);
	} else if (young) {
		(void)printf("the list of %s is young enough\n", date);
	}
	ctlogs_free(known);
	free(from);
	return young || *code != EXIT_GOOD;
}

static enum exit_code
ct_update(const struct ct_request *req)
{
	struct settings *s = NULL;
	struct ctlogs *fresh = NULL;
	enum exit_code code = cli_settings(&s, verb, req->config);

	if (code == EXIT_GOOD && ct_is_young(req, s, &code)) {
		settings_free(s);
		return code;
	}
	if (code == EXIT_GOOD)
		code = ct_target_check(req, s);
	if (code == EXIT_GOOD)
		code =
		    req->url != NULL ? ct_update_from(req, &fresh) : ct_update_from_sources(req, s, &fresh);
	if (code == EXIT_GOOD)
		code = ct_take(req, s, fresh);
	ctlogs_free(fresh);
	settings_free(s);
	return code;
}

enum exit_code
cmd_ct_logs(int argc, char **argv)
{
	static const struct {
		const char *name;
		int arguments;
		unsigned takes;
		enum exit_code (*run)(const struct ct_request *);
	} actions[] = {{"show", 0, TAKES_CONFIG | TAKES_STATE_DIR, ct_show},
		       {"check", 1, 0, ct_check},
		       {"update", 0, TAKES_ALL, ct_update},
		       {"import", 1, TAKES_CONFIG | TAKES_STATE_DIR | TAKES_FORCE, ct_import}};
	struct ct_request req = {0};
	enum exit_code code;

	if (cli_wants_help(argc, argv))
		return cli_help_print(verb);
	for (size_t i = 0; argc > 1 && i < sizeof actions / sizeof *actions; i++)
		if (strcmp(actions[i].name, argv[1]) == 0) {
			int n = actions[i].arguments;
			int first = args_read(&(struct args_rules){ct_take_option, &req, n, n}, verb,
					      argc - 1, argv + 1, &code);

			if (first == 0)
				return code;
			req.file = argv[1 + first];
			if ((req.given & ~actions[i].takes) != 0)
				return cli_misused(verb, "one of the options does not belong to ct-logs %s",
						   actions[i].name);
			return actions[i].run(&req);
		}
	return cli_misused(verb, "show, check, update or import was expected first");
}
