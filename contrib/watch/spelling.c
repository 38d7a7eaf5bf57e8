#include "config.h"

#include "contrib/watch/spelling.h"

#include "base/text.h"
#include "verify/x509/idn.h"

#include <string.h>

#define READ_MAX                                                                                             \
	(4 *                                                                                                 \
	 SPELLING_TEXT_MAX) /* a text converted: UTF-8 of Latin-1 doubles, of what punycode decodes, more */

/* Bytes that a host consists of, in ASCII: letters, digits, and "-", "_", ".", "*". */
static bool
is_host_byte(uint8_t c)
{
	static const uint8_t set[32] = {
	    [4] = 0x00,  [5] = 0x64,  [6] = 0xff,  [7] = 0x03,  [8] = 0xfe,  [9] = 0xff,
	    [10] = 0xff, [11] = 0x87, [12] = 0xfe, [13] = 0xff, [14] = 0xff, [15] = 0x07};

	return (set[c >> 3] >> (c & 7) & 1) != 0;
}

static bool
is_host_text(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_host_byte(s.p[i]))
			return false;
	return s.n > 0;
}

/* ---- one host, in host bytes alone */

static void
name_report(struct spelling *s, struct span name)
{
	if (++s->readings > SPELLING_READINGS_MAX)
		s->limit = true;
	else if (name.n > 0)
		s->on_name(s->ctx, name);
}

/* Can it be an address? A top-level domain never begins with a digit. */
static bool
may_be_address(struct span name)
{
	const uint8_t *dot = memrchr(name.p, '.', name.n);
	struct span last = dot == NULL ? name : span_slice(name, (size_t)(dot - name.p) + 1, name.n);

	return (last.n > 0 && ((last.p[0] >= '0' && last.p[0] <= '9') || last.p[0] == '*')) ||
	       span_equal(last, span_str("arpa")) || span_equal(last, span_str("int")) ||
	       (name.n > 17 && span_equal(span_slice(name, name.n - 17, 17), span_str(".ipv6-literal.net")));
}

static void
host_read(struct spelling *s, struct span host)
{
	uint8_t lower[SPELLING_NAME_MAX];
	struct span name;

	while (host.n > 0 && host.p[0] == '.')
		host = span_slice(host, 1, host.n);
	while (host.n > 0 && host.p[host.n - 1] == '.')
		host.n--;
	if (host.n == 0)
		return;
	if (host.n > sizeof lower) {
		s->limit = true;
		return;
	}
	ascii_lower_copy(lower, host.p, host.n);
	name = span_of(lower, host.n);
	name_report(s, name);
	if (may_be_address(name))
		(void)spelling_read_address_text(s, name);
	while (name.n > 0 && name.p[0] == '_') { /* _service._proto.example.com (RFC 4985) */
		const uint8_t *dot = memchr(name.p, '.', name.n);

		if (dot == NULL)
			break;
		name = span_slice(name, (size_t)(dot - name.p) + 1, name.n);
		name_report(s, name);
	}
}

/* ---- characters that readers ignore or replace */

/* What a careless reader passes over: controls, spaces, marks without a width (RFC 5892, 2.6; UTS #46 ignores them). */
static bool
is_nothing(uint32_t c)
{
	return c <= 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202f) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0x3000;
}

/* Dots of other scripts (RFC 3490, 3.1), full-width forms: their ASCII; else the character. */
static uint32_t
plain_of(uint32_t c)
{
	if (c == 0x3002 || c == 0xff61)
		return '.';
	return c >= 0xff01 && c <= 0xff5e ? c - 0xff01 + 0x21 : c;
}

/* Appends text without ignored characters, and with the plain form of the others. Text that is not UTF-8 is read as
 * Latin-1. */
static void
fold(struct buf *out, struct span text)
{
	bool utf8 = utf8_ok(text);

	for (size_t i = 0, n; i < text.n; i += n) {
		uint32_t c = text.p[i], plain;

		n = utf8 ? utf8_read(&c, span_slice(text, i, text.n)) : 1;
		if (n == 0)
			n = 1;
		plain = plain_of(c);
		if (is_nothing(c))
			continue;
		if (plain < 0x80)
			buf_u8(out, (uint8_t)plain);
		else if (utf8)
			buf_put(out, span_slice(text, i, n));
		else
			buf_u8(out, (uint8_t)(0xc0 | c >> 6)), buf_u8(out, (uint8_t)(0x80 | (c & 63)));
	}
}

/* "%31%2e" as in URLs. False: there is nothing to decode. */
static bool
percent_decode(struct buf *out, struct span text)
{
	bool any = false;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t byte;

		if (text.p[i] == '%' && i + 2 < text.n &&
		    hex_read(&byte, 1, span_slice(text, i + 1, 2)) == RES_OK) {
			buf_u8(out, byte);
			any = true;
			i += 2;
		} else {
			buf_u8(out, text.p[i]);
		}
	}
	return any;
}

/* ---- one host as it may be written, without words around it */

