#include "base/text.h"

#include <stdio.h>
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

static int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum res
hex_read(uint8_t *out, size_t n, struct span text)
{
	if (text.n != 2 * n)
		return RES_MALFORMED;
	for (size_t i = 0; i < text.n; i++)
		if (hex_value(text.p[i]) < 0)
			return RES_MALFORMED;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(hex_value(text.p[2 * i]) << 4 | hex_value(text.p[2 * i + 1]));
	return RES_OK;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* What stands in front of the first digit. */
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
	while (n < text.n && is_blank(text.p[n]))
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

void
base64url_write(struct buf *out, struct span s)
{
	base64_encode(out, s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);
}

static int
base64_value(uint8_t c)
{
	const char *at = c == '\0' ? NULL : strchr(base64_alphabet, c);

	return at == NULL ? -1 : (int)(at - base64_alphabet);
}

/* One group of four; gives the number of bytes, 0 when malformed. */
static size_t
base64_group(uint8_t out[3], const uint8_t in[4], bool last)
{
	int v[4] = {base64_value(in[0]), base64_value(in[1]), base64_value(in[2]), base64_value(in[3])};
	size_t n = 3;
	uint32_t bits;

	if (last && in[3] == '=') {
		v[3] = 0;
		n = 2;
		if (in[2] == '=') {
			v[2] = 0;
			n = 1;
		}
	}
	if (v[0] < 0 || v[1] < 0 || v[2] < 0 || v[3] < 0)
		return 0;
	bits = (uint32_t)v[0] << 18 | (uint32_t)v[1] << 12 | (uint32_t)v[2] << 6 | (uint32_t)v[3];
	if ((n == 1 && (bits & 0xffff) != 0) || (n == 2 && (bits & 0xff) != 0))
		return 0;
	out[0] = (uint8_t)(bits >> 16);
	out[1] = (uint8_t)(bits >> 8);
	out[2] = (uint8_t)bits;
	return n;
}

enum res
base64_read(struct buf *out, struct span text)
{
	size_t before = out->n;

	if (text.n % 4 != 0)
		return RES_MALFORMED;
	for (size_t i = 0; i < text.n; i += 4) {
		uint8_t three[3];
		size_t n = base64_group(three, text.p + i, i + 4 == text.n);

		if (n == 0) {
			out->n = before;
			return RES_MALFORMED;
		}
		buf_put(out, span_of(three, n));
	}
	if (!buf_ok(out)) {
		buf_clear(out);
		out->n = before;
		return RES_LIMIT;
	}
	return RES_OK;
}

/* Civil date from days since 1970-01-01 and back, proleptic Gregorian, by eras of 400 years. */
static int64_t
days_from_civil(int64_t y, int m, int d)
{
	int64_t era, yoe, doy, doe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

static void
civil_from_days(int64_t days, int64_t *y, int *m, int *d)
{
	int64_t era, doe, yoe, doy, mp;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = yoe + era * 400 + (*m <= 2);
}

enum res
time_from_civil(int64_t *ms, int year, int month, int day, int hour, int minute, int second)
{
	static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (year < 0 || year > 9999 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1] ||
	    (month == 2 && day == 29 && !leap) || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
	    second < 0 || second > 60)
		return RES_MALFORMED;
	*ms = (days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) * 1000;
	return RES_OK;
}

static const char *
time_format(int64_t ms, char text[TIME_TEXT_MAX], bool with_ms)
{
	int64_t days = ms / 86400000, rest = ms % 86400000, y;
	int m, d;

	if (rest < 0) {
		rest += 86400000;
		days--;
	}
	civil_from_days(days, &y, &m, &d);
	if (y < 0 || y > 9999)
		return memcpy(text, "invalid", sizeof "invalid");
	if (with_ms)
		(void)snprintf(text, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)y, m, d,
			       (int)(rest / 3600000), (int)(rest / 60000 % 60), (int)(rest / 1000 % 60),
			       (int)(rest % 1000));
	else
		(void)snprintf(text, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)y, m, d,
			       (int)(rest / 3600000), (int)(rest / 60000 % 60), (int)(rest / 1000 % 60));
	return text;
}

const char *
time_text(int64_t ms, char text[TIME_TEXT_MAX])
{
	return time_format(ms, text, false);
}

const char *
time_text_ms(int64_t ms, char text[TIME_TEXT_MAX])
{
	return time_format(ms, text, true);
}

/* n digits; -1 when they are not all digits. */
static int
digits_read(const char **text, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return -1;
		v = v * 10 + (**text - '0');
	}
	return v;
}

static bool
skip_char(const char **text, const char *any)
{
	if (**text == '\0' || strchr(any, **text) == NULL)
		return false;
	(*text)++;
	return true;
}

static enum res
offset_read(int64_t *ms, const char **text)
{
	bool minus = **text == '-';
	int h, m;

	if (skip_char(text, "Zz")) {
		*ms = 0;
		return RES_OK;
	}
	if (!skip_char(text, "+-") || (h = digits_read(text, 2)) < 0 || h > 23 || !skip_char(text, ":") ||
	    (m = digits_read(text, 2)) < 0 || m > 59)
		return RES_MALFORMED;
	*ms = (int64_t)(h * 60 + m) * 60000 * (minus ? 1 : -1);
	return RES_OK;
}

