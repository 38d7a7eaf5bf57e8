/* ctstub ct-logs: the list of CT logs: which one is in effect, a file judged, a newer one taken. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/fetch.h"
#include "cli/files.h"
#include "config/load.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char verb[] = "ct-logs";
static const char mozilla_url[] =
    "https://hg.mozilla.org/mozilla-central/raw-file/tip/security/ct/CTKnownLogs.h";

enum { OPT_CA = 256, OPT_FORCE, OPT_JSON, OPT_STATE_DIR, OPT_URL, OPT_HELP };

static const struct option longs[] = {
    {"config", required_argument, NULL, 'c'},
    {"ca", required_argument, NULL, OPT_CA},
    {"force", no_argument, NULL, OPT_FORCE},
    {"json", no_argument, NULL, OPT_JSON},
    {"state-dir", required_argument, NULL, OPT_STATE_DIR},
    {"url", required_argument, NULL, OPT_URL},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

struct request {
	const char *config, *ca, *state_dir, *url, *file;
	bool force, json;
};

static bool
request_read(struct request *req, int argc, char **argv, int arguments, enum exit_code *code)
{
	int c;

	*code = EXIT_USAGE;
	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			req->config = optarg;
			break;
		case OPT_CA:
			req->ca = optarg;
			break;
		case OPT_FORCE:
			req->force = true;
			break;
		case OPT_JSON:
			req->json = true;
			break;
		case OPT_STATE_DIR:
			req->state_dir = optarg;
			break;
		case OPT_URL:
			req->url = optarg;
			break;
		case 'h':
		case OPT_HELP:
			*code = help_print("ct-logs");
			return false;
		default:
			(void)usage(verb);
			return false;
		}
	}
	if (argc - optind != arguments) {
		(void)usage(verb);
		return false;
	}
	req->file = argv[optind];
	return true;
}

/* ---- printing a list */

static json_t *
time_json(int64_t ms)
{
	char text[TIME_TEXT_MAX];

	return ms == 0 ? json_null() : json_string(time_text(ms, text));
}

static json_t *
log_json(const struct ctlog *log)
{
	struct buf id = buf_max(64);
	json_t *out;

	base64_write(&id, span_of(log->id, sizeof log->id));
	out = json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:b,s:b}", "log_id", buf_cstr(&id), "description",
			log->description, "operator", log->operator_name, "state",
			ctlog_state_text(log->state), "since", time_json(log->state_ms), "interval_start",
			time_json(log->interval_start_ms), "interval_end", time_json(log->interval_end_ms),
			"tiled", log->tiled, "counts", !log->never_counts && !ctlog_is_denied(log->id));
	buf_free(&id);
	return out;
}

static int64_t
age_days(const struct ctlogs *list)
{
	return (clock_wall_ms() - ctlogs_date_ms(list)) / 86400000;
}

static enum exit_code
list_print_json(const struct ctlogs *list, const char *from)
{
	json_t *logs = json_array(), *out;
	char date[TIME_TEXT_MAX];

	for (size_t i = 0; i < ctlogs_count(list); i++)
		(void)json_array_append_new(logs, log_json(ctlogs_at(list, i)));
	out = json_pack("{s:s,s:s,s:s,s:I,s:I,s:o}", "from", from, "source", ctlogs_source(list), "date",
			time_text(ctlogs_date_ms(list), date), "age_days", (json_int_t)age_days(list),
			"count", (json_int_t)ctlogs_count(list), "logs", logs);
	(void)print_json_text(verb, out != NULL ? json_dumps(out, JSON_COMPACT) : NULL);
	json_decref(out);
	return out != NULL ? EXIT_GOOD : EXIT_TROUBLE;
}

/* Text that a list brought, fit for a terminal. */
static const char *
safe(struct buf *b, const char *s)
{
	buf_clear(b);
	text_escape(b, span_str(s));
	return buf_cstr(b) != NULL ? buf_cstr(b) : "?";
}

