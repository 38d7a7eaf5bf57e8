#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool
ip_is_mapped(const uint8_t ip[16])
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	return memcmp(ip, mapped, sizeof mapped) == 0;
}

enum res
addr_read_ip(struct addr *out, const char *text)
{
	struct addr a = {0};

	if (inet_pton(AF_INET, text, a.ip) == 1) {
		a.family = ADDR_V4;
	} else if (inet_pton(AF_INET6, text, a.ip) == 1) {
		if (ip_is_mapped(a.ip))
			return RES_MALFORMED;
		a.family = ADDR_V6;
	} else {
		return RES_MALFORMED;
	}
	*out = a;
	return RES_OK;
}

enum res
addr_read_ip_span(struct addr *out, struct span text)
{
	char s[ADDR_TEXT_MAX];

	if (text.n == 0 || text.n >= sizeof s || memchr(text.p, '\0', text.n) != NULL)
		return RES_MALFORMED;
	memcpy(s, text.p, text.n);
	s[text.n] = '\0';
	return addr_read_ip(out, s);
}

static enum res
port_read(uint16_t *out, const char *text)
{
	unsigned port = 0;

	if (*text == '\0' || strlen(text) > 5 || text[0] == '0')
		return RES_MALFORMED;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return RES_MALFORMED;
		port = port * 10 + (unsigned)(*text - '0');
	}
	if (port > 65535)
		return RES_MALFORMED;
	*out = (uint16_t)port;
	return RES_OK;
}

enum res
addr_read(struct addr *out, const char *text, uint16_t default_port)
{
	char ip[ADDR_TEXT_MAX];
	const char *end, *port = NULL;
	bool bracketed = text[0] == '[';
	struct addr a;
	size_t n;

	if (bracketed) {
		text++;
		end = strchr(text, ']');
		if (end == NULL)
			return RES_MALFORMED;
		if (end[1] == ':')
			port = end + 2;
		else if (end[1] != '\0')
			return RES_MALFORMED;
	} else {
		end = strchr(text, ':');
		if (end != NULL && strchr(end + 1, ':') == NULL)
			port = end + 1;
		else
			end = text + strlen(text);
	}
	n = (size_t)(end - text);
	if (n >= sizeof ip)
		return RES_MALFORMED;
	memcpy(ip, text, n);
	ip[n] = '\0';
	if (addr_read_ip(&a, ip) != RES_OK)
		return RES_MALFORMED;
	if (bracketed && a.family != ADDR_V6)
		return RES_MALFORMED;
	a.port = default_port;
	if (port != NULL && port_read(&a.port, port) != RES_OK)
		return RES_MALFORMED;
	*out = a;
	return RES_OK;
}

const char *
addr_ip_text(const struct addr *a, char text[ADDR_TEXT_MAX])
{
	if (a->family == ADDR_NONE)
		return memcpy(text, "none", sizeof "none");
	if (inet_ntop(a->family == ADDR_V4 ? AF_INET : AF_INET6, a->ip, text, ADDR_TEXT_MAX) == NULL)
		text[0] = '\0';
	return text;
}

const char *
addr_text(const struct addr *a, char text[ADDR_TEXT_MAX])
{
	char ip[ADDR_TEXT_MAX];

	addr_ip_text(a, ip);
	if (a->port == 0)
		return memcpy(text, ip, sizeof ip);
	(void)snprintf(text, ADDR_TEXT_MAX, a->family == ADDR_V6 ? "[%.46s]:%u" : "%.46s:%u", ip, a->port);
	return text;
}

struct span
addr_ip(const struct addr *a)
{
	switch (a->family) {
	case ADDR_V4:
		return span_of(a->ip, 4);
	case ADDR_V6:
		return span_of(a->ip, 16);
	case ADDR_NONE:
		break;
	}
	return (struct span){NULL, 0};
}

bool
addr_ip_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && span_equal(addr_ip(a), addr_ip(b));
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	return a->port == b->port && addr_ip_equal(a, b);
}

static bool
bits_match(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned rest = bits % 8;

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0;
}

bool
addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = {[15] = 1};

	if (a->family == ADDR_V4)
		return a->ip[0] == 127;
	return a->family == ADDR_V6 && memcmp(a->ip, one, 16) == 0;
}

bool
addr_is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	return a->family != ADDR_NONE && memcmp(a->ip, zero, 16) == 0;
}

