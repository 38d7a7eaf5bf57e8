/*
 * Bytes as hex and base64.
 */
#include "base/text.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

char *
hex_write(char *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		out[2 * i] = hex_digits[s.p[i] >> 4];
		out[2 * i + 1] = hex_digits[s.p[i] & 15];
	}
	out[2 * s.n] = '\0';
	return out;
}

/* The value of each digit, plus one: 0 is no digit. */
static const uint8_t hex_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* -1: it is no digit. */
static int
hex_value(uint8_t c)
{
	return hex_values[c] - 1;
}

enum res
hex_read(uint8_t *out, size_t n, struct span text)
{
	int all = 0;

	if (text.n != 2 * n)
		return RES_MALFORMED;
	for (size_t i = 0; i < text.n; i++)
		all |= hex_value(text.p[i]);
	if (all < 0)
		return RES_MALFORMED;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(hex_value(text.p[2 * i]) << 4 | hex_value(text.p[2 * i + 1]));
	return RES_OK;
}

/* Removes what precedes the first digit. */
static struct span
hex_prefix_cut(struct span text)
{
	static const uint8_t mark[] = {0xe2, 0x80, 0x8e}; /* U+200E LEFT-TO-RIGHT MARK */

	if (text.n >= sizeof mark && memcmp(text.p, mark, sizeof mark) == 0)
		text = span_slice(text, sizeof mark, text.n - sizeof mark);
	if (text.n >= 2 && text.p[0] == '0' && ascii_lower(text.p[1]) == 'x')
		text = span_slice(text, 2, text.n - 2);
	return text;
}

/* How many bytes separate two groups of digits here; 0: none, or what does not. */
static size_t
hex_separator(struct span text)
{
	size_t n = 0;

	if (text.n > 0 && (text.p[0] == ':' || text.p[0] == '-'))
		return 1;
	while (n < text.n && ascii_is_blank(text.p[n]))
		n++;
	return n;
}

/* Takes the next digit and the separator in front of it; *apart: there was one. -1: neither. */
static int
hex_digit_take(struct span *text, bool *apart)
{
	size_t gap = hex_separator(*text);
	int value;

	*apart = gap > 0;
	if (gap >= text->n)
		return -1;
	value = hex_value(text->p[gap]);
	*text = span_slice(*text, gap + 1, text->n - gap - 1);
	return value;
}

enum res
hex_read_pasted(uint8_t *out, size_t n, struct span text)
{
	size_t digits = 0;

	for (text = hex_prefix_cut(text); text.n > 0; digits++) {
		bool apart;
		int value = hex_digit_take(&text, &apart);

		if (value < 0 || digits == 2 * n || (apart && (digits == 0 || digits % 2 != 0)))
			return RES_MALFORMED;
		out[digits / 2] = (uint8_t)(digits % 2 == 0 ? value << 4 : out[digits / 2] | value);
	}
	return digits == 2 * n ? RES_OK : RES_MALFORMED;
}

/* Shifts the number by one digit, which comes in at its end; its first digit is 0. */
static void
nibble_append(uint8_t *out, size_t *n, int value)
{
	for (size_t i = 0; i < *n; i++)
		out[i] = (uint8_t)(out[i] << 4 | (i + 1 < *n ? out[i + 1] >> 4 : value));
}

enum res
hex_number_read(uint8_t *out, size_t max, size_t *n, struct span text)
{
	size_t digits = 0;
	bool any = false;

	*n = 0;
	for (text = hex_prefix_cut(text); text.n > 0; any = true) {
		bool apart;
		int value = hex_digit_take(&text, &apart);

		if (value < 0 || (apart && !any))
			return RES_MALFORMED;
		if (digits == 0 && value == 0)
			continue;
		if (digits % 2 == 0) {
			if (*n == max)
				return RES_LIMIT;
			memmove(out + 1, out, *n);
			out[0] = 0;
			++*n;
		}
		nibble_append(out, n, value);
		digits++;
	}
	return any ? RES_OK : RES_MALFORMED;
}

static void
base64_encode(struct buf *out, struct span s, const char *alphabet, bool pad)
{
	for (size_t i = 0; i < s.n; i += 3) {
		size_t left = s.n - i;
		uint32_t v = (uint32_t)s.p[i] << 16 | (left > 1 ? (uint32_t)s.p[i + 1] << 8 : 0) |
			     (left > 2 ? s.p[i + 2] : 0);
		char four[4] = {alphabet[v >> 18], alphabet[v >> 12 & 63], alphabet[v >> 6 & 63],
				alphabet[v & 63]};

		if (left > 2) {
			buf_put(out, span_of(four, 4));
		} else {
			buf_put(out, span_of(four, left + 1));
			if (pad)
				buf_put(out, span_of("==", 3 - left));
		}
	}
}

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_write(struct buf *out, struct span s)
{
	base64_encode(out, s, base64_alphabet, true);
}

