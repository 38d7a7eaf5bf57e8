/*
 * Mozilla's source header of known logs.
 *
 * Read as tokens of C++: the expiry, the array of logs and the array of operators are understood wholly or the file is
 * refused; what stands between them (types, namespaces) is passed over. What only a DEBUG build sees is left out: those
 * are test logs. The header gives an expiry of the list's date and 70 days, no intervals, and two states; a log that
 * is admissible is written `usable`.
 */
#include "verify/ct/ctlogs_build.h"

#include "base/text.h"
#include "verify/why.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPIRY_AFTER_MS ((int64_t)70 * 86400 * 1000)

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_NUMBER, TOKEN_STRING, TOKEN_MARK };

struct reader {
	struct span text;
	size_t at;
	size_t line;
	enum token_kind kind;
	struct span token; /* word, number as written, string's bytes (in `string`), one-character mark */
	struct buf string;
	char **why;
	struct ctlogs *list;
	struct buf operators; /* names, each with a NUL */
	size_t n_operators;
	size_t operator_index[CTLOGS_MAX]; /* of each log, by the order of reading */
	bool saw_expiry, saw_logs, saw_operators;
};

static enum res
refuse(struct reader *in, const char *what)
{
	char quote[WHY_QUOTE_MAX];

	return why_say(in->why, RES_MALFORMED, "line %zu: %s at \"%s\"", in->line, what,
		       why_quote(quote, in->token));
}

static uint8_t
peek(const struct reader *in, size_t ahead)
{
	return in->at + ahead < in->text.n ? in->text.p[in->at + ahead] : 0;
}

static void
step(struct reader *in)
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
line_rest(struct reader *in)
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
directive_pass(struct reader *in)
{
	struct span line = line_rest(in);

	if (line_begins(line, "#ifdef DEBUG") && (line.n == 12 || !is_word(line.p[12]))) {
		while (in->at < in->text.n) {
			step(in);
			line = line_rest(in);
			if (line_begins(line, "#endif"))
				return RES_OK;
			if (line_begins(line, "#"))
				break;
		}
		in->token = line;
		return refuse(in, "#ifdef DEBUG without a plain #endif");
	}
	if (line_begins(line, "#ifndef CTKnownLogs_h") || line_begins(line, "#define CTKnownLogs_h") ||
	    line_begins(line, "#include ") || line_begins(line, "#endif"))
		return RES_OK;
	in->token = line;
	return refuse(in, "a preprocessor line that is not known");
}

/* White space and comments. */
static enum res
space_pass(struct reader *in)
{
	enum res res = RES_OK;

	while (res == RES_OK && in->at < in->text.n) {
		uint8_t c = in->text.p[in->at];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			step(in);
		} else if (c == '/' && peek(in, 1) == '/') {
			(void)line_rest(in);
		} else if (c == '/' && peek(in, 1) == '*') {
			while (in->at < in->text.n && !(in->text.p[in->at] == '*' && peek(in, 1) == '/'))
				step(in);
			if (in->at >= in->text.n)
				return refuse(in, "a comment without end");
			in->at += 2;
		} else if (c == '#') {
			res = directive_pass(in);
		} else {
			break;
		}
	}
	return res;
}

/* One escape of a string literal; in->at stands behind the backslash. */
static enum res
escape_read(struct reader *in)
{
	uint8_t c = peek(in, 0), byte, more[2] = {'0', peek(in, 3)};

	in->at++;
	if (c == '"' || c == '\\' || c == '\'') {
		buf_u8(&in->string, c);
		return RES_OK;
	}
	/* C takes every hex digit that follows: with a third it would be another number */
	if (c != 'x' || hex_read(&byte, 1, span_of(more, 2)) == RES_OK ||
	    hex_read(&byte, 1, span_slice(in->text, in->at, 2)) != RES_OK)
		return refuse(in, "an escape that is not known");
	in->at += 2;
	buf_u8(&in->string, byte);
	return RES_OK;
}

