/*
 * Lines, words, UTF-8 and ASCII letters.
 */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define EIGHT(byte) (UINT64_C(0x0101010101010101) * (byte)) /* eight such bytes */

bool
text_line_take(struct span *text, struct span *line)
{
	const uint8_t *end;
	size_t n;

	if (text->n == 0)
		return false;
	end = memchr(text->p, '\n', text->n);
	n = end == NULL ? text->n : (size_t)(end - text->p);
	*line = span_slice(*text, 0, n > 0 && text->p[n - 1] == '\r' ? n - 1 : n);
	*text = span_slice(*text, end == NULL ? n : n + 1, text->n);
	return true;
}

/* Is one of eight bytes below a space or 0x7f? A byte whose top bit is set is neither. */
static bool
eight_have_control(const uint8_t p[8])
{
	uint64_t v, is_7f;

	memcpy(&v, p, sizeof v);
	is_7f = v ^ EIGHT(0x7f);
	return (((v - EIGHT(' ')) & ~v & EIGHT(0x80)) | ((is_7f - EIGHT(1)) & ~is_7f & EIGHT(0x80))) != 0;
}

bool
text_is_plain(struct span line)
{
	size_t i = 0;

	while (i < line.n) {
		if (line.n - i >= 8 && !eight_have_control(line.p + i)) {
			i += 8;
			continue;
		}
		if ((line.p[i] < ' ' && line.p[i] != '\t') || line.p[i] == 0x7f)
			return false;
		i++;
	}
	return true;
}

bool
text_is_ascii(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] >= 0x80)
			return false;
	return true;
}

struct span
text_without_bom(struct span text)
{
	const struct span bom = span_str("\xef\xbb\xbf");

	return span_equal(span_slice(text, 0, bom.n), bom) ? span_slice(text, bom.n, text.n) : text;
}

const char *
text_foreign(struct span file)
{
	static const struct {
		const char *begin, *what;
	} rows[] = {
	    {"PK\x03\x04", "a ZIP archive; unpack it first"},
	    {"\x1f\x8b", "compressed with gzip; decompress it first"},
	    {"\xfd"
	     "7zXZ",
	     "compressed with xz; decompress it first"},
	    {"BZh91AY&SY", "compressed with bzip2; decompress it first"},
	    {"\x28\xb5\x2f\xfd", "compressed with zstd; decompress it first"},
	    {"\xff\xfe", "text in UTF-16; convert it to UTF-8 first"},
	    {"\xfe\xff", "text in UTF-16; convert it to UTF-8 first"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (span_equal(span_slice(file, 0, strlen(rows[i].begin)), span_str(rows[i].begin)))
			return rows[i].what;
	return NULL;
}

void
text_blanks_skip(struct span *line)
{
	size_t n = 0;

	while (n < line->n && ascii_is_blank(line->p[n]))
		n++;
	*line = span_slice(*line, n, line->n);
}

bool
text_word_take(struct span *line, struct span *word)
{
	size_t n = 0;

	text_blanks_skip(line);
	while (n < line->n && !ascii_is_blank(line->p[n]))
		n++;
	*word = span_slice(*line, 0, n);
	*line = span_slice(*line, n, line->n);
	return n > 0;
}

void
text_escape(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= 0x20 && s.p[i] < 0x7f && s.p[i] != '"' && s.p[i] != '\\')
			buf_u8(out, s.p[i]);
		else
			buf_format(out, "\\x%02x", s.p[i]);
	}
}

size_t
utf8_read(uint32_t *out, struct span text)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t c = text.n == 0 ? 0xff : text.p[0];
	size_t n = c < 0x80                ? 1
		   : c >= 0xc2 && c < 0xe0 ? 2
		   : (c & 0xf0) == 0xe0    ? 3
		   : c >= 0xf0 && c < 0xf5 ? 4
					   : 0;
	uint32_t v = n == 1 ? c : c & (0x7fu >> n);

	if (n == 0 || n > text.n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((text.p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (text.p[i] & 0x3f);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return 0;
	*out = v;
	return n;
}

bool
utf8_ok(struct span s)
{
	for (size_t i = 0, n; i < s.n; i += n) {
		uint32_t c;

		n = utf8_read(&c, span_slice(s, i, s.n - i));
		if (n == 0)
			return false;
	}
	return true;
}

bool
unicode_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x061c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	       c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

void
text_show(struct buf *out, struct span s)
{
	for (size_t n; s.n > 0; s = span_slice(s, n, s.n)) {
		uint32_t c = 0;
		size_t whole = utf8_read(&c, s);

		n = whole == 0 ? 1 : whole;
		if (whole == 0 || unicode_is_control(c))
			text_escape(out, span_slice(s, 0, n));
		else
			buf_put(out, span_slice(s, 0, n));
	}
}

const char *
text_complaint(struct buf *out, const char *format, va_list ap)
{
	char text[TEXT_COMPLAINT_MAX];

	(void)vsnprintf(text, sizeof text, format, ap);
	text_show(out, span_str(text));
	return buf_cstr(out) != NULL ? buf_cstr(out) : res_text(RES_NOMEM);
}

bool
ascii_is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Eight bytes at a time: a byte whose top bit is clear is a letter when adding carries it over 'A' and not over 'Z'. */
static uint64_t
ascii_lower_8(uint64_t x)
{
	uint64_t low = x & EIGHT(0x7f);
	uint64_t from_a = low + EIGHT(0x80 - 'A'), beyond_z = low + EIGHT(0x7f - 'Z');
	uint64_t upper = (from_a ^ beyond_z) & ~x & EIGHT(0x80);

	return x | upper >> 2;
}

void
ascii_lower_copy(uint8_t *to, const uint8_t *from, size_t n)
{
	uint64_t x;

	for (; n >= sizeof x; n -= sizeof x, to += sizeof x, from += sizeof x) {
		memcpy(&x, from, sizeof x);
		x = ascii_lower_8(x);
		memcpy(to, &x, sizeof x);
	}
	for (; n > 0; n--)
		*to++ = ascii_lower(*from++);
}

bool
ascii_case_equal(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	if (span_equal(a, b)) /* nearly always, and faster than a byte at a time */
		return true;
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}