enum res
time_read(int64_t *out, const char *text)
{
	int y, mo, d, h, mi, s;
	int64_t ms, offset, fraction = 0, unit = 100;

	if ((y = digits_read(&text, 4)) < 0 || !skip_char(&text, "-") || (mo = digits_read(&text, 2)) < 0 ||
	    !skip_char(&text, "-") || (d = digits_read(&text, 2)) < 0 || !skip_char(&text, "Tt ") ||
	    (h = digits_read(&text, 2)) < 0 || !skip_char(&text, ":") || (mi = digits_read(&text, 2)) < 0 ||
	    !skip_char(&text, ":") || (s = digits_read(&text, 2)) < 0)
		return RES_MALFORMED;
	if (skip_char(&text, ".")) {
		if (*text < '0' || *text > '9')
			return RES_MALFORMED;
		for (; *text >= '0' && *text <= '9'; text++, unit /= 10)
			fraction += unit * (*text - '0');
	}
	if (offset_read(&offset, &text) != RES_OK || *text != '\0' ||
	    time_from_civil(&ms, y, mo, d, h, mi, s) != RES_OK)
		return RES_MALFORMED;
	*out = ms + fraction + offset;
	return RES_OK;
}

/* A run of digits; the rest is left in *text. */
static enum res
uint_read(uint64_t *out, const char **text)
{
	uint64_t v = 0;

	if (**text < '0' || **text > '9')
		return RES_MALFORMED;
	for (; **text >= '0' && **text <= '9'; (*text)++) {
		if (v > (UINT64_MAX - 9) / 10)
			return RES_LIMIT;
		v = v * 10 + (uint64_t)(**text - '0');
	}
	*out = v;
	return RES_OK;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
static const struct unit size_units[] = {{"KiB", 1 << 10}, {"MiB", 1 << 20}};

static enum res
quantity_read(uint64_t *out, const char *text, const struct unit *units, size_t n, uint64_t max)
{
	uint64_t v;
	enum res res = uint_read(&v, &text);

	if (res != RES_OK)
		return res;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(text, units[i].name) != 0)
			continue;
		if (v > max / units[i].factor)
			return RES_LIMIT;
		*out = v * units[i].factor;
		return RES_OK;
	}
	return RES_MALFORMED;
}

static const char *
quantity_text(uint64_t v, char text[TIME_TEXT_MAX], const struct unit *units, size_t n)
{
	size_t best = 0;

	for (size_t i = 0; i < n; i++)
		if (v % units[i].factor == 0)
			best = i;
	if (v == 0)
		best = n > 1 && units[0].name[0] != '\0' ? 1 : 0;
	(void)snprintf(text, TIME_TEXT_MAX, "%llu%s", (unsigned long long)(v / units[best].factor),
		       units[best].name);
	return text;
}

enum res
duration_read(int64_t *ms, const char *text)
{
	uint64_t v;
	enum res res = quantity_read(&v, text, duration_units, 5, (uint64_t)36525 * 86400000);

	if (res == RES_OK)
		*ms = (int64_t)v;
	return res;
}

const char *
duration_text(int64_t ms, char text[TIME_TEXT_MAX])
{
	return quantity_text((uint64_t)ms, text, duration_units, 5);
}

enum res
size_read(uint64_t *bytes, const char *text)
{
	return quantity_read(bytes, text, size_units, 2, (uint64_t)1 << 50);
}

const char *
size_text(uint64_t bytes, char text[TIME_TEXT_MAX])
{
	return quantity_text(bytes, text, size_units, 2);
}

enum res
number_read(int64_t *out, const char *text)
{
	bool minus = *text == '-';
	uint64_t v;
	enum res res;

	text += minus;
	res = uint_read(&v, &text);
	if (res != RES_OK)
		return res;
	if (*text != '\0')
		return RES_MALFORMED;
	if (v > INT64_MAX)
		return RES_LIMIT;
	*out = minus ? -(int64_t)v : (int64_t)v;
	return RES_OK;
}

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

bool
text_is_plain(struct span line)
{
	for (size_t i = 0; i < line.n; i++)
		if ((line.p[i] < ' ' && line.p[i] != '\t') || line.p[i] == 0x7f)
			return false;
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

bool
text_word_take(struct span *line, struct span *word)
{
	size_t from = 0, to;

	while (from < line->n && is_blank(line->p[from]))
		from++;
	for (to = from; to < line->n && !is_blank(line->p[to]); to++)
		;
	*word = span_slice(*line, from, to - from);
	*line = span_slice(*line, to, line->n);
	return word->n > 0;
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

uint8_t
ascii_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Eight bytes at a time: a byte whose top bit is clear is a letter when adding carries it over 'A' and not over 'Z'. */
static uint64_t
ascii_lower_8(uint64_t x)
{
	const uint64_t ones = 0x0101010101010101;
	uint64_t low = x & 0x7f * ones;
	uint64_t from_a = low + (0x80 - 'A') * ones, beyond_z = low + (0x7f - 'Z') * ones;
	uint64_t upper = (from_a ^ beyond_z) & ~x & 0x80 * ones;

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
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}
