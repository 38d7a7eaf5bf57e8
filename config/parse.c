#include "config/parse.h"

#include "base/text.h"
#include "config/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
parse_fail(struct parse *p, unsigned line, const char *format, ...)
{
	char text[1024];
	va_list ap;

	if (p->failed || p->nomem)
		return;
	p->failed = true;
	va_start(ap, format);
	(void)vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	p->handler->on_error(p->ctx, line, text);
}

bool
parse_token(struct parse *p, struct token *out, const char *text, size_t n, bool quoted)
{
	struct token t = {.line = p->line, .quoted = quoted};
	size_t w = 0;

	if (n > CONFIG_STRING_MAX) {
		parse_fail(p, p->line, "a string of %zu bytes, at most %d were expected", n,
			   CONFIG_STRING_MAX);
		return false;
	}
	t.text = malloc(n + 1);
	if (t.text == NULL) {
		p->nomem = true;
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (quoted && text[i] == '\\')
			i++; /* the lexer saw to it that " or \ follows */
		t.text[w++] = text[i];
	}
	t.text[w] = '\0';
	*out = t;
	return true;
}

bool
parse_append(struct parse *p, struct value *list, struct token *taken)
{
	struct token *v = NULL;

	if (list->n == CONFIG_LIST_MAX)
		parse_fail(p, taken->line, "a list that is too long, at most %d values were expected",
			   CONFIG_LIST_MAX);
	else if ((list->n & (list->n - 1)) != 0) /* room is doubled at each power of two */
		v = list->v;
	else if ((v = realloc(list->v, (list->n == 0 ? 1 : list->n * 2) * sizeof *v)) == NULL)
		p->nomem = true;
	if (v == NULL) {
		free(taken->text);
		value_free(list);
		return false;
	}
	list->v = v;
	v[list->n++] = *taken;
	return true;
}

void
value_free(struct value *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i].text);
	free(list->v);
	*list = (struct value){0};
}

/* What no text of ours may hold, wherever it stands, comments included. */
static bool
text_is_clean(struct parse *p, struct span text)
{
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0) {
		parse_fail(p, 1, "a byte order mark, UTF-8 without one was expected");
		return false;
	}
	for (size_t i = 0, n; i < text.n; i += n) {
		uint32_t c;

		n = utf8_read(&c, span_slice(text, i, 4));
		if (text.p[i] == '\n')
			p->line++;
		if (n == 0 || text.p[i] == '\0') {
			parse_fail(p, p->line,
				   n == 0 ? "bytes that are not UTF-8, UTF-8 was expected"
					  : "a NUL byte, text was expected");
			return false;
		}
	}
	p->line = 1;
	return true;
}

enum res
parse_text(struct span text, const struct parse_handler *handler, void *ctx)
{
	struct parse p = {.handler = handler, .ctx = ctx, .line = 1, .token_line = 1};

	if (text.n > CONFIG_FILE_MAX) {
		parse_fail(&p, 1, "a file of %zu bytes, at most %d were expected", text.n, CONFIG_FILE_MAX);
		return RES_MALFORMED;
	}
	if (!text_is_clean(&p, text))
		return RES_MALFORMED;
	return lexer_run(&p, text);
}
