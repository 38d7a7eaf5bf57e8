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

/* Characters that people write by habit, and what this language has for them. */
static const struct {
	const char *character, *instead;
} instead_of[] = {
    {";", "a line break or a space was expected after a value"},
    {":", "\"=\" was expected after an option, or quotes around a value with \":\""},
    {"'", "double quotes (\"...\") were expected around a string"},
    {"`", "double quotes (\"...\") were expected around a string"},
    {"\u201c", "plain double quotes (\"...\") were expected around a string"},
    {"\u201d", "plain double quotes (\"...\") were expected around a string"},
    {"\u201e", "plain double quotes (\"...\") were expected around a string"},
    {"\u2018", "plain double quotes (\"...\") were expected around a string"},
    {"\u2019", "plain double quotes (\"...\") were expected around a string"},
    {"/", "quotes were expected around a path, and \"#\" before a comment"},
    {"[", "braces ({ }) were expected around a list, and quotes around an address"},
    {"]", "braces ({ }) were expected around a list, and quotes around an address"},
    {"(", "braces ({ }) were expected"},
    {")", "braces ({ }) were expected"},
    {"$", "quotes were expected around a string; nothing is expanded"},
    {"\u00a0", "plain spaces were expected"},
};

void
parse_fail_character(struct parse *p, struct span utf8)
{
	const char *instead = "an option, a section or a value was expected";
	uint32_t c = 0;

	(void)utf8_read(&c, utf8);
	if (unicode_is_control(c)) {
		parse_fail(p, p->line, "an unexpected character U+%04X, %s", (unsigned)c, instead);
		return;
	}
	for (size_t i = 0; i < sizeof instead_of / sizeof *instead_of; i++)
		if (strlen(instead_of[i].character) == utf8.n &&
		    memcmp(instead_of[i].character, utf8.p, utf8.n) == 0)
			instead = instead_of[i].instead;
	if (c < 0x80)
		parse_fail(p, p->line, "an unexpected character \"%c\", %s", (int)c, instead);
	else
		parse_fail(p, p->line, "an unexpected character \"%.*s\" (U+%04X), %s", (int)utf8.n,
			   (const char *)utf8.p, (unsigned)c, instead);
}

/* Where in a file the grammar stopped. */
enum spot { SPOT_TOP, SPOT_SECTION, SPOT_NAME, SPOT_VALUE, SPOT_LIST, SPOT_ITEM };

/* The parser may already have reduced an empty list or the whole file; then it expects only what ends that. */
static enum spot
spot_of(unsigned expected)
{
	if ((expected & PARSE_EQUALS) != 0)
		return SPOT_NAME;
	if ((expected & PARSE_COMMA) != 0)
		return SPOT_ITEM;
	if ((expected & PARSE_STRING) != 0)
		return (expected & PARSE_OPEN) != 0 ? SPOT_VALUE : SPOT_LIST;
	if ((expected & PARSE_CLOSE) != 0)
		return (expected & PARSE_WORD) != 0 ? SPOT_SECTION : SPOT_LIST;
	return SPOT_TOP;
}

static const char *const spot_expects[] = {
    [SPOT_TOP] = "an option or a section", [SPOT_SECTION] = "an option or \"}\"",
    [SPOT_NAME] = "\"=\" or \"{\"",        [SPOT_VALUE] = "a value",
    [SPOT_LIST] = "a value or \"}\"",      [SPOT_ITEM] = "\",\" or \"}\"",
};

/* The end of the file, inside braces or not. */
static void
fail_at_end(struct parse *p, const char *expected)
{
	if (p->n_open > 0)
		parse_fail(p, p->token_line,
			   "the file ends inside the \"{\" of line %u, its \"}\" was expected",
			   p->open_line[p->n_open - 1]);
	else
		parse_fail(p, p->token_line, "the file ends after \"%s\", %s was expected", p->last,
			   expected);
}

void
parse_fail_token(struct parse *p, enum parse_symbol got, unsigned expected)
{
	enum spot spot = spot_of(expected);
	bool statement = spot == SPOT_TOP || spot == SPOT_SECTION;

	if (got == PARSE_END)
		fail_at_end(p, spot_expects[spot]);
	else if (got == PARSE_COMMA && statement)
		parse_fail(
		    p, p->token_line,
		    "unexpected \",\", braces were expected around a list ({\"a\", \"b\"}), and no comma "
		    "between options");
	else if (got == PARSE_OPEN && statement)
		parse_fail(p, p->token_line,
			   "unexpected \"{\", the name of a section was expected before it");
	else if (got == PARSE_EQUALS && statement)
		parse_fail(p, p->token_line,
			   "unexpected \"%s\", the name of an option was expected before it", p->last);
	else if (got == PARSE_CLOSE && spot == SPOT_TOP)
		parse_fail(p, p->token_line, "unexpected \"}\", a \"{\" before it was expected");
	else
		parse_fail(p, p->token_line, "unexpected %s\"%s\", %s was expected",
			   got == PARSE_STRING ? "string " : "", p->last, spot_expects[spot]);
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
