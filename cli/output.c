#include "cli/cli.h"

#include "base/near.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/files.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- failures as JSON */

static json_t *failures; /* an array of sentences; NULL: not asked for */
static json_t *parts;    /* of the next failure, like that */
static bool json_printed, in_rounds;

/* getopt_long takes it shortened, and no other option begins with its letter. */
static bool
asks_for_json(const char *arg)
{
	size_t n = strlen(arg);

	return n > 2 && strncmp(arg, "--json", n) == 0;
}

void
cli_failures_collect(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (asks_for_json(argv[i]) && failures == NULL)
			failures = json_array();
	parts = json_array();
}

static void
cli_failure_add(const char *text)
{
	if (failures == NULL)
		return;
	(void)json_array_append_new(failures, json_string(text));
	(void)json_array_extend(failures, parts);
	(void)json_array_clear(parts);
}

json_t *
cli_complaints(void)
{
	return failures != NULL ? json_copy(failures) : json_array();
}

static void
cli_failures_print(enum exit_code code)
{
	const char *first;
	json_t *out;
	char *text;

	if (failures == NULL || json_printed || code == EXIT_GOOD)
		return;
	first = json_string_value(json_array_get(failures, 0));
	out = json_pack("{s:s,s:O}", "error", first != NULL ? first : "unknown failure", "errors", failures);
	text = out != NULL ? json_dumps(out, JSON_COMPACT) : NULL;
	if (text != NULL)
		(void)puts(text);
	free(text);
	json_decref(out);
}

void
cli_round_done(enum exit_code code)
{
	cli_failures_print(code);
	(void)json_array_clear(failures);
	(void)json_array_clear(parts);
	json_printed = false;
	in_rounds = true;
}

/* ---- standard error */

/* Prints it. The line lies in the buffer, or in a constant. */
__attribute__((format(printf, 3, 0))) static const char *
complaint_print(struct buf *shown, const char *verb, const char *format, va_list ap)
{
	const char *line = text_complaint(shown, format, ap);

	(void)fprintf(stderr, verb != NULL ? "ctstub %s: " : "ctstub: ", verb);
	(void)fprintf(stderr, "%s\n", line);
	return line;
}

enum exit_code
cli_complain(enum exit_code code, const char *verb, const char *format, ...)
{
	struct buf shown = buf_max(TEXT_SHOWN_MAX);
	const char *line;
	va_list ap;

	va_start(ap, format);
	line = complaint_print(&shown, verb, format, ap);
	va_end(ap);
	if (code != EXIT_GOOD) /* a warning is not a failure */
		cli_failure_add(line);
	buf_free(&shown);
	return code;
}

static enum exit_code
output_check(const char *verb, const char *option, enum res res, char *why)
{
	enum exit_code code = res == RES_OK ? EXIT_GOOD : res == RES_NOT_FOUND ? EXIT_USAGE : EXIT_TROUBLE;

	if (res != RES_OK)
		(void)cli_complain(code, verb, "--%s: %s", option, why != NULL ? why : res_text(RES_NOMEM));
	free(why);
	return code;
}

enum exit_code
cli_output_check(const char *verb, const char *option, const char *file)
{
	char *why = NULL;
	enum res res = files_target_check(file, &why);

	return output_check(verb, option, res, why);
}

enum exit_code
cli_output_folder_check(const char *verb, const char *option, const char *folder)
{
	char *why = NULL;
	enum res res = files_folder_check(folder, &why);

	return output_check(verb, option, res, why);
}

void
cli_complain_part(const char *verb, const char *format, ...)
{
	struct buf shown = buf_max(TEXT_SHOWN_MAX);
	va_list ap;

	va_start(ap, format);
	(void)json_array_append_new(parts, json_string(complaint_print(&shown, verb, format, ap)));
	va_end(ap);
	buf_free(&shown);
}

enum exit_code
cli_misused(const char *verb, const char *format, ...)
{
	struct buf shown = buf_max(TEXT_SHOWN_MAX);
	const struct verb *v = verb_find(verb);
	va_list ap;

	va_start(ap, format);
	cli_failure_add(complaint_print(&shown, verb, format, ap));
	va_end(ap);
	if (v != NULL)
		(void)fprintf(stderr, "usage: ctstub %s %s\n", v->name, v->usage);
	buf_free(&shown);
	return EXIT_USAGE;
}

/* "FILE:LINE: what": then the place stands for the program's name, as in the messages of a compiler. */
static bool
begins_with_place(const char *line)
{
	const char *end = strstr(line, ": "), *colon;

	if (end == NULL)
		return false;
	for (colon = end; colon > line && colon[-1] >= '0' && colon[-1] <= '9'; colon--)
		;
	return colon < end && colon > line + 1 && colon[-1] == ':';
}

static enum exit_code
cli_complain_errors(const char *verb, const struct config_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++) {
		if (!begins_with_place(errors->line[i])) {
			(void)cli_complain(EXIT_USAGE, verb, "%s", errors->line[i]);
			continue;
		}
		(void)fprintf(stderr, "%s\n", errors->line[i]);
		cli_failure_add(errors->line[i]);
	}
	if (errors->more)
		(void)cli_complain(EXIT_USAGE, verb, "and more");
	if (errors->n == 0)
		(void)cli_complain(EXIT_USAGE, verb, "the configuration cannot be used");
	return EXIT_USAGE;
}

