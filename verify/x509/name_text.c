/*
 * A name as RFC 4514 text, for people: the reader in name.c gets the same name from it.
 */
#include "verify/x509/name.h"

#include "base/text.h"
#include "verify/x509/name_value.h"

#include <string.h>

/* An OID as dotted text; an arc of more than 55 bits, which no OID has, makes the whole unreadable. */
static bool
oid_put(struct buf *out, struct span oid)
{
	uint64_t arc = 0;
	bool first = true;

	for (size_t i = 0; i < oid.n; i++) {
		if (arc >> 48 != 0)
			return false;
		arc = arc << 7 | (oid.p[i] & 127);
		if ((oid.p[i] & 128) != 0)
			continue;
		if (first)
			buf_format(out, "%d.%llu",
				   arc < 40   ? 0
				   : arc < 80 ? 1
					      : 2,
				   (unsigned long long)(arc < 80 ? arc % 40 : arc - 80));
		else
			buf_format(out, ".%llu", (unsigned long long)arc);
		first = false;
		arc = 0;
	}
	return oid.n > 0;
}

static void
hex_put(struct buf *out, struct span bytes, const char *before_each)
{
	for (size_t i = 0; i < bytes.n; i++)
		buf_format(out, "%s%02x", before_each, bytes.p[i]);
}

/*
 * RFC 4514, 2.4; control characters and marks that a terminal would obey are written as pairs too, and so is a `#` after
 * a space: what is shown may be copied into a disallow file, where it would begin a comment.
 */
static void
string_put(struct buf *out, struct span s)
{
	for (size_t i = 0, n; i < s.n; i += n) {
		uint32_t c = 0;
		bool edge = i == 0 || i + 1 == s.n, after_space = i == 0 || s.p[i - 1] == ' ';

		n = utf8_read(&c, span_slice(s, i, s.n - i));
		n = n == 0 ? 1 : n;
		if (unicode_is_control(c)) {
			hex_put(out, span_slice(s, i, n), "\\");
			continue;
		}
		if ((c < 0x80 && strchr("\"+,;<>\\", (int)c) != NULL) || (c == ' ' && edge) ||
		    (c == '#' && after_space))
			buf_u8(out, '\\');
		buf_put(out, span_slice(s, i, n));
	}
}

static enum res
attribute_put(struct buf *out, struct der_reader *set)
{
	struct der_element value;
	struct span oid;
	const char *name;
	struct buf text = buf_max(out->max);
	enum res res = attribute_read(&oid, &value, set);

	if (res != RES_OK)
		return res;
	name = attribute_name(oid);
	if (name != NULL)
		buf_text(out, name);
	else if (!oid_put(out, oid))
		return RES_MALFORMED;
	buf_u8(out, '=');
	/* RFC 4514, 2.4: a type written as numbers has its value in hex */
	if (name != NULL && attribute_value_utf8(&text, &value)) {
		string_put(out, buf_span(&text));
	} else {
		buf_u8(out, '#');
		hex_put(out, value.whole, "");
	}
	res = text.bad ? RES_NOMEM : RES_OK; /* text that is not UTF-8 is no error; a lack of memory is */
	buf_free(&text);
	return res;
}

static enum res
rdn_put(struct buf *out, struct der_reader set)
{
	enum res res = der_more(&set) ? RES_OK : RES_MALFORMED;
	bool first = true;

	while (res == RES_OK && der_more(&set)) {
		if (!first)
			buf_u8(out, '+');
		first = false;
		res = attribute_put(out, &set);
	}
	return res == RES_OK && !der_done(&set) ? RES_MALFORMED : res;
}

enum res
name_text(struct buf *out, struct span name)
{
	struct der_reader in = der_only(name, DER_SEQUENCE), rdn[NAME_RDNS_MAX];
	size_t before = out->n, n = 0;
	enum res res = RES_OK;

	while (res == RES_OK && der_more(&in)) {
		if (n >= NAME_RDNS_MAX)
			return RES_LIMIT;
		rdn[n++] = der_enter(&in, DER_SET);
	}
	if (!der_done(&in))
		return RES_MALFORMED;
	for (bool first = true; res == RES_OK && n > 0; first = false) {
		if (!first)
			buf_u8(out, ',');
		res = rdn_put(out, rdn[--n]);
	}
	if (res == RES_OK)
		res = buf_res(out);
	if (res != RES_OK)
		out->n = before;
	return res;
}
