#include "resolver/local.h"

#include "base/text.h"
#include "base/dns/compose.h"
#include "base/dns/message_walk.h"
#include "config/suffix.h"
#include "resolver/hosts.h"
#include "resolver/local_data.h"
#include "resolver/routes.h"

#include <string.h>

static struct span
local_question_name(const struct msg_question *q)
{
	return span_of(q->name, q->name_n);
}

static struct span
name_above(struct span name)
{
	return name.n <= 1 ? name : span_slice(name, 1U + name.p[0], name.n);
}

/* ---- what exists */

/* The configuration or the hosts file has the name, or a name below it. */
static bool
is_configured(const struct local_view *v, struct span name)
{
	return local_data_has(v->data, name) || hosts_has(v->hosts, name) || hosts_is_above(v->hosts, name) ||
	       routes_is_above(v->routes, name);
}

/* A name above an existing name exists too (RFC 4592, 2.2.2; RFC 8020). */
static bool
exists(const struct local_view *v, struct span name)
{
	return is_configured(v, name) || special_has(local_data_special(v->data), name);
}

/* Turns NXDOMAIN in the message at `start` into NODATA when the question's name exists. The two differ in nothing
 * else (RFC 2308, 2). */
static void
deny_no_more(const struct local_view *v, const struct msg_question *q, struct buf *out, size_t start)
{
	uint16_t flags;

	if (!buf_ok(out) || out->n < start + MSG_HEADER)
		return;
	flags = be16_read(out->p + start + 2);
	if ((flags & 15) == RCODE_NXDOMAIN && exists(v, local_question_name(q)))
		be16_write(out->p + start + 2, (uint16_t)(flags & ~15U));
}

/* ---- answers */

/* Denies names of a zone of local.data. The DS of its apex belongs to the zone above, if that is local as well. A
 * forward for a part of the zone is still followed. */
static bool
zone_answer(const struct local_view *v, const struct msg_question *q, const struct route *route,
	    struct buf *out)
{
	struct span name = local_question_name(q);
	size_t zone_n;

	if (local_data_is_parents(v->data, q))
		name = name_above(name);
	zone_n = local_data_zone(v->data, name);
	if (zone_n == 0 || (route->forwarded && route->suffix.n > zone_n))
		return false;
	local_data_deny(v->data, q, name, out);
	return true;
}

static bool
is_address_type(uint16_t type)
{
	return type == TYPE_A || type == TYPE_AAAA || type == TYPE_SVCB || type == TYPE_HTTPS;
}

/* The one label of a name is a top-level domain; `example` is resolved like one (RFC 6761, 6.5). */
static bool
is_top_level(const struct msg_question *q)
{
	char label[64];
	size_t n = q->name[0];

	memcpy(label, q->name + 1, n);
	label[n] = '\0';
	/* A dot inside a label does not separate labels. */
	if (strlen(label) != n || strchr(label, '.') != NULL)
		return false;
	return suffix_is_top_level(label) || strcmp(label, "example") == 0;
}

static enum local
single_label_answer(const struct local_view *v, const struct msg_question *q, struct buf *out)
{
	switch (v->single_labels) {
	case SINGLE_LABELS_FORWARD:
		return LOCAL_NOT_OURS;
	case SINGLE_LABELS_REFUSE:
		return is_address_type(q->type) || !is_top_level(q) ? LOCAL_REFUSED : LOCAL_NOT_OURS;
	case SINGLE_LABELS_LOCAL:
		break;
	}
	if (is_top_level(q))
		return LOCAL_NOT_OURS;
	/* No upstream was asked whether the name exists, so answer NODATA: NXDOMAIN would deny all names below it. */
	compose_negative(out, q, RCODE_NOERROR, local_question_name(q), COMPOSE_TTL_SHORT);
	return LOCAL_ANSWERED;
}

enum local
local_answer(const struct local_view *v, const struct msg_question *q, const struct route *route,
	     int64_t now_ms, struct buf *out)
{
	/* RFC 6761, 6.3: localhost is loopback, whatever a file or a forward contains. */
	bool localhost = special_is_localhost(q);
	size_t start = out->n;

	if (local_data_answer(v->data, q, out))
		return LOCAL_ANSWERED;
	if (!localhost && !local_data_is_parents(v->data, q) && hosts_answer(v->hosts, q, now_ms, out))
		return LOCAL_ANSWERED;
	if (zone_answer(v, q, route, out) ||
	    ((!route->forwarded || localhost) && special_answer(local_data_special(v->data), q, out))) {
		deny_no_more(v, q, out, start);
		return LOCAL_ANSWERED;
	}
	if (!route->forwarded && q->labels == 1)
		return single_label_answer(v, q, out);
	return LOCAL_NOT_OURS;
}

