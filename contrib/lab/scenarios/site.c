#include "contrib/lab/scenarios/site.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAF_AGE_DAYS          10
#define LEAF_LIFE_DAYS         90
#define SERVER_AND_CLIENT_AUTH "1.3.6.1.5.5.7.3.1 1.3.6.1.5.5.7.3.2"

int64_t
site_issued(const struct site *site)
{
	return world_at(site->world) - LEAF_AGE_DAYS * DAY_MS;
}

const struct addr *
site_ip(const struct site *site)
{
	return site->scenario->v6 ? &site->ip6 : &site->ip4;
}

/* The address beside the resolver's: the same network, another host. */
static struct addr
neighbour(const struct addr *addr)
{
	struct addr next = *addr;

	next.ip[addr_ip(addr).n - 1]++;
	return next;
}

/* The address that $4, $6 or $n stands for; false for any other text. */
static bool
san_address(const struct site *site, struct span item, struct addr *out)
{
	if (span_equal(item, span_str("$4")))
		*out = site->ip4;
	else if (span_equal(item, span_str("$6")))
		*out = site->ip6;
	else if (span_equal(item, span_str("$n")))
		*out = neighbour(&site->ip4);
	else
		return false;
	return true;
}

/* The item with $4, $6 and $n as text. */
static void
san_text(const struct site *site, struct span item, struct buf *out)
{
	struct addr addr;
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < item.n; i++)
		if (san_address(site, span_slice(item, i, 2), &addr)) {
			buf_text(out, addr_ip_text(&addr, text));
			i++;
		} else {
			buf_u8(out, item.p[i]);
		}
}

static void
san_item(struct site *site, struct forge *f, struct span item)
{
	const uint8_t *colon = memchr(item.p, ':', item.n);
	size_t kind = colon != NULL ? (size_t)(colon - item.p) + 1 : 0;
	struct span value = span_slice(item, kind, item.n);
	struct buf text = buf_max(1024);
	struct addr addr;

	san_text(site, value, &text);
	if (span_equal(span_slice(item, 0, kind), span_str("ip:"))) {
		if (san_address(site, value, &addr) || addr_read_ip(&addr, buf_cstr(&text)) == RES_OK)
			forge_san_ip(f, addr_ip(&addr));
		else
			site->bad = true;
	} else if (span_equal(span_slice(item, 0, kind), span_str("dns:"))) {
		forge_san_dns(f, buf_span(&text));
	} else if (span_equal(span_slice(item, 0, kind), span_str("uri:"))) {
		forge_san_uri(f, buf_cstr(&text));
	} else if (span_equal(span_slice(item, 0, kind), span_str("email:"))) {
		forge_san_email(f, buf_cstr(&text));
	} else {
		site->bad = true;
	}
	buf_free(&text);
}

static void
san_items(struct site *site, struct forge *f, const char *items)
{
	size_t n;

	for (; *items != '\0'; items += n + (items[n] == ' ')) {
		n = strcspn(items, " ");
		san_item(site, f, span_of(items, n));
	}
}

void
site_leaf(struct site *site, struct forge *f, enum ca_id issuer)
{
	const struct scenario *row = site->scenario;
	int64_t issued = site_issued(site);

	forge_init(f);
	site->bad = site->bad || !world_issue(site->world, issuer, f);
	f->key = site->key;
	f->serial_seed = row->name;
	f->subject = row->subject != NULL ? row->subject : "C=XX/O=Lab Resolver/CN=" SITE_NAME;
	f->not_before_ms = issued;
	f->not_after_ms = issued + LEAF_LIFE_DAYS * DAY_MS - SECOND_MS;
	f->basic = BASIC_END_ENTITY;
	f->usage = USAGE_DIGITAL_SIGNATURE;
	f->eku = SERVER_AND_CLIENT_AUTH;
	san_items(site, f, row->san != NULL ? row->san : "dns:" SITE_NAME " ip:$4 ip:$6");
	if (!row->has_scts) {
		forge_sct_add(f, LOG_ALPHA, issued + HOUR_MS + 123, SCT_GOOD);
		forge_sct_add(f, LOG_BETA, issued + HOUR_MS + 456, SCT_GOOD);
	}
	for (size_t i = 0; i < row->n_scts; i++)
		forge_sct_add(f, row->scts[i].log,
			      issued + HOUR_MS * (row->scts[i].hours + 1) + 100 + (int64_t)i,
			      row->scts[i].fault);
}

void
site_put_der(struct site *site, struct span der)
{
	struct buf *slot = &site->chain[site->n_chain];

	if (site->n_chain == SITE_CHAIN_MAX) {
		site->bad = true;
		return;
	}
	*slot = buf_max(FORGE_CERT_MAX);
	buf_put(slot, der);
	site->bad = site->bad || !buf_ok(slot);
	site->n_chain++;
}

void
site_put(struct site *site, const struct forge *f)
{
	struct buf der = buf_max(FORGE_CERT_MAX);

	if (f->key == NULL || f->issuer_key == NULL)
		site->bad = true;
	else
		forge_certificate(f, world_logs(site->world), &der);
	site->bad = site->bad || !buf_ok(&der);
	if (site->n_chain == 0)
		site->leaf_end_ms = f->not_after_ms;
	site_put_der(site, buf_span(&der));
	buf_free(&der);
}

