#include "base/jsonl.h"

#include "base/text.h"

#include <string.h>

/* ---- reading */

struct jsonl
jsonl_over(uint8_t *line, size_t n)
{
	return (struct jsonl){.p = line, .end = line + n};
}

static bool
jsonl_fail(struct jsonl *r)
{
	r->bad = true;
	return false;
}

static void
skip_blanks(struct jsonl *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\r'))
		r->p++;
}

/* Takes this character, and the blanks around it. */
static bool
take(struct jsonl *r, char c)
{
	skip_blanks(r);
	if (r->p == r->end || *r->p != (uint8_t)c)
		return false;
	r->p++;
	skip_blanks(r);
	return true;
}

static bool
take_hex4(struct jsonl *r, uint32_t *out)
{
	uint8_t two[2];

	if (r->end - r->p < 4 || hex_read(two, 2, span_of(r->p, 4)) != RES_OK)
		return false;
	*out = be16_read(two);
	r->p += 4;
	return true;
}

/* After "\u": a character, of one or two units (RFC 8259, 7). 0: malformed, or a NUL. */
static uint32_t
take_unicode(struct jsonl *r)
{
	uint32_t high, low;

	if (!take_hex4(r, &high))
		return 0;
	if (high < 0xd800 || high > 0xdfff)
		return high;
	if (high > 0xdbff || r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u')
		return 0;
	r->p += 2;
	if (!take_hex4(r, &low) || low < 0xdc00 || low > 0xdfff)
		return 0;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* Shorter than what it was written as, so it fits in its place. */
static uint8_t *
put_utf8(uint8_t *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (uint8_t)c;
	} else if (c < 0x800) {
		*to++ = (uint8_t)(0xc0 | c >> 6);
		*to++ = (uint8_t)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (uint8_t)(0xe0 | c >> 12);
		*to++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		*to++ = (uint8_t)(0x80 | (c & 0x3f));
	} else {
		*to++ = (uint8_t)(0xf0 | c >> 18);
		*to++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
		*to++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		*to++ = (uint8_t)(0x80 | (c & 0x3f));
	}
	return to;
}

/* After a backslash. 0: malformed, or a NUL. */
static uint32_t
take_escape(struct jsonl *r)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	uint8_t c;

	if (r->p == r->end)
		return 0;
	c = *r->p++;
	if (c == 'u')
		return take_unicode(r);
	at = c == '\0' ? NULL : strchr(from, c);
	return at == NULL ? 0 : (uint32_t)to[at - from];
}

static bool
take_string(struct jsonl *r, struct span *out)
{
	uint8_t *begin, *to;

	skip_blanks(r);
	if (r->p == r->end || *r->p != '"')
		return jsonl_fail(r);
	begin = to = ++r->p;
	while (r->p < r->end && *r->p != '"') {
		uint32_t c = *r->p++;

		if (c < 0x20)
			return jsonl_fail(r);
		if (c != '\\') {
			*to++ = (uint8_t)c;
			continue;
		}
		c = take_escape(r);
		if (c == 0)
			return jsonl_fail(r);
		to = put_utf8(to, c);
	}
	if (r->p == r->end)
		return jsonl_fail(r);
	r->p++;
	*out = span_of(begin, (size_t)(to - begin));
	return utf8_ok(*out) || jsonl_fail(r);
}

/* A number, true, false or null. */
static bool
take_word(struct jsonl *r, struct jsonl_member *m)
{
	const uint8_t *begin = r->p;
	char text[24];
	size_t n;

	while (r->end > r->p && *r->p > ' ' && strchr(",]}:\"[{", *r->p) == NULL)
		r->p++;
	n = (size_t)(r->p - begin);
	if (n == 0 || !text_is_ascii(span_of(begin, n)))
		return jsonl_fail(r);
	m->kind = JSONL_OTHER;
	if (n >= sizeof text)
		return true;
	memcpy(text, begin, n);
	text[n] = '\0';
	if (number_read(&m->number, text) == RES_OK)
		m->kind = JSONL_NUMBER;
	return true;
}

static bool pass_over(struct jsonl *, unsigned depth);

