#include "resolver/special.h"

#include "base/dns/compose.h"
#include "base/dns/nameset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	KIND_ABSENT,    /* neither the name nor any name below exists */
	KIND_EMPTY,     /* a zone with an apex and nothing else */
	KIND_NODATA,    /* every name exists and none has data */
	KIND_LOCALHOST, /* and all below: the loopback addresses */
	KIND_LOOPBACK4, /* 127.in-addr.arpa */
	KIND_LOOPBACK6, /* the one name of ::1 */
	KIND_ARPA,      /* not special itself: look at longer suffixes */
};

#define NIBBLES_8  "0.0.0.0.0.0.0.0."
#define NIBBLES_31 NIBBLES_8 NIBBLES_8 NIBBLES_8 "0.0.0.0.0.0.0."

static const struct {
	const char *name;
	enum kind kind;
	unsigned from, to; /* the name with each of these numbers before it; 0, 0: the name itself */
} registry[] = {
    {"localhost", KIND_LOCALHOST, 0, 0},
    {"invalid", KIND_ABSENT, 0, 0},
    {"test", KIND_ABSENT, 0, 0},
    {"local", KIND_ABSENT, 0, 0},
    {"onion", KIND_ABSENT, 0, 0},
    {"alt", KIND_ABSENT, 0, 0},
    {"arpa", KIND_ARPA, 0, 0},
    {"home.arpa", KIND_EMPTY, 0, 0},
    {"resolver.arpa", KIND_NODATA, 0, 0},
    {"service.arpa", KIND_EMPTY, 0, 0},
    /* RFC 6303, 4.1 and 4.2 */
    {"10.in-addr.arpa", KIND_EMPTY, 0, 0},
    {"172.in-addr.arpa", KIND_EMPTY, 16, 31},
    {"168.192.in-addr.arpa", KIND_EMPTY, 0, 0},
    {"0.in-addr.arpa", KIND_EMPTY, 0, 0},
    {"127.in-addr.arpa", KIND_LOOPBACK4, 0, 0},
    {"254.169.in-addr.arpa", KIND_EMPTY, 0, 0},
    {"2.0.192.in-addr.arpa", KIND_EMPTY, 0, 0},
    {"100.51.198.in-addr.arpa", KIND_EMPTY, 0, 0},
    {"113.0.203.in-addr.arpa", KIND_EMPTY, 0, 0},
    {"255.255.255.255.in-addr.arpa", KIND_EMPTY, 0, 0},
    /* RFC 7793 */
    {"100.in-addr.arpa", KIND_EMPTY, 64, 127},
    /* RFC 6303, 4.3 to 4.6 */
    {"0." NIBBLES_31 "ip6.arpa", KIND_EMPTY, 0, 0},
    {"1." NIBBLES_31 "ip6.arpa", KIND_LOOPBACK6, 0, 0},
    {"d.f.ip6.arpa", KIND_EMPTY, 0, 0},
    {"8.e.f.ip6.arpa", KIND_EMPTY, 0, 0},
    {"9.e.f.ip6.arpa", KIND_EMPTY, 0, 0},
    {"a.e.f.ip6.arpa", KIND_EMPTY, 0, 0},
    {"b.e.f.ip6.arpa", KIND_EMPTY, 0, 0},
    {"8.b.d.0.1.0.0.2.ip6.arpa", KIND_EMPTY, 0, 0},
};

struct special {
	struct nameset *zones; /* to a kind */
	struct nameset *above; /* names above those that exist */
};

static enum res
zone_add(struct special *s, const char *text, enum kind kind)
{
	uint8_t name[MSG_NAME_MAX], n;
	enum res res = msg_name_read(name, &n, text);

	if (res == RES_OK)
		res = nameset_add(s->zones, span_of(name, n), kind);
	if (res == RES_OK && kind != KIND_ABSENT)
		res = nameset_add_above(s->above, span_of(name, n));
	return res;
}

enum res
special_new(struct special **out, bool test_is_sent)
{
	struct special *s = calloc(1, sizeof *s);
	enum res res = s == NULL ? RES_NOMEM : nameset_new(&s->zones);

	if (res == RES_OK)
		res = nameset_new(&s->above);
	for (size_t i = 0; res == RES_OK && i < sizeof registry / sizeof *registry; i++) {
		if (test_is_sent && strcmp(registry[i].name, "test") == 0)
			continue;
		if (registry[i].to == 0)
			res = zone_add(s, registry[i].name, registry[i].kind);
		for (unsigned j = registry[i].from;
		     res == RES_OK && registry[i].to != 0 && j <= registry[i].to; j++) {
			char text[64];

			(void)snprintf(text, sizeof text, "%u.%s", j, registry[i].name);
			res = zone_add(s, text, registry[i].kind);
		}
	}
	if (res != RES_OK) {
		special_free(s);
		return res;
	}
	nameset_seal(s->zones);
	nameset_seal(s->above);
	*out = s;
	return RES_OK;
}

void
special_free(struct special *s)
{
	if (s == NULL)
		return;
	nameset_free(s->zones);
	nameset_free(s->above);
	free(s);
}

static struct span
special_question_name(const struct msg_question *q)
{
	return span_of(q->name, q->name_n);
}

/* The last label with the root, which decides for nearly every name. */
static struct span
top_label(const struct msg_question *q)
{
	size_t at = 0;

	while (q->name[at] != 0 && q->name[at + 1U + q->name[at]] != 0)
		at += 1U + q->name[at];
	return span_of(q->name + at, q->name_n - at);
}

bool
special_is_localhost(const struct msg_question *q)
{
	static const uint8_t localhost[] = "\11localhost";

	return msg_name_below(special_question_name(q), span_of(localhost, sizeof localhost));
}