/* A string literal and those that follow it, as one. */
static enum res
string_token_read(struct reader *in)
{
	enum res res = RES_OK;

	buf_clear(&in->string);
	while (res == RES_OK && peek(in, 0) == '"') {
		in->at++;
		while (res == RES_OK && peek(in, 0) != '"') {
			if (in->at >= in->text.n || peek(in, 0) == '\n' || peek(in, 0) == 0)
				return refuse(in, "a string without end");
			if (peek(in, 0) == '\\') {
				in->at++;
				res = escape_read(in);
			} else {
				buf_u8(&in->string, in->text.p[in->at++]);
			}
		}
		in->at += res == RES_OK;
		if (res == RES_OK)
			res = space_pass(in);
	}
	if (res == RES_OK && !buf_ok(&in->string))
		return refuse(in, "a string that is too long");
	in->token = buf_span(&in->string);
	return res;
}

static enum res
token_next(struct reader *in)
{
	enum res res = space_pass(in);
	size_t from = in->at;
	uint8_t c = peek(in, 0);

	if (res != RES_OK)
		return res;
	if (in->at >= in->text.n) {
		in->kind = TOKEN_END;
		in->token = (struct span){NULL, 0};
		return RES_OK;
	}
	if (c == '"') {
		in->kind = TOKEN_STRING;
		return string_token_read(in);
	}
	if (is_word(c)) {
		while (is_word(peek(in, 0)))
			in->at++;
		in->kind = c >= '0' && c <= '9' ? TOKEN_NUMBER : TOKEN_WORD;
	} else {
		in->at++;
		in->kind = TOKEN_MARK;
	}
	in->token = span_of(in->text.p + from, in->at - from);
	return RES_OK;
}

static bool
token_is(const struct reader *in, const char *text)
{
	return (in->kind == TOKEN_WORD || in->kind == TOKEN_MARK) && span_equal(in->token, span_str(text));
}

/* The tokens of `text`, one space between them, from the one at hand; stands behind them afterwards. */
static enum res
expect(struct reader *in, const char *text)
{
	enum res res = RES_OK;

	while (*text != '\0' && res == RES_OK) {
		size_t n = strcspn(text, " ");
		char what[64];

		if (!(in->kind == TOKEN_WORD || in->kind == TOKEN_MARK) ||
		    !span_equal(in->token, span_of(text, n))) {
			(void)snprintf(what, sizeof what, "expected %.*s", (int)n, text);
			return refuse(in, what);
		}
		text += n + (text[n] == ' ');
		res = token_next(in);
	}
	return res;
}

static enum res
number_take(struct reader *in, int64_t *out, int64_t max)
{
	char digits[24];

	if (in->kind != TOKEN_NUMBER || in->token.n >= sizeof digits)
		return refuse(in, "expected a number");
	memcpy(digits, in->token.p, in->token.n);
	digits[in->token.n] = '\0';
	if ((digits[0] == '0' && digits[1] != '\0') || number_read(out, digits) != RES_OK || *out > max)
		return refuse(in, "a number that is not decimal or too large");
	return token_next(in);
}

static enum res
comma(struct reader *in)
{
	return expect(in, ",");
}

/* kCTExpirationTime = INT64_C(microseconds); */
static enum res
expiry_read(struct reader *in)
{
	int64_t us;
	enum res res;

	if (in->saw_expiry)
		return refuse(in, "a second expiry");
	in->saw_expiry = true;
	res = expect(in, "= INT64_C (");
	if (res == RES_OK)
		res = number_take(in, &us, INT64_MAX);
	if (res == RES_OK)
		res = expect(in, ") ;");
	if (res != RES_OK)
		return res;
	in->list->date_ms = us / 1000 - EXPIRY_AFTER_MS;
	return in->list->date_ms > 0 ? RES_OK : refuse(in, "an expiry in 1970");
}

