#include "verify/x509/der.h"
#include "base/text.h"

#include <limits.h>
#include <string.h>

#include <libtasn1.h>

struct der_reader
der_over(struct span s)
{
	return (struct der_reader){s, false};
}

/* The content length that starts at p, in its shortest form only (X.690, 10.1); its own size in *used. -1:
 * bad. */
static long
der_length(const uint8_t *p, size_t n, int *used)
{
	uint8_t shortest[sizeof(long) + 2];
	int size = sizeof shortest;
	long length;

	if (n > INT_MAX)
		n = INT_MAX;
	*used = 0;
	length = asn1_get_length_der(p, (int)n, used);
	if (length < 0 || *used <= 0)
		return -1;
	asn1_length_der((unsigned long)length, shortest, &size);
	return size == *used ? length : -1;
}

struct der_element
der_any(struct der_reader *in)
{
	const struct der_element none = {0};
	struct der_element e;
	unsigned char class;
	unsigned long tag;
	int tag_size = 0, length_size = 0;
	long length = -1;
	size_t header;

	if (in->bad || in->left.n < 2 || in->left.n > INT_MAX)
		goto bad;
	if (asn1_get_tag_der(in->left.p, (int)in->left.n, &class, &tag_size, &tag) != ASN1_SUCCESS ||
	    tag_size != 1)
		goto bad;
	length = der_length(in->left.p + 1, in->left.n - 1, &length_size);
	header = 1 + (size_t)length_size;
	if (length < 0 || (size_t)length > in->left.n - header)
		goto bad;
	e.id = in->left.p[0];
	e.whole = span_of(in->left.p, header + (size_t)length);
	e.body = span_of(in->left.p + header, (size_t)length);
	in->left = span_slice(in->left, e.whole.n, in->left.n);
	return e;
bad:
	in->bad = true;
	return none;
}

struct der_element
der_take(struct der_reader *in, uint8_t id)
{
	if (!der_at(in, id)) {
		in->bad = true;
		return (struct der_element){0};
	}
	return der_any(in);
}

struct der_reader
der_enter(struct der_reader *in, uint8_t id)
{
	struct der_element e = der_take(in, id);

	return (struct der_reader){e.body, in->bad};
}

bool
der_at(const struct der_reader *in, uint8_t id)
{
	return !in->bad && in->left.n > 0 && in->left.p[0] == id;
}

bool
der_more(const struct der_reader *in)
{
	return !in->bad && in->left.n > 0;
}

bool
der_done(const struct der_reader *in)
{
	return !in->bad && in->left.n == 0;
}

struct der_reader
der_only(struct span all, uint8_t id)
{
	struct der_reader outer = der_over(all);
	struct der_reader inner = der_enter(&outer, id);

	if (!der_done(&outer))
		inner.bad = true;
	return inner;
}

enum res
der_bool(bool *out, struct span body)
{
	if (body.n != 1 || (body.p[0] != 0x00 && body.p[0] != 0xff))
		return RES_MALFORMED;
	*out = body.p[0] == 0xff;
	return RES_OK;
}

enum res
der_bits(struct span *body)
{
	size_t n = body->n;

	if (n == 0 || body->p[0] > 7)
		return RES_MALFORMED;
	if (n == 1 ? body->p[0] != 0 : (body->p[n - 1] & ((1u << body->p[0]) - 1)) != 0)
		return RES_MALFORMED;
	*body = span_slice(*body, 1, n);
	return RES_OK;
}

enum res
der_bits_whole(struct span *body)
{
	return body->n < 2 || body->p[0] != 0 ? RES_MALFORMED : der_bits(body);
}

bool
der_integer_ok(struct span body)
{
	if (body.n == 0)
		return false;
	if (body.n == 1)
		return true;
	return !(body.p[0] == 0x00 && (body.p[1] & 0x80) == 0) &&
	       !(body.p[0] == 0xff && (body.p[1] & 0x80) != 0);
}

struct span
der_integer_trim(struct span body)
{
	while (body.n > 1 && !der_integer_ok(body))
		body = span_slice(body, 1, body.n);
	return body;
}

enum res
der_natural(struct span *body)
{
	if (!der_integer_ok(*body) || (body->p[0] & 0x80) != 0 || (body->n == 1 && body->p[0] == 0))
		return RES_MALFORMED;
	if (body->p[0] == 0)
		*body = span_slice(*body, 1, body->n);
	return RES_OK;
}

enum res
der_uint(uint32_t *out, struct span body)
{
	uint32_t v = 0;

	if (!der_integer_ok(body) || (body.p[0] & 0x80) != 0)
		return RES_MALFORMED;
	if (body.n > 5 || (body.n == 5 && body.p[0] != 0))
		return RES_LIMIT;
	for (size_t i = 0; i < body.n; i++)
		v = v << 8 | body.p[i];
	*out = v;
	return RES_OK;
}

