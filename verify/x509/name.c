#include "verify/x509/name.h"

#include "base/text.h"
#include "verify/x509/name_value.h"

#include <stdlib.h>
#include <string.h>

#define OID_BYTES_MAX   64                  /* content bytes of an attribute type */
#define VALUE_BYTES_MAX 8192                /* of one attribute value as UTF-8 */
#define ARC_MAX         ((uint64_t)1 << 62) /* of an OID as text; the largest in use is below 2^32 */

/* From `from` on: ASCII case away, spaces at the ends away, runs of spaces to one. */
static void
value_fold(struct buf *b, size_t from)
{
	size_t to = from;
	bool gap = false;

	for (size_t i = from; i < b->n; i++) {
		if (b->p[i] == ' ') {
			gap = true;
			continue;
		}
		if (gap && to > from)
			b->p[to++] = ' ';
		b->p[to++] = ascii_lower(b->p[i]);
		gap = false;
	}
	b->n = to;
}

/*
 * The compared form of a name: for each RDN, from the first in DER order, the number of its attributes (u8), then each
 * as OID (u8 length), kind (u8), value (u16 length), sorted as bytes. Kind 0 is folded text; another is the
 * identifier of a value that is no string, whose content stands as it is.
 */
struct rdn {
	struct buf *key;
	size_t start;
	size_t at[NAME_RDNS_MAX + 1]; /* where each attribute begins in the key, and where the last ends */
	size_t n;
};

static void
rdn_begin(struct rdn *rdn, struct buf *key)
{
	rdn->key = key;
	rdn->start = key->n;
	rdn->n = 0;
	buf_u8(key, 0); /* the number, known at the end */
	rdn->at[0] = key->n;
}

/* The value follows, appended by the caller; then attribute_end. */
static enum res
attribute_begin(struct rdn *rdn, struct span oid)
{
	if (rdn->n >= NAME_RDNS_MAX || oid.n == 0 || oid.n > OID_BYTES_MAX)
		return RES_LIMIT;
	buf_u8(rdn->key, (uint8_t)oid.n);
	buf_put(rdn->key, oid);
	buf_u8(rdn->key, 0);
	buf_u16(rdn->key, 0);
	return RES_OK;
}

static enum res
attribute_end(struct rdn *rdn, uint8_t kind)
{
	struct buf *key = rdn->key;
	size_t value, head = rdn->at[rdn->n];

	if (!buf_ok(key))
		return buf_res(key);
	value = head + 1 + key->p[head] + 3;
	if (kind == 0)
		value_fold(key, value);
	if (key->n - value > VALUE_BYTES_MAX)
		return RES_LIMIT;
	key->p[value - 3] = kind;
	be16_write(key->p + value - 2, (uint16_t)(key->n - value));
	rdn->at[++rdn->n] = key->n;
	return RES_OK;
}

static int
piece_compare(const void *a, const void *b)
{
	return span_compare(*(const struct span *)a, *(const struct span *)b);
}

/* The attributes of an RDN are a set: sorted, their order does not matter. */
static enum res
rdn_end(struct rdn *rdn)
{
	struct span piece[NAME_RDNS_MAX];
	struct buf sorted = buf_max(rdn->key->max);

	rdn->key->p[rdn->start] = (uint8_t)rdn->n;
	if (rdn->n < 2)
		return rdn->n == 0 ? RES_MALFORMED : RES_OK;
	for (size_t i = 0; i < rdn->n; i++)
		piece[i] = span_of(rdn->key->p + rdn->at[i], rdn->at[i + 1] - rdn->at[i]);
	qsort(piece, rdn->n, sizeof piece[0], piece_compare);
	for (size_t i = 0; i < rdn->n; i++)
		buf_put(&sorted, piece[i]);
	if (!buf_ok(&sorted)) {
		buf_free(&sorted);
		return RES_NOMEM;
	}
	memcpy(rdn->key->p + rdn->at[0], sorted.p, sorted.n);
	buf_free(&sorted);
	return RES_OK;
}

static enum res
attribute_add_der(struct rdn *rdn, struct span oid, const struct der_element *value)
{
	enum res res = attribute_begin(rdn, oid);

	if (res != RES_OK)
		return res;
	if (attribute_value_utf8(rdn->key, value))
		return attribute_end(rdn, 0);
	buf_put(rdn->key, value->body);
	return attribute_end(rdn, value->id);
}

