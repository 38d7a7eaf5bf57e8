#include "verify/json.h"

#include "base/text.h"
#include "verify/why.h"

/* Where a scan stands; lines are for the message. */
struct scan {
	size_t depth;
	size_t values;
	size_t line;
	bool in_string;
	bool escaped;
};

static void
scan_step(struct scan *s, uint8_t c)
{
	s->line += c == '\n';
	if (s->in_string) {
		if (s->escaped)
			s->escaped = false;
		else if (c == '\\')
			s->escaped = true;
		else if (c == '"')
			s->in_string = false;
		return;
	}
	switch (c) {
	case '"':
		s->in_string = true;
		break;
	case '{':
	case '[':
		s->depth++;
		s->values++;
		break;
	case '}':
	case ']':
		s->depth -= s->depth > 0; /* too many closing brackets are the parser's to report */
		break;
	case ',':
		s->values++;
		break;
	}
}

/* The bytes that matter to the scan: lists are long, and most of their bytes do not. */
static const bool marks[256] = {['"'] = true, ['\\'] = true, ['\n'] = true, [','] = true,
				['{'] = true, ['}'] = true,  ['['] = true,  [']'] = true};

/* Not a parser: a string is all it knows, since brackets in one do not nest. */
static enum res
json_within(struct span text, const struct json_bounds *bounds, char **why)
{
	struct scan s = {.line = 1};

	if (text.n > bounds->bytes)
		return why_say(why, RES_LIMIT, "larger than %zu bytes", bounds->bytes);
	for (size_t i = 0; i < text.n; i++) {
		if (!s.escaped && !marks[text.p[i]])
			continue;
		scan_step(&s, text.p[i]);
		if (s.depth > bounds->depth)
			return why_say(why, RES_LIMIT, "line %zu: nested deeper than %zu", s.line,
				       bounds->depth);
		if (s.values > bounds->values)
			return why_say(why, RES_LIMIT, "line %zu: more than %zu values", s.line,
				       bounds->values);
	}
	return RES_OK;
}

enum res
json_read(json_t **out, struct span text, const struct json_bounds *bounds, char **why)
{
	enum res res = json_within(text, bounds, why);
	const char *foreign;
	json_error_t error;
	json_t *value;

	if (res != RES_OK)
		return res;
	foreign = text_foreign(text);
	if (foreign != NULL)
		return why_say(why, RES_MALFORMED, "%s", foreign);
	text = text_without_bom(text); /* RFC 8259, 8.1 */
	value = json_loadb(text.n == 0 ? "" : (const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &error);
	if (value == NULL) {
		char quote[WHY_QUOTE_MAX];

		if (json_error_code(&error) == json_error_out_of_memory)
			return why_say(why, RES_NOMEM, "no memory");
		return why_say(why, RES_MALFORMED, "line %d, column %d: not JSON: %s", error.line,
			       error.column, why_quote(quote, span_str(error.text)));
	}
	*out = value;
	return RES_OK;
}

bool
json_text(struct span *out, const json_t *value)
{
	if (!json_is_string(value))
		return false;
	*out = span_of(json_string_value(value), json_string_length(value));
	return true;
}
