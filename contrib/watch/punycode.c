/* RFC 3492, decoding only, and more of it than IDNA allows: a label whose decoded form is plain ASCII is a disguise. */
#include "config.h"

#include "contrib/watch/spelling.h"

#include "base/text.h"

#include <string.h>

#define LABEL_MAX 255 /* characters of one label; RFC 1035 allows 63 bytes */

/* RFC 3492, 5 */
enum { BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700, BIAS = 72, FIRST = 128 };

static uint32_t
adapt(uint32_t delta, uint32_t points, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / points;
	for (; delta > ((BASE - TMIN) * TMAX) / 2; k += BASE)
		delta /= BASE - TMIN;
	return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static int
digit_of(uint8_t c)
{
	c = ascii_lower(c);
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	return c >= '0' && c <= '9' ? c - '0' + 26 : -1;
}

/* One delta (RFC 3492, 6.2) added to *i. */
static bool
delta_read(uint32_t *i, struct cursor *in, uint32_t bias)
{
	uint64_t w = 1, sum = *i;

	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
		int digit = cursor_left(in) > 0 ? digit_of(cursor_u8(in)) : -1;

		if (digit < 0)
			return false;
		sum += (uint64_t)digit * w;
		if (sum > UINT32_MAX)
			return false;
		if ((uint32_t)digit < t)
			break;
		w *= BASE - t;
		if (w > UINT32_MAX)
			return false;
	}
	*i = (uint32_t)sum;
	return true;
}

static bool
points_put(struct buf *out, const uint32_t *point, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t c = point[i];

		if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return false;
		if (c >= 0x10000)
			buf_u8(out, (uint8_t)(0xf0 | c >> 18));
		if (c >= 0x800)
			buf_u8(out, (uint8_t)(c >= 0x10000 ? 0x80 | (c >> 12 & 63) : 0xe0 | c >> 12));
		if (c >= 0x80)
			buf_u8(out, (uint8_t)(c >= 0x800 ? 0x80 | (c >> 6 & 63) : 0xc0 | c >> 6));
		buf_u8(out, (uint8_t)(c >= 0x80 ? 0x80 | (c & 63) : c));
	}
	return buf_ok(out);
}

bool
punycode_read(struct buf *out, struct span label)
{
	uint32_t point[LABEL_MAX], n = 0, i = 0, bias = BIAS, code = FIRST;
	const uint8_t *dash = label.n == 0 ? NULL : memrchr(label.p, '-', label.n);
	size_t basic = dash == NULL ? 0 : (size_t)(dash - label.p);
	struct cursor in;

	if (label.n > LABEL_MAX)
		return false;
	for (; n < basic; n++)
		point[n] = label.p[n];
	in = cursor_over(span_slice(label, dash == NULL ? 0 : basic + 1, label.n));
	while (cursor_left(&in) > 0) {
		uint32_t before = i;

		if (n == LABEL_MAX || !delta_read(&i, &in, bias))
			return false;
		bias = adapt(i - before, n + 1, before == 0);
		if (i / (n + 1) > 0x10ffff - code)
			return false;
		code += i / (n + 1);
		i %= n + 1;
		memmove(&point[i + 1], &point[i], (n - i) * sizeof point[0]);
		point[i++] = code;
		n++;
	}
	return points_put(out, point, n);
}