static bool
der_digits_read(int *out, struct cursor *in, size_t n)
{
	struct span s = cursor_take(in, n);

	*out = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		*out = *out * 10 + (s.p[i] - '0');
	}
	return s.n == n;
}

enum res
der_time(int64_t *ms, struct der_reader *in)
{
	struct der_element e = der_any(in);
	struct cursor text = cursor_over(e.body);
	int year, month, day, hour, minute, second;
	size_t year_digits = e.id == DER_UTC_TIME ? 2 : 4;

	if (e.id != DER_UTC_TIME && e.id != DER_GENERALIZED_TIME)
		return RES_MALFORMED;
	if (!der_digits_read(&year, &text, year_digits) || !der_digits_read(&month, &text, 2) ||
	    !der_digits_read(&day, &text, 2) || !der_digits_read(&hour, &text, 2) ||
	    !der_digits_read(&minute, &text, 2) || !der_digits_read(&second, &text, 2))
		return RES_MALFORMED;
	if (cursor_u8(&text) != 'Z' || !cursor_done(&text) || second > 59) /* no leap seconds */
		return RES_MALFORMED;
	if (e.id == DER_UTC_TIME)
		year += year < 50 ? 2000 : 1900;
	return time_from_civil(ms, year, month, day, hour, minute, second);
}

void
der_header(struct buf *out, uint8_t id, size_t n)
{
	uint8_t length[sizeof(long) + 2];
	int size = sizeof length;

	asn1_length_der(n, length, &size);
	buf_u8(out, id);
	buf_put(out, span_of(length, (size_t)size));
}

static size_t
der_size(size_t content)
{
	int size = 0;

	asn1_length_der(content, NULL, &size);
	return 1 + (size_t)size + content;
}

/* Goes through Extensions and finds the one with this OID; *hits counts them. */
static enum res
der_extension_find(struct span *found, size_t *hits, struct span list)
{
	struct der_reader in = der_over(list);
	struct span oid = *found;

	*hits = 0;
	while (der_more(&in)) {
		struct der_element ext = der_take(&in, DER_SEQUENCE);
		struct der_reader body = der_over(ext.body);

		if (span_equal(der_take(&body, DER_OID).body, oid)) {
			*found = ext.whole;
			++*hits;
		}
		if (body.bad)
			return RES_MALFORMED;
	}
	return der_done(&in) ? RES_OK : RES_MALFORMED;
}

enum res
der_tbs_without(struct buf *out, struct span tbs, struct span oid)
{
	struct der_reader all = der_over(tbs);
	struct der_element sequence = der_take(&all, DER_SEQUENCE);
	struct der_reader fields = der_over(sequence.body);
	struct span before, list, ext = oid;
	struct der_reader wrapper, inner;
	size_t hits, list_size, wrapper_size;

	/* Everything before [3], which is the last field (RFC 5280, 4.1), is copied as one piece. */
	while (der_more(&fields) && !der_at(&fields, DER_CONTEXT_CONS(3)))
		der_any(&fields);
	if (!der_done(&all) || fields.bad)
		return RES_MALFORMED;
	if (der_done(&fields))
		return RES_NOT_FOUND;
	before = span_slice(sequence.body, 0, sequence.body.n - fields.left.n);
	wrapper = der_enter(&fields, DER_CONTEXT_CONS(3));
	inner = der_enter(&wrapper, DER_SEQUENCE);
	if (!der_done(&fields) || !der_done(&wrapper) || inner.bad)
		return RES_MALFORMED;
	list = inner.left;
	if (der_extension_find(&ext, &hits, list) != RES_OK || hits > 1)
		return RES_MALFORMED;
	if (hits == 0)
		return RES_NOT_FOUND;

	list_size = list.n - ext.n;
	wrapper_size = der_size(list_size);
	if (list_size == 0) {
		der_header(out, DER_SEQUENCE, before.n);
		buf_put(out, before);
		return buf_ok(out) ? RES_OK : RES_NOMEM;
	}
	der_header(out, DER_SEQUENCE, before.n + der_size(wrapper_size));
	buf_put(out, before);
	der_header(out, DER_CONTEXT_CONS(3), wrapper_size);
	der_header(out, DER_SEQUENCE, list_size);
	buf_put(out, span_of(list.p, (size_t)(ext.p - list.p)));
	buf_put(out, span_of(ext.p + ext.n, (size_t)(list.p + list.n - ext.p) - ext.n));
	return buf_ok(out) ? RES_OK : RES_NOMEM;
}

void
der_put_natural(struct buf *out, struct span n)
{
	bool sign;

	while (n.n > 1 && n.p[0] == 0)
		n = span_slice(n, 1, n.n);
	sign = n.n > 0 && (n.p[0] & 0x80) != 0;
	der_header(out, DER_INTEGER, n.n + sign);
	if (sign)
		buf_u8(out, 0);
	buf_put(out, n);
}
