#include "resolver/reply.h"

#include "resolver/explain.h"

/* Releases of clang-format differ about braces in a macro. */
/* clang-format off */
#define EDE_TEXT(text) {(const uint8_t *)(text), sizeof(text) - 1}
/* clang-format on */

const struct msg_ede reply_ede_cached_error = {.code = EDE_CACHED_ERROR};
const struct msg_ede reply_ede_client = {EDE_PROHIBITED, EDE_TEXT("this client may not ask")};
const struct msg_ede reply_ede_filtered = {EDE_BLOCKED, EDE_TEXT("on a filter list")};
const struct msg_ede reply_ede_not_forwarded = {EDE_NOT_SUPPORTED,
						EDE_TEXT("such queries are never forwarded")};
const struct msg_ede reply_ede_overload = {EDE_OTHER, EDE_TEXT("too many queries in flight")};
const struct msg_ede reply_ede_rebinding = {EDE_BLOCKED, EDE_TEXT("a private address for a public name")};
const struct msg_ede reply_ede_single_label = {EDE_BLOCKED, EDE_TEXT("a name of a single label")};
const struct msg_ede reply_ede_unmade = {EDE_OTHER, EDE_TEXT("the answer could not be made: out of memory")};

struct reply
reply_empty(uint16_t rcode, const struct msg_ede *ede, enum counter counts_as)
{
	return (struct reply){.rcode = rcode, .ede = ede, .n_ede = ede != NULL, .counts_as = counts_as};
}

struct reply
reply_whole(const struct msg_answer *a, const struct msg_ede *ede, enum counter counts_as)
{
	return (struct reply){
	    .answer = a, .ttl_cap = UINT32_MAX, .ede = ede, .n_ede = ede != NULL, .counts_as = counts_as};
}

struct reply
reply_cached(const struct cache_hit *hit)
{
	struct reply r = reply_whole(&hit->answer, hit->has_ede ? &hit->ede : NULL, COUNTER_CACHE_HITS);

	r.age_s = hit->age_s;
	r.ad = hit->ad;
	return r;
}

struct reply
reply_stale(const struct cache_hit *hit, struct msg_ede *ede)
{
	struct reply r = reply_whole(&hit->answer, ede, COUNTER_CACHE_STALE);

	/* RFC 8914, 4.4 and 4.20 */
	*ede = (struct msg_ede){.code = hit->answer.rcode == RCODE_NXDOMAIN ? EDE_STALE_NXDOMAIN : EDE_STALE};
	r.ttl_floor = r.ttl_cap = REPLY_STALE_TTL_S;
	r.ad = hit->ad;
	return r;
}

/* How much the client takes, and what it asked for beside the answer. */
static struct msg_finish
finish_for(const struct msg_question *q, bool tcp)
{
	struct msg_finish f = {.question = q, .max = MSG_MAX};

	if (tcp) {
		f.keepalive = q->edns.keepalive;
		f.keepalive_ds = REPLY_KEEPALIVE_DS;
		return f;
	}
	f.max = q->edns.present ? q->edns.udp_size : 512;
	if (f.max > MSG_UDP_PAYLOAD)
		f.max = MSG_UDP_PAYLOAD;
	if (f.max < 512)
		f.max = 512;
	return f;
}

static bool
write_empty(struct buf *out, const struct msg_finish *f, uint16_t rcode, struct counters *counters)
{
	if (rcode == RCODE_SERVFAIL)
		counter_add(counters, COUNTER_SERVFAIL, 1);
	return msg_reply_empty(out, f, rcode) == RES_OK;
}

static bool
write_answer(struct buf *out, const struct msg_finish *f, const struct reply *r, struct counters *counters)
{
	struct msg_finish failed = *f;
	size_t at = out->n;

	if (msg_reply_from_answer(out, f, r->answer, r->age_s, r->ttl_floor, r->ttl_cap) == RES_OK)
		return true;
	out->n = at;
	out->bad = false;
	failed.ede = &reply_ede_unmade;
	failed.n_ede = 1;
	return write_empty(out, &failed, RCODE_SERVFAIL, counters);
}

bool
reply_write(struct buf *out, const struct reply *r, const struct msg_question *q, bool tcp,
	    struct counters *counters)
{
	struct msg_finish f = finish_for(q, tcp);
	size_t at = out->n;

	f.ad = r->ad && ((q->flags & MSG_AD) != 0 || q->edns.do_bit);
	f.ede = r->ede;
	f.n_ede = r->n_ede;
	f.no_recursion = r->no_recursion;
	if (r->counts_as != COUNTER_COUNT)
		counter_add(counters, r->counts_as, 1);
	if (r->answer != NULL ? !write_answer(out, &f, r, counters)
			      : !write_empty(out, &f, r->rcode, counters))
		return false;
	if (out->n >= at + MSG_HEADER && (out->p[at + 2] & MSG_TC >> 8) != 0)
		counter_add(counters, COUNTER_TRUNCATED, 1);
	counter_add(counters, COUNTER_REPLIES, 1);
	return true;
}