static enum res
rdn_from_der(struct buf *key, struct der_reader *set)
{
	struct der_element value;
	struct span oid;
	struct rdn rdn;
	enum res res = RES_OK;

	rdn_begin(&rdn, key);
	while (res == RES_OK && der_more(set)) {
		res = attribute_read(&oid, &value, set);
		if (res == RES_OK)
			res = attribute_add_der(&rdn, oid, &value);
	}
	if (res != RES_OK)
		return res;
	return !der_done(set) ? RES_MALFORMED : buf_ok(key) ? rdn_end(&rdn) : buf_res(key);
}

enum res
name_key_from_der(struct buf *key, struct span name)
{
	struct der_reader in = der_only(name, DER_SEQUENCE);
	size_t before = key->n, n = 0;
	enum res res = RES_OK;

	while (res == RES_OK && der_more(&in)) {
		struct der_reader set = der_enter(&in, DER_SET);

		res = n++ >= NAME_RDNS_MAX ? RES_LIMIT : rdn_from_der(key, &set);
	}
	if (res == RES_OK && !der_done(&in))
		res = RES_MALFORMED;
	if (res == RES_OK)
		res = buf_res(key);
	if (res != RES_OK)
		key->n = before;
	return res;
}

/*
 * RFC 4514 text. The first RDN of the text is the last of the name, so the text is cut at its commas first, and then
 * read from its end.
 */

static struct span
trim(struct span s)
{
	while (s.n > 0 && s.p[0] == ' ')
		s = span_slice(s, 1, s.n - 1);
	while (s.n > 0 && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

/* Up to the next separator that is neither escaped nor quoted; *rest loses both. *more: there was a separator. */
static enum res
piece_next(struct span *piece, struct span *rest, char separator, bool *more)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < rest->n; i++) {
		if (rest->p[i] == '\\')
			i++;
		else if (rest->p[i] == '"')
			quoted = !quoted;
		else if (rest->p[i] == (uint8_t)separator && !quoted)
			break;
	}
	if (quoted || i > rest->n)
		return RES_MALFORMED;
	*piece = span_slice(*rest, 0, i);
	*more = i < rest->n;
	*rest = span_slice(*rest, i + 1, rest->n);
	return RES_OK;
}

/* "2.5.4.97" as the content of an OBJECT IDENTIFIER (X.690, 8.19). */
static enum res
oid_from_text(uint8_t out[OID_BYTES_MAX], struct span *oid, struct span text)
{
	uint64_t first = 0;
	size_t n = 0, arcs = 0;

	while (text.n > 0 || arcs == 0) {
		uint64_t arc = 0;
		size_t digits = 0, size = 1;

		while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9' &&
		       arc < ARC_MAX / 10)
			arc = arc * 10 + (uint64_t)(text.p[digits++] - '0');
		if (digits == 0 || (digits > 1 && text.p[0] == '0') ||
		    (digits < text.n && (text.p[digits] != '.' || digits + 1 == text.n)))
			return RES_MALFORMED;
		text = span_slice(text, digits + 1, text.n);
		if (arcs++ == 0) {
			first = arc;
			continue;
		}
		if (arcs == 2) {
			if (first > 2 || (first < 2 && arc > 39))
				return RES_MALFORMED;
			arc += first * 40;
		}
		while (arc >> (7 * size) != 0)
			size++;
		if (n + size > OID_BYTES_MAX)
			return RES_LIMIT;
		while (size-- > 0)
			out[n++] = (uint8_t)((arc >> (7 * size) & 127) | (size > 0 ? 128 : 0));
	}
	*oid = span_of(out, n);
	return arcs < 2 ? RES_MALFORMED : RES_OK;
}

static enum res
type_read(uint8_t bytes[OID_BYTES_MAX], struct span *oid, struct span text)
{
	if (text.n > 0 && text.p[0] >= '0' && text.p[0] <= '9')
		return oid_from_text(bytes, oid, text);
	return attribute_find(oid, text) ? RES_OK : RES_MALFORMED;
}

/* `\,` or `\2c` (RFC 4514, 3: pair). *i stands at the backslash and is left at the last character. */
static enum res
pair_read(struct buf *out, struct span s, size_t *i)
{
	uint8_t byte;

	if (*i + 1 < s.n && strchr(" \"#+,;<=>\\", s.p[*i + 1]) != NULL && s.p[*i + 1] != 0) {
		buf_u8(out, s.p[++*i]);
		return RES_OK;
	}
	if (hex_read(&byte, 1, span_slice(s, *i + 1, 2)) != RES_OK)
		return RES_MALFORMED;
	buf_u8(out, byte);
	*i += 2;
	return RES_OK;
}

