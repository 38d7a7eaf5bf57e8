#include "base/dns/compose.h"

struct compose
compose_begin(struct buf *out, const struct msg_question *q, uint16_t rcode)
{
	struct compose c = {out, out->n, q};

	buf_u16(out, q->id);
	buf_u16(out, (uint16_t)(MSG_QR | MSG_AA | MSG_RA | (q->flags & MSG_RD) | rcode));
	buf_u16(out, 1);
	buf_u16(out, 0);
	buf_u32(out, 0);
	buf_put(out, q->section);
	return c;
}

static void
count_up(struct compose *c, size_t at)
{
	uint8_t *p = c->out->p + c->start + at;

	if (buf_ok(c->out))
		be16_write(p, (uint16_t)(be16_read(p) + 1));
}

/* The end of the question's name by a pointer; the root by its own byte. */
static void
put_suffix(struct compose *c, size_t suffix_n)
{
	if (suffix_n <= 1)
		buf_u8(c->out, 0);
	else
		buf_u16(c->out, (uint16_t)(0xc000 | (MSG_HEADER + c->question->name_n - suffix_n)));
}

static void
put_record(struct compose *c, struct span owner, uint16_t type, uint32_t ttl, struct span rdata)
{
	if (owner.n == 0)
		put_suffix(c, c->question->name_n);
	else
		buf_put(c->out, owner);
	buf_u16(c->out, type);
	buf_u16(c->out, CLASS_IN);
	buf_u32(c->out, ttl);
	buf_u16(c->out, (uint16_t)rdata.n);
	buf_put(c->out, rdata);
}

void
compose_answer(struct compose *c, struct span owner, uint16_t type, uint32_t ttl, struct span rdata)
{
	put_record(c, owner, type, ttl, rdata);
	count_up(c, 6);
}

void
compose_authority(struct compose *c, struct span owner, uint16_t type, uint32_t ttl, struct span rdata)
{
	put_record(c, owner, type, ttl, rdata);
	count_up(c, 8);
}

void
compose_soa(struct compose *c, struct span zone, uint32_t ttl)
{
	/* RFC 6303, 3: MNAME is the zone itself, RNAME nobody.invalid; serial 1, an hour, 20 minutes, a week. */
	static const uint8_t rname[] = "\6nobody\7invalid";
	size_t length_at;

	put_suffix(c, zone.n);
	buf_u16(c->out, TYPE_SOA);
	buf_u16(c->out, CLASS_IN);
	buf_u32(c->out, ttl);
	length_at = c->out->n;
	buf_u16(c->out, 0);
	put_suffix(c, zone.n);
	buf_put(c->out, span_of(rname, sizeof rname));
	buf_u32(c->out, 1);
	buf_u32(c->out, 3600);
	buf_u32(c->out, 1200);
	buf_u32(c->out, 604800);
	buf_u32(c->out, ttl);
	if (buf_ok(c->out))
		be16_write(c->out->p + length_at, (uint16_t)(c->out->n - length_at - 2));
	count_up(c, 8);
}

void
compose_negative(struct buf *out, const struct msg_question *q, uint16_t rcode, struct span zone,
		 uint32_t ttl)
{
	struct compose c = compose_begin(out, q, rcode);

	compose_soa(&c, zone, ttl);
}
