#include "base/dns/message.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* One character of a label, escapes resolved (RFC 1035, 5.1); -1: malformed. */
static int
char_read(struct cursor *in)
{
	uint8_t c = cursor_u8(in);
	int v = 0;

	if (c != '\\')
		return c > ' ' && c != 0x7f ? c : -1; /* others are written as escapes */
	c = cursor_u8(in);
	if (c < '0' || c > '9')
		return cursor_ok(in) ? c : -1;
	for (int i = 0; i < 3; i++) {
		if (c < '0' || c > '9')
			return -1;
		v = v * 10 + (c - '0');
		c = i < 2 ? cursor_u8(in) : 0;
	}
	return v > 255 || !cursor_ok(in) ? -1 : v;
}

/* Bytes that stand for themselves, up to the next dot, escape or what is malformed. */
static size_t
plain_run(struct span text)
{
	size_t n = 0;

	while (n < text.n && text.p[n] > ' ' && text.p[n] != '.' && text.p[n] != '\\' && text.p[n] != 0x7f)
		n++;
	return n;
}

enum res
msg_name_read_span(uint8_t out[MSG_NAME_MAX], uint8_t *out_n, struct span text)
{
	struct cursor in = cursor_over(text);
	uint8_t name[MSG_NAME_MAX];
	size_t at = 0, n = 1; /* the current label starts at `at`; n is after its last byte */

	if (text.n == 0)
		return RES_MALFORMED;
	if (text.n == 1 && text.p[0] == '.')
		(void)cursor_u8(&in);
	while (cursor_left(&in) > 0) {
		size_t plain = plain_run(span_of(in.p, cursor_left(&in)));

		if (plain > 0) {
			if (n + plain > MSG_NAME_MAX - 1 || n - at + plain > 64)
				return RES_LIMIT;
			ascii_lower_copy(name + n, in.p, plain);
			n += plain;
			(void)cursor_take(&in, plain);
			if (cursor_left(&in) > 0)
				continue;
		} else if (*in.p == '.') {
			(void)cursor_u8(&in);
		} else {
			int c = char_read(&in);

			if (c < 0)
				return RES_MALFORMED;
			if (n >= MSG_NAME_MAX - 1 || n - at > 63)
				return RES_LIMIT;
			name[n++] = ascii_lower((uint8_t)c);
			if (cursor_left(&in) > 0) /* the last dot may be left off */
				continue;
		}
		if (n == at + 1)
			return RES_MALFORMED;
		name[at] = (uint8_t)(n - at - 1);
		at = n++;
	}
	name[at] = 0;
	memcpy(out, name, at + 1);
	*out_n = (uint8_t)(at + 1);
	return RES_OK;
}

enum res
msg_name_read(uint8_t out[MSG_NAME_MAX], uint8_t *n, const char *text)
{
	return msg_name_read_span(out, n, span_str(text));
}

void
msg_name_text(struct buf *out, struct span name)
{
	struct cursor in = cursor_over(name);
	struct span label = cursor_vec8(&in);

	if (label.n == 0)
		buf_u8(out, '.');
	for (; label.n > 0; label = cursor_vec8(&in)) {
		for (size_t i = 0; i < label.n; i++) {
			uint8_t c = label.p[i];

			if (c <= 0x20 || c >= 0x7f)
				buf_format(out, "\\%03u", c);
			else if (strchr(".\\\"();@$", c) != NULL)
				buf_format(out, "\\%c", c);
			else
				buf_u8(out, c);
		}
		if (cursor_left(&in) > 1)
			buf_u8(out, '.');
	}
}

bool
msg_name_below(struct span name, struct span suffix)
{
	size_t at = 0;

	while (name.n - at > suffix.n && name.p[at] != 0)
		at += 1U + name.p[at];
	return name.n - at == suffix.n && memcmp(name.p + at, suffix.p, suffix.n) == 0;
}

static const struct {
	uint16_t type;
	const char *text;
} types[] = {
    {1, "A"},       {2, "NS"},      {5, "CNAME"},   {6, "SOA"},    {12, "PTR"},      {13, "HINFO"},
    {15, "MX"},     {16, "TXT"},    {17, "RP"},     {18, "AFSDB"}, {24, "SIG"},      {25, "KEY"},
    {28, "AAAA"},   {29, "LOC"},    {33, "SRV"},    {35, "NAPTR"}, {36, "KX"},       {37, "CERT"},
    {39, "DNAME"},  {41, "OPT"},    {42, "APL"},    {43, "DS"},    {44, "SSHFP"},    {45, "IPSECKEY"},
    {46, "RRSIG"},  {47, "NSEC"},   {48, "DNSKEY"}, {49, "DHCID"}, {50, "NSEC3"},    {51, "NSEC3PARAM"},
    {52, "TLSA"},   {53, "SMIMEA"}, {55, "HIP"},    {59, "CDS"},   {60, "CDNSKEY"},  {61, "OPENPGPKEY"},
    {62, "CSYNC"},  {63, "ZONEMD"}, {64, "SVCB"},   {65, "HTTPS"}, {99, "SPF"},      {108, "EUI48"},
    {109, "EUI64"}, {249, "TKEY"},  {250, "TSIG"},  {251, "IXFR"}, {252, "AXFR"},    {253, "MAILB"},
    {254, "MAILA"}, {255, "ANY"},   {256, "URI"},   {257, "CAA"},  {261, "RESINFO"},
};

const char *
msg_type_text(uint16_t type, char text[16])
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].type == type)
			return types[i].text;
	(void)snprintf(text, 16, "TYPE%u", type); /* RFC 3597, 5 */
	return text;
}

const char *
msg_rcode_text(uint16_t rcode, char text[16])
{
	static const char *const rcodes[] = {"NOERROR", "FORMERR",   "SERVFAIL", "NXDOMAIN", "NOTIMP",
					     "REFUSED", "YXDOMAIN",  "YXRRSET",  "NXRRSET",  "NOTAUTH",
					     "NOTZONE", "DSOTYPENI", NULL,       NULL,       NULL,
					     NULL,      "BADVERS"};

	if (rcode < sizeof rcodes / sizeof *rcodes && rcodes[rcode] != NULL)
		return rcodes[rcode];
	(void)snprintf(text, 16, "RCODE%u", rcode);
	return text;
}
