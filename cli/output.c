#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum exit_code
complain(enum exit_code code, const char *verb, const char *format, ...)
{
	va_list ap;

	(void)fprintf(stderr, verb != NULL ? "ctstub %s: " : "ctstub: ", verb);
	va_start(ap, format);
	(void)vfprintf(stderr, format, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	return code;
}

enum exit_code
usage(const char *verb)
{
	const struct verb *v = verb_find(verb);

	if (v != NULL)
		(void)fprintf(stderr, "usage: ctstub %s %s\n", v->name, v->usage);
	return EXIT_USAGE;
}

static enum exit_code
complain_errors(const char *verb, const struct config_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++)
		(void)fprintf(stderr, "%s\n", errors->line[i]);
	if (errors->more)
		(void)fprintf(stderr, "and more\n");
	if (errors->n == 0)
		(void)complain(EXIT_USAGE, verb, "the configuration can not be used");
	return EXIT_USAGE;
}

enum exit_code
cli_config_result(const char *verb, enum res res, struct config_errors *errors)
{
	enum exit_code code = EXIT_GOOD;

	if (res == RES_NOMEM)
		code = complain(EXIT_TROUBLE, verb, "%s", res_text(res));
	else if (res != RES_OK)
		code = complain_errors(verb, errors);
	config_errors_free(errors);
	return code;
}

void
cli_warn_lists(const char *verb, const struct snapshot *snap)
{
	for (size_t i = 0; i < snap->n_list_warning; i++)
		(void)complain(EXIT_GOOD, verb, "warning: %s", snap->list_warning[i]);
}

void
cli_warn_faults(const char *verb, const char *file, const struct faults *faults)
{
	for (size_t i = 0; i < faults_lines(faults); i++) {
		char *text = faults_text(faults, i, file);

		(void)complain(EXIT_GOOD, verb, "warning: %s", text != NULL ? text : res_text(RES_NOMEM));
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
print_json_text(const char *verb, char *json)
{
	if (json == NULL)
		return complain(EXIT_TROUBLE, verb, "%s", res_text(RES_NOMEM));
	(void)puts(json);
	free(json);
	return EXIT_GOOD;
}

/* The colour of a line by its first word; NULL: none. */
static const char *
colour_of(const char *line)
{
	static const char outcome[] = "outcome";

	if (strncmp(line, outcome, sizeof outcome - 1) == 0) {
		line += sizeof outcome - 1;
		line += strspn(line, " ");
		return strncmp(line, "accepted", 8) == 0 ? "\033[1;32m" : "\033[1;31m";
	}
	if (strncmp(line, "refused", 7) == 0)
		return "\033[31m";
	return strncmp(line, "warning", 7) == 0 || strncmp(line, "noted", 5) == 0 ? "\033[33m" : NULL;
}

void
print_verdict_text(const char *text)
{
	bool terminal = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;

	while (*text != '\0') {
		int n = (int)strcspn(text, "\n");
		const char *colour = terminal ? colour_of(text) : NULL;

		(void)printf("%s%.*s%s\n", colour != NULL ? colour : "", n, text,
			     colour != NULL ? "\033[0m" : "");
		text += n + (text[n] == '\n');
	}
}

enum exit_code
print_done(const char *verb, enum exit_code code)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return complain(EXIT_TROUBLE, verb, "cannot write to standard output");
	return code;
}