void
local_any(const struct msg_question *q, struct buf *out)
{
	/* the CPU; the OS is the empty string, its length the NUL */
	static const uint8_t minimal[] = "\7RFC8482";
	struct compose c = compose_begin(out, q, RCODE_NOERROR);

	compose_answer(&c, (struct span){NULL, 0}, TYPE_HINFO, 3600, span_of(minimal, sizeof minimal));
}

void
local_nothing(const struct local_view *v, const struct msg_question *q, struct span zone, struct buf *out)
{
	size_t start = out->n;

	compose_negative(out, q, zone.n == q->name_n ? RCODE_NOERROR : RCODE_NXDOMAIN, zone,
			 COMPOSE_TTL_SHORT);
	deny_no_more(v, q, out, start);
}

bool
local_blocked(const struct local_view *v, const struct msg_question *q, enum filter_answer how,
	      struct buf *out)
{
	static const uint8_t zero[16];
	bool is_a = q->type == TYPE_A || q->type == TYPE_ANY,
	     is_aaaa = q->type == TYPE_AAAA || q->type == TYPE_ANY;
	size_t start = out->n;
	struct compose c;

	switch (how) {
	case FILTER_REFUSED:
		return false;
	case FILTER_NXDOMAIN:
		compose_negative(out, q, RCODE_NXDOMAIN, local_question_name(q), COMPOSE_TTL_SHORT);
		deny_no_more(v, q, out, start);
		return true;
	case FILTER_NODATA:
		break;
	case FILTER_ZERO:
		if (!is_a && !is_aaaa)
			break;
		c = compose_begin(out, q, RCODE_NOERROR);
		if (is_a)
			compose_answer(&c, (struct span){NULL, 0}, TYPE_A, COMPOSE_TTL_SHORT,
				       span_of(zero, 4));
		if (is_aaaa)
			compose_answer(&c, (struct span){NULL, 0}, TYPE_AAAA, COMPOSE_TTL_SHORT,
				       span_of(zero, 16));
		return true;
	}
	compose_negative(out, q, RCODE_NOERROR, local_question_name(q), COMPOSE_TTL_SHORT);
	return true;
}

/* ---- upstreams' denials */

struct soa_owner {
	const struct msg_answer *a;
	uint8_t name[MSG_NAME_MAX];
	size_t n; /* 0: there is none */
};

static bool
soa_owner_on_record(void *ctx, const struct msg_rr *rr)
{
	struct soa_owner *s = ctx;
	uint8_t spelled[MSG_NAME_MAX];

	if (rr->section != MSG_SECTION_AUTHORITY || rr->type != TYPE_SOA)
		return true;
	s->n = walk_name_expand(s->a->wire, rr->name_at, spelled);
	ascii_lower_copy(s->name, spelled, s->n);
	return false;
}

/* The nearest name above that is configured here; the root: none. Special zones do not count: public zones know about
 * them. */
static struct span
nearest_configured(const struct local_view *v, struct span name)
{
	do
		name = name_above(name);
	while (name.n > 1 && !is_configured(v, name));
	return name;
}

bool
local_mends(const struct local_view *v, const struct msg_question *q, const struct msg_answer *a,
	    struct buf *out)
{
	struct span name = local_question_name(q), above;
	struct soa_owner soa = {.a = a};

	if (a->rcode != RCODE_NXDOMAIN || a->an > 0)
		return false;
	if (exists(v, name)) {
		compose_negative(out, q, RCODE_NOERROR, name, COMPOSE_TTL_SHORT);
		return true;
	}
	above = nearest_configured(v, name);
	if (above.n <= 1)
		return false;
	msg_each(a, soa_owner_on_record, &soa);
	/* Only a denial by a zone above this name could be taken to cover it. */
	if (soa.n == 0 || soa.n >= above.n || !msg_name_below(above, span_of(soa.name, soa.n)))
		return false;
	compose_negative(out, q, RCODE_NXDOMAIN, above, COMPOSE_TTL_SHORT);
	return true;
}
