/* scenarios_identity.c - whose certificate is it: addresses and names (RFC 5280, 4.2.1.6; RFC 9525). */
#include "contrib/lab/scenarios/site.h"

#include <stdio.h>
#include <string.h>

static void
leaf_many_names(struct site *site, struct forge *f)
{
	struct buf name = buf_max(256);
	const unsigned names = 1000;

	buf_clear(&f->san);
	for (unsigned i = 0; i < names; i++) {
		buf_clear(&name);
		buf_format(&name, "host-%u.lab.test", i);
		forge_san_dns(f, buf_span(&name));
	}
	forge_san_dns(f, span_str(SITE_NAME));
	forge_san_ip(f, addr_ip(&site->ip4));
	buf_free(&name);
}

static void
leaf_mapped(struct site *site, struct forge *f)
{
	uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff};

	memcpy(mapped + 12, site->ip4.ip, 4);
	forge_san_ip(f, span_of(mapped, sizeof mapped));
}

static void
leaf_compatible(struct site *site, struct forge *f)
{
	uint8_t compatible[16] = {0};

	memcpy(compatible + 12, site->ip4.ip, 4);
	forge_san_ip(f, span_of(compatible, sizeof compatible));
}

static void
leaf_mask(struct site *site, struct forge *f)
{
	uint8_t masked[8] = {[4] = 0xff, [5] = 0xff, [6] = 0xff, [7] = 0xff};

	memcpy(masked, site->ip4.ip, 4);
	forge_san_ip(f, span_of(masked, sizeof masked));
}

static void
leaf_octets_as_text(struct site *site, struct forge *f)
{
	char text[ADDR_TEXT_MAX];

	forge_san_ip(f, span_str(addr_ip_text(&site->ip4, text)));
}

static void
leaf_three_octets(struct site *site, struct forge *f)
{
	forge_san_ip(f, span_of(site->ip4.ip, 3));
}

static void
leaf_no_octets(struct site *site, struct forge *f)
{
	(void)site;
	forge_san_ip(f, span_of(NULL, 0));
}

static void
leaf_five_octets(struct site *site, struct forge *f)
{
	uint8_t five[5] = {0};

	memcpy(five, site->ip4.ip, 4);
	forge_san_ip(f, span_of(five, sizeof five));
}

static void
san_with_nul(struct forge *f, const char *before)
{
	struct buf name = buf_max(256);

	buf_text(&name, before);
	buf_u8(&name, 0);
	buf_text(&name, ".evil.test");
	forge_san_dns(f, buf_span(&name));
	buf_free(&name);
}

static void
leaf_address_nul(struct site *site, struct forge *f)
{
	char text[ADDR_TEXT_MAX];

	san_with_nul(f, addr_ip_text(&site->ip4, text));
}

static void
leaf_name_nul(struct site *site, struct forge *f)
{
	(void)site;
	san_with_nul(f, SITE_NAME);
}

static void
subject_is_address(struct site *site, struct forge *f, const struct addr *addr)
{
	char text[ADDR_TEXT_MAX];

	snprintf(site->subject, sizeof site->subject, "CN=%s", addr_ip_text(addr, text));
	f->subject = site->subject;
}

static void
leaf_cn_is_address(struct site *site, struct forge *f)
{
	subject_is_address(site, f, &site->ip4);
}

static void
leaf_cn_is_address_v6(struct site *site, struct forge *f)
{
	subject_is_address(site, f, &site->ip6);
}

