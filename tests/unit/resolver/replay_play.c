#include "tests/unit/resolver/replay_play.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
play_wrong(struct play *p, const char *format, ...)
{
	va_list args;

	printf("%s:%u: ", p->file, p->line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	p->failed = true;
}

const char *
play_word(const struct play *p, size_t i)
{
	return i < p->n_words ? p->word[i] : "";
}

bool
play_has_word(const struct play *p, size_t from, const char *what)
{
	for (size_t i = from; i < p->n_words; i++)
		if (strcmp(p->word[i], what) == 0)
			return true;
	return false;
}

const char *
play_value(const struct play *p, const char *key)
{
	size_t n = strlen(key);

	for (size_t i = 2; i < p->n_words; i++)
		if (strncmp(p->word[i], key, n) == 0 && p->word[i][n] == '=')
			return p->word[i] + n + 1;
	return NULL;
}

long
play_number(struct play *p, const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0')
		play_wrong(p, "not a number: %s", text);
	return n;
}

static const char defaults[] = "upstream \"a\" { address = {\"192.0.2.1\"}  ct = \"off\" }\n"
			       "upstream \"b\" { address = {\"192.0.2.2\"}  ct = \"off\" }\n"
			       "strategy = \"ordered\"  hedge = false  allow = {\"0.0.0.0/0\", \"::/0\"}\n";

enum res
play_plan_make(struct play *p, struct plan **plan)
{
	struct config_errors errors = {0};
	enum res res;
	FILE *f = fopen(p->config_path, "w");
	const char *text = p->config.n > 0 ? buf_cstr(&p->config) : "";

	if (f == NULL)
		return RES_IO;
	fprintf(f, "listen = {\"127.0.0.1:53\"}  user = \"\"  log-level = \"debug\"\n");
	fprintf(f, "trust { anchors = \"%s\" }  local { hosts-file = \"\" }\n%s\n", p->anchor, text);
	if (strstr(text, "upstream \"") == NULL)
		fputs(defaults, f);
	fclose(f);
	buf_clear(&p->config);
	res = plan_read(plan, p->config_path, ++p->generation, false, &errors);
	for (size_t i = 0; i < errors.n; i++)
		buf_format(&p->log, "%s\n", errors.line[i]);
	config_errors_free(&errors);
	return res;
}
