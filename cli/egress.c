#include "cli/egress.h"

#include <stdlib.h>
#include <string.h>

const char *const egress_doh[] = {
#define DOH(family, address) address,
#include "cli/egress_doh.def"
#undef DOH
    NULL};

bool
egress_user_ok(const char *user)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-$";

	return *user != '\0' && *user != '-' && user[strspn(user, good)] == '\0';
}

/* ---- the plan */

bool
egress_has(const struct egress *e, const struct addr *a)
{
	for (size_t i = 0; i < e->n; i++)
		if (addr_equal(&e->to[i].addr, a))
			return true;
	return false;
}

static void
egress_add(struct egress *e, const struct upstream_settings *u)
{
	for (size_t i = 0; i < u->address.n; i++)
		if (!egress_has(e, &u->address.v[i]))
			e->to[e->n++] = (struct egress_endpoint){u->title, u->protocol, u->address.v[i]};
}

enum res
egress_new(struct egress *out, const struct settings *s, const char *user)
{
	struct egress e = {.user = user != NULL ? user : s->user};
	size_t n = 1;

	if (!egress_user_ok(e.user))
		return RES_MALFORMED;
	for (size_t i = 0; i < s->n_upstream; i++)
		n += s->upstream[i].address.n;
	e.to = calloc(n, sizeof *e.to);
	if (e.to == NULL)
		return RES_NOMEM;
	for (size_t i = 0; i < s->n_upstream; i++)
		egress_add(&e, &s->upstream[i]);
	for (size_t i = 0; i < s->listen.n; i++)
		e.serves_others |= !addr_is_loopback(&s->listen.v[i]);
	*out = e;
	return RES_OK;
}

void
egress_free(struct egress *e)
{
	free(e->to);
	*e = (struct egress){0};
}

/* ---- nftables */

/* An empty list of elements is a syntax error for nft. */
static void
put_element(struct buf *b, size_t *n, const char *text)
{
	buf_text(b, *n == 0 ? "\t\telements = {\n" : ",\n");
	buf_format(b, "\t\t\t%s", text);
	++*n;
}

static void
end_set(struct buf *b, size_t n)
{
	buf_text(b, n > 0 ? "\n\t\t}\n\t}\n" : "\t}\n");
}

static void
put_upstreams(struct buf *b, const struct egress *e, enum addr_family family)
{
	size_t n = 0;

	buf_format(b, "\tset upstreams%d {\n\t\ttype ipv%d_addr . inet_service\n", (int)family, (int)family);
	for (size_t i = 0; i < e->n; i++) {
		char ip[ADDR_TEXT_MAX], text[ADDR_TEXT_MAX + 16];
		const struct addr *a = &e->to[i].addr;

		if (a->family != family)
			continue;
		(void)snprintf(text, sizeof text, "%s . %u", addr_ip_text(a, ip), (unsigned)a->port);
		put_element(b, &n, text);
	}
	end_set(b, n);
}

static void
put_doh(struct buf *b, enum addr_family family)
{
	size_t n = 0;

	buf_format(b, "\tset doh%d {\n\t\ttype ipv%d_addr\n\t\tflags interval\n", (int)family, (int)family);
	for (const char *const *a = egress_doh; *a != NULL; a++)
		if ((strchr(*a, ':') != NULL) == (family == ADDR_V6))
			put_element(b, &n, *a);
	end_set(b, n);
}

/* nftables calls the header of IPv4 "ip", and that of IPv6 "ip6". */
static void
put_tried(struct buf *b, int version, const char *header)
{
	buf_format(b,
		   "\tset tried%d {\n\t\ttypeof meta skuid . %s daddr . th dport\n\t\tsize %d\n\t\tflags "
		   "dynamic\n\t\tcounter\n\t}\n",
		   version, header, EGRESS_TRIED_MAX);
}