static void
localhost_answer(const struct msg_question *q, struct span zone, struct buf *out)
{
	static const uint8_t v4[4] = {127, 0, 0, 1}, v6[16] = {[15] = 1};
	struct compose c = compose_begin(out, q, RCODE_NOERROR);

	if (q->type == TYPE_A || q->type == TYPE_ANY)
		compose_answer(&c, (struct span){NULL, 0}, TYPE_A, COMPOSE_TTL_LONG, span_of(v4, 4));
	if (q->type == TYPE_AAAA || q->type == TYPE_ANY)
		compose_answer(&c, (struct span){NULL, 0}, TYPE_AAAA, COMPOSE_TTL_LONG, span_of(v6, 16));
	if (q->type != TYPE_A && q->type != TYPE_AAAA && q->type != TYPE_ANY)
		compose_soa(&c, zone, COMPOSE_TTL_LONG);
}

/* Answers from an empty zone: SOA and NS at its apex, nothing below (RFC 6303, 3). */
static void
empty_answer(const struct msg_question *q, struct span zone, struct buf *out)
{
	struct compose c;

	if (zone.n != q->name_n) {
		compose_negative(out, q, RCODE_NXDOMAIN, zone, COMPOSE_TTL_LONG);
		return;
	}
	c = compose_begin(out, q, RCODE_NOERROR);
	if (q->type == TYPE_NS)
		compose_answer(&c, (struct span){NULL, 0}, TYPE_NS, COMPOSE_TTL_LONG, zone);
	else
		compose_soa(&c, zone, COMPOSE_TTL_LONG);
	if (q->type == TYPE_SOA && buf_ok(out)) { /* the only record there is: it is the answer */
		be16_write(out->p + c.start + 6, 1);
		be16_write(out->p + c.start + 8, 0);
	}
}

/* Answers 1.0.0.127.in-addr.arpa and the names above it; other addresses have no name. */
static void
loopback4_answer(const struct msg_question *q, struct span zone, struct buf *out)
{
	static const uint8_t one[] = "\0011\0010\0010\003127\7in-addr\4arpa";
	static const uint8_t localhost[] = "\11localhost";
	struct span name = span_of(one, sizeof one);
	struct compose c;

	if (!msg_name_below(name, special_question_name(q))) {
		compose_negative(out, q, RCODE_NXDOMAIN, zone, COMPOSE_TTL_LONG);
	} else if (q->name_n == zone.n) {
		empty_answer(q, zone, out);
	} else if (q->name_n != name.n || (q->type != TYPE_PTR && q->type != TYPE_ANY)) {
		compose_negative(out, q, RCODE_NOERROR, zone, COMPOSE_TTL_LONG);
	} else {
		c = compose_begin(out, q, RCODE_NOERROR);
		compose_answer(&c, (struct span){NULL, 0}, TYPE_PTR, COMPOSE_TTL_LONG,
			       span_of(localhost, sizeof localhost));
	}
}

static void
loopback6_answer(const struct msg_question *q, struct span zone, struct buf *out)
{
	static const uint8_t localhost[] = "\11localhost";
	struct compose c;

	if (q->name_n != zone.n || (q->type != TYPE_PTR && q->type != TYPE_ANY)) {
		empty_answer(q, zone, out);
		return;
	}
	c = compose_begin(out, q, RCODE_NOERROR);
	compose_answer(&c, (struct span){NULL, 0}, TYPE_PTR, COMPOSE_TTL_LONG,
		       span_of(localhost, sizeof localhost));
}

/* Below the last label that decides for nearly every name; false: nothing special. */
static bool
zone_find(const struct special *s, const struct msg_question *q, struct span *zone, uint32_t *kind)
{
	size_t n;

	*zone = top_label(q);
	if (!nameset_find(s->zones, *zone, kind))
		return false;
	if (*kind != KIND_ARPA)
		return true;
	n = nameset_find_above(s->zones, special_question_name(q), kind);
	*zone = span_of(q->name + q->name_n - n, n);
	return *kind != KIND_ARPA;
}

/* RFC 4035, 3.1.4.1: the DS of a zone is its parent's to give. The parents prove that these zones are not signed (RFC
 * 6303, 4; 8375, 4), and validators need that proof. Names that do not exist are not zones, and localhost is never
 * sent. */
static bool
is_parents(const struct msg_question *q, struct span zone, enum kind kind)
{
	return q->type == TYPE_DS && q->name_n == zone.n && kind != KIND_ABSENT && kind != KIND_LOCALHOST;
}

bool
special_answer(const struct special *s, const struct msg_question *q, struct buf *out)
{
	uint32_t kind = KIND_ARPA;
	struct span zone;

	if (!zone_find(s, q, &zone, &kind) || is_parents(q, zone, (enum kind)kind))
		return false;
	switch ((enum kind)kind) {
	case KIND_ARPA:
		return false;
	case KIND_ABSENT:
		compose_negative(out, q, RCODE_NXDOMAIN, zone, COMPOSE_TTL_LONG);
		break;
	case KIND_NODATA:
		compose_negative(out, q, RCODE_NOERROR, zone, COMPOSE_TTL_LONG);
		break;
	case KIND_LOCALHOST:
		localhost_answer(q, zone, out);
		break;
	case KIND_LOOPBACK4:
		loopback4_answer(q, zone, out);
		break;
	case KIND_LOOPBACK6:
		loopback6_answer(q, zone, out);
		break;
	case KIND_EMPTY:
		empty_answer(q, zone, out);
		break;
	}
	return true;
}

bool
special_has(const struct special *s, struct span name)
{
	uint32_t kind;

	return nameset_find(s->above, name, NULL) ||
	       (nameset_find(s->zones, name, &kind) && kind != KIND_ABSENT);
}
