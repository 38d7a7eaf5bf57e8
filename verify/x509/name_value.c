#include "verify/x509/name_value.h"

#include "base/text.h"

/* String types of a DirectoryString and its like (X.690, 8.23; RFC 5280, appendix A). */
#define TAG_UTF8      0x0c
#define TAG_NUMERIC   0x12
#define TAG_PRINTABLE 0x13
#define TAG_T61       0x14
#define TAG_IA5       0x16
#define TAG_VISIBLE   0x1a
#define TAG_UNIVERSAL 0x1c
#define TAG_BMP       0x1e

/* Attribute types below an arc. */
/* clang-format off */
#define X520(number)  {(const uint8_t *)"\x55\x04" number, 3}
#define UCL(number)   {(const uint8_t *)"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01" number, 10}
#define PKCS9(number) {(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x09" number, 9}
#define EV(number)    {(const uint8_t *)"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01" number, 11}
/* clang-format on */

static const struct attribute {
	const char *name;
	struct span oid;
} attributes[] = {
    /* RFC 4514, 3; the first name of an OID is the one that is written */
    {"CN", X520("\x03")},
    {"SN", X520("\x04")},
    {"SERIALNUMBER", X520("\x05")},
    {"C", X520("\x06")},
    {"L", X520("\x07")},
    {"ST", X520("\x08")},
    {"S", X520("\x08")},
    {"STREET", X520("\x09")},
    {"O", X520("\x0a")},
    {"OU", X520("\x0b")},
    {"T", X520("\x0c")},
    {"title", X520("\x0c")},
    {"businessCategory", X520("\x0f")},
    {"postalCode", X520("\x11")},
    {"GN", X520("\x2a")},
    {"givenName", X520("\x2a")},
    {"surname", X520("\x04")},
    {"initials", X520("\x2b")},
    {"generationQualifier", X520("\x2c")},
    {"dnQualifier", X520("\x2e")},
    {"pseudonym", X520("\x41")},
    {"organizationIdentifier", X520("\x61")},
    {"commonName", X520("\x03")},
    {"countryName", X520("\x06")},
    {"localityName", X520("\x07")},
    {"stateOrProvinceName", X520("\x08")},
    {"streetAddress", X520("\x09")},
    {"organizationName", X520("\x0a")},
    {"organizationalUnitName", X520("\x0b")},
#undef X520
    {"UID", UCL("\x01")},
    {"userid", UCL("\x01")},
    {"DC", UCL("\x19")},
    {"domainComponent", UCL("\x19")},
#undef UCL
    {"emailAddress", PKCS9("\x01")},
    {"E", PKCS9("\x01")},
    {"EMAIL", PKCS9("\x01")},
    {"unstructuredName", PKCS9("\x02")},
#undef PKCS9
    {"jurisdictionLocalityName", EV("\x01")},
    {"jurisdictionL", EV("\x01")},
    {"jurisdictionStateOrProvinceName", EV("\x02")},
    {"jurisdictionST", EV("\x02")},
    {"jurisdictionCountryName", EV("\x03")},
    {"jurisdictionC", EV("\x03")},
#undef EV
};

#define N_ATTRIBUTES (sizeof attributes / sizeof attributes[0])

static void
utf8_put(struct buf *out, uint32_t c)
{
	if (c < 0x80) {
		buf_u8(out, (uint8_t)c);
	} else if (c < 0x800) {
		buf_u8(out, (uint8_t)(0xc0 | c >> 6));
		buf_u8(out, (uint8_t)(0x80 | (c & 63)));
	} else if (c < 0x10000) {
		buf_u8(out, (uint8_t)(0xe0 | c >> 12));
		buf_u8(out, (uint8_t)(0x80 | (c >> 6 & 63)));
		buf_u8(out, (uint8_t)(0x80 | (c & 63)));
	} else {
		buf_u8(out, (uint8_t)(0xf0 | c >> 18));
		buf_u8(out, (uint8_t)(0x80 | (c >> 12 & 63)));
		buf_u8(out, (uint8_t)(0x80 | (c >> 6 & 63)));
		buf_u8(out, (uint8_t)(0x80 | (c & 63)));
	}
}

/* Characters of `width` bytes each, the first byte highest. A pair of surrogates in a BMPString is one character. */
static bool
wide_put(struct buf *out, struct span s, size_t width)
{
	struct cursor in = cursor_over(s);

	while (cursor_left(&in) > 0) {
		uint32_t c = width == 1 ? cursor_u8(&in) : width == 2 ? cursor_u16(&in) : cursor_u32(&in);

		if (width == 2 && c >= 0xd800 && c < 0xdc00 && cursor_left(&in) > 0) {
			uint32_t low = cursor_u16(&in);

			if (low < 0xdc00 || low > 0xdfff)
				return false;
			c = 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
		}
		if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return false;
		utf8_put(out, c);
	}
	return cursor_done(&in);
}

bool
attribute_value_utf8(struct buf *out, const struct der_element *value)
{
	size_t before = out->n;
	bool ok = false;

	switch (value->id) {
	case TAG_UTF8:
	case TAG_NUMERIC:
	case TAG_PRINTABLE:
	case TAG_IA5:
	case TAG_VISIBLE:
		/* the older types sometimes hold UTF-8; it is what its writer meant */
		ok = utf8_ok(value->body);
		if (ok)
			buf_put(out, value->body);
		break;
	case TAG_T61:
		ok = wide_put(out, value->body, 1); /* read as Latin-1, as everyone does */
		break;
	case TAG_BMP:
		ok = wide_put(out, value->body, 2);
		break;
	case TAG_UNIVERSAL:
		ok = wide_put(out, value->body, 4);
		break;
	}
	if (!ok)
		out->n = before;
	return ok;
}

bool
attribute_find(struct span *oid, struct span name)
{
	for (size_t i = 0; i < N_ATTRIBUTES; i++) {
		if (ascii_case_equal(span_str(attributes[i].name), name)) {
			*oid = attributes[i].oid;
			return true;
		}
	}
	return false;
}

const char *
attribute_name(struct span oid)
{
	for (size_t i = 0; i < N_ATTRIBUTES; i++)
		if (span_equal(attributes[i].oid, oid))
			return attributes[i].name;
	return NULL;
}

/* Arcs in their shortest form, and the last one ends (X.690, 8.19.2). */
static bool
oid_ok(struct span oid)
{
	bool first = true; /* of an arc */

	for (size_t i = 0; i < oid.n; i++) {
		if (first && oid.p[i] == 128)
			return false;
		first = (oid.p[i] & 128) == 0;
	}
	return oid.n > 0 && first;
}

enum res
attribute_read(struct span *oid, struct der_element *value, struct der_reader *set)
{
	struct der_reader pair = der_enter(set, DER_SEQUENCE);

	*oid = der_take(&pair, DER_OID).body;
	*value = der_any(&pair);
	return der_done(&pair) && oid_ok(*oid) ? RES_OK : RES_MALFORMED;
}