static bool
pass_over_members(struct jsonl *r, unsigned depth, bool object)
{
	struct span key;

	if (depth > JSONL_DEPTH_MAX)
		return jsonl_fail(r);
	r->p++;
	if (take(r, object ? '}' : ']'))
		return true;
	do {
		if (object && (!take_string(r, &key) || !take(r, ':')))
			return jsonl_fail(r);
		if (!pass_over(r, depth))
			return false;
	} while (take(r, ','));
	return take(r, object ? '}' : ']') || jsonl_fail(r);
}

/* Any value. */
static bool
pass_over(struct jsonl *r, unsigned depth)
{
	struct jsonl_member m;
	struct span text;

	skip_blanks(r);
	if (r->p == r->end)
		return jsonl_fail(r);
	if (*r->p == '"')
		return take_string(r, &text);
	if (*r->p == '{' || *r->p == '[')
		return pass_over_members(r, depth + 1, *r->p == '{');
	return take_word(r, &m);
}

/* A list of anything but strings is of another kind. */
static bool
take_list(struct jsonl *r, struct jsonl_member *m)
{
	m->kind = JSONL_LIST;
	r->p++;
	if (take(r, ']'))
		return true;
	do {
		struct span text = {NULL, 0};
		bool is_text = r->p < r->end && *r->p == '"';

		if (!(is_text ? take_string(r, &text) : pass_over(r, 1)))
			return false;
		if (!is_text)
			m->kind = JSONL_OTHER;
		else if (m->n_item == JSONL_ITEMS_MAX)
			return jsonl_fail(r);
		else
			m->item[m->n_item++] = text;
	} while (take(r, ','));
	return take(r, ']') || jsonl_fail(r);
}

static bool
take_value(struct jsonl *r, struct jsonl_member *m)
{
	skip_blanks(r);
	if (r->p == r->end)
		return jsonl_fail(r);
	switch (*r->p) {
	case '"':
		m->kind = JSONL_STRING;
		return take_string(r, &m->text);
	case '[':
		return take_list(r, m);
	case '{':
		m->kind = JSONL_OTHER;
		return pass_over(r, 0);
	default:
		return take_word(r, m);
	}
}

bool
jsonl_next(struct jsonl *r, struct jsonl_member *m)
{
	bool first = !r->began;

	*m = (struct jsonl_member){.kind = JSONL_OTHER};
	if (r->bad || r->done)
		return false;
	if (first && !take(r, '{'))
		return jsonl_fail(r);
	r->began = true;
	if (take(r, '}')) {
		r->done = r->p == r->end;
		return r->done ? false : jsonl_fail(r);
	}
	if (!first && !take(r, ','))
		return jsonl_fail(r);
	return take_string(r, &m->key) && (take(r, ':') || jsonl_fail(r)) && take_value(r, m);
}

bool
jsonl_done(const struct jsonl *r)
{
	return r->done && !r->bad;
}

/* ---- writing */

void
jsonl_begin(struct buf *b)
{
	buf_text(b, "{");
}

void
jsonl_end(struct buf *b)
{
	buf_text(b, "}\n");
}

static void
put_string(struct buf *b, struct span s)
{
	bool utf8 = utf8_ok(s);

	buf_u8(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (c == '"' || c == '\\')
			buf_format(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f || (c > 0x7f && !utf8))
			buf_format(b, "\\u%04x", c);
		else
			buf_u8(b, c);
	}
	buf_u8(b, '"');
}

static void
put_key(struct buf *b, const char *key)
{
	if (b->n > 0 && b->p[b->n - 1] != '{')
		buf_u8(b, ',');
	buf_format(b, "\"%s\":", key);
}

void
jsonl_put_text(struct buf *b, const char *key, struct span value)
{
	put_key(b, key);
	put_string(b, value);
}

void
jsonl_put_number(struct buf *b, const char *key, int64_t value)
{
	put_key(b, key);
	buf_format(b, "%lld", (long long)value);
}

void
jsonl_put_list(struct buf *b, const char *key, const struct span *item, size_t n)
{
	put_key(b, key);
	buf_u8(b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_u8(b, ',');
		put_string(b, item[i]);
	}
	buf_u8(b, ']');
}