enum exit_code
cli_config_result(const char *verb, enum res res, struct config_errors *errors)
{
	enum exit_code code = EXIT_GOOD;

	if (res == RES_NOMEM)
		code = cli_complain(EXIT_TROUBLE, verb, "%s", res_text(res));
	else if (res != RES_OK)
		code = cli_complain_errors(verb, errors);
	config_errors_free(errors);
	return code;
}

void
cli_warn_lists(const char *verb, const struct snapshot *snap)
{
	for (size_t i = 0; i < snap->n_list_warning; i++)
		(void)cli_complain(EXIT_GOOD, verb, "warning: %s", snap->list_warning[i]);
}

void
cli_warn_faults(const char *verb, const char *file, const struct faults *faults)
{
	for (size_t i = 0; i < faults_lines(faults); i++) {
		char *text = faults_text(faults, i, file);

		(void)cli_complain(EXIT_GOOD, verb, "warning: %s", text != NULL ? text : res_text(RES_NOMEM));
		free(text);
	}
}

enum exit_code
cli_settings(struct settings **out, const char *verb, const char *file)
{
	struct config_errors errors = {0};

	return cli_config_result(
	    verb, settings_read(out, file != NULL ? file : settings_default_file(), &errors), &errors);
}

enum exit_code
cli_settings_as_read(struct settings **out, const char *verb, const char *file)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;
	enum res res;

	if (file != NULL && !path_file_is_readable(file))
		return cli_settings(out, verb, file);
	res = settings_read_on(&s, file != NULL ? file : settings_default_file(), &errors);
	if (s == NULL)
		return cli_config_result(verb, res, &errors);
	for (size_t i = 0; i < errors.n; i++)
		(void)cli_complain(EXIT_GOOD, verb, "warning: %s", errors.line[i]);
	if (errors.n > 0)
		(void)cli_complain(EXIT_GOOD, verb, "warning: options with errors have their defaults");
	config_errors_free(&errors);
	*out = s;
	return EXIT_GOOD;
}

enum exit_code
cli_complain_upstream(const char *verb, const struct settings *s, const char *title)
{
	struct near near = near_to(title);
	struct buf hint = buf_max(256);

	for (size_t i = 0; i < s->n_upstream; i++)
		near_offer(&near, s->upstream[i].title);
	near_put(&hint, near.word);
	(void)cli_complain(EXIT_USAGE, verb, "there is no upstream \"%s\"%s", title,
			   buf_cstr(&hint) != NULL ? buf_cstr(&hint) : "");
	buf_free(&hint);
	return EXIT_USAGE;
}

bool
cli_rule_take(struct rules *rules, const char *verb, int id, const char *arg)
{
	char *complaint;

	if (rules_take(rules, id, arg, &complaint))
		return true;
	(void)cli_complain(EXIT_USAGE, verb, "%s", complaint != NULL ? complaint : res_text(RES_NOMEM));
	free(complaint);
	return false;
}

enum exit_code
cli_print_json(const char *verb, char *json)
{
	if (json == NULL)
		return cli_complain(EXIT_TROUBLE, verb, "%s", res_text(RES_NOMEM));
	(void)puts(json);
	free(json);
	json_printed = true;
	return EXIT_GOOD;
}

/* The colour of a line by its first word; NULL: none. */
static const char *
cli_line_colour(const char *line)
{
	static const char outcome[] = "outcome";

	if (strncmp(line, outcome, sizeof outcome - 1) == 0) {
		line += sizeof outcome - 1;
		line += strspn(line, " ");
		return strncmp(line, "accepted", 8) == 0 ? "\033[1;32m" : "\033[1;31m";
	}
	if (strncmp(line, "refused", 7) == 0)
		return "\033[31m";
	return strncmp(line, "warning", 7) == 0 || strncmp(line, "noted", 5) == 0 ||
		       strncmp(line, "would refuse", 12) == 0
		   ? "\033[33m"
		   : NULL;
}

bool
cli_in_colour(void)
{
	const char *no = getenv("NO_COLOR"); /* https://no-color.org: an empty value does not count */

	return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0');
}

void
cli_print_verdict(const char *text)
{
	bool terminal = cli_in_colour();

	while (*text != '\0') {
		int n = (int)strcspn(text, "\n");
		const char *colour = terminal ? cli_line_colour(text) : NULL;

		(void)printf("%s%.*s%s\n", colour != NULL ? colour : "", n, text,
			     colour != NULL ? "\033[0m" : "");
		text += n + (text[n] == '\n');
	}
}

enum exit_code
cli_done(const char *verb, enum exit_code code)
{
	if (!in_rounds)
		cli_failures_print(code);
	json_decref(failures);
	json_decref(parts);
	failures = parts = NULL;
	if (fflush(stdout) != 0 || ferror(stdout))
		return cli_complain(EXIT_TROUBLE, verb, "cannot write to standard output");
	return code;
}
