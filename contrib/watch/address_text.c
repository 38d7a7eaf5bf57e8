/* Addresses as text, in every form that inet_aton(3), inet_pton(3), browsers and zone files take. */
#include "config.h"

#include "contrib/watch/spelling.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

#define ADDRESS_TEXT_MAX 128 /* bytes of an address as text, of the longest reverse name as well */
#define NO_MASK          "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"

static void
address_text_report(struct spelling *s, const struct spelled_address *a)
{
	if (++s->readings > SPELLING_READINGS_MAX)
		s->limit = true;
	else
		s->on_address(s->ctx, a);
}

/* The IPv4 address that an IPv6 one stands for: mapped, compatible (RFC 4291, 2.5.5), by NAT64 (RFC 6052, 2.1). */
static bool
inner_v4(struct spelled_address *out, const uint8_t ip[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, compatible[12],
			     nat64[12] = {0x00, 0x64, 0xff, 0x9b};

	if (memcmp(ip, mapped, 12) != 0 && memcmp(ip, nat64, 12) != 0 &&
	    (memcmp(ip, compatible, 12) != 0 || ip[12] == 0))
		return false;
	*out = (struct spelled_address){.n = 4, .exact = true};
	memcpy(out->ip, ip + 12, 4);
	memcpy(out->mask, NO_MASK, 4);
	return true;
}

static void
bytes_report(struct spelling *s, const uint8_t *ip, size_t n, bool exact)
{
	struct spelled_address a = {.n = (uint8_t)n, .exact = exact}, inner;

	memcpy(a.ip, ip, n);
	memcpy(a.mask, NO_MASK, n);
	address_text_report(s, &a);
	if (n == 16 && inner_v4(&inner, ip))
		address_text_report(s, &inner);
}

/* ---- IPv4 */

/* One number of inet_aton(3): decimal, 0 octal, 0x hexadecimal. octal false: a leading zero is only a zero. */
static bool
part_read(uint64_t *v, struct span part, bool octal)
{
	unsigned base = 10;
	size_t i = 0;

	if (part.n > 2 && part.p[0] == '0' && ascii_lower(part.p[1]) == 'x')
		base = 16, i = 2;
	else if (octal && part.n > 1 && part.p[0] == '0')
		base = 8, i = 1;
	if (i == part.n || part.n > 16)
		return false;
	for (*v = 0; i < part.n; i++) {
		uint8_t c = ascii_lower(part.p[i]);
		unsigned d = c >= '0' && c <= '9' ? c - 48u : c >= 'a' && c <= 'f' ? c - 87u : 99;

		if (d >= base)
			return false;
		*v = *v * base + d;
	}
	return true;
}

struct parts {
	uint64_t v[4];
	size_t n;
	bool star[4]; /* any number */
};

static bool
parts_read(struct parts *out, struct span text, bool octal)
{
	*out = (struct parts){.n = 0};
	for (bool more = true; more;) {
		const uint8_t *dot = text.n == 0 ? NULL : memchr(text.p, '.', text.n);
		struct span part = dot == NULL ? text : span_slice(text, 0, (size_t)(dot - text.p));

		more = dot != NULL;
		text = more ? span_slice(text, part.n + 1, text.n) : text;
		if (out->n == 4)
			return false;
		out->star[out->n] = span_equal(part, span_str("*"));
		if (!out->star[out->n] && !part_read(&out->v[out->n], part, octal))
			return false;
		out->n++;
	}
	return true;
}

/* "1.1": the last number fills what is left. */
static bool
v4_fill(struct spelled_address *a, const struct parts *p)
{
	uint64_t last = p->v[p->n - 1];
	bool stars = false;

	*a = (struct spelled_address){.n = 4, .exact = p->n == 4};
	for (size_t i = 0; i < p->n; i++)
		stars |= p->star[i];
	if (stars && p->n != 4)
		return false;
	for (size_t i = 0; i + 1 < p->n; i++) {
		if (p->v[i] > 255)
			return false;
		a->ip[i] = (uint8_t)p->v[i];
	}
	if (last >> (8 * (5 - p->n)) != 0)
		return false;
	for (size_t i = 3; i + 1 >= p->n && i < 4; i--, last >>= 8)
		a->ip[i] = (uint8_t)last;
	for (size_t i = 0; i < 4; i++)
		a->mask[i] = p->n == 4 && p->star[i] ? 0 : 0xff;
	return true;
}

static bool
v4_read(struct spelling *s, struct span text)
{
	struct spelled_address a, first = {.n = 0};
	struct parts p;
	bool found = false;

	for (int octal = 0; octal < 2; octal++) {
		if (!parts_read(&p, text, octal != 0) || (s->in_words && p.n != 4) || !v4_fill(&a, &p))
			continue;
		if (!found || memcmp(a.ip, first.ip, 4) != 0)
			address_text_report(s, &a);
		first = a;
		found = true;
	}
	return found;
}

/* ---- IPv6 */

static bool
v6_read(struct spelling *s, struct span text)
{
	char copy[ADDRESS_TEXT_MAX];
	const uint8_t *zone = memchr(text.p, '%', text.n);
	uint8_t ip[16];

	if (zone != NULL) /* fe80::1%eth0 */
		text.n = (size_t)(zone - text.p);
	if (text.n == 0 || text.n >= sizeof copy)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (strlen(copy) != text.n || inet_pton(AF_INET6, copy, ip) != 1)
		return false;
	bytes_report(s, ip, 16, true);
	return true;
}

/* ---- names that are addresses */

static bool
suffix_cut(struct span *text, const char *suffix)
{
	struct span end = span_str(suffix);

	if (text->n <= end.n || !ascii_case_equal(span_slice(*text, text->n - end.n, end.n), end))
		return false;
	text->n -= end.n;
	return true;
}

/* Labels from the last one to the first, each followed by a separator after every `group` of them. */
static size_t
labels_turn(char out[ADDRESS_TEXT_MAX], struct span text, char separator, size_t group)
{
	size_t n = 0, labels = 0;

	while (text.n > 0) {
		const uint8_t *dot = memrchr(text.p, '.', text.n);
		size_t at = dot == NULL ? 0 : (size_t)(dot - text.p) + 1;
		struct span label = span_slice(text, at, text.n);

		if (n + label.n + 2 > ADDRESS_TEXT_MAX)
			return 0;
		if (labels > 0 && labels % group == 0)
			out[n++] = separator;
		memcpy(out + n, label.p, label.n);
		n += label.n;
		labels++;
		text.n = at == 0 ? 0 : at - 1;
	}
	return n;
}

/* 1.1.1.1.in-addr.arpa, ip6.arpa in nibbles (RFC 3596, 2.5), and the form that Windows takes for IPv6 in UNC names. */
static bool
arpa_read(struct spelling *s, struct span text)
{
	char turned[ADDRESS_TEXT_MAX];
	size_t n;

	if (suffix_cut(&text, ".in-addr.arpa")) {
		n = labels_turn(turned, text, '.', 1);
		return n > 0 && v4_read(s, span_of(turned, n));
	}
	if (suffix_cut(&text, ".ip6.arpa") || suffix_cut(&text, ".ip6.int")) {
		n = labels_turn(turned, text, ':', 4);
		return n > 0 && v6_read(s, span_of(turned, n));
	}
	if (!suffix_cut(&text, ".ipv6-literal.net") || text.n >= sizeof turned)
		return false;
	for (n = 0; n < text.n; n++)
		turned[n] = text.p[n] == '-' ? ':' : text.p[n] == 's' ? '%' : (char)text.p[n];
	return v6_read(s, span_of(turned, n));
}

bool
spelling_read_address_text(struct spelling *s, struct span text)
{
	if (text.n == 0 || text.n >= ADDRESS_TEXT_MAX)
		return false;
	if (memchr(text.p, ':', text.n) != NULL)
		return v6_read(s, text);
	if (v4_read(s, text))
		return true;
	return ascii_lower(text.p[text.n - 1]) == 'a' || ascii_lower(text.p[text.n - 1]) == 't'
		   ? arpa_read(s, text)
		   : false;
}

/* ---- iPAddress */

bool
spelling_read_ip(struct spelling *s, struct span bytes)
{
	bool text = bytes.n >= 3 && text_is_plain(bytes) && spelling_read_address_text(s, bytes);

	if (bytes.n == 4 || bytes.n == 16) {
		bytes_report(s, bytes.p, bytes.n, true);
		return true;
	}
	if (bytes.n == 8 || bytes.n == 32) { /* with a mask, as name constraints have it */
		struct spelled_address a = {.n = (uint8_t)(bytes.n / 2), .exact = true};

		memcpy(a.ip, bytes.p, a.n);
		memcpy(a.mask, bytes.p + a.n, a.n);
		address_text_report(s, &a);
		return true;
	}
	return text;
}
