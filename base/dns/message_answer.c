#include "base/dns/message_walk.h"

#include "base/text.h"

#include <string.h>

/* The question section: exactly one (RFC 5625, 4.1 knows no other), its name spelled out. */
static bool
section_read(struct msg_answer *a, struct walk *w)
{
	size_t n;

	if (be16_read(a->wire.p + 4) != 1 || !walk_name(w, w->n) || w->n - w->at < 4)
		return false;
	w->question_end = w->at;
	a->type = be16_read(w->p + w->at);
	a->class = be16_read(w->p + w->at + 2);
	w->at += 4;
	n = w->at - MSG_HEADER;
	a->section = span_of(w->p + MSG_HEADER, n);
	return true;
}

static void
ede_read(struct msg_answer *a)
{
	struct cursor in = cursor_over(a->edns.options);

	while (cursor_left(&in) > 0) {
		uint16_t option = cursor_u16(&in), code;
		struct span data = cursor_vec16(&in);

		if (option != OPTION_EDE || data.n < 2) /* RFC 8914, 2; shorter ones say nothing */
			continue;
		code = be16_read(data.p);
		if (code < 32)
			a->ede_codes |= UINT32_C(1) << code;
		if (a->n_ede < MSG_EDE_SENT_MAX)
			a->ede[a->n_ede++] = (struct msg_ede){code, span_slice(data, 2, data.n - 2)};
	}
}

/* RFC 6891, 6.1.1: one OPT, in the additional section */
static bool
opt_take(struct msg_answer *a, struct walk *w, const struct walk_rr *rr, int section)
{
	if (section != MSG_SECTION_ADDITIONAL || a->opt_n != 0 || !walk_edns(w, rr, &a->edns))
		return false;
	a->opt_at = w->opt_at = rr->name_at;
	a->opt_n = rr->end - rr->name_at;
	w->opt_end = rr->end;
	a->rcode = (uint16_t)(a->rcode | (rr->ttl >> 24) << 4);
	ede_read(a);
	return true;
}

static void
record_take(struct msg_answer *a, struct walk *w, const struct walk_rr *rr, int section)
{
	uint32_t ttl = rr->ttl > INT32_MAX ? 0 : rr->ttl; /* RFC 2181, 8 */

	a->ttl_at[a->n_ttl++] = (uint16_t)(rr->type_at + 4);
	w->n_ttl = a->n_ttl;
	if (section == MSG_SECTION_ADDITIONAL)
		return;
	if (ttl < a->ttl_min)
		a->ttl_min = ttl;
	if (section == MSG_SECTION_ANSWER && (rr->type == a->type || a->type == TYPE_ANY))
		a->has_answer_of_type = true;
	if (section == MSG_SECTION_ANSWER && rr->type == TYPE_CNAME)
		a->has_alias = true;
	if (section == MSG_SECTION_AUTHORITY && rr->type == TYPE_SOA && !a->has_soa) {
		uint32_t minimum = be32_read(w->p + rr->end - 4);

		a->has_soa = true;
		a->soa_ttl_at = (uint16_t)(rr->type_at + 4);
		a->soa_negative_ttl = minimum < ttl ? minimum : ttl; /* RFC 2308, 5 */
	}
}

static enum res
answer_records_read(struct msg_answer *a, struct walk *w)
{
	unsigned counts[3] = {a->an, a->ns, a->ar};
	struct walk_rr rr;

	for (int section = 0; section < 3; section++) {
		for (unsigned i = 0; i < counts[section]; i++) {
			if (!walk_rr(w, &rr))
				return w->steps == 0 ? RES_LIMIT : RES_MALFORMED;
			/* We sign nothing, and a client could not check the signature after our changes. */
			if (rr.type == TYPE_TSIG)
				return RES_MALFORMED;
			if (rr.type == TYPE_OPT) {
				if (!opt_take(a, w, &rr, section))
					return RES_MALFORMED;
				a->ar--;
				continue;
			}
			if (a->n_ttl == MSG_RRS_MAX)
				return RES_LIMIT;
			record_take(a, w, &rr, section);
		}
	}
	return w->at == w->n ? RES_OK : RES_MALFORMED;
}

enum res
msg_answer_read(struct msg_answer *a, struct span wire, uint16_t *ttl_at)
{
	struct walk w;
	enum res res;

	*a = (struct msg_answer){.wire = wire, .ttl_at = ttl_at, .ttl_min = UINT32_MAX};
	if (wire.n > MSG_MAX)
		return RES_LIMIT;
	if (wire.n < MSG_HEADER)
		return RES_MALFORMED;
	a->id = be16_read(wire.p);
	a->flags = be16_read(wire.p + 2);
	a->rcode = a->flags & 15;
	if (!(a->flags & MSG_QR) || (a->flags & MSG_OPCODE))
		return RES_MALFORMED;
	a->an = be16_read(wire.p + 6);
	a->ns = be16_read(wire.p + 8);
	a->ar = be16_read(wire.p + 10);
	w = walk_over(wire, MSG_HEADER);
	w.ttl_at = ttl_at;
	res = section_read(a, &w) ? answer_records_read(a, &w) : RES_MALFORMED;
	if (a->rcode != RCODE_NXDOMAIN && a->has_answer_of_type)
		a->soa_ttl_at = 0;
	return res;
}

bool
msg_answer_matches(const struct msg_answer *a, struct span sent)
{
	size_t name_n = sent.n - 4;

	if (sent.n <= 4 || a->section.n != sent.n || memcmp(a->section.p + name_n, sent.p + name_n, 4) != 0)
		return false;
	if (memcmp(a->section.p, sent.p, name_n) == 0)
		return true;
	/* A label is at most 63 long, below 'A': its length is no letter. */
	for (size_t i = 0; i < name_n; i++)
		if (ascii_lower(a->section.p[i]) != ascii_lower(sent.p[i]))
			return false;
	return true;
}

void
msg_each(const struct msg_answer *a, bool (*fn)(void *ctx, const struct msg_rr *), void *ctx)
{
	unsigned counts[3] = {a->an, a->ns, a->ar + (a->opt_n != 0 ? 1U : 0U)};
	struct walk w = walk_over(a->wire, MSG_HEADER + a->section.n);
	struct walk_rr rr;

	for (int section = 0; section < 3; section++) {
		for (unsigned i = 0; i < counts[section]; i++) {
			struct msg_rr found;

			if (!walk_rr(&w, &rr))
				return;
			if (rr.type == TYPE_OPT)
				continue;
			found = (struct msg_rr){.section = (unsigned)section,
						.name_at = rr.name_at,
						.type = rr.type,
						.class = rr.class,
						.ttl = rr.ttl,
						.rdata = span_of(w.p + rr.rdata_at, rr.end - rr.rdata_at)};
			if (!fn(ctx, &found))
				return;
		}
	}
}