static const struct {
	uint8_t ip[4];
	uint8_t bits;
} private_v4[] = {
    {{0, 0, 0, 0}, 8},      /* RFC 1122, 3.2.1.3: this network */
    {{10, 0, 0, 0}, 8},     /* RFC 1918 */
    {{100, 64, 0, 0}, 10},  /* RFC 6598 */
    {{127, 0, 0, 0}, 8},    /* RFC 1122: loopback */
    {{169, 254, 0, 0}, 16}, /* RFC 3927 */
    {{172, 16, 0, 0}, 12},  /* RFC 1918 */
    {{192, 168, 0, 0}, 16}, /* RFC 1918 */
};

static bool
v4_is_private(const uint8_t ip[4])
{
	for (size_t i = 0; i < sizeof private_v4 / sizeof *private_v4; i++)
		if (bits_match(ip, private_v4[i].ip, private_v4[i].bits))
			return true;
	return false;
}

bool
addr_is_link_local(const struct addr *a)
{
	static const uint8_t link_local[2] = {0xfe, 0x80};

	return a->family == ADDR_V6 && bits_match(a->ip, link_local, 10);
}

bool
addr_is_private(const struct addr *a)
{
	static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b}, nat64_local[6] = {0, 0x64, 0xff, 0x9b, 0, 1};
	static const uint8_t ula[1] = {0xfc}, site_local[2] = {0xfe, 0xc0}, compatible[12] = {0};

	if (a->family == ADDR_V4)
		return v4_is_private(a->ip);
	if (a->family != ADDR_V6)
		return false;
	/* RFC 4291, 2.5.5 and RFC 6052, 2.1: an IPv4 address in IPv6 form */
	if (ip_is_mapped(a->ip) || memcmp(a->ip, nat64, 12) == 0 || memcmp(a->ip, compatible, 12) == 0)
		return v4_is_private(a->ip + 12);
	/* RFC 8215: only its network knows where in it the IPv4 address is */
	if (memcmp(a->ip, nat64_local, 6) == 0)
		return true;
	/* RFC 3879 ended the site-local addresses, but QEMU gives them to its guests: fec0::2 leads to the host's loopback. */
	return addr_is_any(a) || addr_is_loopback(a) || bits_match(a->ip, ula, 7) || addr_is_link_local(a) ||
	       bits_match(a->ip, site_local, 10);
}

socklen_t
addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof *ss);
	if (a->family == ADDR_V6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(a->port);
		memcpy(&in6->sin6_addr, a->ip, 16);
		return sizeof *in6;
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(a->port);
	memcpy(&in->sin_addr, a->ip, 4);
	return sizeof *in;
}

enum res
addr_from_sockaddr(struct addr *out, const struct sockaddr *sa)
{
	struct addr a = {0};

	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;

		a.family = ADDR_V4;
		memcpy(a.ip, &in->sin_addr, 4);
		a.port = ntohs(in->sin_port);
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;
		const uint8_t *ip = in6->sin6_addr.s6_addr;

		a.family = ip_is_mapped(ip) ? ADDR_V4 : ADDR_V6;
		memcpy(a.ip, a.family == ADDR_V4 ? ip + 12 : ip, a.family == ADDR_V4 ? 4 : 16);
		a.port = ntohs(in6->sin6_port);
	} else {
		return RES_UNSUPPORTED;
	}
	*out = a;
	return RES_OK;
}

enum res
prefix_read(struct prefix *out, const char *text)
{
	const char *slash = strchr(text, '/');
	char ip[ADDR_TEXT_MAX];
	struct prefix p = {0};
	unsigned bits = 0;
	size_t n;

	if (slash == NULL)
		return RES_MALFORMED;
	n = (size_t)(slash - text);
	if (n >= sizeof ip || slash[1] == '\0' || strlen(slash + 1) > 3)
		return RES_MALFORMED;
	memcpy(ip, text, n);
	ip[n] = '\0';
	if (addr_read_ip(&p.addr, ip) != RES_OK)
		return RES_MALFORMED;
	for (const char *c = slash + 1; *c != '\0'; c++) {
		if (*c < '0' || *c > '9')
			return RES_MALFORMED;
		bits = bits * 10 + (unsigned)(*c - '0');
	}
	n = addr_ip(&p.addr).n;
	if (bits > n * 8)
		return RES_MALFORMED;
	for (size_t i = bits; i < n * 8; i++)
		if (p.addr.ip[i / 8] & 0x80 >> i % 8)
			return RES_MALFORMED;
	p.bits = (uint8_t)bits;
	*out = p;
	return RES_OK;
}

bool
prefix_has(const struct prefix *p, const struct addr *a)
{
	return p->addr.family == a->family && bits_match(p->addr.ip, a->ip, p->bits);
}
