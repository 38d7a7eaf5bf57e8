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

/* Of the records in the first n bytes. */
static void
ttls_write(uint8_t *reply, size_t n, const struct msg_answer *a, uint32_t age_s, uint32_t floor, uint32_t cap)
{
	for (size_t i = 0; i < a->n_ttl; i++) {
		size_t at = a->ttl_at[i], to = a->opt_n != 0 && at > a->opt_at ? at - a->opt_n : at;
		uint32_t ttl;

		if (to >= n)
			break;
		ttl = be32_read(reply + to);
		if (ttl > INT32_MAX) /* RFC 2181, 8 */
			ttl = 0;
		if (at == a->soa_ttl_at && ttl > a->soa_negative_ttl)
			ttl = a->soa_negative_ttl;
		ttl = ttl > age_s ? ttl - age_s : 0;
		ttl = ttl < floor ? floor : ttl;
		be32_write(reply + to, ttl > cap ? cap : ttl);
	}
}

/* What of the answer goes out, and our OPT beside it, *opt_n bytes: in this order additional, authority, EDE are left out. */
static struct msg_cut
reply_plan(const struct msg_finish *f, const struct msg_answer *a, uint8_t opt[OPT_MAX], size_t *opt_n)
{
	const struct msg_cut whole = {a->wire.n - a->opt_n, a->an, a->ns, a->ar, false};
	const struct msg_edns *edns = &f->question->edns;
	struct msg_cut cut = whole;

	/* With all of our OPT, with its fixed part, and without it. */
	for (unsigned i = edns->present ? 0 : 2; i < 3; i++) {
		/* A client that sent an OPT gets one (RFC 6891, 7), unless TC would lead nowhere (RFC 7766, 5): then
		 * the records are worth more. */
		if (i == 2 && edns->present && f->max < MSG_MAX)
			break;
		*opt_n = i < 2 ? opt_make(opt, f, a->rcode, i == 0) : 0;
		if (whole.n + *opt_n <= f->max)
			return whole;
		cut = msg_cut(a, f->max - *opt_n, edns->do_bit);
		if (!cut.truncated)
			break;
	}
	return cut;
}

enum res
msg_reply_from_answer(struct buf *out, const struct msg_finish *f, const struct msg_answer *a, uint32_t age_s,
		      uint32_t ttl_floor, uint32_t ttl_cap)
{
	const struct msg_question *q = f->question;
	uint16_t keep = a->flags & (MSG_AA | MSG_TC | MSG_RA | (f->ad ? MSG_AD : 0));
	uint8_t opt[OPT_MAX], *reply;
	struct msg_cut cut;
	size_t opt_n = 0;

	if (a->section.n != q->section.n)
		return RES_MALFORMED;
	cut = reply_plan(f, a, opt, &opt_n);
	reply = buf_room(out, cut.n + opt_n);
	if (reply == NULL)
		return RES_LIMIT;
	if (cut.n < a->wire.n - a->opt_n)
		memcpy(reply, a->wire.p, cut.n);
	else if (!msg_strip(reply, a))
		return RES_MALFORMED;
	header_make(reply, f, cut.truncated ? keep | MSG_TC : keep, a->rcode);
	be16_write(reply + 6, cut.an);
	be16_write(reply + 8, cut.ns);
	be16_write(reply + 10, (uint16_t)(cut.ar + (opt_n != 0)));
	memcpy(reply + MSG_HEADER, q->section.p, q->section.n);
	ttls_write(reply, cut.n, a, age_s, ttl_floor, ttl_cap);
	memcpy(reply + cut.n, opt, opt_n);
	buf_added(out, cut.n + opt_n);
	return RES_OK;
}
