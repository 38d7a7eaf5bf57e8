#include "base/dns/message_walk.h"

#include "base/text.h"

#include <string.h>

/* The spelled name at the front of the question section; RFC 1035, 4.1.4 leaves nothing that it could point
 * to. */
static bool
question_name_read(struct msg_question *q, struct span wire)
{
	size_t at = MSG_HEADER, n;
	uint8_t labels = 0;

	for (; at < wire.n && wire.p[at] != 0; at += 1U + wire.p[at], labels++)
		if (wire.p[at] >= 0x40 || at - MSG_HEADER >= MSG_NAME_MAX)
			return false;
	n = at + 1 - MSG_HEADER;
	if (n > MSG_NAME_MAX || at + 5 > wire.n)
		return false;
	/* A label is at most 63 long, below 'A': its length is no letter. */
	ascii_lower_copy(q->name, wire.p + MSG_HEADER, n);
	q->name_n = (uint8_t)n;
	q->labels = labels;
	q->type = be16_read(wire.p + at + 1);
	q->class = be16_read(wire.p + at + 3);
	q->section = span_of(wire.p + MSG_HEADER, n + 4);
	return true;
}

/* What nearly every client sends: one OPT, and nothing after it. */
static bool
is_lone_opt(struct span wire, size_t at, struct walk_rr *rr)
{
	const uint8_t *p = wire.p + at;

	if (wire.n - at < 11 || p[0] != 0 || be16_read(p + 1) != TYPE_OPT ||
	    at + 11 + be16_read(p + 9) != wire.n)
		return false;
	*rr = (struct walk_rr){at, at + 1, at + 11, wire.n, TYPE_OPT, be16_read(p + 3), be32_read(p + 5)};
	return true;
}

/* However bad its content: a client that sent an OPT gets its error with one (RFC 6891, 7). */
static bool
edns_read(struct msg_question *q, const struct walk *w, const struct walk_rr *rr)
{
	q->edns.present = true;
	return walk_edns(w, rr, &q->edns);
}

/* What follows the question: one OPT at the most, nothing signed, nothing after the last record. */
static bool
question_rest_read(struct msg_question *q, struct span wire, size_t at, unsigned authority,
		   unsigned additional)
{
	struct walk w = walk_over(wire, at);
	struct walk_rr rr;
	bool again;

	if (authority == 0 && additional == 1 && is_lone_opt(wire, at, &rr))
		return edns_read(q, &w, &rr);
	w.question_end = MSG_HEADER + q->name_n;
	for (unsigned i = 0; i < authority + additional; i++) {
		if (!walk_rr(&w, &rr))
			return false;
		/* TSIG and SIG(0) sign what we could not pass on as it stands. */
		if (rr.type == TYPE_TSIG || rr.type == TYPE_SIG)
			return false;
		if (rr.type != TYPE_OPT)
			continue;
		/* RFC 6891, 6.1.1: one, in the additional section */
		again = q->edns.present;
		if (!edns_read(q, &w, &rr) || again || i < authority)
			return false;
	}
	return w.at == wire.n;
}

bool
msg_type_is_meta(uint16_t type)
{
	return type == TYPE_OPT || type == TYPE_NXNAME || (type >= TYPE_TKEY && type <= TYPE_MAILA);
}

enum msg_fault
msg_question_read(struct msg_question *q, struct span wire)
{
	uint16_t flags, answer, authority, additional;

	if (wire.n < MSG_HEADER)
		return MSG_DROP;
	flags = be16_read(wire.p + 2);
	if (flags & MSG_QR)
		return MSG_DROP;
	q->id = be16_read(wire.p);
	q->flags = flags & (MSG_OPCODE | MSG_RD | MSG_AD | MSG_CD);
	q->section = (struct span){NULL, 0};
	q->name_n = 0;
	q->edns = (struct msg_edns){0};
	if (flags & MSG_OPCODE)
		return MSG_NOTIMP;
	/* RFC 9619: exactly one question */
	if (be16_read(wire.p + 4) != 1 || !question_name_read(q, wire))
		return MSG_FORMERR;
	answer = be16_read(wire.p + 6);
	authority = be16_read(wire.p + 8);
	additional = be16_read(wire.p + 10);
	/* RFC 1995, 3: IXFR alone brings a record along */
	if (answer != 0 || (authority != 0 && q->type != TYPE_IXFR) ||
	    !question_rest_read(q, wire, MSG_HEADER + q->section.n, authority, additional)) {
		q->edns = (struct msg_edns){.present = q->edns.present, .udp_size = 512};
		return MSG_FORMERR;
	}
	if (q->edns.version != 0)
		return MSG_BADVERS;
	if (q->type == TYPE_NXNAME) /* RFC 9824, 3.5 */
		return MSG_FORMERR;
	if (!(flags & MSG_RD) || q->class != CLASS_IN || msg_type_is_meta(q->type))
		return MSG_REFUSED;
	return MSG_OK;
}

void
msg_question_write(struct buf *out, const struct msg_question *q)
{
	/*
	 * AD requests the AD flag (RFC 6840, 5.7). It is always set: the answer also serves those who ask
	 * later, from the cache, and whether they hear of it is decided there.
	 */
	buf_u16(out, 0);
	buf_u16(out, (uint16_t)(MSG_RD | MSG_AD | (q->flags & MSG_CD)));
	buf_u16(out, 1);
	buf_u16(out, 0);
	buf_u16(out, 0);
	buf_u16(out, 1);
	buf_put(out, span_of(q->name, q->name_n));
	buf_u16(out, q->type);
	buf_u16(out, q->class);
	buf_u8(out, 0);
	buf_u16(out, TYPE_OPT);
	buf_u16(out, MSG_UDP_PAYLOAD);
	buf_u32(out, q->edns.do_bit ? 0x8000 : 0);
	buf_u16(out, 0);
}

struct msg_question
msg_question_of(struct span name, struct span section, uint16_t type, uint16_t class)
{
	struct msg_question q = {
	    .flags = MSG_RD, .section = section, .name_n = (uint8_t)name.n, .type = type, .class = class};

	memcpy(q.name, name.p, name.n);
	for (size_t at = 0; q.name[at] != 0; at += 1U + q.name[at])
		q.labels++;
	return q;
}
