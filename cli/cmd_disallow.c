/* ctstub disallow: check a list of refused certificates, or make one of Mozilla's OneCRL. */
#include "cli/cli.h"

#include "base/text.h"
#include "cli/args.h"
#include "cli/files.h"
#include "verify/json_shown.h"
#include "verify/onecrl.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char verb[] = "disallow";

enum { OPT_ONECRL = 256, OPT_JSON };

const struct cli_option disallow_options[] = {
    {"onecrl", OPT_ONECRL, "FILE", "import: Mozilla's OneCRL, the records as JSON"},
    {"output", 'o', "FILE", "import: write the entries to this file, not to standard output (-)"},
    {"json", OPT_JSON, NULL, "print one JSON object, even on failure; import then requires -o, a file"},
    {"help", 'h', NULL, "print this"},
    {NULL, 0, NULL, NULL},
};

struct disallow_request {
	const char *onecrl, *file;
	const char *output; /* NULL: standard output */
	bool output_given, json;
};

static bool
disallow_take(void *ctx, int id, const char *value)
{
	struct disallow_request *req = ctx;

	switch (id) {
	case OPT_ONECRL:
		req->onecrl = value;
		break;
	case 'o': /* "-" is standard output */
		req->output = strcmp(value, "-") != 0 ? value : NULL;
		req->output_given = true;
		break;
	case OPT_JSON:
		req->json = true;
		break;
	}
	return true;
}

/* Why the options do not belong to the action, or NULL. */
static const char *
disallow_misfit(const struct disallow_request *req, bool import)
{
	if (!import)
		return req->onecrl != NULL || req->output_given
			   ? "check was expected without --onecrl and --output"
			   : NULL;
	if (req->onecrl == NULL)
		return "import was expected with --onecrl FILE";
	return req->json && req->output == NULL ? "--json was expected with --output FILE" : NULL;
}

static json_t *
disallow_faults_json(const struct disallow_request *req, const struct faults *faults)
{
	json_t *list = json_array();

	for (size_t i = 0; i < faults_lines(faults); i++) {
		char *text = faults_text(faults, i, req->file);

		(void)json_array_append_new(list, json_shown(text));
		free(text);
	}
	return list;
}

/* "line" and "error" are the first of "errors". */
static enum exit_code
disallow_cmd_report(const struct disallow_request *req, size_t entries, const struct faults *faults)
{
	size_t line = faults->n_shown > 0 ? faults->shown[0].line : 0;
	enum exit_code code;
	json_t *report;

	if (!req->json) {
		for (size_t i = 0; i < faults_lines(faults); i++) {
			char *text = faults_text(faults, i, req->file);

			(void)cli_complain(EXIT_USAGE, verb, "%s", text != NULL ? text : res_text(RES_NOMEM));
			free(text);
		}
		if (faults->n == 0)
			(void)printf("%s: %s\n", req->file, COUNTED(entries, "entry"));
		return faults->n == 0 ? EXIT_GOOD : EXIT_USAGE;
	}
	report = json_pack("{s:o,s:b,s:I,s:o,s:o,s:o}", "file", json_shown(req->file), "ok", faults->n == 0,
			   "entries", (json_int_t)entries, "line",
			   line > 0 ? json_integer((json_int_t)line) : json_null(), "error",
			   json_shown(faults->n_shown > 0 ? faults->shown[0].why : NULL), "errors",
			   disallow_faults_json(req, faults));
	code = cli_print_json(verb, report != NULL ? json_dumps(report, JSON_COMPACT) : NULL);
	json_decref(report);
	return code != EXIT_GOOD || faults->n == 0 ? code : EXIT_USAGE;
}