void
site_put_ca(struct site *site, enum ca_id id)
{
	struct forge f;

	forge_init(&f);
	site->bad = site->bad || !world_ca_forge(site->world, id, &f);
	site_put(site, &f);
	forge_free(&f);
}

void
lab_pem_write(struct buf *text, const char *label, struct span der)
{
	struct buf base64 = buf_max(2 * FORGE_CERT_MAX);
	struct span all;

	base64_write(&base64, der);
	all = buf_span(&base64);
	buf_format(text, "-----BEGIN %s-----\n", label);
	for (size_t i = 0; i < all.n; i += 64) {
		buf_put(text, span_slice(all, i, 64));
		buf_u8(text, '\n');
	}
	buf_format(text, "-----END %s-----\n", label);
	text->bad = text->bad || !buf_ok(&base64);
	buf_free(&base64);
}

void
site_anchor_forged(struct site *site, const struct forge *f)
{
	struct buf der = buf_max(FORGE_CERT_MAX);

	if (f->key != NULL && f->issuer_key != NULL)
		forge_certificate(f, world_logs(site->world), &der);
	lab_pem_write(&site->anchors, "CERTIFICATE", buf_span(&der));
	site->bad = site->bad || der.n == 0 || !buf_ok(&der);
	buf_free(&der);
}

void
site_anchor(struct site *site, enum ca_id id)
{
	struct forge f;

	forge_init(&f);
	site->bad = site->bad || !world_ca_forge(site->world, id, &f);
	site_anchor_forged(site, &f);
	forge_free(&f);
}

void
site_line(struct site *site, struct buf *text, const char *format, ...)
{
	char line[8192];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	site->bad = site->bad || n < 0 || n >= (int)sizeof line;
	buf_text(text, line);
	buf_u8(text, '\n');
}

int64_t
site_leaf_end(const struct site *site)
{
	return site->leaf_end_ms;
}

bool
site_has_own_anchors(const struct site *site)
{
	struct site plain = {
	    .world = site->world, .scenario = site->scenario, .anchors = buf_max(SITE_POLICY_MAX)};
	bool own;

	site_anchor(&plain, CA_ROOT);
	site_anchor(&plain, CA_FINA_ROOT);
	own = !span_equal(buf_span(&plain.anchors), buf_span(&site->anchors));
	buf_free(&plain.anchors);
	return own;
}

static void
site_build(struct site *site)
{
	const struct scenario *row = site->scenario;
	struct forge f;

	if (row->build != NULL) {
		row->build(site);
	} else {
		site_leaf(site, &f, CA_ISSUING);
		if (row->leaf != NULL)
			row->leaf(site, &f);
		site_put(site, &f);
		forge_free(&f);
		site_put_ca(site, CA_ISSUING);
	}
	if (site->anchors.n == 0) {
		site_anchor(site, CA_ROOT);
		site_anchor(site, CA_FINA_ROOT);
	}
	if (row->policy != NULL)
		row->policy(site);
	site->bad = site->bad || !buf_ok(&site->anchors) || !buf_ok(&site->disallow) ||
		    !buf_ok(&site->allow_issuer) || !buf_ok(&site->pins) || !buf_ok(&site->constraints) ||
		    !buf_ok(&site->crl) || !buf_ok(&site->staple);
}

enum res
site_new(struct site **out, struct world *world, const struct scenario *scenario, const struct addr *ip4,
	 const struct addr *ip6)
{
	struct site *site = calloc(1, sizeof *site);

	if (site == NULL)
		return RES_NOMEM;
	site->world = world;
	site->scenario = scenario;
	site->ip4 = *ip4;
	site->ip6 = *ip6;
	site->key = world_key(world, "server", KEY_P256);
	site->name = scenario->dial_name;
	site->fault = scenario->fault;
	site->staple = buf_max(SITE_POLICY_MAX);
	site->anchors = buf_max(SITE_POLICY_MAX);
	site->disallow = buf_max(SITE_POLICY_MAX);
	site->allow_issuer = buf_max(SITE_POLICY_MAX);
	site->pins = buf_max(SITE_POLICY_MAX);
	site->constraints = buf_max(SITE_POLICY_MAX);
	site->crl = buf_max(SITE_POLICY_MAX);
	site_build(site);
	if (site->bad || site->key == NULL) {
		site_free(site);
		return RES_IO;
	}
	*out = site;
	return RES_OK;
}

void
site_free(struct site *site)
{
	if (site == NULL)
		return;
	for (size_t i = 0; i < site->n_chain; i++)
		buf_free(&site->chain[i]);
	buf_free(&site->staple);
	buf_free(&site->anchors);
	buf_free(&site->disallow);
	buf_free(&site->allow_issuer);
	buf_free(&site->pins);
	buf_free(&site->constraints);
	buf_free(&site->crl);
	free(site);
}

void
site_put_leaf(struct site *site, enum ca_id issuer)
{
	struct forge f;

	site_leaf(site, &f, issuer);
	site_put(site, &f);
	forge_free(&f);
}

void
site_put_ca_changed(struct site *site, enum ca_id id, void (*change)(struct site *, struct forge *))
{
	struct forge f;

	forge_init(&f);
	site->bad = site->bad || !world_ca_forge(site->world, id, &f);
	change(site, &f);
	site_put(site, &f);
	forge_free(&f);
}