/* Does it contain "xn--"? Looks for hyphens, which are rarer than x, as this is done for every name in the world. */
static bool
has_ace(struct span s)
{
	for (size_t i = 2; i + 1 < s.n; i++) {
		const uint8_t *dash = memchr(s.p + i, '-', s.n - i - 1);

		if (dash == NULL)
			return false;
		i = (size_t)(dash - s.p);
		if (dash[1] == '-' && ascii_lower(dash[-1]) == 'n' && ascii_lower(dash[-2]) == 'x')
			return true;
	}
	return false;
}

/* Appends the name with every "xn--" label decoded. False: one cannot be. */
static bool
ace_decode(struct buf *out, struct span name)
{
	for (bool first = true; name.n > 0; first = false) {
		const uint8_t *dot = memchr(name.p, '.', name.n);
		size_t n = dot == NULL ? name.n : (size_t)(dot - name.p);
		struct span label = span_slice(name, 0, n);

		if (!first)
			buf_u8(out, '.');
		if (n < 4 || !ascii_case_equal(span_slice(label, 0, 4), span_str("xn--")))
			buf_put(out, label);
		else if (!punycode_read(out, span_slice(label, 4, n)))
			return false;
		name = span_slice(name, n + 1, name.n);
	}
	return buf_ok(out);
}

/* Characters beyond ASCII: what IDNA makes of them (UTS #46), full-width and circled digits included. */
static void
unicode_read(struct spelling *s, struct span text)
{
	struct buf ascii = buf_max(SPELLING_NAME_MAX);

	if (text_is_ascii(text) || idn_to_ascii(&ascii, text) == RES_OK) {
		struct span host = text_is_ascii(text) ? text : buf_span(&ascii);

		if (is_host_text(host))
			host_read(s, host);
	}
	buf_free(&ascii);
}

static void
folded_read(struct spelling *s, struct span text)
{
	struct buf decoded = buf_max(READ_MAX), folded = buf_max(READ_MAX);

	unicode_read(s, text);
	if (has_ace(text) && ace_decode(&decoded, text)) {
		fold(&folded, buf_span(&decoded));
		unicode_read(s, buf_span(&folded));
	}
	buf_free(&decoded);
	buf_free(&folded);
}

/* "[2606:4700::1111]:853", "1.1.1.1:853", "dns:one.one.one.one", "2606:4700::1111" */
static void
colons_read(struct spelling *s, struct span text)
{
	const uint8_t *open = memchr(text.p, '[', text.n), *close = memchr(text.p, ']', text.n);

	if (open != NULL && close > open)
		(void)spelling_read_address_text(s, span_of(open + 1, (size_t)(close - open) - 1));
	if (spelling_read_address_text(s, text))
		return;
	while (text.n > 0) {
		const uint8_t *colon = memchr(text.p, ':', text.n);
		size_t n = colon == NULL ? text.n : (size_t)(colon - text.p);
		struct span piece = span_slice(text, 0, n);

		if (is_host_text(piece))
			host_read(s, piece);
		text = span_slice(text, n + 1, text.n);
	}
}

static void
one_read(struct spelling *s, struct span text)
{
	if (text.n == 0)
		return;
	if (memchr(text.p, ':', text.n) != NULL || memchr(text.p, '[', text.n) != NULL)
		colons_read(s, text);
	else
		folded_read(s, text);
}

/* ---- texts */

static bool
is_separator(uint8_t c)
{
	return c < 0x80 && !is_host_byte(c) && c != ':' && c != '[' && c != ']';
}

/* Every run of characters between what cannot stand in a host, read by itself. */
static void
words_read(struct spelling *s, struct span text)
{
	struct buf word = buf_max(READ_MAX);
	bool before = s->in_words;

	s->in_words = true;
	for (size_t i = 0; i < text.n && !s->limit;) {
		size_t n = 0;

		while (i + n < text.n && !is_separator(text.p[i + n]))
			n++;
		if (n > 0 && n < text.n) {
			buf_clear(&word);
			fold(&word, span_slice(text, i, n));
			one_read(s, buf_span(&word));
		}
		i += n + 1;
	}
	s->in_words = before;
	buf_free(&word);
}

static void
spelling_text_read(struct spelling *s, struct span text, bool whole)
{
	struct buf folded = buf_max(READ_MAX);

	fold(&folded, text);
	if (!whole || text_is_ascii(buf_span(&folded)))
		one_read(s, buf_span(&folded));
	buf_free(&folded);
	if (!whole)
		words_read(s, text);
}

/* Of an organisation's name and its like most have a byte that no host has. */
static bool
is_legend(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (is_separator(text.p[i]) && text.p[i] > ' ' && text.p[i] != 0x7f)
			return true;
	return false;
}

void
spelling_read(struct spelling *s, struct span text, bool whole)
{
	struct buf decoded = buf_max(SPELLING_TEXT_MAX);

	s->readings = 0;
	if (text.n > SPELLING_TEXT_MAX) {
		s->limit |= !whole;
	} else if (is_host_text(text) && !has_ace(text)) {
		host_read(s, text);
	} else if (!whole || !is_legend(text)) {
		spelling_text_read(s, text, whole);
		if (!whole && percent_decode(&decoded, text))
			spelling_text_read(s, buf_span(&decoded), false);
	}
	buf_free(&decoded);
}