static void
log_print(const struct ctlog *log, struct buf *scratch)
{
	char start[TIME_TEXT_MAX], end[TIME_TEXT_MAX];

	(void)printf("%-9s %s", ctlog_state_text(log->state), safe(scratch, log->description));
	(void)printf(" (%s)", safe(scratch, log->operator_name));
	if (log->interval_end_ms != 0)
		(void)printf(" %.10s to %.10s", time_text(log->interval_start_ms, start),
			     time_text(log->interval_end_ms, end));
	(void)printf("%s%s%s\n", log->tiled ? ", static-ct" : "",
		     log->never_counts ? ", never counts: a test log" : "",
		     ctlog_is_denied(log->id) ? ", never counts: its key is public" : "");
}

/* By operator, then by name: a list by log id is in no order that people see. */
static int
log_order(const void *a, const void *b)
{
	const struct ctlog *l = *(const struct ctlog *const *)a, *r = *(const struct ctlog *const *)b;
	int c = strcmp(l->operator_name, r->operator_name);

	return c != 0 ? c : strcmp(l->description, r->description);
}

static enum exit_code
list_print(const struct ctlogs *list, const char *from, bool json)
{
	struct buf scratch = buf_max(16384);
	size_t n = ctlogs_count(list);
	const struct ctlog **log;
	char date[TIME_TEXT_MAX];

	if (json)
		return list_print_json(list, from);
	log = calloc(n + 1, sizeof *log);
	if (log == NULL)
		return complain(EXIT_TROUBLE, verb, "%s", res_text(RES_NOMEM));
	for (size_t i = 0; i < n; i++)
		log[i] = ctlogs_at(list, i);
	qsort(log, n, sizeof *log, log_order);
	for (size_t i = 0; i < n; i++)
		log_print(log[i], &scratch);
	free(log);
	(void)printf("%zu logs, from %s, of %s, %lld days old\n", ctlogs_count(list), from,
		     time_text(ctlogs_date_ms(list), date), (long long)age_days(list));
	buf_free(&scratch);
	return EXIT_GOOD;
}

/* ---- which list */

static enum exit_code
load(struct ctlogs **out, const char *file)
{
	char *why = NULL;
	enum res res = log_list_load(out, file, false, &why);
	enum exit_code code = EXIT_GOOD;

	if (res != RES_OK) /* what can not be read is trouble, what reads wrong is its author's fault */
		code = complain(res == RES_IO || res == RES_NOMEM ? EXIT_TROUBLE : EXIT_USAGE, verb, "%s",
				why != NULL ? why : res_text(res));
	else
		cli_warn_faults(verb, file, ctlogs_left_out(*out));
	free(why);
	return code;
}

/* The list in effect. */
static enum exit_code
list_choose(struct ctlogs **out, char **from, const struct settings *s, const char *state_dir)
{
	char *warning = NULL;
	enum res res;

	if (*s->ct_log_list != '\0') {
		*from = strdup(s->ct_log_list);
		return load(out, s->ct_log_list);
	}
	res = log_list_choose(out, state_dir, from, &warning);
	if (warning != NULL)
		(void)complain(EXIT_GOOD, verb, "%s", warning);
	free(warning);
	return res == RES_OK ? EXIT_GOOD : complain(EXIT_TROUBLE, verb, "%s", res_text(res));
}

static enum exit_code
show(const struct request *req)
{
	struct settings *s = NULL;
	struct ctlogs *list = NULL;
	char *from = NULL;
	enum exit_code code = cli_settings(&s, verb, req->config);

	if (code == EXIT_GOOD)
		code = list_choose(&list, &from, s, req->state_dir != NULL ? req->state_dir : s->state_dir);
	if (code == EXIT_GOOD)
		code = list_print(list, from, req->json);
	ctlogs_free(list);
	settings_free(s);
	free(from);
	return code;
}

static enum exit_code
check(const struct request *req)
{
	struct ctlogs *list = NULL;
	enum exit_code code = load(&list, req->file);

	if (code == EXIT_GOOD)
		code = list_print(list, req->file, req->json);
	ctlogs_free(list);
	return code;
}

/* ---- taking a list */