/* CTLogState::X, CTLogFormat::Y, */
static enum res
enums_read(struct reader *in, struct ctlog *log)
{
	enum res res = expect(in, "CTLogState : :");

	if (res != RES_OK)
		return res;
	if (!token_is(in, "Admissible") && !token_is(in, "Retired"))
		return refuse(in, "a state that is not known");
	log->state = token_is(in, "Retired") ? CTLOG_RETIRED : CTLOG_USABLE;
	res = token_next(in);
	if (res == RES_OK)
		res = expect(in, ", CTLogFormat : :");
	if (res != RES_OK)
		return res;
	if (!token_is(in, "RFC6962") && !token_is(in, "Tiled"))
		return refuse(in, "a format that is not known");
	log->tiled = token_is(in, "Tiled");
	res = token_next(in);
	return res == RES_OK ? comma(in) : res;
}

/* "key", length */
static enum res
key_read(struct reader *in, struct buf *key)
{
	int64_t n;
	enum res res;

	if (in->kind != TOKEN_STRING)
		return refuse(in, "expected the key");
	buf_put(key, in->token);
	res = token_next(in);
	if (res == RES_OK)
		res = comma(in);
	if (res == RES_OK)
		res = number_take(in, &n, CTLOG_KEY_MAX);
	if (res == RES_OK && (!buf_ok(key) || (size_t)n != key->n))
		return refuse(in, "the key has another length than is said");
	return res;
}

/* { name, state, format, timestamp, operator index, key, length } */
static enum res
log_read(struct reader *in, struct buf *key)
{
	struct ctlog log = {.operator_name = ""};
	int64_t operator_index = 0;
	char *why = NULL;
	enum res res = expect(in, "{");

	if (res == RES_OK && (in->kind != TOKEN_STRING || !ctlogs_name_ok(in->token)))
		return refuse(in, "expected the name of a log");
	if (res == RES_OK && (log.description = ctlogs_keep(in->list, in->token)) == NULL)
		return why_say(in->why, RES_NOMEM, "no memory");
	if (res == RES_OK)
		res = token_next(in);
	if (res == RES_OK)
		res = comma(in);
	if (res == RES_OK)
		res = enums_read(in, &log);
	if (res == RES_OK)
		res = number_take(in, &log.state_ms, (int64_t)1 << 48);
	if (res == RES_OK)
		res = comma(in);
	if (res == RES_OK)
		res = number_take(in, &operator_index, CTLOGS_OPERATORS_MAX - 1);
	if (res == RES_OK)
		res = comma(in);
	if (res == RES_OK)
		res = key_read(in, key);
	if (res == RES_OK && log.state_ms == 0)
		return refuse(in, "a log without a time");
	if (res != RES_OK)
		return res;
	log.key = buf_span(key);
	res = ctlogs_add(in->list, &log, &why);
	if (res == RES_OK)
		in->operator_index[in->list->n - 1] = (size_t)operator_index;
	else
		res = ctlogs_leave_out(in->list, in->line,
				       why_prefix(&why, res, "log \"%s\"", log.description), &why);
	if (res == RES_OK)
		return expect(in, "}");
	res = why_say(in->why, res, "%s", why != NULL ? why : res_text(res));
	free(why);
	return res;
}

static enum res
log_entry_read(struct reader *in)
{
	struct buf key = buf_max(CTLOG_KEY_MAX);
	enum res res = log_read(in, &key);

	buf_free(&key);
	return res;
}

/* { "name", number }: the number is the position */
static enum res
operator_entry_read(struct reader *in)
{
	int64_t number;
	enum res res = expect(in, "{");

	if (res == RES_OK && (in->kind != TOKEN_STRING || !ctlogs_name_ok(in->token)))
		return refuse(in, "expected the name of an operator");
	if (res == RES_OK && in->n_operators >= CTLOGS_OPERATORS_MAX)
		return refuse(in, "too many operators");
	buf_put(&in->operators, in->token);
	buf_u8(&in->operators, 0);
	if (res == RES_OK)
		res = token_next(in);
	if (res == RES_OK)
		res = comma(in);
	if (res == RES_OK)
		res = number_take(in, &number, CTLOGS_OPERATORS_MAX);
	if (res == RES_OK && (size_t)number != in->n_operators)
		return refuse(in, "an operator's number is not its position");
	in->n_operators++;
	return res == RES_OK ? expect(in, "}") : res;
}

