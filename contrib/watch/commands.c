#include "contrib/watch/commands.h"

#include "config/settings.h"

#include <stdarg.h>
#include <stdio.h>

enum watch_exit
watch_complain(enum watch_exit code, const char *verb, const char *format, ...)
{
	va_list ap;

	(void)fprintf(stderr, "ctstub-watch %s: ", verb);
	va_start(ap, format);
	(void)vfprintf(stderr, format, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	return code;
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