static void
put_hooks(struct buf *b, const struct egress *e)
{
	buf_format(b,
		   "\tchain output {\n"
		   "\t\ttype filter hook output priority filter; policy accept;\n"
		   "\t\toifname \"lo\" accept\n"
		   "\t\tmeta skuid \"%s\" goto daemon\n",
		   e->user);
	if (e->lists_user != NULL)
		buf_format(b, "\t\tmeta skuid \"%s\" jump upstreams\n", e->lists_user);
	if (e->portal_user != NULL)
		buf_format(b,
			   "\t\t# names of portal probes, while a window is open\n"
			   "\t\tmeta skuid \"%s\" meta l4proto { tcp, udp } th dport 53 accept\n",
			   e->portal_user);
	buf_text(b, "\t\tjump others\n"
		    "\t}\n"
		    "\t# containers and virtual machines behind this one\n"
		    "\tchain forward {\n"
		    "\t\ttype filter hook forward priority filter; policy accept;\n"
		    "\t\tjump others\n"
		    "\t}\n");
}

static void
put_daemon(struct buf *b, const struct egress *e)
{
	buf_text(b, "\tchain daemon {\n");
	if (e->serves_others)
		buf_text(b, "\t\tct direction reply accept\n");
	buf_text(b, "\t\tjump upstreams\n");
	if (e->updates)
		buf_text(b, "\t\t# ctstub audit\n\t\ttcp dport 443 accept\n");
	buf_text(b, "\t\tgoto refuse\n\t}\n");
}

static const char upstreams[] = "\tchain upstreams {\n"
				"\t\tip daddr . tcp dport @upstreams4 accept\n"
				"\t\tip6 daddr . tcp dport @upstreams6 accept\n"
				"\t}\n";
static const char others[] = "\tchain others {\n"
			     "\t\tmeta l4proto != { tcp, udp } return\n"
			     "\t\tth dport { 53, 853 } goto refuse\n"
			     "\t\tip daddr . th dport @upstreams4 goto refuse\n"
			     "\t\tip6 daddr . th dport @upstreams6 goto refuse\n"
			     "\t\tth dport 443 ip daddr @doh4 goto refuse\n"
			     "\t\tth dport 443 ip6 daddr @doh6 goto refuse\n"
			     "\t}\n";
static const char refuse[] = "\tchain refuse {\n"
			     "\t\tcounter name refused\n"
			     "\t\tupdate @tried4 { meta skuid . ip daddr . th dport }\n"
			     "\t\tupdate @tried6 { meta skuid . ip6 daddr . th dport }\n"
			     "\t\tlimit rate 10/minute log prefix \"ctstub-egress: \" flags skuid\n"
			     "\t\tmeta l4proto tcp reject with tcp reset\n"
			     "\t\treject with icmpx admin-prohibited\n"
			     "\t}\n";

void
egress_rules_write(struct buf *b, const struct egress *e)
{
	buf_text(b, "# The addresses of public DoH services are of " EGRESS_DOH_DATE ".\n"
		    "# The first line makes the table, so that the second always has one to remove.\n"
		    "table inet " EGRESS_TABLE "\n"
		    "delete table inet " EGRESS_TABLE "\n"
		    "table inet " EGRESS_TABLE " {\n");
	put_upstreams(b, e, ADDR_V4);
	put_upstreams(b, e, ADDR_V6);
	put_doh(b, ADDR_V4);
	put_doh(b, ADDR_V6);
	put_tried(b, 4, "ip");
	put_tried(b, 6, "ip6");
	buf_text(b, "\tcounter refused {\n\t}\n");
	buf_text(b, upstreams); /* before the chains that jump to it */
	put_hooks(b, e);
	put_daemon(b, e);
	buf_text(b, others);
	buf_text(b, refuse);
	buf_text(b, "}\n");
}

/* ---- systemd */

void
egress_drop_in_write(struct buf *b, const struct egress *e, const char *prefix)
{
	buf_format(b,
		   "%s[Service]\n"
		   "%sIPAddressDeny=any\n"
		   "%sIPAddressAllow=localhost\n",
		   prefix, prefix, prefix);
	for (size_t i = 0; i < e->n; i++) {
		char ip[ADDR_TEXT_MAX];
		bool first = i == 0 || strcmp(e->to[i].upstream, e->to[i - 1].upstream) != 0;

		if (first)
			buf_format(b, "%s%sIPAddressAllow=", i > 0 ? "\n" : "", prefix);
		buf_format(b, "%s%s", first ? "" : " ", addr_ip_text(&e->to[i].addr, ip));
	}
	if (e->n > 0)
		buf_u8(b, '\n');
}