/* Why this list is not taken without --force; NULL: it is. */
static const char *
objection(const struct ctlogs_change *change)
{
	if (change->older)
		return "it is older than the list in effect";
	if (change->large_loss)
		return "more than a third of the logs are gone";
	if (change->new_operators > 0)
		return "it brings a log operator that was not known before";
	return NULL;
}

static enum exit_code
change_print(const struct request *req, const struct ctlogs_change *change, const struct ctlogs *after,
	     const char *file, bool builtin, bool taken, const char *why)
{
	char date[TIME_TEXT_MAX];
	json_t *out;

	(void)time_text(ctlogs_date_ms(after), date);
	if (req->json) {
		out = json_pack("{s:b,s:s?,s:s?,s:s,s:I,s:I,s:I,s:I,s:I,s:b,s:b,s:s?}", "taken", taken,
				"objection", why, "file", taken ? file : NULL, "date", date, "before",
				(json_int_t)change->before, "added", (json_int_t)change->added, "removed",
				(json_int_t)change->removed, "changed", (json_int_t)change->changed,
				"new_operators", (json_int_t)change->new_operators, "older", change->older,
				"large_loss", change->large_loss, "difference", change->text);
		(void)print_json_text(verb, out != NULL ? json_dumps(out, JSON_COMPACT) : NULL);
		json_decref(out);
		return taken ? EXIT_GOOD : EXIT_REFUSED;
	}
	if (change->text != NULL)
		(void)fputs(change->text, stdout);
	(void)printf("list of %s: %zu logs before, %zu added, %zu removed, %zu changed\n", date,
		     change->before, change->added, change->removed, change->changed);
	if (!taken)
		return complain(EXIT_REFUSED, verb, "not taken: %s (--force takes it)", why);
	(void)printf("written to %s; %s\n", file,
		     change->older && builtin ? "the list compiled in is newer and stays in effect"
					      : "a running daemon takes it at its next reload");
	return EXIT_GOOD;
}

static enum exit_code
list_write(const char *file, const struct ctlogs *list)
{
	char *json = ctlogs_json(list), *why = NULL;
	enum res res = json == NULL ? RES_NOMEM : file_replace(file, span_str(json), &why);
	enum exit_code code = EXIT_GOOD;

	if (res != RES_OK)
		code = complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(res));
	free(why);
	free(json);
	return code;
}

