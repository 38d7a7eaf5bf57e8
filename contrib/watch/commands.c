#include "contrib/watch/commands.h"

#include "base/text.h"
#include "config/settings.h"

#include <stdarg.h>
#include <stdio.h>

#define COMPLAINT_MAX 8192 /* two paths of the longest, and a sentence */

enum watch_exit
watch_complain(enum watch_exit code, const char *verb, const char *format, ...)
{
	struct buf shown = buf_max(4 * COMPLAINT_MAX); /* each byte may be shown as \xNN */
	char text[COMPLAINT_MAX];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	text_show(&shown, span_str(text));
	(void)fprintf(stderr, "ctstub-watch %s: %s\n", verb,
		      buf_cstr(&shown) != NULL ? buf_cstr(&shown) : "out of memory");
	buf_free(&shown);
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
