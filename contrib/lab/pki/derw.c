#include "contrib/lab/pki/derw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OID_DOTTED_MAX 128 /* our own constants; the longest has 30 characters */

size_t
derw_open(struct buf *out, uint8_t tag)
{
	buf_u8(out, tag);
	buf_u8(out, 0); /* the short length; derw_close widens it */
	return out->n;
}

void
derw_close(struct buf *out, size_t opened)
{
	uint8_t wide[4];
	size_t n, more;

	if (!buf_ok(out))
		return;
	n = out->n - opened;
	if (n < 0x80) {
		out->p[opened - 1] = (uint8_t)n;
		return;
	}
	for (more = 0; n >> (8 * more) != 0; more++)
		;
	for (size_t i = 0; i < more; i++)
		wide[i] = (uint8_t)(n >> (8 * (more - 1 - i)));
	if (buf_room(out, more) == NULL)
		return;
	memmove(out->p + opened + more, out->p + opened, n);
	memcpy(out->p + opened, wide, more);
	out->p[opened - 1] = (uint8_t)(0x80 | more);
	buf_added(out, more);
}

void
derw_tlv(struct buf *out, uint8_t tag, struct span content)
{
	size_t at = derw_open(out, tag);

	buf_put(out, content);
	derw_close(out, at);
}

void
derw_text(struct buf *out, uint8_t tag, const char *text)
{
	derw_tlv(out, tag, span_str(text));
}

void
derw_bool(struct buf *out, bool value)
{
	uint8_t byte = value ? 0xff : 0;

	derw_tlv(out, DERW_BOOLEAN, span_of(&byte, 1));
}

void
derw_null(struct buf *out)
{
	derw_tlv(out, DERW_NULL, span_of(NULL, 0));
}

static void
derw_magnitude(struct buf *out, uint8_t tag, struct span magnitude)
{
	size_t at = derw_open(out, tag);

	while (magnitude.n > 0 && magnitude.p[0] == 0)
		magnitude = span_slice(magnitude, 1, magnitude.n - 1);
	if (magnitude.n == 0 || (magnitude.p[0] & 0x80) != 0)
		buf_u8(out, 0);
	buf_put(out, magnitude);
	derw_close(out, at);
}

void
derw_unsigned(struct buf *out, struct span magnitude)
{
	derw_magnitude(out, DERW_INTEGER, magnitude);
}

void
derw_number(struct buf *out, uint8_t tag, uint32_t value)
{
	uint8_t bytes[4];

	be32_write(bytes, value);
	derw_magnitude(out, tag, span_of(bytes, sizeof bytes));
}

static void
oid_arc_write(struct buf *out, unsigned long arc)
{
	unsigned shift = 28;

	while (shift > 0 && arc >> shift == 0)
		shift -= 7;
	for (; shift > 0; shift -= 7)
		buf_u8(out, (uint8_t)(0x80 | ((arc >> shift) & 0x7f)));
	buf_u8(out, (uint8_t)(arc & 0x7f));
}

void
derw_oid(struct buf *out, const char *dotted)
{
	size_t at = derw_open(out, DERW_OID);
	char *end;
	unsigned long first = strtoul(dotted, &end, 10);

	if (*end == '.')
		oid_arc_write(out, first * 40 + strtoul(end + 1, &end, 10));
	while (*end == '.')
		oid_arc_write(out, strtoul(end + 1, &end, 10));
	derw_close(out, at);
}

void
derw_bits(struct buf *out, struct span bytes, unsigned unused)
{
	size_t at = derw_open(out, DERW_BITS);

	buf_u8(out, (uint8_t)unused);
	buf_put(out, bytes);
	derw_close(out, at);
}

static void
time_write(struct buf *out, int64_t ms, bool general)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	char text[64];
	int n;

	if (gmtime_r(&seconds, &tm) == NULL) {
		out->bad = true;
		return;
	}
	n = snprintf(text, sizeof text, "%04d%02d%02d%02d%02d%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		     tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	/* UTCTime leaves the century out. */
	derw_tlv(out, general ? DERW_GENERAL_TIME : DERW_UTC_TIME,
		 span_of(text + (general ? 0 : 2), (size_t)n - (general ? 0 : 2)));
}

void
derw_time(struct buf *out, int64_t ms)
{
	const int64_t year_2050_ms = 2524608000000;

	time_write(out, ms, ms >= year_2050_ms);
}

void
derw_general_time(struct buf *out, int64_t ms)
{
	time_write(out, ms, true);
}

static const struct {
	const char *key;
	const char *oid;
} attributes[] = {{"C", "2.5.4.6"}, {"O", "2.5.4.10"}, {"OU", "2.5.4.11"}, {"CN", "2.5.4.3"}};

/* Writes the OID of the attribute at *dn, and moves *dn past its "=". */
static bool
attribute_write(struct buf *out, const char **dn)
{
	const char *equals = strchr(*dn, '=');
	char key[OID_DOTTED_MAX];
	size_t n;

	if (equals == NULL || (n = (size_t)(equals - *dn)) >= sizeof key) {
		out->bad = true;
		return false;
	}
	memcpy(key, *dn, n);
	key[n] = '\0';
	*dn = equals + 1;
	for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++)
		if (strcmp(key, attributes[i].key) == 0) {
			derw_oid(out, attributes[i].oid);
			return strcmp(key, "C") == 0;
		}
	derw_oid(out, key);
	return false;
}

void
derw_name(struct buf *out, const char *dn, uint8_t string_tag)
{
	size_t name = derw_open(out, DERW_SEQUENCE), rdn, pair, n;
	bool country;

	while (*dn != '\0' && buf_ok(out)) {
		rdn = derw_open(out, DERW_SET);
		pair = derw_open(out, DERW_SEQUENCE);
		country = attribute_write(out, &dn);
		n = strcspn(dn, "/");
		derw_tlv(out, country ? DERW_PRINTABLE : string_tag, span_of(dn, n));
		derw_close(out, pair);
		derw_close(out, rdn);
		dn += n + (dn[n] == '/');
	}
	derw_close(out, name);
}

void
derw_name_rfc4514(struct buf *out, const char *dn)
{
	size_t end = strlen(dn), start;

	while (end > 0) {
		for (start = end; start > 0 && dn[start - 1] != '/'; start--)
			;
		for (size_t i = start; i < end; i++) {
			if (strchr(",+\"\\<>;", dn[i]) != NULL)
				buf_u8(out, '\\');
			buf_u8(out, (uint8_t)dn[i]);
		}
		end = start > 0 ? start - 1 : 0;
		if (end > 0)
			buf_u8(out, ',');
	}
}