static enum exit_code
disallow_cmd_check(const struct disallow_request *req)
{
	struct cert_match_builder *builder = NULL;
	struct cert_match *list = NULL;
	struct faults faults = {.n = 0};
	struct buf text = buf_max(0);
	char *why = NULL;
	enum exit_code code;
	enum res res = config_file_read_any(&text, req->file, DISALLOW_FILE_MAX, &why);

	if (res != RES_OK) {
		code = cli_complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(res));
		free(why);
		return code;
	}
	res = cert_match_builder_new(&builder);
	if (res == RES_OK)
		res = disallow_add_file(builder, buf_span(&text), &faults);
	if (res == RES_OK) {
		res = cert_match_finish(&list, builder);
		builder = NULL;
	}
	if (res == RES_NOMEM)
		code = cli_complain(EXIT_TROUBLE, verb, "%s", res_text(res));
	else
		code = disallow_cmd_report(req, list != NULL ? cert_match_count(list) : 0, &faults);
	faults_clear(&faults);
	cert_match_builder_free(builder);
	cert_match_free(list);
	buf_free(&text);
	return code;
}

static enum exit_code
disallow_cmd_write(const struct disallow_request *req, const char *text, size_t entries, size_t left_out)
{
	char *why = NULL, *json;
	enum exit_code code = EXIT_GOOD;

	if (req->output == NULL) {
		(void)fputs(text, stdout);
		(void)fprintf(stderr, "%s, %s left out that an entry cannot express\n",
			      COUNTED(entries, "entry"), COUNTED(left_out, "record"));
		return EXIT_GOOD;
	}
	if (files_replace_named(req->output, span_str(text), &why) != RES_OK)
		code = cli_complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(RES_NOMEM));
	free(why);
	if (code != EXIT_GOOD)
		return code;
	if (req->json) {
		json_t *report = json_pack("{s:o,s:I,s:I}", "file", json_shown(req->output), "entries",
					   (json_int_t)entries, "left_out", (json_int_t)left_out);

		json = report != NULL ? json_dumps(report, JSON_COMPACT) : NULL;
		json_decref(report);
		return cli_print_json(verb, json);
	}
	(void)printf("%s: %s, %s left out that an entry cannot express\n", req->output,
		     COUNTED(entries, "entry"), COUNTED(left_out, "record"));
	return EXIT_GOOD;
}

static enum exit_code
disallow_cmd_import(const struct disallow_request *req)
{
	struct faults faults = {.n = 0};
	struct buf json = buf_max(0);
	char *text = NULL, *why = NULL;
	size_t entries = 0, left_out = 0;
	enum exit_code code;
	enum res res = config_file_read_any(&json, req->onecrl, DISALLOW_FILE_MAX, &why);

	if (res != RES_OK) {
		code = cli_complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(res));
	} else {
		res = onecrl_to_disallow(&text, buf_span(&json), &entries, &left_out, &faults, &why);
		cli_warn_faults(verb, req->onecrl, &faults);
		if (res == RES_OK)
			code = disallow_cmd_write(req, text, entries, left_out);
		else
			code = cli_complain(res == RES_NOMEM ? EXIT_TROUBLE : EXIT_USAGE, verb, "%s: %s",
					    req->onecrl, why != NULL ? why : res_text(res));
	}
	faults_clear(&faults);
	free(why);
	free(text);
	buf_free(&json);
	return code;
}

enum exit_code
cmd_disallow(int argc, char **argv)
{
	bool import = argc > 1 && strcmp(argv[1], "import") == 0;
	struct disallow_request req = {0};
	const struct args_rules rules = {disallow_take, &req, import ? 0 : 1, import ? 0 : 1};
	const char *misfit;
	enum exit_code code;
	int first;

	if (cli_wants_help(argc, argv))
		return cli_help_print(verb);
	if (!import && (argc < 2 || strcmp(argv[1], "check") != 0))
		return cli_misused(verb, "check or import was expected first");
	first = args_read(&rules, verb, argc - 1, argv + 1, &code);
	if (first == 0)
		return code;
	misfit = disallow_misfit(&req, import);
	if (misfit != NULL)
		return cli_misused(verb, "%s", misfit);
	req.file = argv[1 + first];
	if (req.output != NULL) {
		code = cli_output_check(verb, "output", req.output);
		if (code != EXIT_GOOD)
			return code;
	}
	return import ? disallow_cmd_import(&req) : disallow_cmd_check(&req);
}