static const struct scenario rows[] = {
    {"good-v4", "no fault: a good resolver on IPv4", .want = WANT_ACCEPT},
    {"good-v6", "no fault: a good resolver on IPv6", .want = WANT_ACCEPT, .v6 = true},
    {"good-name", "no fault: the client wants a name beside the address, and gets both", .want = WANT_ACCEPT,
     .dial_name = SITE_NAME},
    {"good-name-upper-case", "no fault: the name stands in the certificate in upper case",
     .want = WANT_ACCEPT, .dial_name = SITE_NAME, .san = "dns:RESOLVER.Lab.Test ip:$4"},
    {"good-name-wildcard", "no fault: a wildcard covers the wanted name", .want = WANT_ACCEPT,
     .dial_name = SITE_NAME, .san = "dns:*.lab.test ip:$4"},
    {"good-empty-subject", "no fault: no subject at all, as public short-lived IP certificates have it",
     .want = WANT_ACCEPT, .subject = "", .san = "dns:" SITE_NAME " ip:$4"},
    {"good-many-names", "no fault: a thousand names before the right name and address", .want = WANT_ACCEPT,
     .leaf = leaf_many_names},
    {"good-address-last", "no fault: other addresses stand before the right one", .want = WANT_ACCEPT,
     .san = "dns:" SITE_NAME " ip:192.0.2.1 ip:2001:db8::1 ip:$n ip:$6 ip:$4"},
    {"wrong-address", "a certificate for another address", WANT_REFUSE, "ip-mismatch",
     .san = "dns:" SITE_NAME " ip:192.0.2.1"},
    {"wrong-address-v6", "a certificate for another IPv6 address", WANT_REFUSE, "ip-mismatch", .v6 = true,
     .san = "dns:" SITE_NAME " ip:2001:db8::53"},
    {"neighbour-address", "a certificate for the next address in the same network", WANT_REFUSE,
     "ip-mismatch", .san = "ip:$n"},
    {"other-family", "a certificate for the resolver's IPv6 address only, on IPv4", WANT_REFUSE,
     "ip-mismatch", .san = "ip:$6"},
    {"other-family-v6", "a certificate for the resolver's IPv4 address only, on IPv6", WANT_REFUSE,
     "ip-mismatch", .v6 = true, .san = "ip:$4"},
    {"name-only", "a good certificate for a name, without any address", WANT_REFUSE, "ip-mismatch",
     .san = "dns:" SITE_NAME},
    {"cn-only", "the address only as common name, no alternative names", WANT_REFUSE, "ip-mismatch",
     .san = "", .leaf = leaf_cn_is_address},
    {"cn-only-v6", "the IPv6 address only as common name", WANT_REFUSE, "ip-mismatch", .v6 = true, .san = "",
     .leaf = leaf_cn_is_address_v6},
    {"cn-beside-names", "the address as common name beside a foreign dNSName", WANT_REFUSE, "ip-mismatch",
     .san = "dns:evil.test", .leaf = leaf_cn_is_address},
    {"ip-as-dns", "the address as text in a dNSName", WANT_REFUSE, "ip-mismatch", .san = "dns:$4"},
    {"ip-as-dns-v6", "the IPv6 address as text in a dNSName", WANT_REFUSE, "ip-mismatch", .v6 = true,
     .san = "dns:$6"},
    {"ip-as-wildcard", "a wildcard before the address's text", WANT_REFUSE, "ip-mismatch",
     .san = "dns:*.$4 dns:*"},
    {"ip-as-uri", "the address inside a URI", WANT_REFUSE, "ip-mismatch", .san = "uri:https://$4/dns-query"},
    {"ip-as-email", "the address as mail address", WANT_REFUSE, "ip-mismatch", .san = "email:$4"},
    {"ip-as-text-octets", "an iPAddress that holds the text of the address", WANT_REFUSE, "ip-mismatch",
     .san = "", .leaf = leaf_octets_as_text},
    {"ip-mapped", "an iPAddress of the IPv4-mapped IPv6 form", WANT_REFUSE, "ip-mismatch", .san = "",
     .leaf = leaf_mapped},
    {"ip-compatible", "an iPAddress of the IPv4-compatible IPv6 form", WANT_REFUSE, "ip-mismatch", .san = "",
     .leaf = leaf_compatible},
    {"ip-with-mask", "an iPAddress of eight bytes: address and mask", WANT_REFUSE, "ip-mismatch", .san = "",
     .leaf = leaf_mask},
    {"ip-three-bytes", "an iPAddress of three bytes, the network's", WANT_REFUSE, "ip-mismatch", .san = "",
     .leaf = leaf_three_octets},
    {"ip-no-bytes", "an iPAddress without any byte, which begins every address", WANT_REFUSE, "ip-mismatch",
     .san = "", .leaf = leaf_no_octets},
    {"ip-five-bytes", "an iPAddress of five bytes that begins with the address", WANT_REFUSE, "ip-mismatch",
     .san = "", .leaf = leaf_five_octets},
    {"ip-nul", "a dNSName with the address's text, a NUL byte, and a domain of the impostor", WANT_REFUSE,
     "ip-mismatch", .san = "", .leaf = leaf_address_nul},
    {"name-missing", "the right address without the name that the client also wants", WANT_REFUSE,
     "name-mismatch", .dial_name = SITE_NAME, .san = "ip:$4"},
    {"name-other", "the right address and a name other than the one the client wants", WANT_REFUSE,
     "name-mismatch", .dial_name = SITE_NAME, .san = "dns:evil.test ip:$4"},
    {"name-cn-only", "the wanted name only as common name", WANT_REFUSE, "name-mismatch",
     .dial_name = SITE_NAME, .san = "ip:$4", .subject = "CN=" SITE_NAME},
    {"name-wildcard-deep", "a wildcard one label too high for the wanted name", WANT_REFUSE, "name-mismatch",
     .dial_name = SITE_NAME, .san = "dns:*.test ip:$4"},
    {"name-wildcard-partial", "a wildcard inside a label", WANT_REFUSE, "name-mismatch",
     .dial_name = SITE_NAME, .san = "dns:r*.lab.test ip:$4"},
    {"name-wildcard-inner", "a wildcard that is not the left-most label", WANT_REFUSE, "name-mismatch",
     .dial_name = SITE_NAME, .san = "dns:resolver.*.test ip:$4"},
    {"name-nul", "the wanted name, a NUL byte, and a domain of the impostor", WANT_REFUSE, "name-mismatch",
     .dial_name = SITE_NAME, .san = "ip:$4", .leaf = leaf_name_nul},
};

const struct scenario_group scenarios_identity = {
    "identity",
    "Whose certificate is it? The client dials an address, and the certificate must bear exactly that.", rows,
    sizeof rows / sizeof rows[0]};
