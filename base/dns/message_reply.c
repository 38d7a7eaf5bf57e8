#include "base/dns/message_walk.h"

#include "base/text.h"

#include <string.h>

#define OPT_FIXED    11
#define OPTION_FIXED 4

size_t
msg_ede_clean(uint8_t out[MSG_EDE_TEXT_MAX], struct span text)
{
	size_t n = 0;

	while (text.n > 0) {
		uint32_t c = 0;
		size_t take = utf8_read(&c, text);
		bool odd = take == 0 || unicode_is_control(c);
		size_t put = odd ? 1 : take;

		if (n + put > MSG_EDE_TEXT_MAX)
			break;
		if (odd)
			out[n] = '?';
		else
			memcpy(out + n, text.p, take);
		n += put;
		text = span_slice(text, take == 0 ? 1 : take, text.n);
	}
	return n;
}

/* At most this much of what may be made: every EDE of a finish with its text, and keepalive. */
#define OPT_MAX (OPT_FIXED + MSG_EDE_SENT_MAX * (OPTION_FIXED + 2 + MSG_EDE_TEXT_MAX) + OPTION_FIXED + 2)

/* Our OPT (RFC 6891, 7: in the reply when the question had one). Gives its length. */
static size_t
opt_make(uint8_t out[OPT_MAX], const struct msg_finish *f, uint16_t rcode, bool with_options)
{
	uint8_t *at = out + OPT_FIXED;

	for (size_t i = 0; with_options && i < f->n_ede && i < MSG_EDE_SENT_MAX; i++) {
		size_t n = msg_ede_clean(at + OPTION_FIXED + 2, f->ede[i].text);

		be16_write(at, OPTION_EDE);
		be16_write(at + 2, (uint16_t)(n + 2));
		be16_write(at + 4, f->ede[i].code);
		at += OPTION_FIXED + 2 + n;
	}
	if (with_options && f->keepalive) {
		be16_write(at, OPTION_KEEPALIVE);
		be16_write(at + 2, 2);
		be16_write(at + 4, f->keepalive_ds);
		at += OPTION_FIXED + 2;
	}
	out[0] = 0;
	be16_write(out + 1, TYPE_OPT);
	be16_write(out + 3, MSG_UDP_PAYLOAD);
	be32_write(out + 5,
		   (uint32_t)rcode >> 4 << 24 | (f->question->edns.do_bit ? 0x8000 : 0)); /* RFC 3225, 3 */
	be16_write(out + 9, (uint16_t)(at - out - OPT_FIXED));
	return (size_t)(at - out);
}

static void
header_make(uint8_t *out, const struct msg_finish *f, uint16_t from_answer, uint16_t rcode)
{
	const struct msg_question *q = f->question;
	uint16_t flags = (uint16_t)(MSG_QR | from_answer | (q->flags & (MSG_OPCODE | MSG_RD | MSG_CD)));

	/* Without an OPT the upper bits have no place, and the lower ones alone would say something else. */
	if (rcode > 15 && !q->edns.present)
		rcode = RCODE_SERVFAIL;
	be16_write(out, q->id);
	be16_write(out + 2, (uint16_t)(flags | (rcode & 15)));
	be16_write(out + 4, q->section.n != 0);
}

enum res
msg_reply_empty(struct buf *out, const struct msg_finish *f, uint16_t rcode)
{
	const struct msg_question *q = f->question;
	uint8_t reply[MSG_HEADER + MSG_NAME_MAX + 4 + OPT_MAX];
	size_t n = MSG_HEADER + q->section.n;

	header_make(reply, f, f->no_recursion ? 0 : MSG_RA, rcode);
	memset(reply + 6, 0, 6);
	if (q->section.n != 0)
		memcpy(reply + MSG_HEADER, q->section.p, q->section.n);
	if (q->edns.present) {
		size_t opt_n = opt_make(reply + n, f, rcode, true);

		if (n + opt_n > f->max)
			opt_n = opt_make(reply + n, f, rcode, false);
		n += opt_n;
		reply[11] = 1;
	}
	buf_put(out, span_of(reply, n));
	return buf_ok(out) ? RES_OK : RES_LIMIT;
}

static void
ttls_write(uint8_t *reply, const struct msg_answer *a, uint32_t age_s, uint32_t floor, uint32_t cap)
{
	for (size_t i = 0; i < a->n_ttl; i++) {
		size_t at = a->ttl_at[i];
		uint8_t *p = reply + (a->opt_n != 0 && at > a->opt_at ? at - a->opt_n : at);
		uint32_t ttl = be32_read(p);

		if (ttl > INT32_MAX) /* RFC 2181, 8 */
			ttl = 0;
		if (at == a->soa_ttl_at && ttl > a->soa_negative_ttl)
			ttl = a->soa_negative_ttl;
		ttl = ttl > age_s ? ttl - age_s : 0;
		ttl = ttl < floor ? floor : ttl;
		be32_write(p, ttl > cap ? cap : ttl);
	}
}

enum res
msg_reply_from_answer(struct buf *out, const struct msg_finish *f, const struct msg_answer *a, uint32_t age_s,
		      uint32_t ttl_floor, uint32_t ttl_cap)
{
	const struct msg_question *q = f->question;
	uint16_t keep = a->flags & (MSG_AA | MSG_TC | MSG_RA | (f->ad ? MSG_AD : 0));
	uint8_t opt[OPT_MAX], *reply;
	size_t n = a->wire.n - a->opt_n, opt_n = 0;
	bool cut;

	if (a->section.n != q->section.n)
		return RES_MALFORMED;
	if (q->edns.present) {
		opt_n = opt_make(opt, f, a->rcode, true);
		if (n + opt_n > f->max)
			opt_n = opt_make(opt, f, a->rcode, false);
		/* TC would lead nowhere (RFC 7766, 5), and the records are worth more than our OPT. */
		if (n + opt_n > MSG_MAX && f->max == MSG_MAX)
			opt_n = 0;
	}
	/* RFC 2181, 9: rather no record than part of an RRset; the client comes back over TCP for all of it.
	 */
	cut = n + opt_n > f->max;
	if (cut)
		n = MSG_HEADER + q->section.n;
	reply = buf_room(out, n + opt_n);
	if (reply == NULL)
		return RES_LIMIT;
	if (!cut && !msg_strip(reply, a))
		return RES_MALFORMED;
	header_make(reply, f, cut ? keep | MSG_TC : keep, a->rcode);
	be16_write(reply + 6, cut ? 0 : a->an);
	be16_write(reply + 8, cut ? 0 : a->ns);
	be16_write(reply + 10, (uint16_t)((cut ? 0 : a->ar) + (opt_n != 0)));
	memcpy(reply + MSG_HEADER, q->section.p, q->section.n);
	if (!cut)
		ttls_write(reply, a, age_s, ttl_floor, ttl_cap);
	memcpy(reply + n, opt, opt_n);
	buf_added(out, n + opt_n);
	return RES_OK;
}