/* A string value; one in quotes is the older form (RFC 2253), in which separators need no escape. */
static enum res
value_string_read(struct buf *out, struct span s)
{
	bool quoted = s.n > 0 && s.p[0] == '"', closed = false;
	size_t before = out->n, from = quoted;

	for (size_t i = from; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (closed && c != ' ')
			return RES_MALFORMED;
		if (c == '\\') {
			if (pair_read(out, s, &i) != RES_OK)
				return RES_MALFORMED;
		} else if (c == '"' && quoted) {
			closed = true;
		} else if (c == 0 || (!quoted && strchr("\"+,;<>", c) != NULL)) {
			return RES_MALFORMED;
		} else if (!closed) {
			buf_u8(out, c);
		}
	}
	if (quoted != closed)
		return RES_MALFORMED;
	return buf_ok(out) && !utf8_ok(span_of(out->p + before, out->n - before)) ? RES_MALFORMED : RES_OK;
}

/* `#` and the DER of the value in hex. */
static enum res
hex_value_read(struct rdn *rdn, struct span oid, struct span hex)
{
	uint8_t der[NAME_TEXT_MAX / 2];
	struct der_reader in = der_over(span_of(der, hex.n / 2));
	struct der_element value;

	if (hex.n / 2 > sizeof der || hex_read(der, hex.n / 2, hex) != RES_OK)
		return RES_MALFORMED;
	value = der_any(&in);
	return der_done(&in) ? attribute_add_der(rdn, oid, &value) : RES_MALFORMED;
}

static enum res
attribute_from_text(struct rdn *rdn, struct span text)
{
	const uint8_t *equals = text.n == 0 ? NULL : memchr(text.p, '=', text.n);
	uint8_t bytes[OID_BYTES_MAX];
	struct span oid, value;
	size_t n;
	enum res res;

	if (equals == NULL)
		return RES_MALFORMED;
	n = (size_t)(equals - text.p);
	res = type_read(bytes, &oid, trim(span_slice(text, 0, n)));
	if (res != RES_OK)
		return res;
	value = span_slice(text, n + 1, text.n);
	while (value.n > 0 && value.p[0] == ' ')
		value = span_slice(value, 1, value.n - 1);
	if (value.n > 0 && value.p[0] == '#') {
		value = trim(value);
		return hex_value_read(rdn, oid, span_slice(value, 1, value.n - 1));
	}
	res = attribute_begin(rdn, oid);
	if (res == RES_OK)
		res = value_string_read(rdn->key, value);
	return res == RES_OK ? attribute_end(rdn, 0) : res;
}

static enum res
rdn_from_text(struct buf *key, struct span text)
{
	struct rdn rdn;
	struct span piece;
	bool more = true;
	enum res res = RES_OK;

	rdn_begin(&rdn, key);
	while (res == RES_OK && more) {
		res = piece_next(&piece, &text, '+', &more);
		if (res == RES_OK)
			res = attribute_from_text(&rdn, piece);
	}
	if (res != RES_OK)
		return res;
	return buf_ok(key) ? rdn_end(&rdn) : buf_res(key);
}

/* The RDNs of a text, as they stand there. */
static enum res
rdns_split(struct span piece[NAME_RDNS_MAX], size_t *n, struct span rest)
{
	bool more = trim(rest).n > 0;
	enum res res = RES_OK;

	*n = 0;
	if (rest.n > NAME_TEXT_MAX)
		return RES_LIMIT;
	while (res == RES_OK && more)
		res = *n >= NAME_RDNS_MAX ? RES_LIMIT : piece_next(&piece[(*n)++], &rest, ',', &more);
	return res;
}

static enum res
rdns_read(struct buf *key, const struct span *piece, size_t n, bool backwards)
{
	size_t before = key->n;
	enum res res = RES_OK;

	for (size_t i = 0; res == RES_OK && i < n; i++)
		res = rdn_from_text(key, piece[backwards ? i : n - 1 - i]);
	if (res == RES_OK)
		res = buf_res(key);
	if (res != RES_OK)
		key->n = before;
	return res;
}

enum res
name_key_from_text(struct buf *key, const char *rfc4514)
{
	struct span piece[NAME_RDNS_MAX];
	size_t n;
	enum res res = rdns_split(piece, &n, span_str(rfc4514));

	return res == RES_OK ? rdns_read(key, piece, n, false) : res;
}

enum res
name_key_from_text_backwards(struct buf *key, const char *text)
{
	struct span piece[NAME_RDNS_MAX];
	size_t n;
	enum res res = rdns_split(piece, &n, span_str(text));

	if (res != RES_OK)
		return res;
	return n > 1 ? rdns_read(key, piece, n, true) : RES_NOT_FOUND;
}