/* What was known before is kept, the difference shown, the file in state-dir replaced. */
static enum exit_code
take(const struct request *req, const struct settings *s, const struct ctlogs *fresh)
{
	const char *state_dir = req->state_dir != NULL ? req->state_dir : s->state_dir;
	struct ctlogs *known = NULL, *merged = NULL;
	struct ctlogs_change change = {0};
	char *from = NULL, *warning = NULL, *file = log_list_file(state_dir);
	const char *why = NULL;
	enum exit_code code = EXIT_TROUBLE;

	if (*state_dir == '\0') {
		free(file);
		return complain(EXIT_USAGE, verb,
				"state-dir is \"\": a folder for the list was expected (--state-dir)");
	}
	if (file == NULL || log_list_choose(&known, state_dir, &from, &warning) != RES_OK ||
	    ctlogs_keep_known(&merged, fresh, known) != RES_OK ||
	    ctlogs_compare(&change, known, merged) != RES_OK) {
		(void)complain(EXIT_TROUBLE, verb, "%s", res_text(RES_NOMEM));
	} else {
		if (warning != NULL)
			(void)complain(EXIT_GOOD, verb, "%s", warning);
		why = objection(&change);
		code = why == NULL || req->force ? list_write(file, merged) : EXIT_REFUSED;
		if (code != EXIT_TROUBLE)
			code = change_print(req, &change, merged, file, strcmp(from, "compiled in") == 0,
					    code == EXIT_GOOD, why);
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
import(const struct request *req)
{
	struct settings *s = NULL;
	struct ctlogs *fresh = NULL;
	enum exit_code code = cli_settings(&s, verb, req->config);

	if (code == EXIT_GOOD)
		code = load(&fresh, req->file);
	if (code == EXIT_GOOD)
		code = take(req, s, fresh);
	ctlogs_free(fresh);
	settings_free(s);
	return code;
}

/* The policy for the server of the list: strict, whatever the upstreams are judged by. */
static enum exit_code
download_policy(struct vfy_policy *out, struct snapshot **snap, const struct request *req)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;
	char *ca = NULL;
	enum exit_code code = cli_settings(&s, verb, req->config);
	enum res res = RES_NOMEM;

	if (code != EXIT_GOOD)
		return code;
	if (req->ca != NULL && (ca = strdup(req->ca)) != NULL) {
		free(s->trust_anchors);
		s->trust_anchors = ca;
		s->said[OPTION_TRUST_ANCHORS] = (struct place){0};
	}
	if (req->ca != NULL && ca == NULL)
		settings_free(s);
	else if ((res = settings_narrow(s, NULL)) == RES_OK)
		res = snapshot_compile(snap, s, 1, &errors);
	else
		settings_free(s);
	if (res == RES_OK) {
		*out = *(*snap)->policy;
		out->ct_mode = CT_REQUIRE;
		out->ct_policy = CT_STRICT;
	}
	return cli_config_result(verb, res, &errors);
}

static enum exit_code
refuse_server(const struct request *req, const struct verdict *v)
{
	char *text = req->json ? verdict_json(v) : verdict_text(v);

	if (text != NULL && req->json)
		(void)puts(text);
	else if (text != NULL)
		print_verdict_text(text);
	free(text);
	return complain(EXIT_REFUSED, verb, "the server of the list was refused: %s",
			reason_code(verdict_reason(v)));
}

static enum exit_code
download(struct buf *file, const struct request *req, const char *url)
{
	struct vfy_policy policy;
	struct snapshot *snap = NULL;
	struct verdict v = {0};
	char *why = NULL;
	enum exit_code code = download_policy(&policy, &snap, req);

	if (code == EXIT_GOOD)
		switch (fetch(file, &v, url, &policy, clock_wall_ms(), &why)) {
		case FETCH_DONE:
			break;
		case FETCH_REFUSED:
			code = refuse_server(req, &v);
			break;
		case FETCH_FAILED:
			code = complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(RES_NOMEM));
			break;
		case FETCH_BAD_URL:
			code = complain(EXIT_USAGE, verb, "\"%s\": an https URL was expected", url);
			break;
		}
	verdict_clear(&v);
	snapshot_unref(snap);
	free(why);
	return code;
}

static enum exit_code
update(const struct request *req)
{
	const char *url = req->url != NULL ? req->url : mozilla_url;
	struct buf file = buf_max(CTLOGS_FILE_MAX);
	struct settings *s = NULL;
	struct ctlogs *fresh = NULL;
	char *why = NULL;
	enum exit_code code = cli_settings(&s, verb, req->config);

	if (code == EXIT_GOOD)
		code = download(&file, req, url);
	if (code == EXIT_GOOD && ctlogs_from_any(&fresh, buf_span(&file), &why) != RES_OK)
		code = complain(EXIT_TROUBLE, verb, "%s: %s", url, why != NULL ? why : res_text(RES_NOMEM));
	if (code == EXIT_GOOD) {
		cli_warn_faults(verb, url, ctlogs_left_out(fresh));
		code = take(req, s, fresh);
	}
	free(why);
	ctlogs_free(fresh);
	settings_free(s);
	buf_free(&file);
	return code;
}

enum exit_code
cmd_ct_logs(int argc, char **argv)
{
	static const struct {
		const char *name;
		int arguments;
		enum exit_code (*run)(const struct request *);
	} actions[] = {{"show", 0, show}, {"check", 1, check}, {"update", 0, update}, {"import", 1, import}};
	struct request req = {0};
	enum exit_code code;

	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return help_print(argv[0]);
	for (size_t i = 0; argc > 1 && i < sizeof actions / sizeof *actions; i++)
		if (strcmp(actions[i].name, argv[1]) == 0) {
			if (!request_read(&req, argc - 1, argv + 1, actions[i].arguments, &code))
				return code;
			return print_done(verb, actions[i].run(&req));
		}
	return usage(verb);
}
