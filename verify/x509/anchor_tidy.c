#include "verify/x509/anchor_tidy.h"

#include "verify/x509/der.h"
#include "verify/x509/oid.h"

#include <string.h>

#define CONSTRUCTED 0x20
#define TIME_MAX    32 /* "20350101000000.000+0000" and a little */

/* An element whose length need not be minimal (X.690, 8.1.3). */
static enum res
loose_take(struct span *in, struct der_element *e)
{
	struct cursor at = cursor_over(*in);
	size_t n, octets;

	e->id = cursor_u8(&at);
	n = cursor_u8(&at);
	if (n >= 0x80) {
		octets = n & 0x7f;
		if (octets == 0 || octets > 8)
			return RES_MALFORMED;
		for (n = 0; octets > 0; octets--) {
			if (n > UINT32_MAX >> 8)
				return RES_MALFORMED;
			n = n << 8 | cursor_u8(&at);
		}
	}
	e->body = cursor_take(&at, n);
	if (!cursor_ok(&at) || (e->id & 0x1f) == 0x1f)
		return RES_MALFORMED;
	e->whole = span_slice(*in, 0, in->n - cursor_left(&at));
	*in = span_slice(*in, e->whole.n, in->n);
	return RES_OK;
}

enum res
anchor_first(struct span in, struct span *first, struct span *rest)
{
	struct der_element e;

	if (loose_take(&in, &e) != RES_OK)
		return RES_MALFORMED;
	*first = e.whole;
	*rest = in;
	return RES_OK;
}

static void
element_put(struct buf *out, uint8_t id, struct span body)
{
	der_header(out, id, body.n);
	buf_put(out, body);
}

/* Without redundant leading octets (X.690, 8.3.2); an empty content is zero. */
static void
integer_put(struct buf *out, struct span body)
{
	static const uint8_t zero[1] = {0};

	while (body.n > 1 &&
	       ((body.p[0] == 0 && body.p[1] < 0x80) || (body.p[0] == 0xff && body.p[1] >= 0x80)))
		body = span_slice(body, 1, body.n);
	element_put(out, DER_INTEGER, body.n == 0 ? span_of(zero, 1) : body);
}

/* FALSE is the default of every BOOLEAN in a certificate. */
static enum res
boolean_put(struct buf *out, struct span body)
{
	static const uint8_t yes[1] = {0xff};

	if (body.n != 1)
		return RES_MALFORMED;
	if (body.p[0] != 0)
		element_put(out, DER_BOOLEAN, span_of(yes, 1));
	return RES_OK;
}

/* How many digits text begins with. */
static size_t
digits_of(struct span text)
{
	size_t n = 0;

	while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9')
		n++;
	return n;
}

/* What may follow the seconds without changing the time: a fraction, then "Z" or an offset of zero. */
static bool
is_time_end(struct span rest)
{
	if (rest.n > 1 && rest.p[0] == '.')
		rest = span_slice(rest, 1 + digits_of(span_slice(rest, 1, rest.n)), rest.n);
	return span_equal(rest, span_str("Z")) || span_equal(rest, span_str("+0000")) ||
	       span_equal(rest, span_str("-0000"));
}

/* UTCTime until 2049, with seconds and Z (RFC 5280, 4.1.2.5). */
static enum res
time_put(struct buf *out, uint8_t id, struct span body)
{
	size_t year = id == DER_UTC_TIME ? 2 : 4, n = digits_of(body);
	char text[TIME_MAX];
	size_t at = 0;

	if ((n != year + 8 && n != year + 10) || !is_time_end(span_slice(body, n, body.n)))
		return RES_MALFORMED;
	if (year == 2) {
		text[at++] = body.p[0] >= '5' ? '1' : '2';
		text[at++] = body.p[0] >= '5' ? '9' : '0';
	}
	memcpy(text + at, body.p, n);
	at += n;
	if (n == year + 8) {
		text[at++] = '0';
		text[at++] = '0';
	}
	text[at++] = 'Z';
	if (memcmp(text, "1950", 4) >= 0 && memcmp(text, "2050", 4) < 0)
		element_put(out, DER_UTC_TIME, span_of((uint8_t *)text + 2, at - 2));
	else
		element_put(out, DER_GENERALIZED_TIME, span_of((uint8_t *)text, at));
	return RES_OK;
}

static enum res tidy(struct buf *out, struct span in, unsigned depth);

/* Writes the header at `at` anew, and moves the body after it: `room` is the size of the header that was written for a
 * body of the expected length. */
static void
header_fit(struct buf *out, size_t at, size_t room, uint8_t id)
{
	struct buf header = buf_max(DER_HEADER_MAX);
	size_t n = out->n - at - room;

	der_header(&header, id, n);
	if (header.n > room)
		(void)buf_room(out, header.n - room);
	out->bad |= !buf_ok(&header);
	if (buf_ok(out)) {
		memmove(out->p + at + header.n, out->p + at + room, n);
		memcpy(out->p + at, header.p, header.n);
		out->n = at + header.n + n;
	}
	buf_free(&header);
}

/* The tidied content, under its own header. */
static enum res
inside_put(struct buf *out, uint8_t id, struct span body, unsigned depth)
{
	size_t at = out->n, room;
	enum res res;

	der_header(out, id, body.n);
	room = out->n - at;
	res = depth == ANCHOR_NESTING_MAX ? RES_LIMIT : tidy(out, body, depth + 1);
	if (res == RES_OK && out->n - at - room != body.n)
		header_fit(out, at, room, id);
	return res == RES_OK && !buf_ok(out) ? RES_NOMEM : res;
}

static enum res
primitive_put(struct buf *out, const struct der_element *e)
{
	switch (e->id) {
	case DER_BOOLEAN:
		return boolean_put(out, e->body);
	case DER_INTEGER:
		integer_put(out, e->body);
		return RES_OK;
	case DER_UTC_TIME:
	case DER_GENERALIZED_TIME:
		return time_put(out, e->id, e->body);
	}
	element_put(out, e->id, e->body);
	return RES_OK;
}

/* All elements of `in`; of extensions only the value of basicConstraints, which holds a BOOLEAN. */
static enum res
tidy(struct buf *out, struct span in, unsigned depth)
{
	bool basic = false;
	enum res res = RES_OK;

	while (res == RES_OK && in.n > 0) {
		struct der_element e;

		res = loose_take(&in, &e);
		if (res != RES_OK)
			break;
		if ((e.id & CONSTRUCTED) != 0 || (basic && e.id == DER_OCTET_STRING))
			res = inside_put(out, e.id, e.body, depth);
		else
			res = primitive_put(out, &e);
		basic = basic || (e.id == DER_OID && span_equal(e.body, OID_BASIC_CONSTRAINTS));
	}
	return res;
}

enum res
anchor_tidy(struct buf *out, struct span in)
{
	enum res res = tidy(out, in, 0);

	return res == RES_OK && !buf_ok(out) ? RES_NOMEM : res;
}
