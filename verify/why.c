#include "verify/why.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_MAX 1024

static char *why_format(const char *format, va_list args, const char *rest)
    __attribute__((format(printf, 1, 0)));

static char *
why_format(const char *format, va_list args, const char *rest)
{
	char text[WHY_MAX];
	struct buf b = buf_max(WHY_MAX);

	(void)vsnprintf(text, sizeof text, format, args);
	buf_text(&b, text);
	if (rest != NULL) {
		buf_text(&b, ": ");
		buf_text(&b, rest);
	}
	if (!buf_ok(&b)) { /* too long: the first part alone */
		buf_free(&b);
		return strdup(text);
	}
	return buf_take_cstr(&b);
}

enum res
why_say(char **why, enum res res, const char *format, ...)
{
	va_list args;

	if (why == NULL)
		return res;
	va_start(args, format);
	*why = why_format(format, args, NULL);
	va_end(args);
	return res;
}

enum res
why_prefix(char **why, enum res res, const char *format, ...)
{
	va_list args;
	char *before;

	if (why == NULL)
		return res;
	before = *why;
	va_start(args, format);
	*why = why_format(format, args, before);
	va_end(args);
	free(before);
	return res;
}

const char *
why_quote(char out[WHY_QUOTE_MAX], struct span text)
{
	struct buf b = buf_max(WHY_QUOTE_MAX - 4);
	size_t n;

	text_escape(&b, text);
	n = b.n;
	if (n > 0)
		memcpy(out, b.p, n);
	memcpy(out + n, "...", 4);
	if (buf_ok(&b))
		out[n] = '\0';
	buf_free(&b);
	return out;
}