/* [] = { entry, entry, }; */
static enum res
array_read(struct reader *in, bool *saw, enum res (*entry_read)(struct reader *))
{
	enum res res;

	if (*saw)
		return refuse(in, "a second array of that name");
	*saw = true;
	res = expect(in, "[ ] = {");
	while (res == RES_OK && !token_is(in, "}")) {
		res = entry_read(in);
		if (res == RES_OK && !token_is(in, "}"))
			res = comma(in);
	}
	return res == RES_OK ? expect(in, "} ;") : res;
}

/* The logs name their operators by position, and come first. */
static enum res
operators_give(struct reader *in)
{
	for (size_t i = 0; i < in->list->n; i++) {
		const char *name = (const char *)in->operators.p;
		struct ctlog *log = &in->list->log[i];

		if (in->operator_index[i] >= in->n_operators)
			return why_say(in->why, RES_MALFORMED, "log \"%s\": operator %zu is not in the list",
				       log->description, in->operator_index[i]);
		for (size_t skip = in->operator_index[i]; skip > 0; skip--)
			name += strlen(name) + 1;
		log->operator_name = ctlogs_keep(in->list, span_str(name));
		if (log->operator_name == NULL)
			return why_say(in->why, RES_NOMEM, "no memory");
	}
	return RES_OK;
}

static enum res
header_read(struct reader *in)
{
	enum res res = token_next(in);

	while (res == RES_OK && in->kind != TOKEN_END) {
		bool expiry = token_is(in, "kCTExpirationTime"), logs = token_is(in, "kCTLogList"),
		     operators = token_is(in, "kCTLogOperatorList");

		res = token_next(in);
		if (res != RES_OK)
			break;
		if (expiry)
			res = expiry_read(in);
		else if (logs)
			res = array_read(in, &in->saw_logs, log_entry_read);
		else if (operators)
			res = array_read(in, &in->saw_operators, operator_entry_read);
	}
	if (res == RES_OK && !(in->saw_expiry && in->saw_logs && in->saw_operators))
		res = why_say(in->why, RES_MALFORMED, "neither v3 JSON nor Mozilla's header: it wants %s",
			      !in->saw_expiry ? "kCTExpirationTime"
			      : !in->saw_logs ? "kCTLogList"
					      : "kCTLogOperatorList");
	if (res == RES_OK && !buf_ok(&in->operators))
		res = why_say(in->why, RES_NOMEM, "no memory");
	if (res == RES_OK)
		res = operators_give(in);
	return res == RES_OK ? ctlogs_finish(in->list, in->why) : res;
}

enum res
ctlogs_from_mozilla_header(struct ctlogs **out, struct span text, char **why)
{
	struct reader *in;
	struct ctlogs *list = NULL;
	enum res res;

	if (text.n > CTLOGS_FILE_MAX)
		return why_say(why, RES_LIMIT, "larger than %d bytes", CTLOGS_FILE_MAX);
	in = calloc(1, sizeof *in);
	if (in == NULL || ctlogs_new(&list) != RES_OK) {
		free(in);
		return why_say(why, RES_NOMEM, "no memory");
	}
	in->text = text;
	in->line = 1;
	in->why = why;
	in->list = list;
	in->string = buf_max(CTLOG_KEY_MAX);
	in->operators = buf_max(CTLOGS_OPERATORS_MAX * (CTLOG_NAME_MAX + 1));
	list->source = "Mozilla's known logs";
	res = header_read(in);
	buf_free(&in->string);
	buf_free(&in->operators);
	free(in);
	if (res != RES_OK) {
		ctlogs_free(list);
		return res;
	}
	*out = list;
	return RES_OK;
}
