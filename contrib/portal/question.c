#include "contrib/portal/question.h"

#include "base/addr.h"
#include "base/dns/message_walk.h"
#include "base/text.h"

#include <string.h>

void
question_compose(struct buf *out, uint16_t id, uint16_t type, struct span name)
{
	buf_u16(out, id);
	buf_u16(out, MSG_RD);
	buf_u16(out, 1);
	buf_u16(out, 0);
	buf_u32(out, 0);
	buf_put(out, name);
	buf_u16(out, type);
	buf_u16(out, CLASS_IN);
}

/* One name of a chain, and what is collected for it. */
struct collecting {
	struct span wire;
	struct portal_message *answer;
	uint8_t owner[MSG_NAME_MAX], next[MSG_NAME_MAX];
	size_t owner_n, next_n; /* next_n 0: no CNAME of owner was found */
};

static size_t
name_at(const struct collecting *c, size_t at, uint8_t out[MSG_NAME_MAX])
{
	size_t n = walk_name_expand(c->wire, at, out);

	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)ascii_lower(out[i]); /* a length is below 'A' */
	return n;
}

static void
ttl_take(struct portal_message *answer, uint32_t ttl)
{
	if (ttl >= 0x80000000U) /* RFC 2181, 8 */
		ttl = 0;
	if (ttl < answer->ttl)
		answer->ttl = ttl;
}

static bool
collect(void *ctx, const struct msg_rr *rr)
{
	struct collecting *c = ctx;
	struct portal_message *answer = c->answer;
	uint8_t owner[MSG_NAME_MAX];
	size_t n;

	if (rr->section != MSG_SECTION_ANSWER || rr->class != CLASS_IN ||
	    (rr->type != answer->type && rr->type != TYPE_CNAME))
		return true;
	n = name_at(c, rr->name_at, owner);
	if (n != c->owner_n || memcmp(owner, c->owner, n) != 0)
		return true;
	if (rr->type == TYPE_CNAME && c->next_n == 0) {
		c->next_n = name_at(c, (size_t)(rr->rdata.p - c->wire.p), c->next);
		ttl_take(answer, rr->ttl);
	} else if (rr->type == answer->type && rr->rdata.n == (rr->type == TYPE_A ? 4 : 16) &&
		   answer->n < PORTAL_ADDRESSES_MAX && portal_address_serves(rr->rdata)) {
		memcpy(answer->ip[answer->n++], rr->rdata.p, rr->rdata.n);
		ttl_take(answer, rr->ttl);
	}
	return true;
}

/* From the name along its aliases, until addresses are found or the chain ends. */
static void
chain_follow(struct collecting *c, const struct msg_answer *m)
{
	for (unsigned i = 0; i <= ALIASES_MAX; i++) {
		c->next_n = 0;
		msg_each(m, collect, c);
		if (c->answer->n > 0 || c->next_n == 0)
			return;
		memcpy(c->owner, c->next, c->next_n);
		c->owner_n = c->next_n;
	}
}

enum question_verdict
question_judge(struct portal_message *answer, struct span wire, struct span question)
{
	struct span section = span_slice(question, MSG_HEADER, question.n - MSG_HEADER);
	struct collecting c = {.wire = wire, .answer = answer, .owner_n = section.n - 4};
	uint16_t ttl_at[MSG_RRS_MAX];
	struct msg_answer m;

	*answer = (struct portal_message){
	    .kind = PORTAL_ANSWER, .type = be16_read(section.p + c.owner_n), .outcome = PORTAL_FAILED};
	if (wire.n > ANSWER_UDP_MAX || msg_answer_read(&m, wire, ttl_at) != RES_OK ||
	    m.id != be16_read(question.p) || !msg_answer_matches(&m, section))
		return QUESTION_IGNORED;
	if (m.rcode != RCODE_NOERROR && m.rcode != RCODE_NXDOMAIN)
		return QUESTION_REFUSED;
	memcpy(c.owner, section.p, c.owner_n);
	answer->ttl = PORTAL_TTL_MAX_S;
	if (m.rcode == RCODE_NOERROR)
		chain_follow(&c, &m);
	answer->outcome = answer->n > 0 ? PORTAL_ADDRESSES : PORTAL_NOTHING;
	return QUESTION_ANSWERED;
}