#define PEM_LINE 48 /* bytes of a line of 64 characters */

void
pem_write(struct buf *out, const char *label, struct span bytes)
{
	buf_format(out, "-----BEGIN %s-----\n", label);
	for (size_t i = 0; i < bytes.n; i += PEM_LINE) {
		base64_write(out, span_slice(bytes, i, PEM_LINE));
		buf_text(out, "\n");
	}
	buf_format(out, "-----END %s-----\n", label);
}

void
base64url_write(struct buf *out, struct span s)
{
	base64_encode(out, s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);
}

/* The value of each digit, plus one: 0 is no digit. */
static const uint8_t base64_values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

/* Four digits; more than 24 bits if one of them is not a digit. */
static uint32_t
base64_bits(const uint8_t in[4])
{
	uint32_t a = base64_values[in[0]] - 1U, b = base64_values[in[1]] - 1U, c = base64_values[in[2]] - 1U,
		 d = base64_values[in[3]] - 1U;

	return ((a | b | c | d) & ~63U) != 0 ? UINT32_MAX : a << 18 | b << 12 | c << 6 | d;
}

/* The last group, which may end in padding; gives the number of bytes, 0 when malformed. */
static size_t
base64_last(uint8_t out[3], const uint8_t in[4])
{
	uint8_t full[4] = {in[0], in[1], in[2], in[3]};
	size_t n = in[3] != '=' ? 3 : in[2] != '=' ? 2 : 1;
	uint32_t bits;

	for (size_t i = n + 1; i < 4; i++)
		full[i] = 'A';
	bits = base64_bits(full);
	if (bits == UINT32_MAX || (n == 1 && (bits & 0xffff) != 0) || (n == 2 && (bits & 0xff) != 0))
		return 0;
	out[0] = (uint8_t)(bits >> 16);
	out[1] = (uint8_t)(bits >> 8);
	out[2] = (uint8_t)bits;
	return n;
}

/* All groups but the last. False: one is malformed. */
static bool
base64_groups(uint8_t *out, const uint8_t *in, size_t groups)
{
	for (; groups > 0; groups--, in += 4, out += 3) {
		uint32_t bits = base64_bits(in);

		if (bits == UINT32_MAX)
			return false;
		out[0] = (uint8_t)(bits >> 16);
		out[1] = (uint8_t)(bits >> 8);
		out[2] = (uint8_t)bits;
	}
	return true;
}

enum res
base64_read(struct buf *out, struct span text)
{
	size_t before = out->n, groups = text.n / 4, n;
	enum res res;
	uint8_t last[3], *room;

	if (text.n % 4 != 0)
		return RES_MALFORMED;
	if (text.n == 0)
		return RES_OK;
	n = base64_last(last, text.p + text.n - 4);
	if (n == 0)
		return RES_MALFORMED;
	n += (groups - 1) * 3;
	room = buf_room(out, n);
	if (room == NULL) {
		res = buf_res(out);
		buf_clear(out);
		out->n = before;
		return res;
	}
	if (!base64_groups(room, text.p, groups - 1))
		return RES_MALFORMED;
	memcpy(room + (groups - 1) * 3, last, n - (groups - 1) * 3);
	buf_added(out, n);
	return RES_OK;
}

#define SHA256_BASE64 44 /* characters of 32 bytes, one of them "=" */

/* May a hash begin after it? */
static bool
is_hash_border(uint8_t c)
{
	return c == ' ' || c == '/' || c == ':' || c == '=' || c == '"';
}

void
base64_sha256_hint(struct buf *out, struct span text)
{
	struct buf hash = buf_max(32);
	char hex[2 * 32 + 1];
	size_t at;

	if (text.n > 0 && text.p[text.n - 1] == '"')
		text.n--;
	at = text.n - SHA256_BASE64;
	if (text.n >= SHA256_BASE64 && (at == 0 || is_hash_border(text.p[at - 1])) &&
	    base64_read(&hash, span_slice(text, at, text.n)) == RES_OK && hash.n == 32)
		buf_format(out, "; in hex it is %s", hex_write(hex, buf_span(&hash)));
	buf_free(&hash);
}
