#include "verify/ct/tokens.h"

#include "base/text.h"
#include "verify/ct/ctlogs_build.h"
#include "verify/why.h"

#include <stdio.h>
#include <string.h>

void
tokens_open(struct tokens *in, struct span text, char **why)
{
	*in = (struct tokens){.text = text, .line = 1, .why = why, .string = buf_max(CTLOG_KEY_MAX)};
}

void
tokens_close(struct tokens *in)
{
	buf_free(&in->string);
}

enum res
tokens_refuse(struct tokens *in, const char *what)
{
	char quote[WHY_QUOTE_MAX];

	return why_say(in->why, RES_MALFORMED, "line %zu: %s at \"%s\"", in->line, what,
		       why_quote(quote, in->token));
}

static uint8_t
tokens_peek(const struct tokens *in, size_t ahead)
{
	return in->at + ahead < in->text.n ? in->text.p[in->at + ahead] : 0;
}

static void
tokens_step(struct tokens *in)
{
	in->line += in->text.p[in->at] == '\n';
	in->at++;
}

static bool
is_word(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The rest of the line, without the end of line. */
static struct span
tokens_line_rest(struct tokens *in)
{
	size_t from = in->at;

	while (in->at < in->text.n && in->text.p[in->at] != '\n')
		in->at++;
	return span_of(in->text.p + from, in->at - from);
}

static bool
line_begins(struct span line, const char *with)
{
	return line.n >= strlen(with) && memcmp(line.p, with, strlen(with)) == 0;
}

/* A preprocessor line. What stands inside `#ifdef DEBUG` is passed over; a condition that is not known refuses,
 * because it decides which logs there are. */
static enum res
tokens_directive_pass(struct tokens *in)
{
	struct span line = tokens_line_rest(in);

	if (line_begins(line, "#ifdef DEBUG") && (line.n == 12 || !is_word(line.p[12]))) {
		while (in->at < in->text.n) {
			tokens_step(in);
			line = tokens_line_rest(in);
			if (line_begins(line, "#endif"))
				return RES_OK;
			if (line_begins(line, "#"))
				break;
		}
		in->token = line;
		return tokens_refuse(in, "#ifdef DEBUG without a plain #endif");
	}
	if (line_begins(line, "#ifndef CTKnownLogs_h") || line_begins(line, "#define CTKnownLogs_h") ||
	    line_begins(line, "#include ") || line_begins(line, "#endif"))
		return RES_OK;
	in->token = line;
	return tokens_refuse(in, "an unknown preprocessor line");
}

/* White space and comments. */
static enum res
tokens_space_pass(struct tokens *in)
{
	enum res res = RES_OK;

	while (res == RES_OK && in->at < in->text.n) {
		uint8_t c = in->text.p[in->at];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			tokens_step(in);
		} else if (c == '/' && tokens_peek(in, 1) == '/') {
			(void)tokens_line_rest(in);
		} else if (c == '/' && tokens_peek(in, 1) == '*') {
			while (in->at < in->text.n &&
			       !(in->text.p[in->at] == '*' && tokens_peek(in, 1) == '/'))
				tokens_step(in);
			if (in->at >= in->text.n)
				return tokens_refuse(in, "an unterminated comment");
			in->at += 2;
		} else if (c == '#') {
			res = tokens_directive_pass(in);
		} else {
			break;
		}
	}
	return res;
}

/* One escape of a string literal; in->at is after the backslash. */
static enum res
tokens_escape_read(struct tokens *in)
{
	uint8_t c = tokens_peek(in, 0), byte, more[2] = {'0', tokens_peek(in, 3)};

	in->at++;
	if (c == '"' || c == '\\' || c == '\'') {
		buf_u8(&in->string, c);
		return RES_OK;
	}
	/* C takes every hex digit that follows: with a third it would be another number */
	if (c != 'x' || hex_read(&byte, 1, span_of(more, 2)) == RES_OK ||
	    hex_read(&byte, 1, span_slice(in->text, in->at, 2)) != RES_OK)
		return tokens_refuse(in, "an unknown escape");
	in->at += 2;
	buf_u8(&in->string, byte);
	return RES_OK;
}

/* A string literal and those that follow it, as one. */
static enum res
tokens_string_read(struct tokens *in)
{
	enum res res = RES_OK;

	buf_clear(&in->string);
	while (res == RES_OK && tokens_peek(in, 0) == '"') {
		in->at++;
		while (res == RES_OK && tokens_peek(in, 0) != '"') {
			if (in->at >= in->text.n || tokens_peek(in, 0) == '\n' || tokens_peek(in, 0) == 0)
				return tokens_refuse(in, "an unterminated string");
			if (tokens_peek(in, 0) == '\\') {
				in->at++;
				res = tokens_escape_read(in);
			} else {
				buf_u8(&in->string, in->text.p[in->at++]);
			}
		}
		in->at += res == RES_OK;
		if (res == RES_OK)
			res = tokens_space_pass(in);
	}
	if (res == RES_OK && !buf_ok(&in->string)) {
		if (buf_res(&in->string) == RES_NOMEM)
			return why_say(in->why, RES_NOMEM, "no memory");
		return tokens_refuse(in, "a string that is too long");
	}
	in->token = buf_span(&in->string);
	return res;
}

enum res
tokens_next(struct tokens *in)
{
	enum res res = tokens_space_pass(in);
	size_t from = in->at;
	uint8_t c = tokens_peek(in, 0);

	if (res != RES_OK)
		return res;
	if (in->at >= in->text.n) {
		in->kind = TOKEN_END;
		in->token = (struct span){NULL, 0};
		return RES_OK;
	}
	if (c == '"') {
		in->kind = TOKEN_STRING;
		return tokens_string_read(in);
	}
	if (is_word(c)) {
		while (is_word(tokens_peek(in, 0)))
			in->at++;
		in->kind = c >= '0' && c <= '9' ? TOKEN_NUMBER : TOKEN_WORD;
	} else {
		in->at++;
		in->kind = TOKEN_MARK;
	}
	in->token = span_of(in->text.p + from, in->at - from);
	return RES_OK;
}

bool
tokens_is(const struct tokens *in, const char *text)
{
	return (in->kind == TOKEN_WORD || in->kind == TOKEN_MARK) && span_equal(in->token, span_str(text));
}

enum res
tokens_expect(struct tokens *in, const char *text)
{
	enum res res = RES_OK;

	while (*text != '\0' && res == RES_OK) {
		size_t n = strcspn(text, " ");
		char what[64];

		if (!(in->kind == TOKEN_WORD || in->kind == TOKEN_MARK) ||
		    !span_equal(in->token, span_of(text, n))) {
			(void)snprintf(what, sizeof what, "expected %.*s", (int)n, text);
			return tokens_refuse(in, what);
		}
		text += n + (text[n] == ' ');
		res = tokens_next(in);
	}
	return res;
}

enum res
tokens_number(struct tokens *in, int64_t *out, int64_t max)
{
	char digits[24];

	if (in->kind != TOKEN_NUMBER || in->token.n >= sizeof digits)
		return tokens_refuse(in, "expected a number");
	memcpy(digits, in->token.p, in->token.n);
	digits[in->token.n] = '\0';
	if ((digits[0] == '0' && digits[1] != '\0') || number_read(out, digits) != RES_OK || *out > max)
		return tokens_refuse(in, "a number that is not decimal or too large");
	return tokens_next(in);
}
