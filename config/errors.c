#include "base/text.h"
#include "config/settings.h"

#include <stdarg.h>
#include <stdlib.h>

#define ERROR_TEXT_MAX 8192

void
config_errors_add(struct config_errors *errors, struct place place, const char *format, ...)
{
	struct buf b = buf_max(4 * (ERROR_TEXT_MAX + CONFIG_STRING_MAX)); /* each byte may be shown as \xNN */
	char text[ERROR_TEXT_MAX];
	char **line;
	va_list ap;

	if (errors->n == CONFIG_ERRORS_MAX) {
		errors->more = true;
		return;
	}
	va_start(ap, format);
	(void)vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	if (place.file != NULL) {
		text_show(&b, span_str(place.file));
		buf_format(&b, ":%u: ", place.line);
	}
	text_show(&b, span_str(text));
	line = realloc(errors->line, (errors->n + 1) * sizeof *line);
	if (line == NULL) {
		errors->more = true;
		buf_free(&b);
		return;
	}
	errors->line = line;
	line[errors->n] = buf_take_cstr(&b);
	if (line[errors->n] == NULL)
		errors->more = true;
	else
		errors->n++;
	buf_free(&b);
}

void
config_errors_add_faults(struct config_errors *errors, const char *file, const struct faults *faults)
{
	for (size_t i = 0; i < faults_lines(faults); i++) {
		char *text = faults_text(faults, i, file);

		config_errors_add(errors, (struct place){0}, "%s", text != NULL ? text : res_text(RES_NOMEM));
		free(text);
	}
}

void
config_errors_free(struct config_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++)
		free(errors->line[i]);
	free(errors->line);
	*errors = (struct config_errors){0};
}
