/* ctstub disallow: check a list of refused certificates, or make one of Mozilla's OneCRL. */
#include "cli/cli.h"

#include "base/text.h"
#include "cli/files.h"
#include "verify/onecrl.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char verb[] = "disallow";

enum { OPT_ONECRL = 256, OPT_JSON, OPT_HELP };

static const struct option longs[] = {
    {"onecrl", required_argument, NULL, OPT_ONECRL},
    {"output", required_argument, NULL, 'o'},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

struct request {
	const char *onecrl, *output, *file;
	bool json;
};

static bool
request_read(struct request *req, int argc, char **argv, bool import, enum exit_code *code)
{
	int c;

	*code = EXIT_USAGE;
	while ((c = getopt_long(argc, argv, "o:h", longs, NULL)) != -1) {
		if (c == OPT_HELP || c == 'h') {
			*code = help_print("disallow");
			return false;
		}
		if (c == OPT_JSON) {
			req->json = true;
		} else if (c == OPT_ONECRL && import) {
			req->onecrl = optarg;
		} else if (c == 'o' && import) {
			req->output = optarg;
		} else {
			(void)usage(verb);
			return false;
		}
	}
	if (argc - optind != (import ? 0 : 1) || (import && req->onecrl == NULL) ||
	    (import && req->json && req->output == NULL)) {
		(void)usage(verb);
		return false;
	}
	req->file = argv[optind];
	return true;
}

static json_t *
faults_json(const struct request *req, const struct faults *faults)
{
	json_t *list = json_array();

	for (size_t i = 0; i < faults_lines(faults); i++) {
		char *text = faults_text(faults, i, req->file);

		(void)json_array_append_new(list, json_pack("s?", text));
		free(text);
	}
	return list;
}

/* "line" and "error" are the first of "errors". */
static enum exit_code
report_check(const struct request *req, size_t entries, const struct faults *faults)
{
	size_t line = faults->n_shown > 0 ? faults->shown[0].line : 0;
	json_t *report;

	if (!req->json) {
		for (size_t i = 0; i < faults_lines(faults); i++) {
			char *text = faults_text(faults, i, req->file);

			(void)complain(EXIT_USAGE, verb, "%s", text != NULL ? text : res_text(RES_NOMEM));
			free(text);
		}
		if (faults->n == 0)
			(void)printf("%s: %zu entries\n", req->file, entries);
		return faults->n == 0 ? EXIT_GOOD : EXIT_USAGE;
	}
	report = json_pack(
	    "{s:s,s:b,s:I,s:o,s:s?,s:o}", "file", req->file, "ok", faults->n == 0, "entries",
	    (json_int_t)entries, "line", line > 0 ? json_integer((json_int_t)line) : json_null(), "error",
	    faults->n_shown > 0 ? faults->shown[0].why : NULL, "errors", faults_json(req, faults));
	(void)print_json_text(verb, report != NULL ? json_dumps(report, JSON_COMPACT) : NULL);
	json_decref(report);
	return faults->n == 0 ? EXIT_GOOD : EXIT_USAGE;
}

static enum exit_code
check(const struct request *req)
{
	struct cert_match_builder *builder = NULL;
	struct cert_match *list = NULL;
	struct faults faults = {.n = 0};
	struct buf text = buf_max(0);
	char *why = NULL;
	enum exit_code code;
	enum res res = config_file_read_any(&text, req->file, DISALLOW_FILE_MAX, &why);

	if (res != RES_OK) {
		code = complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(res));
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
		code = complain(EXIT_TROUBLE, verb, "%s", res_text(res));
	else
		code = report_check(req, list != NULL ? cert_match_count(list) : 0, &faults);
	faults_clear(&faults);
	cert_match_builder_free(builder);
	cert_match_free(list);
	buf_free(&text);
	return code;
}

static enum exit_code
import_write(const struct request *req, const char *text, size_t entries, size_t left_out)
{
	char *why = NULL, *json;
	enum exit_code code = EXIT_GOOD;

	if (req->output == NULL) {
		(void)fputs(text, stdout);
		(void)fprintf(stderr, "%zu entries, %zu records left out that an entry cannot express\n",
			      entries, left_out);
		return EXIT_GOOD;
	}
	if (file_replace(req->output, span_str(text), &why) != RES_OK)
		code = complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(RES_NOMEM));
	free(why);
	if (code != EXIT_GOOD)
		return code;
	if (req->json) {
		json_t *report = json_pack("{s:s,s:I,s:I}", "file", req->output, "entries",
					   (json_int_t)entries, "left_out", (json_int_t)left_out);

		json = report != NULL ? json_dumps(report, JSON_COMPACT) : NULL;
		json_decref(report);
		return print_json_text(verb, json);
	}
	(void)printf("%s: %zu entries, %zu records left out that an entry cannot express\n", req->output,
		     entries, left_out);
	return EXIT_GOOD;
}

static enum exit_code
import(const struct request *req)
{
	struct faults faults = {.n = 0};
	struct buf json = buf_max(0);
	char *text = NULL, *why = NULL;
	size_t entries = 0, left_out = 0;
	enum exit_code code;
	enum res res = config_file_read_any(&json, req->onecrl, DISALLOW_FILE_MAX, &why);

	if (res != RES_OK) {
		code = complain(EXIT_TROUBLE, verb, "%s", why != NULL ? why : res_text(res));
	} else {
		res = onecrl_to_disallow(&text, buf_span(&json), &entries, &left_out, &faults, &why);
		cli_warn_faults(verb, req->onecrl, &faults);
		if (res == RES_OK)
			code = import_write(req, text, entries, left_out);
		else
			code = complain(res == RES_NOMEM ? EXIT_TROUBLE : EXIT_USAGE, verb, "%s: %s",
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
	bool importing = argc > 1 && strcmp(argv[1], "import") == 0;
	struct request req = {0};
	enum exit_code code;

	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return help_print(argv[0]);
	if (!importing && (argc < 2 || strcmp(argv[1], "check") != 0))
		return usage(verb);
	if (!request_read(&req, argc - 1, argv + 1, importing, &code))
		return code;
	return print_done(verb, importing ? import(&req) : check(&req));
}
