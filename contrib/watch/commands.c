#include "contrib/watch/commands.h"

#include "base/text.h"
#include "config/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum watch_exit
watch_complain(enum watch_exit code, const char *verb, const char *format, ...)
{
	struct buf shown = buf_max(TEXT_SHOWN_MAX);
	va_list ap;

	va_start(ap, format);
	(void)fprintf(stderr, "ctstub-watch %s: %s\n", verb, text_complaint(&shown, format, ap));
	va_end(ap);
	buf_free(&shown);
	return code;
}

enum watch_exit
watch_complain_config(const char *verb, const struct config_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++)
		(void)watch_complain(WATCH_USAGE, verb, "%s", errors->line[i]);
	return errors->n > 0 ? WATCH_USAGE : watch_complain(WATCH_USAGE, verb, "%s", res_text(RES_NOMEM));
}

bool
watch_is_dash(const char *name)
{
	return name != NULL && strcmp(name, "-") == 0;
}

bool
watch_stdin_once(const char *verb, int n)
{
	if (n > 1)
		(void)watch_complain(WATCH_USAGE, verb,
				     "standard input is one file, \"-\" was expected once");
	return n <= 1;
}

enum watch_exit
watch_usage(enum watch_exit code, const char *usage)
{
	(void)fputs(usage, code == WATCH_DONE ? stdout : stderr);
	return code;
}

const char *
watch_config_file(const char *named)
{
	return named != NULL ? named : settings_default_file();
}
